/** What the verifier says of indices, against what the interpreter finds when it runs them all. */
import fc from "fast-check";
import { expect, it } from "vitest";
import {
  add,
  apply,
  constant,
  integer,
  invocation,
  local,
  maximum,
  minimum,
  mul,
  select,
  sub,
  workgroup,
} from "../../src/codegen/build.ts";
import { KernelFault, runKernel } from "../../src/codegen/interpret.ts";
import type { Kernel, KernelExpr, Statement } from "../../src/codegen/kernel.ts";
import { printKernel } from "../../src/codegen/print.ts";
import { undecidedIndices, verifyKernel } from "../../src/codegen/verify.ts";
import { kernelOf, loop, when } from "./row-sum.ts";

const length = 12;

/** Integer expressions over `workgroup`, `invocation` and locals of the given names. */
function indexExpr(locals: readonly string[], maxDepth: number): fc.Arbitrary<KernelExpr> {
  const leaves = [workgroup, invocation, ...locals.map((name) => local(name, "i32"))];
  const pick = fc.constantFrom(...leaves);
  const { expr } = fc.letrec<{ expr: KernelExpr }>((tie) => ({
    expr: fc.oneof(
      { maxDepth },
      pick,
      fc.integer({ min: -3, max: 9 }).map(integer),
      fc
        .tuple(fc.constantFrom(add, add, sub, minimum, maximum), tie("expr"), tie("expr"))
        .map(([build, a, b]) => build(a, b)),
      fc.tuple(tie("expr"), fc.integer({ min: -2, max: 5 })).map(([a, n]) => mul(a, integer(n))),
      fc
        .tuple(
          fc.constantFrom("quotient" as const, "remainder" as const),
          tie("expr"),
          fc.integer({ min: 1, max: 5 }),
        )
        .map(([fn, a, n]) => apply(fn, a, integer(n))),
      fc
        .tuple(comparison(tie("expr")), tie("expr"), tie("expr"))
        .map(([condition, yes, no]) => select(condition, yes, no)),
    ),
  }));
  return expr;
}

type Comparison = "lt" | "le" | "gt" | "ge" | "eq";

function comparison(
  expr: fc.Arbitrary<KernelExpr>,
  functions: readonly Comparison[] = ["lt", "le", "gt", "ge", "eq"],
): fc.Arbitrary<KernelExpr> {
  return fc.tuple(fc.constantFrom(...functions), expr, expr).map(([fn, a, b]) => apply(fn, a, b));
}

const reach = (index: KernelExpr): Statement => ({
  kind: "store",
  space: "private",
  array: "p",
  index,
  value: constant("f32", 1),
});

/** Statements around stores to `p`, with a var `v`, in loops whose indices are `loops`. */
function statements(loops: readonly string[], depth: number): fc.Arbitrary<Statement[]> {
  const expr = indexExpr(["v", ...loops], 2);
  const leaf = fc.oneof(
    expr.map(reach),
    expr.map((value): Statement => ({ kind: "assign", name: "v", value })),
  );
  if (depth === 0) return fc.array(leaf, { maxLength: 2 });
  const index = `k${loops.length}`;
  const looped = fc
    .tuple(expr, indexExpr([], 1), fc.integer({ min: 1, max: 4 }), statements([...loops, index], depth - 1))
    .map(([from, to, step, body]) =>
      loop(index, maximum(from, integer(-20)), minimum(to, integer(12)), body, step),
    );
  const guarded = fc
    .tuple(comparison(expr), statements(loops, depth - 1))
    .map(([condition, body]) => when(condition, ...body));
  return fc.array(
    fc.oneof(
      { arbitrary: leaf, weight: 2 },
      { arbitrary: looped, weight: 1 },
      { arbitrary: guarded, weight: 1 },
    ),
    { minLength: 1, maxLength: 3 },
  );
}

function kernelAround(body: readonly Statement[]): Kernel {
  return kernelOf({
    body: [
      { kind: "array", name: "p", type: "f32", length },
      { kind: "var", name: "v", type: "i32", init: integer(3) },
      ...body,
    ],
  });
}

function isOutOfRange(kernel: Kernel): boolean {
  try {
    runKernel(kernel, [], { races: false });
    return false;
  } catch (error) {
    if (error instanceof KernelFault && error.kind === "out of range") return true;
    throw error;
  }
}

it("an index of which nothing is open or wrong is in range", () => {
  let decided = 0;
  fc.assert(
    fc.property(statements([], 3), (body) => {
      const kernel = kernelAround(body);
      const problems = verifyKernel(kernel).filter((problem) => problem.includes("elements"));
      if (problems.length > 0 || undecidedIndices(kernel).length > 0) return;
      decided++;
      expect(isOutOfRange(kernel), printKernel(kernel)).toBe(false);
    }),
    { numRuns: 150 },
  );
  expect(decided).toBeGreaterThan(30);
});

it("an index called wrong under a loop or a condition is wrong for some invocation", () => {
  const sum = fc
    .tuple(
      fc.constantFrom(workgroup, invocation),
      fc.constantFrom(workgroup, invocation),
      fc.integer({ min: -3, max: 5 }),
      fc.integer({ min: -4, max: 12 }),
    )
    .map(([a, b, factor, n]) => add(add(mul(a, integer(factor)), b), integer(n)));
  const looped = fc
    .tuple(
      sum,
      fc.integer({ min: -2, max: 14 }),
      fc.integer({ min: 1, max: 5 }),
      sum,
      fc.integer({ min: -1, max: 4 }),
    )
    .map(([from, to, step, index, factor]) =>
      loop("k", from, integer(to), [reach(add(index, mul(local("k", "i32"), integer(factor))))], step),
    );
  const guarded = fc
    .tuple(comparison(sum, ["lt", "le", "gt", "ge"]), sum)
    .map(([condition, index]) => when(condition, reach(index)));
  let wrong = 0;
  fc.assert(
    fc.property(fc.oneof(looped, guarded, sum.map(reach)), (statement) => {
      const kernel = kernelAround([statement]);
      if (verifyKernel(kernel).length === 0) return;
      wrong++;
      expect(isOutOfRange(kernel), printKernel(kernel)).toBe(true);
    }),
    { numRuns: 800 },
  );
  expect(wrong).toBeGreaterThan(80);
});
