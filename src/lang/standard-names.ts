/** Where the standard library declares a name, for suggestions. */
import { stdSources } from "../std/sources.ts";

/** The modules that declare a function, struct or constant of that name. */
export function modulesThatDeclare(name: string): string[] {
  if (!/^\w+$/.test(name)) return [];
  const declaration = new RegExp(`^(fn|struct|const) ${name}\\b`, "m");
  return Object.keys(stdSources).filter((module) => declaration.test(stdSources[module]!));
}
