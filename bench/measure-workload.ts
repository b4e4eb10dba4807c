/**
 * One process of the measurements: one system on one workload. `run.ts` starts it:
 *
 *     tsx bench/measure-workload.ts FOLDER W3 ours 6        writes a line of JSON to FOLDER/result.json
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorOf, type Measurement, type SystemName } from "./measurement.ts";
import { readWorkloadData } from "./workload-data.ts";
import { countDeviceUse } from "./systems/dawn.ts";
import { loadSystem } from "./systems/system.ts";
import { timesOf } from "./timing.ts";
import { workloadOf } from "./workloads/all.ts";

const [folder = ".", id = "", system = "", runs = "10"] = process.argv.slice(2);

async function measure(): Promise<Measurement> {
  const workload = workloadOf(id);
  const { inputs, reference } = readWorkloadData(folder, workload);
  const counters = countDeviceUse();
  const prepare = await loadSystem(system as SystemName);
  const start = performance.now();
  const prepared = await prepare(workload, inputs);
  if (prepared === null) return failed("it has no form of it");
  const preparingMs = performance.now() - start;
  counters.peak = counters.bytes;
  const { firstMs, milliseconds } = await timesOf(prepared.call, Number(runs));
  const { peak: peakBytes } = counters;
  counters.dispatches = 0;
  await prepared.call();
  const { dispatches: kernels } = counters;
  const results = await prepared.results();
  const compared = prepared.isPartial === true ? reference.slice(0, results.length) : reference;
  return {
    kind: "workload",
    workload: id,
    system: system as SystemName,
    milliseconds,
    firstMs: preparingMs + firstMs,
    device: kernels === 0 ? null : { kernels, peakBytes },
    error: errorOf(results, compared),
  };
}

function failed(problem: string): Measurement {
  return { kind: "failed", workload: id, system, problem };
}

const measured = await measure().catch((error: unknown) =>
  failed(error instanceof Error ? (error.stack ?? error.message) : String(error)),
);
writeFileSync(join(folder, "result.json"), `${JSON.stringify(measured)}\n`);
// Peers leave timers and devices behind.
process.exit(0);
