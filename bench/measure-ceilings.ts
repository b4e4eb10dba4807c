/** A process that measures the adapter: `tsx bench/measure-ceilings.ts FOLDER` writes a line of JSON to FOLDER/result.json. */
import { writeFileSync } from "node:fs";
import { arch, availableParallelism, cpus, loadavg, platform } from "node:os";
import { join } from "node:path";
import { measureCeilings } from "./ceilings/rates.ts";
import { openPlainDevice } from "./systems/dawn.ts";

const [folder = "."] = process.argv.slice(2);
const model = cpus()[0]?.model.trim() ?? "an unknown processor";
const machine =
  `${model}, ${availableParallelism()} threads, ${platform()} ${arch()}, Node ${process.versions.node}; ` +
  `load average before the run ${loadavg()[0]!.toFixed(1)}`;
const { device, adapter } = await openPlainDevice();
writeFileSync(
  join(folder, "result.json"),
  `${JSON.stringify(await measureCeilings(device, adapter, machine))}\n`,
);
process.exit(0);
