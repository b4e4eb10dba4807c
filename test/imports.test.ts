/**
 * Imports run one way (docs/architecture.md). The linter says it file by file; this test walks the whole graph.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../src", import.meta.url));

/** What each folder may import besides itself: folders, single files, packages. The root of `src` may import all but the CLI. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  ir: [],
  std: [],
  lang: ["ir", "std/sources.ts", "chevrotain", "picocolors"],
  autodiff: ["ir"],
  formats: [],
  models: ["ir", "lang"],
  fusion: ["ir"],
  codegen: ["ir", "fusion"],
  runtime: ["ir", "codegen", "node:", "webgpu"],
  "": ["ir", "std", "lang", "autodiff", "formats", "models", "fusion", "codegen", "runtime"],
  train: [
    "",
    "ir",
    "lang",
    "formats",
    "models",
    "fusion",
    "runtime",
    "node:",
    "sharp",
    "cli-progress",
    "vega",
    "vega-lite",
    "@resvg/resvg-js",
  ],
  cli: [
    "",
    "ir",
    "std",
    "lang",
    "autodiff",
    "formats",
    "models",
    "fusion",
    "codegen",
    "runtime",
    "train",
    "node:",
    "commander",
    "picocolors",
    "../package.json",
  ],
};

/** Files from here do not run in a browser. */
const nodeFolders: ReadonlySet<string> = new Set(["train", "cli"]);

/** Is it for Node alone: of one of those folders, the entry for Node, or what opens Node's adapters? */
function isForNode(file: string): boolean {
  return nodeFolders.has(folderOf(file)) || file === "node.ts" || /^runtime\/node[^/]*\.ts$/.test(file);
}

interface Import {
  readonly from: string;
  /** A file of `src`, by its path from there, or a package's name. */
  readonly to: string;
  readonly isFile: boolean;
}

const files = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => path.split(sep).join("/"))
  .sort();

const imports = files.flatMap((from) => importsOf(from));

function importsOf(from: string): Import[] {
  const text = readFileSync(join(root, from), "utf8");
  const statement =
    /^\s*(?:import|export)\b[^"';]*?\bfrom\s*"([^"]+)"|^\s*import\s*"([^"]+)"|\bimport\("([^"]+)"\)/gm;
  return [...text.matchAll(statement)].map((match) => {
    const specifier = (match[1] ?? match[2] ?? match[3])!;
    const isFile = specifier.startsWith(".");
    const to = isFile
      ? normalize(join(dirname(from), specifier))
          .split(sep)
          .join("/")
      : specifier;
    return { from, to, isFile };
  });
}

/** `lang` for `lang/elaborate/site.ts`; the empty text for a file at the root. */
function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : "";
}

function isAllowed({ from, to, isFile }: Import): boolean {
  const folder = folderOf(from);
  const list = allowed[folder] ?? [];
  // What lies outside of `src` is named as a package is.
  if (!isFile || to.startsWith("../"))
    return list.some((name) => (name.endsWith(":") ? to.startsWith(name) : to === name));
  return folderOf(to) === folder || list.includes(folderOf(to)) || list.includes(to);
}

test("every folder of src has its place in the order", () => {
  const folders = new Set(files.map(folderOf));
  expect([...folders].filter((folder) => allowed[folder] === undefined)).toEqual([]);
});

test("the imports are found", () => {
  expect(imports).toContainEqual({ from: "lang/elaborate/fold.ts", to: "ir/build.ts", isFile: true });
  expect(imports).toContainEqual({ from: "lang/tokens.ts", to: "chevrotain", isFile: false });
});

test("imports run one way", () => {
  expect(imports.filter((i) => !isAllowed(i)).map((i) => `${i.from} imports ${i.to}`)).toEqual([]);
});

test("imports name files that exist", () => {
  const known = new Set(files);
  expect(
    imports
      .filter((i) => i.isFile && !i.to.startsWith("../") && !known.has(i.to))
      .map((i) => `${i.from} imports ${i.to}`),
  ).toEqual([]);
});

test("what runs in a browser reaches no Node module", () => {
  const reached = new Set<string>();
  const visit = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const i of imports) if (i.isFile && i.from === file) visit(i.to);
  };
  for (const file of files) if (!isForNode(file)) visit(file);
  const forNode = (i: Import): boolean => (i.isFile ? isForNode(i.to) : /^node:|^webgpu$/.test(i.to));
  const nodeImports = imports.filter((i) => reached.has(i.from) && forNode(i));
  expect(nodeImports.map((i) => `${i.from} imports ${i.to}`)).toEqual([]);
});

test("globals of Node are not used where there is no Node", () => {
  const uses = files
    .filter((file) => !isForNode(file))
    .filter((file) =>
      /\b(process|Buffer)\.|\b__dirname\b/.test(withoutComments(readFileSync(join(root, file), "utf8"))),
    );
  expect(uses).toEqual([]);
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}
