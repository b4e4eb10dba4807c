/**
 * A run's configuration as plain data, and its hash, by which a checkpoint knows the run that it is of.
 *
 *     { "model": "fec_mini", "data": "fashion-mnist-subset", "batch": 64, "learningRate": 0.002 }  ──▶  "8f31c0…"
 */
import { createHash } from "node:crypto";
import { isAbsolute } from "node:path";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** What is written to `config.json`: the model, the data, the recipe. */
export type Configuration = Readonly<Record<string, Json>>;

/** 16 hexadecimal digits that depend neither on the order of the keys, nor on where the folder of the data lies. */
export function configurationHash(configuration: Configuration): string {
  return createHash("sha256")
    .update(canonical(placeless(configuration)))
    .digest("hex")
    .slice(0, 16);
}

/** The keys of two configurations that don't have the same value, with both values as text; where the data lie is no difference. */
export function differences(
  before: Configuration,
  now: Configuration,
): { readonly key: string; readonly before: string; readonly now: string }[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  const shown = (value: Json | undefined): string => (value === undefined ? "not set" : canonical(value));
  const compared = [placeless(before), placeless(now)] as const;
  return keys
    .filter((key) => shown(compared[0][key]) !== shown(compared[1][key]))
    .map((key) => ({ key, before: shown(before[key]), now: shown(now[key]) }));
}

/** A run goes on with its images wherever they were moved: an absolute path is a place, a name or a path from here is not. */
function placeless(configuration: Configuration): Configuration {
  const { data } = configuration;
  return typeof data === "string" && isAbsolute(data) ? { ...configuration, data: "/" } : configuration;
}

/** JSON with its keys in order. */
function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(",")}}`;
}
