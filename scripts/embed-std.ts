/**
 * Writes the texts of the standard library and of the models into modules, so that the compiler needs no file system and
 * bundlers find them: `npm run std`.
 *
 *     src/std/nn.fec      →  stdSources["nn"] in src/std/sources.ts
 *     src/models/fec.fec  →  modelSources["fec"] in src/models/sources.ts
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface Embedding {
  /** The folder of the `.fec` files and of the module made of them, below `src`. */
  readonly folder: string;
  readonly constant: string;
  readonly title: string;
}

export const embeddings: readonly Embedding[] = [
  { folder: "std", constant: "stdSources", title: "The standard library by module name." },
  {
    folder: "models",
    constant: "modelSources",
    title: "The models by the names of their files, without `.fec`.",
  },
];

/** The module that an embedding writes. */
export function moduleOf({ folder }: Embedding): URL {
  return new URL(`../src/${folder}/sources.ts`, import.meta.url);
}

/** The text of that module for the `.fec` files beside it. */
export function embedded(embedding: Embedding): string {
  const target = moduleOf(embedding);
  const names = readdirSync(new URL(".", target))
    .filter((file) => file.endsWith(".fec"))
    .map((file) => file.slice(0, -".fec".length))
    .sort();
  const entries = names.map(
    (name) => `  ${name}: ${template(readFileSync(new URL(`${name}.fec`, target), "utf8"))},\n`,
  );
  return (
    `/** ${embedding.title} Generated from the .fec files here by \`npm run std\`; edit those. */\n` +
    `export const ${embedding.constant}: Readonly<Record<string, string>> = {\n${entries.join("")}};\n`
  );
}

/** A template literal, so that a change of one line of a library shows as one line in review. */
function template(text: string): string {
  return `\`${text.replace(/[\\`]|\$\{/g, "\\$&")}\``;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const embedding of embeddings) writeFileSync(moduleOf(embedding), embedded(embedding));
}
