/**
 * Measured ceilings on disk, in the user's cache: a file for each adapter and driver, so that they are measured once.
 *
 *     keepCeilings(device.adapter, await measureCeilings(device))
 *     ceilingsOf(device.adapter)?.fmaGflops                             // 21.3; null where nothing was measured
 *
 * A file that is broken, of another driver, or of another version of this format is as good as none.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AdapterDescription } from "./adapter.ts";
import { ceilingNames, type Ceilings } from "./ceilings.ts";
import { cacheFolders, type Environment, isOwnFolder } from "./node-cache-folder.ts";

/** What of an adapter tells it from others, the same however it was chosen. */
type AdapterKey = Pick<AdapterDescription, "vendor" | "device" | "driver">;

/** Counts changes of what is measured, or of how it is written. */
const format = 1;

/** The ceilings of an adapter as they were measured last; null when they were not. */
export function ceilingsOf(adapter: AdapterKey, environment: Environment = process.env): Ceilings | null {
  for (const folder of cacheFolders(environment)) {
    const kept = readKept(join(folder, fileName(adapter)), adapter);
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
  for (const folder of cacheFolders(environment)) {
    const file = join(folder, fileName(adapter));
    if ((await isOwnFolder(folder)) && (await writeAside(file, text))) return file;
  }
  return null;
}

/** `ceilings-llvmpipe-llvm-15-0-6-1a2b3c4d5e6f.json`: to be recognised by people, and the adapter's own. */
function fileName({ vendor, device, driver }: AdapterKey): string {
  const words = (device === "" ? vendor : device).toLowerCase().replace(/[^a-z0-9]+/g, "-");
  const own = createHash("sha256")
    .update(JSON.stringify([vendor, device, driver]))
    .digest("hex");
  return `ceilings-${words.replace(/^-|-$/g, "").slice(0, 40)}-${own.slice(0, 12)}.json`;
}

function readKept(file: string, { vendor, device, driver }: AdapterKey): Ceilings | null {
  let kept: unknown;
  try {
    kept = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // There is none, or it is no JSON.
    return null;
  }
  if (!isRecord(kept) || kept["format"] !== format || !isRecord(kept["ceilings"])) return null;
  if (kept["vendor"] !== vendor || kept["device"] !== device || kept["driver"] !== driver) return null;
  const { ceilings } = kept;
  const { measuredOn } = ceilings;
  if (typeof measuredOn !== "string" || Number.isNaN(Date.parse(measuredOn))) return null;
  const isWhole = ceilingNames.every((name) => {
    const value = ceilings[name];
    return typeof value === "number" && value > 0;
  });
  return isWhole ? (ceilings as unknown as Ceilings) : null;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** Writes a file aside and renames it, so that a file of that name is always whole. */
async function writeAside(file: string, text: string): Promise<boolean> {
  const aside = `${file}.${process.pid}-${Date.now()}`;
  try {
    await writeFile(aside, text, { mode: 0o600 });
    await rename(aside, file);
    return true;
  } catch {
    await rm(aside, { force: true }).catch(() => {});
    return false;
  }
}
