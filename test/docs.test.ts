/** The documentation says what is true: programs check, outputs are the compiler's, links lead somewhere. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { codeBlocks } from "../scripts/doc-blocks.ts";
import { withOutputs } from "../scripts/doc-outputs.ts";
import { generatedPages, readPage, writtenPages } from "../scripts/docs.ts";
import * as main from "../src/index.ts";
import { format, load, renderDiagnostics } from "../src/index.ts";
import * as node from "../src/node.ts";

const pages = [...writtenPages(), "CHANGELOG.md", ...Object.keys(generatedPages)];

describe.each(Object.entries(generatedPages))("%s", (path, generate) => {
  it("is current (else: npm run docs)", () => expect(readPage(path)).toBe(generate()));
});

describe.each(writtenPages())("%s", (path) => {
  const page = readPage(path);
  const programs = codeBlocks(page).filter(
    ({ language, words }) => language === "fec" && !words.includes("fragment"),
  );

  it("shows what the compiler gives (else: npm run docs)", async () =>
    expect(page).toBe(await withOutputs(page)));

  it.each(programs.map((block) => [block.line, block] as const))(
    "line %i: the program checks",
    (_, { text, words }) => {
      const { diagnostics } = load(text);
      if (words.includes("wrong")) expect(diagnostics).not.toEqual([]);
      else expect(renderDiagnostics(diagnostics)).toBe("");
    },
  );

  it.each(programs.map((block) => [block.line, block] as const))(
    "line %i: the program is laid out",
    (_, { text }) => {
      expect(text).toBe(format({ name: path, text }).text);
    },
  );
});

describe.each(pages)("%s", (path) => {
  it("links to what there is", () => expect(deadLinks(path)).toEqual([]));
  it("imports what there is", () => expect(missingImports(path)).toEqual([]));
});

/** What the programs of a page import from the package, though it is not exported. */
function missingImports(path: string): string[] {
  const faces = { fecit: main, "fecit/node": node } as const;
  return [...readPage(path).matchAll(/^import \{([^}]*)\} from "(fecit|fecit\/node)";/gm)].flatMap(
    ([, names, face]) =>
      names!
        .split(",")
        .map((name) => name.trim())
        .filter((name) => !name.startsWith("type ") && !(name in faces[face as keyof typeof faces])),
  );
}

/** The links of a page to files and headings that are not there. */
function deadLinks(path: string): string[] {
  const prose = readPage(path)
    .replace(/^```.*\n[\s\S]*?^```$/gm, "")
    .replace(/`[^`\n]*`/g, "");
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1]!)
    .filter((link) => !/^\w+:/.test(link));
  return links.filter((link) => {
    const [file, anchor] = link.split("#") as [string, string?];
    const target = file === "" ? path : new URL(file, `file:///${path}`).pathname.slice(1);
    if (!existsSync(fileURLToPath(new URL(`../${target}`, import.meta.url)))) return true;
    return anchor !== undefined && !anchorsOf(readPage(target)).includes(anchor);
  });
}

/** The anchors of a page's headings, as GitHub, GitLab and others make them. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map((match) =>
    match[1]!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
