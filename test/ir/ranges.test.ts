import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromAffine, sameAffine, structuralKey, toAffine } from "../../src/ir/affine.ts";
import { proveReads } from "../../src/ir/bounds.ts";
import { apply, index } from "../../src/ir/build.ts";
import type { Comprehension, Expr } from "../../src/ir/ir.ts";
import { parseExpr, parseGraph } from "../../src/ir/parse.ts";
import { printExpr } from "../../src/ir/print.ts";
import {
  type RangeContext,
  affineOf,
  emptyContext,
  prove,
  rangeOf,
  withCondition,
  withVariable,
} from "../../src/ir/ranges.ts";
import { conditionExpr, evaluate, integerExpr, points, sizes, variables } from "./arbitrary.ts";

/** i<4, j<3, k<6 */
const context: RangeContext = variables.reduce(
  (inner, name, n) => withVariable(inner, name, { lo: 0, hi: sizes[n]! - 1 }),
  emptyContext,
);
const a = { name: "a", element: { scalar: "i32" as const, bound: null }, shape: [8] };
const at = { name: "at", element: { scalar: "i32" as const, bound: 5 }, shape: [8] };
const parse = (text: string): Expr => parseExpr(text, [a, at]);
const given = (...conditions: string[]): RangeContext =>
  conditions.reduce((inner, text) => withCondition(inner, parse(text), true), context);

describe("the affine form", () => {
  it.each([
    ["j - (i + j) + 3", "3 - i"],
    ["2*(i + 3) - i*5 + k", "k - 3 * i + 6"],
    ["(4*i + j) // 4", "i + j // 4"],
    ["(4*i + j) % 4", "j % 4"],
    ["(x // 4) * 4 + x % 4", "x"],
    ["6 * (x // 3) + 2 * (x % 3) - x", "x"],
    ["(6*i + 4*j + 3) // 4", "i + j + (i + 1) // 2"],
    ["(4*i + 2*j + 1) % 6", "2 * ((j + 2 * i) % 3) + 1"],
    ["(x // 2 + 3) // 5", "(x + 6) // 10"],
    ["((i + 1) * 7 + 1) // 2 - (i * 7) // 2", "4"],
    ["min(i + 2, i) + max(3, 4)", "i + 4"],
    ["%a[1 + i - 1]", "%a[i]"],
    ["i * j - j * i", "0"],
  ])("of %s is %s", (text, expected) => {
    const form = toAffine(parse(text));
    expect(sameAffine(form, toAffine(parse(expected)))).toBe(true);
    expect(printExpr(fromAffine(form))).toBe(printExpr(fromAffine(toAffine(parse(expected)))));
  });

  it("is simpler where ranges are known", () => {
    const simplified = (text: string): string => printExpr(fromAffine(affineOf(parse(text), context)));
    expect(simplified("(4*k + i) // 4")).toBe("k");
    expect(simplified("(4*k + i) % 4")).toBe("i");
    expect(simplified("min(max(i - 1, -1), 7)")).toBe("i - 1");
    expect(simplified("clamp(k, 1, 9)")).toBe("max(k, 1)");
  });

  it("leaves arithmetic that overflows alone", () => {
    expect(printExpr(fromAffine(affineOf(parse("(k * 2147483647) // 2147483647"), context)))).toBe(
      "k * 2147483647 // 2147483647",
    );
  });

  it.each([
    "2000000000 + (k + 2000000000)",
    "x * 65536 * 65536",
    "x - 2147483647 - 1",
    "3 * (2000000000 * x + 2)",
  ])("has no number that is none of 32 bits: %s", (text) => {
    const numbers = printExpr(fromAffine(affineOf(parse(text), context))).match(/\d+/g)!;
    for (const number of numbers) expect(Number(number)).toBeLessThanOrEqual(2147483647);
  });

  it("has short keys for shared expressions", () => {
    let expr: Expr = index("i");
    for (let n = 0; n < 100; n++) expr = apply("mul", expr, expr);
    expect(structuralKey(expr).length).toBeLessThan(200);
  });
});

describe("ranges", () => {
  it.each([
    ["2*i + k - 1", -1, 10],
    ["i - i", 0, 0],
    ["k // 4", 0, 1],
    ["(k - 3) % 4", 0, 3],
    ["(x * 3) % 7", 0, 6],
    ["(k + 3) // 2 - k // 2", 1, 2],
    ["(i * 7 + 8) // 2 - (i * 7) // 2", 4, 4],
    ["-i // 2 + i", 0, 1],
    ["if i < 2 then i else 0 - i", -3, 1],
    ["clamp(%a[i], 0, 7)", 0, 7],
    ["%at[i] + 1", 1, 5],
    ["i32(u32(k) % 4u)", 0, 3],
    ["i32(floor(clamp(2.5, 0.0, 3.0)))", 0, 2],
    ["abs(i - 2)", 0, 2],
    ["%a[i]", -Infinity, Infinity],
  ])("%s is in %d … %d", (text, lo, hi) => {
    expect(rangeOf(parse(text), context)).toEqual({ lo, hi });
  });

  it("contain every value", () => {
    fc.assert(
      fc.property(integerExpr, (expr) => {
        const { lo, hi } = rangeOf(expr, context);
        for (const value of valuesOf(expr))
          expect(value >= lo && value <= hi, `${printExpr(expr)}: ${value} in ${lo} … ${hi}`).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it("and normal forms have the values of the expression", () => {
    fc.assert(
      fc.property(integerExpr, (expr) => {
        const expected = valuesOf(expr);
        expect(valuesOf(fromAffine(toAffine(expr))), printExpr(expr)).toEqual(expected);
        expect(valuesOf(fromAffine(affineOf(expr, context))), printExpr(expr)).toEqual(expected);
      }),
      { numRuns: 400 },
    );
  });
});

describe("prove", () => {
  it.each<[string, boolean | null, string[]]>([
    ["i < 4", true, []],
    ["i < 3", null, []],
    ["i + j >= 6", false, []],
    ["2 * i == 2 * j + 1", false, []],
    ["i - 1 >= 0", true, ["i >= 1"]],
    ["2*i + k - 1 < n", true, ["2*i + k - 1 < n"]],
    ["2*i + k < n + 2", true, ["2*i + k - 1 < n"]],
    ["%a[i] < 8 and %a[i] >= 0", true, ["%a[i] >= 0 and not %a[i] > 7"]],
    ["x < z", true, ["x < y", "y <= z"]],
    ["i == j", true, ["i <= j", "j <= i"]],
    ["i >= 1", true, ["not i == 0"]],
    ["x >= 0 and x >= i - 2", true, ["x >= max(0, i - 2)"]],
    ["min(x, y) >= 0", true, ["x >= 0", "y >= 2"]],
    ["max(x, y) >= 0", true, ["x >= 0"]],
    ["(if x < 0 then 0 else x) >= 0", true, []],
    ["x // 2 * 2 <= x", true, []],
    ["x // 2 < 4", true, ["x < 8"]],
    ["x - 2 * (x // 2) <= 0", true, ["x % 2 == 0"]],
    ["x - 3 * (x // 3) >= 1", true, ["x % 3 != 0"]],
    ["i > 5", true, ["i < 0"]],
  ])("%s is %s given %j", (text, expected, conditions) => {
    expect(prove(parse(text), given(...conditions))).toBe(expected);
  });

  it("is never wrong", () => {
    fc.assert(
      fc.property(conditionExpr, conditionExpr, (condition, fact) => {
        for (const truth of [true, false]) {
          const proof = prove(condition, withCondition(context, fact, truth));
          if (proof === null) continue;
          const where = points.filter((point) => evaluate(fact, point) === Number(truth));
          for (const point of where)
            expect(
              evaluate(condition, point),
              `${printExpr(condition)} given ${printExpr(fact)} is ${truth}`,
            ).toBe(Number(proof));
        }
      }),
      { numRuns: 400 },
    );
  });
});

describe("proveReads", () => {
  const unproved = (text: string): string[] => {
    const graph = parseGraph(
      `graph g(%x: f32[8], %m: f32[4, 6], %at: idx<8>[4], %b: i32[4]) -> (%y) { ${text} }`,
    );
    const types = new Map(graph.params.map((param) => [param.name, param]));
    return proveReads(graph.nodes[0] as Comprehension, types).map(
      (r) => `%${r.tensor} axis ${r.axis}: ${printExpr(r.index)} < ${r.size}`,
    );
  };

  it.each([
    "%y: f32[8] = for i<8. %x[i]",
    "%y: f32[4] = for i<4. %x[%at[i]]",
    "%y: f32[8] = for i<8. if i >= 1 then %x[i - 1] else 0.0",
    "%y: f32[4] = for i<4. sum k<3. if 2 * i + k - 1 >= 0 and 2 * i + k - 1 < 8 then %x[2 * i + k - 1] else 0.0",
    "%y: f32[4] = for i<4. sum k<3. %x[2 * i + k - 0 - k]",
    "%y: f32[3] = for i<3. sum y in i * 8 // 3 .. ((i + 1) * 8 + 2) // 3. %x[y]",
    "%y: f32[4] = for i<4. sum y in max(0, i - 1) .. min(8, i + 2). %x[y]",
    "%y: f32[4] = for i<4. sum k in i .. 4. %x[k - i]",
    "%y: f32[4] = for i<4. if %b[i] < 0 then 0.0 else if %b[i] >= 8 then 0.0 else %x[%b[i]]",
    "%y: f32[24] = for f<24. %m[f // 6, f % 6]",
    "%y: f32[16] = for a<16. sum o in max(0, a // 2) .. min(8, (a + 1) // 2 + 1). %x[o] * %m[a - 2 * o + 1, 0]",
    "%y: f32[16] = for a<16. sum k<3. if (a - k + 1) % 2 == 0 and (a - k + 1) // 2 < 8 and a - k + 1 >= 0 then %x[(a - k + 1) // 2] else 0.0",
    "%y: f32[0] = for i<0. %x[99]",
    "%y: f32[4] = for i<4. let t0 = %m[i - 1, 0]; if i == 1 then t0 else if i > 1 then t0 + 1.0 else 0.0",
  ])("%s", (text) => expect(unproved(text)).toEqual([]));

  it("says which read is not, and where", () => {
    expect(unproved("%y: f32[8] = for i<8. %x[i - 1]")).toEqual(["%x axis 0: i - 1 < 8"]);
    expect(unproved("%y: f32[8] = for i<8. sum k<3. %m[k, i] * %x[%b[k]]")).toEqual([
      "%m axis 1: i < 6",
      "%x axis 0: %b[k] < 8",
    ]);
    expect(
      unproved(
        "%y: f32[8] = for i<8. let t0 = %x[i - 1]; if i > 0 then t0 else if i > -5 then t0 + 1.0 else 0.0",
      ),
    ).toEqual(["%x axis 0: i - 1 < 8"]);
  });
});

function valuesOf(expr: Expr): number[] {
  return points.map((point) => evaluate(expr, point));
}
