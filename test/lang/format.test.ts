import fc from "fast-check";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { format } from "../../src/lang/format.ts";
import { parse } from "../../src/lang/parser.ts";
import { commentedProgram, program } from "./programs.ts";

/** A program's tree without its places: what formatting must not change. */
function tree(text: string): unknown {
  const { module, diagnostics } = parse({ name: "test.fec", text });
  expect(diagnostics).toEqual([]);
  return JSON.parse(JSON.stringify(module.decls, (key, value) => (/^(span|opSpan|head)$/.test(key) ? undefined : value)));
}

function formatted(text: string): string {
  return format({ name: "test.fec", text }).text;
}

/** Comments in any order; one that moves may lose a `#`. */
function commentsOf(text: string): string[] {
  const { comments } = parse({ name: "test.fec", text }).module;
  return comments.map((comment) => comment.text.trimEnd().replace(/^#+/, "#")).sort();
}

describe("properties", () => {
  it("keeps the tree, and has nothing more to do the second time", () => {
    fc.assert(
      fc.property(program, (text) => {
        const once = formatted(text);
        expect(tree(once)).toEqual(tree(text));
        expect(formatted(once)).toBe(once);
      }),
      { numRuns: +(process.env["RUNS"] ?? 300) },
    );
  });

  it("keeps every comment once", () => {
    fc.assert(
      fc.property(commentedProgram, (text) => {
        fc.pre(parse({ name: "test.fec", text }).diagnostics.length === 0);
        const once = formatted(text);
        expect(commentsOf(once)).toEqual(commentsOf(text));
        expect(tree(once)).toEqual(tree(text));
        expect(formatted(once)).toBe(once);
      }),
      { numRuns: +(process.env["RUNS"] ?? 300) },
    );
  });
});
