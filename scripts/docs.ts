/** Makes anew what is generated in the documentation: `npm run docs`. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { diagnosticsDoc } from "./diagnostics-doc.ts";
import { withOutputs } from "./doc-outputs.ts";
import { scalarFunctionsDoc } from "./scalar-functions-doc.ts";
import { standardLibraryDoc } from "./standard-library-doc.ts";

const root = new URL("../", import.meta.url);

/** Pages that are generated as a whole. */
export const generatedPages: Readonly<Record<string, () => string>> = {
  "docs/diagnostics.md": diagnosticsDoc,
  "docs/scalar-functions.md": scalarFunctionsDoc,
  "docs/standard-library.md": standardLibraryDoc,
};

/** Pages written by hand, in which outputs are generated. */
export function writtenPages(): string[] {
  const docs = readdirSync(new URL("docs/", root)).filter((name) => name.endsWith(".md"));
  return ["README.md", "CONTRIBUTING.md", ...docs.map((name) => `docs/${name}`).sort()].filter(
    (path) => !Object.hasOwn(generatedPages, path),
  );
}

/** The text of a page as it is. */
export function readPage(path: string): string {
  return readFileSync(new URL(path, root), "utf8");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, generate] of Object.entries(generatedPages))
    writeFileSync(new URL(path, root), generate());
  const renewed = writtenPages().map(async (path) =>
    writeFileSync(new URL(path, root), await withOutputs(readPage(path))),
  );
  await Promise.all(renewed);
}
