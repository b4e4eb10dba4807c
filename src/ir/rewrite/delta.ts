/**
 * Delta elimination: a sum that counts only where an equation holds is solved for the equation.
 *
 *     for k<8. sum i<8, j<3. select(2*i + j - 1 == k, f(i, j), 0)   becomes   for k<8. sum i in k//2 .. (k+1)//2 + 1. f(i, k - 2*i + 1)
 *     for i<9. sum j<4. select(%a[i] == j, f(i, j), 0)              becomes   for i<9. f(i, %a[i])
 *     for j<4. sum i<9. select(%a[i] == j, f(i, j), 0)              becomes   for j<4. sum i<9 at j = %a[i]. f(i, %a[i])
 *
 * The last is segment form: n steps instead of n · o. Gradients of gathers, convolutions, paddings and strides are written as
 * the first line and come out as these; so do `aggregate`, one-hot masks and `count` in a program.
 */ import { apply, index } from "../build.ts";
import type { Comprehension, Reduction, ReductionAxis } from "../ir.ts";
import type { NameSupply } from "../names.ts";
import { emptyContext, prove, type RangeContext, rangeOf } from "../ranges.ts";
import { assemble, type Types } from "./assemble.ts";
import { nodeKey } from "./cse.ts";
import { solveKey, solveMultiple, solvePoint, solveRemainder, splitDivision } from "./equations.ts";
import { peel } from "./guards.ts";
import { contextFor, equationOf, nothing, type Problem, substitutePoint } from "./problem.ts";
import { tighten } from "./tighten.ts";

/**
 * The nodes that compute what a sum computes, the last one under its name; before it may stand one over fewer axes. Nodes that
 * are no sums, or have no conditions, come back simplified only in their conditions.
 */
export function solveDeltas(
  node: Comprehension,
  names: NameSupply,
  types: Types,
  outer: RangeContext = emptyContext,
): Comprehension[] {
  const { reduction } = node;
  if (reduction?.op !== "sum") return [node];
  const solved = solveSum({ ...node, reduction }, names, types, outer);
  // What is already solved stays the same object, so that later rounds need not look at it again.
  return solved.length === 1 && nodeKey(solved[0]!) === nodeKey(node) ? [node] : solved;
}

function solveSum(
  node: Comprehension & { readonly reduction: Reduction },
  names: NameSupply,
  types: Types,
  outer: RangeContext,
): Comprehension[] {
  const { guards, value } = peel(node.body);
  let problem: Problem = { axes: node.axes, points: node.reduction.axes, keys: node.keys, guards, value };
  for (let step = 0; step < 64; step++) {
    const next = stepOf(node, problem, outer);
    if (next === null) break;
    problem = next;
  }
  return assemble(node, withoutPointlessKeys(problem), names, types, outer);
}

/** When every point has been solved for there is nothing to sum: a key is a condition again. */
function withoutPointlessKeys(p: Problem): Problem {
  if (p.points.length > 0 || p.keys.length === 0) return p;
  return { ...p, keys: [], guards: [...p.keys.map((k) => apply("eq", index(k.axis), k.at)), ...p.guards] };
}

/** One simplification of the problem, or null when there is none left. */
function stepOf(node: Comprehension, p: Problem, outer: RangeContext): Problem | null {
  const context = contextFor(node, p, outer);
  for (const [i, guard] of p.guards.entries()) {
    const rest = p.guards.toSpliced(i, 1);
    const known = prove(guard, context);
    if (known === true) return { ...p, guards: rest };
    if (known === false) return nothing(p);
  }
  const unit = p.points.find((r) => isUnit(r, context));
  const withoutUnit = unit === undefined ? null : substitutePoint(p, unit.name, unit.lo);
  if (withoutUnit !== null) return withoutUnit;
  for (const [i, guard] of p.guards.entries()) {
    const rest = { ...p, guards: p.guards.toSpliced(i, 1) };
    const equation = equationOf(guard, context);
    if (equation === null) continue;
    const solved =
      solvePoint(rest, equation) ??
      splitDivision(rest, equation, context) ??
      solveRemainder(rest, equation, context) ??
      solveMultiple(rest, equation);
    if (solved !== null) return solved;
  }
  const tightened = tighten(node, p, context, outer);
  if (tightened !== null) return tightened;
  for (const [i, guard] of p.guards.entries()) {
    const equation = equationOf(guard, context);
    const keyed =
      equation === null ? null : solveKey({ ...p, guards: p.guards.toSpliced(i, 1) }, equation, context);
    if (keyed !== null) return keyed;
  }
  return null;
}

/** Has the variable one value only? */
function isUnit(point: ReductionAxis, context: RangeContext): boolean {
  const { lo, hi } = rangeOf(apply("sub", point.hi, point.lo), context);
  return lo === 1 && hi === 1;
}
