/**
 * The shapes of kernels that tuning found, on disk, in the user's cache: a file for each adapter and driver.
 *
 *     const choices = openChoices(device.adapter, { warn: console.error })
 *     choices.find(text)                       // { regionInvocations: 16 }; {} where nothing beat the kind's; null where nothing was measured
 *
 * Kernels go by a hash of their texts as they are without a choice: what another version of the compiler writes otherwise has none. A file
 * that is broken is told of, and is as good as none.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ChoiceStore, type FoundChoice, isChoice } from "../codegen/tuner.ts";
import { adapterFileName, type AdapterKey, isOfAdapter, isRecord, keepText } from "./node-adapter-file.ts";
import { cacheFolders, type Environment } from "./node-cache-folder.ts";

export interface ChoicesOptions {
  readonly environment?: Environment;
  /** Hears of a file that can't be read, and of one that can't be written. */
  readonly warn?: (message: string) => void;
}

/** Counts changes of what is kept, or of how it is written. */
const format = 1;

/** The choices that are kept for an adapter. What is added is written with what other processes have added meanwhile. */
export function openChoices(
  adapter: AdapterKey,
  { environment = process.env, warn = () => {} }: ChoicesOptions = {},
): ChoiceStore {
  const name = adapterFileName("choices", adapter);
  const found = new Map<string, FoundChoice>(readAll(name, adapter, environment, warn));
  return {
    find: (kernel) => (found.size === 0 ? null : (found.get(hashOf(kernel))?.choice ?? null)),
    keep: async (kernel, { kernel: shown, choice, defaultMs, chosenMs }) => {
      found.set(hashOf(kernel), { kernel: shown, choice, defaultMs, chosenMs });
      for (const [hash, kept] of readAll(name, adapter, environment, () => {}))
        if (!found.has(hash)) found.set(hash, kept);
      const { vendor, device, driver } = adapter;
      const choices = Object.fromEntries(found);
      const text = `${JSON.stringify({ format, vendor, device, driver, choices }, null, 1)}\n`;
      if ((await keepText(name, text, environment)) === null)
        warn("no cache folder can be written: what was tuned is not kept");
    },
  };
}

function hashOf(kernel: string): string {
  return createHash("sha256").update(kernel).digest("hex").slice(0, 32);
}

/** What the first file has that can be read. */
function readAll(
  name: string,
  adapter: AdapterKey,
  environment: Environment,
  warn: (message: string) => void,
): (readonly [string, FoundChoice])[] {
  for (const folder of cacheFolders(environment)) {
    const file = join(folder, name);
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch {
      // There is none here.
      continue;
    }
    const kept = parsed(text);
    if (isOfAdapter(kept, format, adapter) && isRecord(kept["choices"]))
      return Object.entries(kept["choices"]).filter((entry): entry is [string, FoundChoice] =>
        isKept(entry[1]),
      );
    warn(`${file} is not what tuning writes: it is ignored, and written anew when something is tuned`);
  }
  return [];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isKept(value: unknown): value is FoundChoice {
  return isRecord(value) && isChoice(value["choice"]);
}
