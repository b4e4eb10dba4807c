/**
 * Writes the standard library's texts into a module, so that the compiler needs no file system: `npm run std`.
 *
 *     src/std/nn.fec  →  stdSources["nn"] in src/std/sources.ts
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = new URL("../src/std/", import.meta.url);
const target = new URL("sources.ts", folder);

/** The text of `src/std/sources.ts` for the `.fec` files beside it. */
export function embedded(): string {
  const names = readdirSync(folder)
    .filter((file) => file.endsWith(".fec"))
    .map((file) => file.slice(0, -".fec".length))
    .sort();
  const entries = names.map((name) => `  ${name}: ${template(readFileSync(new URL(`${name}.fec`, folder), "utf8"))},\n`);
  return (
    "/** The standard library by module name. Generated from the .fec files here by `npm run std`; edit those. */\n" +
    `export const stdSources: Readonly<Record<string, string>> = {\n${entries.join("")}};\n`
  );
}

/** A template literal, so that a change of one line of a library shows as one line in review. */
function template(text: string): string {
  return `\`${text.replace(/[\\`]|\$\{/g, "\\$&")}\``;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(target, embedded());
