/**
 * Measured ceilings on disk, in the user's cache: a file for each adapter and driver, so that they are measured once.
 *
 *     keepCeilings(device.adapter, await measureCeilings(device))
 *     ceilingsOf(device.adapter)?.fmaGflops                             // 21.3; null where nothing was measured
 *
 * A file that is broken, of another driver, or of another version of this format is as good as none.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ceilingNames, type Ceilings } from "./ceilings.ts";
import { adapterFileName, type AdapterKey, isOfAdapter, isRecord, keepText } from "./node-adapter-file.ts";
import { cacheFolders, type Environment } from "./node-cache-folder.ts";

/** Counts changes of what is measured, or of how it is written. */
const format = 1;

/** The ceilings of an adapter as they were measured last; null when they were not. */
export function ceilingsOf(adapter: AdapterKey, environment: Environment = process.env): Ceilings | null {
  for (const folder of cacheFolders(environment)) {
    const kept = readKept(join(folder, adapterFileName("ceilings", adapter)), adapter);
    if (kept !== null) return kept;
  }
  return null;
}

/** Keeps the ceilings of an adapter; gives the file, or null when no place can be written. */
export async function keepCeilings(
  adapter: AdapterKey,
  ceilings: Ceilings,
  environment: Environment = process.env,
): Promise<string | null> {
  const { vendor, device, driver } = adapter;
  const text = `${JSON.stringify({ format, vendor, device, driver, ceilings }, null, 2)}\n`;
  return keepText(adapterFileName("ceilings", adapter), text, environment);
}

function readKept(file: string, adapter: AdapterKey): Ceilings | null {
  let kept: unknown;
  try {
    kept = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // There is none, or it is no JSON.
    return null;
  }
  if (!isOfAdapter(kept, format, adapter) || !isRecord(kept["ceilings"])) return null;
  const { ceilings } = kept;
  const { measuredOn } = ceilings;
  if (typeof measuredOn !== "string" || Number.isNaN(Date.parse(measuredOn))) return null;
  const isWhole = ceilingNames.every((name) => {
    const value = ceilings[name];
    return typeof value === "number" && value > 0;
  });
  return isWhole ? (ceilings as unknown as Ceilings) : null;
}
