/** A process that measures the adapter: `tsx bench/measure-ceilings.ts FOLDER` writes a line of JSON to FOLDER/result.json. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { measureCeilings } from "./ceilings/rates.ts";
import { openPlainDevice } from "./systems/dawn.ts";

const [folder = "."] = process.argv.slice(2);
const { device, adapter } = await openPlainDevice();
writeFileSync(join(folder, "result.json"), `${JSON.stringify(await measureCeilings(device, adapter))}\n`);
process.exit(0);
