/**
 * Files of the user's cache that belong to an adapter and its driver.
 *
 *     adapterFileName("ceilings", adapter)       // "ceilings-llvmpipe-llvm-15-0-6-1a2b3c4d5e6f.json"
 */
import { createHash } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AdapterDescription } from "./adapter.ts";
import { cacheFolders, type Environment, isOwnFolder } from "./node-cache-folder.ts";

/** What of an adapter tells it from others, the same however it was chosen. */
export type AdapterKey = Pick<AdapterDescription, "vendor" | "device" | "driver">;

/** A name to be recognised by people, and the adapter's own. */
export function adapterFileName(what: string, { vendor, device, driver }: AdapterKey): string {
  const words = (device === "" ? vendor : device).toLowerCase().replace(/[^a-z0-9]+/g, "-");
  const own = createHash("sha256")
    .update(JSON.stringify([vendor, device, driver]))
    .digest("hex");
  return `${what}-${words.replace(/^-|-$/g, "").slice(0, 40)}-${own.slice(0, 12)}.json`;
}

/** Is what was read an object of this format and of this adapter? */
export function isOfAdapter(
  kept: unknown,
  format: number,
  { vendor, device, driver }: AdapterKey,
): kept is Readonly<Record<string, unknown>> {
  return (
    isRecord(kept) &&
    kept["format"] === format &&
    kept["vendor"] === vendor &&
    kept["device"] === device &&
    kept["driver"] === driver
  );
}

/** Is it an object? */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** Keeps a text in the first folder that can be written; gives the file, or null when none can. */
export async function keepText(name: string, text: string, environment: Environment): Promise<string | null> {
  for (const folder of cacheFolders(environment)) {
    const file = join(folder, name);
    if ((await isOwnFolder(folder)) && (await writeAside(file, text))) return file;
  }
  return null;
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
