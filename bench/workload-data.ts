/** Inputs and references as files of one run: drawn and computed once for all systems, in a folder that is deleted at the end. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inputsOf, referenceOf } from "./inputs.ts";
import type { Arrays, Workload } from "./workloads/workload.ts";

export interface WorkloadData {
  readonly inputs: Arrays;
  readonly reference: readonly Float64Array[];
}

export function writeWorkloadData(folder: string, workload: Workload): void {
  const inputs = inputsOf(workload, workload.dims);
  const reference = referenceOf(workload, workload.dims, inputs);
  for (const [name, data] of Object.entries(inputs))
    writeFileSync(join(folder, `${workload.id}.${name}.f32`), bytesOf(data));
  reference.forEach((data, i) => writeFileSync(join(folder, `${workload.id}.${i}.f64`), bytesOf(data)));
  writeFileSync(join(folder, `${workload.id}.json`), JSON.stringify({ results: reference.length }));
}

export function readWorkloadData(folder: string, workload: Workload): WorkloadData {
  const { results } = JSON.parse(readFileSync(join(folder, `${workload.id}.json`), "utf8")) as {
    readonly results: number;
  };
  const inputs = workload
    .inputs(workload.dims)
    .map(({ name }) => [name, new Float32Array(buffer(folder, `${workload.id}.${name}.f32`))] as const);
  return {
    inputs: Object.fromEntries(inputs),
    reference: Array.from(
      { length: results },
      (_, i) => new Float64Array(buffer(folder, `${workload.id}.${i}.f64`)),
    ),
  };
}

/** Deletes the data of all workloads: some have hundreds of megabytes. */
export function removeWorkloadData(folder: string): void {
  for (const name of readdirSync(folder)) if (/\.f(32|64)$/.test(name)) rmSync(join(folder, name));
}

function bytesOf(data: Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function buffer(folder: string, name: string): ArrayBuffer {
  const bytes = readFileSync(join(folder, name));
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}
