/**
 * Processes of the measurements: every system is alone in one, so that no heap, device or cache of another is in its way. A process
 * leaves its line in `result.json` of the folder that it is given.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Measurement } from "./measurement.ts";

export interface ProcessOptions {
  readonly device: string | undefined;
  readonly timeoutSeconds: number;
  /** Where drivers keep compiled shaders; their own place when it is null. */
  readonly shaderCache: string | null;
}

/** What a process left, and why it did not come to its end, if so. */
export interface Outcome {
  readonly measured: readonly Measurement[];
  readonly problem: string | null;
}

const root = fileURLToPath(new URL("../", import.meta.url));

/** Runs a file of `bench` and gives what it measured, or the reason why it did not. */
export async function measureInProcess(
  file: string,
  folder: string,
  args: readonly string[],
  options: ProcessOptions,
): Promise<Outcome> {
  const script = join(root, "bench", file);
  return resultOf(process.execPath, ["--import", "tsx", script, folder, ...args], folder, options);
}

/** Runs a command that writes its measurements, a line each, to `result.json` of the folder. */
export async function resultOf(
  command: string,
  args: readonly string[],
  folder: string,
  options: ProcessOptions,
): Promise<Outcome> {
  const path = join(folder, "result.json");
  rmSync(path, { force: true });
  const problem = await run(command, args, options);
  return { measured: existsSync(path) ? readMeasurements(path) : [], problem };
}

export function readMeasurements(path: string): readonly Measurement[] {
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Measurement);
}

/** What went wrong with a process, in words; null if it ended well. */
async function run(
  command: string,
  args: readonly string[],
  { device, timeoutSeconds, shaderCache }: ProcessOptions,
): Promise<string | null> {
  if (shaderCache !== null) mkdirSync(shaderCache, { recursive: true });
  const env = {
    ...process.env,
    ...(device === undefined ? {} : { FECIT_DEVICE: device }),
    ...(shaderCache === null
      ? {}
      : { MESA_SHADER_CACHE_DIR: shaderCache, __GL_SHADER_DISK_CACHE_PATH: shaderCache }),
  };
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (data: Buffer) => (said = (said + data.toString()).slice(-2000)));
    const timer = setTimeout(() => child.kill("SIGKILL"), 1000 * timeoutSeconds);
    child.on("error", (error) => {
      clearTimeout(timer);
      resolve(error.message);
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) return resolve(null);
      const last = said.trim().split("\n").at(-1) ?? "";
      resolve(
        signal === "SIGKILL"
          ? `it took longer than ${timeoutSeconds} s`
          : `it ended with ${code ?? signal}: ${last}`,
      );
    });
  });
}
