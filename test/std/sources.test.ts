import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { embedded } from "../../scripts/embed-std.ts";
import { stdSources } from "../../src/std/sources.ts";

const read = (path: string): string => readFileSync(new URL(`../../src/std/${path}`, import.meta.url), "utf8");

test("the embedded standard library is up to date (else: npm run std)", () => {
  expect(read("sources.ts")).toBe(embedded());
});

test("embedding keeps every text as it is", () => {
  for (const [name, text] of Object.entries(stdSources)) expect(text, name).toBe(read(`${name}.fec`));
  expect(Object.keys(stdSources)).toContain("prelude");
});
