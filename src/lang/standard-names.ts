/** The standard library by its names. */
import { stdSources } from "../std/sources.ts";

/** The file whose names every program sees. */
export const preludeName = "std/prelude.fec";

/** The modules that declare a function, struct or constant of that name, for suggestions. */
export function modulesThatDeclare(name: string): string[] {
  if (!/^\w+$/.test(name)) return [];
  const declaration = new RegExp(`^(fn|struct|const) ${name}\\b`, "m");
  return Object.keys(stdSources).filter((module) => declaration.test(stdSources[module]!));
}
