/**
 * The outputs that a page of the documentation shows, made anew.
 *
 *     ```fec NAME.fec             a program that the page's commands can name; `wrong` before the name says that it has mistakes
 *     ```console                  commands, `$ npx fecit …` or `$ npx fecit … | grep "PATTERN"`, each with its output
 *     ```ts and then ```text      a program that uses the package, and what it prints
 */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { formatWithOptions } from "node:util";
import ts from "typescript";
import { type CodeBlock, codeBlocks, withBlocks } from "./doc-blocks.ts";
import { main } from "../src/cli/main.ts";
import * as fecit from "../src/index.ts";

const examples = fileURLToPath(new URL("../examples", import.meta.url));

/** The page with its outputs made anew. */
export async function withOutputs(markdown: string): Promise<string> {
  const blocks = codeBlocks(markdown);
  const replaced = new Map<CodeBlock, string>();
  for (const [i, block] of blocks.entries()) {
    if (block.language === "ts" && blocks[i + 1]?.language === "text")
      replaced.set(blocks[i + 1]!, outputOf(block.text));
  }
  const folder = mkdtempSync(join(tmpdir(), "fecit-docs-"));
  try {
    symlinkSync(examples, join(folder, "examples"));
    for (const block of blocks) {
      const file = block.words.find((word) => word.endsWith(".fec"));
      if (block.language === "fec" && file !== undefined) writeFileSync(join(folder, file), block.text);
      if (block.language === "console") replaced.set(block, await consoleText(block.text, folder));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return withBlocks(markdown, replaced);
}

/** A console block's commands with their outputs. */
async function consoleText(text: string, folder: string): Promise<string> {
  const parts: string[] = [];
  for (const command of text.split("\n").filter((line) => line.startsWith("$ "))) {
    parts.push(`${command}\n${await outputOfCommand(command.slice(2), folder)}`);
  }
  return parts.join("\n");
}

async function outputOfCommand(command: string, directory: string): Promise<string> {
  const [, args, pattern] = /^npx fecit (.*?)(?: \| grep "(.*)")?$/.exec(command) ?? [];
  if (args === undefined) throw new Error(`the documentation's tests can't run \`${command}\``);
  let output = "";
  const write = (text: string): void => void (output += text);
  await main(args.split(" "), {
    out: write,
    err: write,
    // Pages show what does not depend on the machine.
    environment: { FECIT_DEVICE: "interpreter", FECIT_MEASURED: "off" },
    directory,
    outColors: false,
    errColors: false,
  });
  const lines = output.replace(/\n*$/, "").split("\n");
  // As grep has it, `\|` is "or" and a bare `|` a character.
  const wanted = pattern === undefined ? null : new RegExp(pattern.replaceAll("\\|", "|"));
  return lines
    .filter((line) => wanted === null || wanted.test(line))
    .map((line) => `${line}\n`)
    .join("");
}

/** What a TypeScript program prints. */
function outputOf(program: string): string {
  const options = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023 };
  const { outputText } = ts.transpileModule(program, { compilerOptions: options });
  const lines: string[] = [];
  const log = (...values: unknown[]): void =>
    void lines.push(`${formatWithOptions({ colors: false }, ...values)}\n`);
  const load = (name: string): unknown => {
    if (name !== "fecit") throw new Error(`the documentation imports ${name}`);
    return fecit;
  };
  new Function("require", "exports", "console", outputText)(load, {}, { log });
  return lines.join("").replace(/\n+$/, "\n");
}
