/** The examples of the package that are no programs of the language, run as they stand. */
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { inFolder } from "./folder.ts";

/** Imports of the package as imports of its source. */
function fromSource(text: string): string {
  const entry = (file: string): string => JSON.stringify(pathToFileURL(join("src", file)).href);
  return text.replaceAll('"fecit/node"', entry("node.ts")).replaceAll('"fecit"', entry("index.ts"));
}

it("examples/node.mjs finds the line", async () => {
  await inFolder(async (folder) => {
    const copy = join(folder, "node.mjs");
    writeFileSync(copy, fromSource(readFileSync("examples/node.mjs", "utf8")));
    const tsx = import.meta.resolve("tsx");
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--import", tsx, copy], {
      env: { ...process.env, FECIT_DEVICE: process.env["FECIT_DEVICE"] ?? "software" },
    });
    expect(stderr).toMatch(/on \S/);
    const lines = stdout.trim().split("\n");
    expect(lines[0]).toBe("step 0: loss 5.000000");
    expect(lines.at(-1)).toBe("y = 2.000 x + -1.000");
  });
});

it("examples/browser uses what the public face has for browsers", async () => {
  const text = readFileSync("examples/browser/main.js", "utf8");
  const [, names = ""] = /^import \{ (.*) \} from "fecit";$/m.exec(text) ?? [];
  const face: object = await import("../src/index.ts");
  expect(names.split(", ").filter((name) => !(name in face))).toEqual([]);
});
