import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { apply, index, integer, read } from "../../src/ir/build.ts";
import { type Expr, type Graph, f32 } from "../../src/ir/ir.ts";
import { IrSyntaxError, parseExpr, parseGraph } from "../../src/ir/parse.ts";
import { printExpr, printGraph, printNode } from "../../src/ir/print.ts";
import { postorder } from "../../src/ir/traverse.ts";
import { someGraph } from "./arbitrary.ts";

describe("the printed form", () => {
  it("shows every kind of node, and reads back as itself", () => {
    const text = `graph everything(%x: f32[49, 32], %c: f32[4, 32], %alpha: f32[], %key: u32[2], %h: f16[3]) -> (%pool, %w) {
  %dot: f32[49, 4] = for i<49, j<4. sum k<32. %x[i, k] * %c[j, k]
  %a: idx<4>[49], %w: f32[49] = for i<49. argmax j<4. %dot[i, j]
  %agg: f32[4, 32] = for j<4, k<32. sum i<49 at j = %a[i]. %x[i, k]
  %pool: f32[3, 2] = for q<3, i<2. sum y in i * 7 // 2 .. (i * 7 + 8) // 2. %x[q, y]
  %s: f32[] = sum k<3. %x[k, 0]
  %t: f32[8] = for i<8. let t0 = exp(%x[i, 0] - %alpha); t0 / (1.0 + t0)
  %p: f32[8] = for i<8. if i >= 1 and not i == 3 then -(%x[i - 1, 0] ^ 2.0) else f32(%h[0] * 1.5h)
  %c.1: f32[4, 32], %hist: f32[10, 4] = loop t<10 carry (%c.0 = %c -> %next) stack (%kept) {
    %next: f32[4, 32] = for i<4, j<32. %c.0[i, j] * f32(t)
    %kept: f32[4] = for i<4. 0.5
  }
  %y: f32[] = custom (%s) of (%alpha) rule (%ct) -> (%d_alpha) {
    %d_alpha: f32[] = max(%ct, 0.0)
  }
  %d: f32[] = vjp (%y) at (%alpha) with (%s)
  %d': f32[] = jvp (%y) at (%alpha) with (%s)
}
`;
    expect(printGraph(parseGraph(text))).toBe(text);
  });

  it("has parentheses where they are needed", () => {
    for (const text of [
      "a - (b - c) - d",
      "(a + b) * c // d % e",
      "-(a * b) * -c",
      "(a + 1) // 2",
      "a < b and (b < c or not a == b)",
      "(a < b) == (b < c)",
      "(if a < b then a else b) + 1",
      "if a < b then if b < c then a else b else c",
      "-(-a)",
      "-1 - -(1)",
      "f32(a) ^ (2.0 ^ f32(b))",
      "(f32(a) ^ 2.0) ^ 3.0",
      "(-1.0) ^ 2.0",
      "-(2.0 ^ f32(a))",
      "max(a, -b)",
      "a % -3",
    ]) {
      expect(printExpr(parseExpr(text))).toBe(text);
    }
  });

  it("keeps the type and every bit of a literal", () => {
    const literals =
      "1 -1 1u 1.0 1.0h -0.0 inf -inf nan infh nanh true false 1e-7 1e+21h 0.1 5e-324 -2147483648 4294967295u".split(
        " ",
      );
    expect(literals.map((text) => printExpr(parseExpr(text)))).toEqual(literals);
    expect(parseExpr("-0.0")).toEqual({ kind: "const", type: "f32", value: -0 });
  });

  it("names what is shared, once, and reads it back shared", () => {
    let expr: Expr = read("x", f32, [index("i")]);
    for (let n = 0; n < 60; n++) expr = apply("add", expr, apply("exp", expr));
    const text = printExpr(expr);
    expect(text.length).toBeLessThan(3000);
    const back = parseExpr(text, [{ name: "x", element: f32, shape: [8] }]);
    expect(postorder(back).length).toBeLessThan(200);
    expect(printExpr(back)).toBe(text);
    expect(printExpr(apply("add", integer(1), integer(1)))).toBe("1 + 1");
  });

  it("shows where a node is from, on request", () => {
    const [node] = parseGraph("graph g(%x: f32[]) -> (%y) { %y: f32[] = exp(%x) }").nodes;
    expect(
      printNode({ ...node!, origin: { file: "model.fec", line: 3, column: 9 } }, { origins: true }),
    ).toBe("%y: f32[] = exp(%x)  # model.fec:3:9");
  });

  it("says where a text is no graph, and what was expected", () => {
    const errorOf = (text: string): IrSyntaxError => {
      try {
        parseGraph(text);
      } catch (error) {
        if (error instanceof IrSyntaxError) return error;
      }
      throw new Error("no IrSyntaxError");
    };
    expect(errorOf("graph g() -> (%y) {\n  %y: f32[] = 1.0 +\n}")).toMatchObject({
      line: 3,
      column: 1,
      message: "3:1: expected an expression, found '}'",
    });
    expect(errorOf("graph g() -> () { %y: f64[] = 1.0 }").message).toBe(
      "1:23: expected an element type, found 'f64'",
    );
    expect(errorOf("graph g() -> () { %y: f32[] = %x }").message).toBe(
      "1:31: expected a value that is defined before, found '%x'",
    );
    expect(errorOf("graph g() -> () { %y: f32[] = foo(1.0) }").message).toBe(
      "1:31: expected a scalar function, found 'foo'",
    );
    expect(errorOf("graph g() -> () { ?").message).toBe("1:19: expected a token, found '?'");
  });

  it("is lossless", () => {
    fc.assert(
      fc.property(someGraph, (graph: Graph) => {
        const text = printGraph(graph);
        const back = parseGraph(text);
        expect(printGraph(back)).toBe(text);
        expect(back).toEqual(graph);
      }),
      { numRuns: 300 },
    );
  });
});
