/**
 * The folder of a run, and what lies in it.
 *
 *     runs/2026-11-23-fec_mini/  config.json  metrics.jsonl  latest.safetensors  best.safetensors
 *                                curve.svg  curve.png  clusters.png  kernels/matmul_3.wgsl
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Configuration, configurationHash, differences } from "./configuration.ts";
import { reasonOf } from "./file-reason.ts";
import { removeLeftovers, writeWholeFile } from "./whole-file.ts";

/** The paths of a run's files; only `configuration` is there from the beginning. */
export interface RunFolder {
  readonly folder: string;
  readonly configuration: string;
  readonly metrics: string;
  readonly latest: string;
  readonly best: string;
  readonly curveSvg: string;
  readonly curvePng: string;
  readonly clusters: string;
  readonly kernels: string;
}

/** A run that can't be begun or gone on with: one line, facts, and what to do. */
export class RunError extends Error {
  override readonly name = "RunError";
  constructor(
    message: string,
    readonly notes: readonly string[],
    readonly help: string,
  ) {
    super(message);
  }
}

/** The paths below a folder. */
export function runFiles(folder: string): RunFolder {
  return {
    folder,
    configuration: join(folder, "config.json"),
    metrics: join(folder, "metrics.jsonl"),
    latest: join(folder, "latest.safetensors"),
    best: join(folder, "best.safetensors"),
    curveSvg: join(folder, "curve.svg"),
    curvePng: join(folder, "curve.png"),
    clusters: join(folder, "clusters.png"),
    kernels: join(folder, "kernels"),
  };
}

/** A folder for a new run that does not exist yet: `runs/2026-11-23-fec_mini`, with `-2`, `-3` … when it does. */
export function freshRunFolder(model: string, date: Date, parent = "runs"): string {
  const day = date.toISOString().slice(0, 10);
  const name = join(parent, `${day}-${model.replaceAll(/[^\w.-]+/g, "-")}`);
  for (let i = 1; ; i++) {
    const folder = i === 1 ? name : `${name}-${i}`;
    if (!existsSync(folder)) return folder;
  }
}

/** Makes the folder of a new run and writes its configuration. Throws `RunError` when there is a run already. */
export function createRun(folder: string, configuration: Configuration): RunFolder {
  const files = runFiles(folder);
  const taken = [files.configuration, files.metrics, files.latest, files.best].find((file) =>
    existsSync(file),
  );
  if (taken !== undefined) throw occupied(folder, taken);
  makeFolder(folder);
  try {
    // `wx` fails when another process has just begun a run here.
    writeFileSync(files.configuration, textOf(configuration), { flag: "wx" });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw occupied(folder, files.configuration);
    throw unwritable(files.configuration, error, chooseAnother);
  }
  return files;
}

/**
 * The folder of a run that is to go on, which must be of the same configuration. What killed writers left is removed. Throws
 * `RunError`.
 */
export async function resumeRun(folder: string, configuration: Configuration): Promise<RunFolder> {
  const files = runFiles(folder);
  const before = readConfiguration(folder);
  if (configurationHash(before) !== configurationHash(configuration)) {
    throw new RunError(
      `the run in ${folder} has another configuration`,
      differences(before, configuration).map((d) => `${d.key} was ${d.before}, now it is ${d.now}`),
      "go on with the same settings, or begin a new run in another folder",
    );
  }
  if (!existsSync(files.latest)) {
    const hasBest = existsSync(files.best);
    throw new RunError(
      `the run in ${folder} has no checkpoint ${hasBest ? "to go on from" : "yet"}`,
      [`${files.latest} is not there`],
      hasBest
        ? `put it back, or copy ${files.best}, the run's best one, to its place`
        : "remove the folder and begin again",
    );
  }
  await removeLeftovers(folder);
  return files;
}

/** The folder of a run that goes on; where its data lie now is noted, if they were moved. Throws `RunError`. */
export async function goOnWithRun(folder: string, configuration: Configuration): Promise<RunFolder> {
  const files = runFiles(folder);
  if (readConfiguration(folder)["data"] === configuration["data"]) return files;
  try {
    await writeWholeFile(files.configuration, textOf(configuration));
  } catch (error) {
    throw unwritable(files.configuration, error, "let it be written");
  }
  return files;
}

function textOf(configuration: Configuration): string {
  return `${JSON.stringify(configuration, null, 2)}\n`;
}

/** The configuration of a run. Throws `RunError` when the folder holds no run. */
export function readConfiguration(folder: string): Configuration {
  const file = runFiles(folder).configuration;
  let found: unknown;
  try {
    found = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    if (error instanceof SyntaxError) throw damaged(folder, error.message);
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new RunError(
      isMissing ? `there is no run in ${folder}` : `${file} can't be read: ${reasonOf(error)}`,
      isMissing ? [`${file} is not there`] : [],
      "check the path",
    );
  }
  if (typeof found === "object" && found !== null && !Array.isArray(found)) return found as Configuration;
  throw damaged(folder, "it is no JSON object");
}

/** A configuration tells the settings of a run, which go on unchanged or not at all; its weights are left. */
function damaged(folder: string, problem: string): RunError {
  const { configuration, best, latest } = runFiles(folder);
  const weights = [best, latest].find((file) => existsSync(file));
  return new RunError(
    `${configuration} is not the configuration of a run`,
    [`it is damaged, or of another program: ${problem}`],
    weights === undefined
      ? "put the run's own file back, or begin a new run in another folder"
      : `put the run's own file back, or begin a new run with its weights: \`fecit train --weights ${weights} --out FOLDER\``,
  );
}

/** Writes kernels as `kernels/NAME.wgsl`, to be read. Throws `RunError`. */
export function writeKernels(
  { kernels }: RunFolder,
  texts: readonly { readonly name: string; readonly wgsl: string }[],
): void {
  makeFolder(kernels);
  for (const { name, wgsl } of texts) {
    const file = join(kernels, `${name.replaceAll(/[^\w.-]+/g, "_")}.wgsl`);
    try {
      writeFileSync(file, wgsl);
    } catch (error) {
      throw unwritable(file, error, "make room, or let it be written");
    }
  }
}

function unwritable(file: string, error: unknown, help: string): RunError {
  return new RunError(`${file} can't be written: ${reasonOf(error)}`, [], help);
}

function occupied(folder: string, file: string): RunError {
  return new RunError(
    `there is a run in ${folder} already`,
    [`found ${file}`],
    "go on with it by --resume, or choose another folder by --out",
  );
}

const chooseAnother = "choose another folder by --out";

/**
 * Tries whether a run's folder can be made and written to, and leaves nothing of it. A run writes only when it has been compiled,
 * which is too late to hear of it. Throws `RunError`.
 */
export function requireWritable(folder: string): void {
  const made = makeFolder(folder);
  const probe = join(folder, `.probe.${process.pid}.part`);
  try {
    writeFileSync(probe, "can it be written to?\n");
  } catch (error) {
    const help = existsSync(runFiles(folder).configuration)
      ? "let it be written, or copy the run to another folder and resume it there"
      : chooseAnother;
    throw new RunError(`${folder} can't be written to: ${reasonOf(error)}`, [], help);
  } finally {
    rmSync(probe, { force: true });
    removeEmpty(made);
  }
}

/**
 * Makes a folder and those above it, one by one: `recursive` of Node 20 never ends where none can be made (`/proc`). Gives those that
 * there were not.
 */
function makeFolder(folder: string): string[] {
  const missing: string[] = [];
  for (let at = folder; !existsSync(at) && at !== dirname(at); at = dirname(at)) missing.unshift(at);
  const made: string[] = [];
  try {
    for (const part of missing) {
      mkdirSync(part);
      made.push(part);
    }
    if (!statSync(folder).isDirectory()) throw new Error("it is a file");
    return made;
  } catch (error) {
    removeEmpty(made);
    throw new RunError(`${folder} can't be made: ${reasonOf(error)}`, [], chooseAnother);
  }
}

/** Removes folders, each in the one before it; those in which somebody else has put something stay. */
function removeEmpty(folders: readonly string[]): void {
  try {
    for (const folder of folders.toReversed()) rmdirSync(folder);
  } catch {
    // It is somebody else's now.
  }
}
