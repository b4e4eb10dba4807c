/** Every code that the checker can report has a test here that shows its text. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { semanticCatalogue } from "../../../src/lang/catalogue-semantics.ts";

const folder = new URL(".", import.meta.url);
const tests = readdirSync(folder)
  .filter((name) => name.endsWith(".test.ts"))
  .map((name) => readFileSync(new URL(name, folder), "utf8"));
const shown = tests.flatMap((text) => text.match(/(?<=^ {4}error\[)E\d{4}/gm) ?? []);
// Codes from E0501 on are for compiling with given dimensions.
const codes = Object.keys(semanticCatalogue).filter((code) => code < "E0500");

test("every code has a test", () => {
  expect(codes.filter((code) => !shown.includes(code))).toEqual([]);
});

test("two thirds of the texts point at a second place or say what to do", () => {
  const texts = tests.flatMap((text) => text.split(/toMatchInlineSnapshot\(/).slice(1));
  const helpful = texts.filter((text) => /= help:/.test(text) || (text.match(/─+/g)?.length ?? 0) > 2);
  expect(helpful.length / texts.length).toBeGreaterThan(2 / 3);
});
