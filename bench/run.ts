/**
 * Measures fecit beside other systems: `npm run bench`. Each system runs each workload in a process of its own, they take turns on one
 * adapter, and the tables of medians and ratios are printed at the end.
 *
 *     ceilings ─▶ for each workload: its data, then rounds of [hand, ours, reassociated, off, jax, tfjs, onnx] ─▶ tables
 */
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TableName, withTables } from "./document.ts";
import { modelJobs } from "./fec/jobs.ts";
import { type Failed, type Measurement, type SystemName } from "./measurement.ts";
import { type Options, readOptions } from "./options.ts";
import {
  measureInProcess,
  type Outcome,
  type ProcessOptions,
  readMeasurements,
  resultOf,
} from "./process.ts";
import { ceilingsTable, failureList, modelTable, ofKind, workloadTable } from "./table.ts";
import { removeWorkloadData, writeWorkloadData } from "./workload-data.ts";
import { workloadOf } from "./workloads/all.ts";

const page = new URL("../docs/performance.md", import.meta.url);
const peers: readonly SystemName[] = ["jax", "tfjs", "onnx", "onnx-web"];

const options = readOptions(process.argv.slice(2));
const measurements = options.from === undefined ? await measureAll(options) : readMeasurements(options.from);
const tables = tablesOf(measurements);
for (const table of Object.values(tables)) process.stdout.write(`${table}\n`);
const failures = failureList(ofKind(measurements, "failed"));
if (failures !== "") process.stdout.write(`not measured:\n${failures}`);
if (options.writeDocs === true) writeFileSync(page, withTables(readFileSync(page, "utf8"), tables));

/** Measures what the options ask for; every measurement is written down as soon as it is there. */
async function measureAll(wanted: Options): Promise<readonly Measurement[]> {
  const folder = mkdtempSync(join(tmpdir(), "fecit-bench-"));
  const all: Measurement[] = [];
  const keep = (made: readonly Measurement[]): void => {
    all.push(...made);
    for (const line of made) appendFileSync(wanted.out, `${JSON.stringify(line)}\n`);
  };
  writeFileSync(wanted.out, "");
  try {
    const hasWorkloads = !wanted.fec || process.argv.some((arg) => arg.startsWith("--workloads"));
    if (hasWorkloads && wanted.workloads.length > 0) await measureWorkloads(wanted, folder, keep);
    if (wanted.fec) await measureModels(wanted, folder, keep);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return all;
}

type Keep = (made: readonly Measurement[]) => void;

async function measureWorkloads(wanted: Options, folder: string, keep: Keep): Promise<void> {
  const chosen = installed(wanted.systems);
  tell("the adapter's ceilings");
  const ceilings = await measureInProcess(
    "measure-ceilings.ts",
    folder,
    [],
    processOptions(wanted, folder, "c"),
  );
  keep(orFailed(ceilings, "ceilings", "the adapter"));
  const runs = String(Math.ceil(wanted.runs / wanted.rounds));
  for (const id of wanted.workloads) {
    tell(`${id}: its inputs and what they must give`);
    writeWorkloadData(folder, workloadOf(id));
    const isOut = new Set<SystemName>();
    for (let round = 0; round < wanted.rounds; round++) {
      for (const system of chosen.filter((name) => !isOut.has(name))) {
        tell(`${id}: ${system}`);
        const how = processOptions(wanted, folder, `${id}-${system}`);
        const made = orFailed(
          await measureInProcess("measure-workload.ts", folder, [id, system, runs], how),
          id,
          system,
        );
        // What has failed once is not tried again, and that a system has no form of a workload is no failure.
        if (ofKind(made, "failed").length > 0) isOut.add(system);
        keep(made.filter((m) => m.kind !== "failed" || m.problem !== "it has no form of it"));
      }
    }
    removeWorkloadData(folder);
  }
}

async function measureModels(wanted: Options, folder: string, keep: Keep): Promise<void> {
  for (const job of modelJobs(wanted)) {
    tell(job.title);
    const how = processOptions({ ...wanted, timeout: 3 * wanted.timeout }, folder, job.title);
    const made =
      job.kind === "script"
        ? await measureInProcess(job.file, folder, job.args, how)
        : await resultOf(job.command, [...job.args, "--out", join(folder, "result.json")], folder, how);
    keep(orFailed(made, job.title, job.system));
  }
}

/** Without peers there are still ours and the hand-written kernels. */
function installed(wanted: readonly SystemName[]): readonly SystemName[] {
  const isInstalled = existsSync(new URL("node_modules/@jax-js/jax", import.meta.url));
  if (isInstalled || !wanted.some((name) => peers.includes(name))) return wanted;
  tell("the other systems are not installed: npm ci --ignore-scripts --prefix bench");
  return wanted.filter((name) => !peers.includes(name));
}

/** A shader cache for each pair of system and workload: empty at its first call, kept for its next round. */
function processOptions(wanted: Options, folder: string, key: string): ProcessOptions {
  return {
    device: wanted.device,
    timeoutSeconds: wanted.timeout,
    shaderCache: wanted.keepCache === true ? null : join(folder, "shaders", key.replace(/\W+/g, "-")),
  };
}

/** What was measured, and that it did not come to its end. */
function orFailed({ measured, problem }: Outcome, workload: string, system: string): readonly Measurement[] {
  if (problem === null) return measured;
  const failed: Failed = { kind: "failed", workload, system, problem };
  return [...measured, failed];
}

function tablesOf(made: readonly Measurement[]): Partial<Record<TableName, string>> {
  const [ceilings] = ofKind(made, "ceilings");
  const models = ofKind(made, "model");
  const hasWorkloads = ofKind(made, "workload").length > 0;
  return {
    ...(ceilings === undefined
      ? {}
      : { machine: `${ceilings.machine}\n`, ceilings: ceilingsTable(ceilings) }),
    ...(hasWorkloads ? { workloads: workloadTable(made) } : {}),
    ...(models.length === 0 ? {} : { models: modelTable(models) }),
  };
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}
