import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  add,
  and,
  apply,
  cast,
  constant,
  integer,
  invocation,
  less,
  local,
  maximum,
  minimum,
  mul,
  quotient,
  remainder,
  select,
  sub,
  truth,
  typeOf,
  workgroup,
} from "../../src/codegen/build.ts";
import { runKernel } from "../../src/codegen/interpret.ts";
import type { KernelExpr } from "../../src/codegen/kernel.ts";
import { printKernelExpr } from "../../src/codegen/print.ts";
import { kernelOf, storeDevice } from "./row-sum.ts";

const [a, b] = [local("a", "i32"), local("b", "i32")];
const isLess = less(a, b);

it.each<[KernelExpr, string]>([
  [add(integer(3), a), "a + 3"],
  [add(add(a, integer(3)), integer(4)), "a + 7"],
  [add(add(a, integer(3)), integer(-3)), "a"],
  [add(integer(2147483647), integer(1)), "-2147483648"],
  [sub(a, integer(2)), "a + -2"],
  [sub(a, a), "0"],
  [mul(integer(2), mul(a, integer(3))), "a * 6"],
  [mul(a, integer(0)), "0"],
  [mul(a, integer(1)), "a"],
  [quotient(a, integer(1)), "a"],
  [quotient(integer(7), integer(2)), "3"],
  [quotient(mul(a, integer(6)), integer(3)), "a * 2"],
  [quotient(quotient(a, integer(4)), integer(8)), "a / 32"],
  [quotient(quotient(a, integer(65536)), integer(65536)), "a / 65536 / 65536"],
  [remainder(a, integer(1)), "0"],
  [remainder(mul(a, integer(6)), integer(3)), "0"],
  [remainder(remainder(a, integer(4)), integer(8)), "a % 4"],
  [remainder(remainder(a, integer(8)), integer(4)), "a % 8 % 4"],
  [minimum(integer(3), minimum(a, integer(5))), "min(a, 3)"],
  [maximum(a, a), "a"],
  [less(integer(1), integer(2)), "true"],
  [less(a, a), "false"],
  [and(truth(true), isLess), "a < b"],
  [and(isLess, truth(false)), "false"],
  [select(truth(false), a, b), "b"],
  [select(isLess, a, a), "a"],
  [cast("f32", integer(3)), "3.0"],
  [cast("u32", integer(-3)), "u32(-3)"],
  [cast("i32", constant("f32", 0.5)), "i32(0.5)"],
  [apply("add", constant("f32", 1), constant("f32", 0)), "1.0 + 0.0"],
])("%# folds to %s", (expr, text) => {
  expect(printKernelExpr(expr)).toBe(text);
});

it("types what it builds", () => {
  const types = [
    isLess,
    apply("isnan", constant("f32", 1)),
    select(isLess, a, b),
    workgroup,
    cast("u32", a),
  ].map(typeOf);
  expect(types).toEqual(["bool", "bool", "i32", "i32", "u32"]);
});

describe("folded and unfolded", () => {
  const fold = { add, sub, mul, quotient, remainder, min: minimum, max: maximum };
  type Name = keyof typeof fold;

  /** The same random arithmetic, of numbers that are not negative, with folding and without. */
  const pair: fc.Arbitrary<readonly [KernelExpr, KernelExpr]> = fc.letrec<{
    pair: readonly [KernelExpr, KernelExpr];
  }>((tie) => ({
    pair: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom([workgroup, workgroup] as const, [invocation, invocation] as const),
      fc.nat(9).map((n) => [integer(n), integer(n)] as const),
      fc
        .tuple(fc.constantFrom<Name>("add", "mul", "min", "max"), tie("pair"), tie("pair"))
        .map(([fn, x, y]) => [fold[fn](x[0], y[0]), apply(fn, x[1], y[1])] as const),
      fc
        .tuple(
          fc.constantFrom<Name>("quotient", "remainder", "mul"),
          tie("pair"),
          fc.integer({ min: 1, max: 6 }),
        )
        .map(([fn, x, n]) => [fold[fn](x[0], integer(n)), apply(fn, x[1], integer(n))] as const),
    ),
  })).pair;

  it("arithmetic has the same value", () => {
    const valuesOf = (expr: KernelExpr): number[] => {
      const values = new Int32Array(8);
      const kernel = kernelOf({
        buffers: [{ name: "y", type: "i32", length: 8, access: "write" }],
        body: [storeDevice("y", apply("add", apply("mul", workgroup, integer(4)), invocation), expr)],
      });
      runKernel(kernel, [values]);
      return [...values];
    };
    fc.assert(
      fc.property(pair, ([folded, plain]) => {
        // Products that leave 32 bits are not index arithmetic.
        fc.pre(isSmall(plain));
        expect(valuesOf(folded), printKernelExpr(plain)).toEqual(valuesOf(plain));
      }),
      { numRuns: 300 },
    );
  });

  /** Is every value in it below 2³¹, with 4 invocations of 2 workgroups? */
  function isSmall(expr: KernelExpr): boolean {
    const largest = (of: KernelExpr): number => {
      if (of.kind === "const") return of.value;
      if (of.kind !== "apply") return 3;
      const [x, y] = of.args.map(largest);
      return of.fn === "mul" ? x! * y! : of.fn === "add" ? x! + y! : Math.max(x!, y!);
    };
    return largest(expr) < 2 ** 31;
  }
});
