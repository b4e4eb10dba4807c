import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { embedded, embeddings, moduleOf } from "../../scripts/embed-std.ts";
import { modelSources } from "../../src/models/sources.ts";
import { stdSources } from "../../src/std/sources.ts";

const sources: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  std: stdSources,
  models: modelSources,
};

describe.each(embeddings)("the texts of src/$folder", (embedding) => {
  const read = (file: string): string => readFileSync(new URL(file, moduleOf(embedding)), "utf8");

  test("are embedded as they are now (else: npm run std)", () => {
    expect(read("sources.ts")).toBe(embedded(embedding));
  });

  test("survive embedding", () => {
    for (const [name, text] of Object.entries(sources[embedding.folder]!))
      expect(text, name).toBe(read(`${name}.fec`));
  });
});

test("all of them are there", () => {
  expect(Object.keys(stdSources)).toContain("prelude");
  expect(Object.keys(modelSources)).toEqual(["cluster", "clusters", "fec", "layers", "train"]);
});
