/**
 * Sums of products by the distributive law: what knows nothing of some axes of a sum is not multiplied at each of their points.
 *
 *     %g = for q, r. sum e<128, j<49. %d[e, r] * %x[e, j, q]
 *     becomes
 *     %t = for e<128, q. sum j<49. %x[e, j, q]           %g = for q, r. sum e<128. %d[e, r] * %t[e, q]
 *
 * An axis on which some factors depend by its quotient or remainder alone is split in two for that, n = 49 * e + j:
 *
 *     sum n<6272. %d[n // 49, r] * %x[n, q]              sum e<128, j<49. %d[e, r] * %x[49 * e + j, q]
 *
 * The gradients of what stands before a mean over points are such sums.
 */
import { coefficientOf, greatestCommonDivisor, toAffine } from "../affine.ts";
import { apply, constant, index, integer } from "../build.ts";
import { proveReads } from "../bounds.ts";
import { operationsOf } from "../cost.ts";
import { extentFromZero } from "../extent.ts";
import { type Comprehension, type Expr, isFloat, type ReductionAxis, typeOf } from "../ir.ts";
import { freshVariable } from "../names.ts";
import { mapExpressions } from "../rename.ts";
import { substituteIndices } from "../substitute.ts";
import { expressionsOf, indicesIn, postorder } from "../traverse.ts";
import { simplifyExpressions } from "./inline.ts";
import { factorsOf, inOrderOfUse, numberOfPoints, productOf, readWhole } from "./products.ts";
import type { NodeRewrite, Scope } from "./walk.ts";

/**
 * A rewrite of a sum into the nodes that compute it with the fewest operations, the last one under its name. A node more must save
 * `worth` operations.
 */
export function factorSums(worth: number): NodeRewrite {
  return function factor(node, scope): readonly Comprehension[] {
    if (node.reduction?.op !== "sum" || !isFloat(node.element.scalar)) return [node];
    let best: readonly Comprehension[] | null = null;
    let least = operationsOf(node, scope.outer);
    for (const form of [node, ...splitForms(node, scope)]) {
      for (const inside of separable(form)) {
        const made = factored(form, inside, scope);
        if (made === null) continue;
        const cost = made.reduce((sum, each) => sum + operationsOf(each, scope.outer), 0);
        const saved = operationsOf(node, scope.outer) - cost;
        if (cost < least && saved >= (made.length - 1) * worth) [best, least] = [made, cost];
      }
    }
    return best === null ? [node] : best.flatMap((each) => factor(each, scope));
  };
}

/** The sets of axes that some factor knows nothing of, while it knows others. */
function separable(node: Comprehension): readonly ReadonlySet<string>[] {
  const names = node.reduction!.axes.map(({ name }) => name);
  const sets = new Map<string, ReadonlySet<string>>();
  for (const factor of factorsOf(node.body)) {
    const used = indicesIn([factor]);
    const absent = names.filter((name) => !used.has(name));
    if (absent.length > 0 && absent.length < names.length) sets.set(absent.join(), new Set(absent));
  }
  return [...sets.values()];
}

/** The sum over the axes `inside` taken first, of the factors that know them; null where bounds or keys do not allow it. */
function factored(
  node: Comprehension,
  inside: ReadonlySet<string>,
  scope: Scope,
): readonly Comprehension[] | null {
  const axes = node.reduction!.axes;
  const inner = axes.filter(({ name }) => inside.has(name));
  const outer = axes.filter(({ name }) => !inside.has(name));
  const knows = (e: Expr): boolean => [...indicesIn([e])].some((name) => inside.has(name));
  if ([...node.keys.map(({ at }) => at), ...outer.flatMap(({ lo, hi }) => [lo, hi])].some(knows)) return null;
  const factors = factorsOf(node.body);
  const type = typeOf(node.body);
  const body = productOf(factors.filter(knows), type);
  const rest = factors.filter((factor) => !knows(factor));
  const first = innerSum(node, inner, outer, body, scope);
  if (first === null) return null;
  // Nothing changes along these axes: their points are counted.
  const points = body.kind === "const" ? numberOfPoints(node, inner, scope.outer) : null;
  const sum = points === null ? readWhole(first) : constant(points, type);
  const second: Comprehension = {
    ...node,
    reduction: { ...node.reduction!, axes: outer },
    body: productOf([...rest, sum], type),
  };
  return points === null ? [first, second] : [second];
}

/** The sum over the axes `inner` as a node over what it depends on; null if that has no fixed range from 0, or leaves a tensor there. */
function innerSum(
  node: Comprehension,
  inner: readonly ReductionAxis[],
  outer: readonly ReductionAxis[],
  body: Expr,
  scope: Scope,
): Comprehension | null {
  const used = indicesIn([body, ...inner.flatMap(({ lo, hi }) => [lo, hi])]);
  const over = outer
    .filter(({ name }) => used.has(name))
    .map((axis) => ({ name: axis.name, size: extentFromZero(axis) }));
  const fixed = over.flatMap(({ name, size }) => (size === null ? [] : [{ name, size }]));
  if (fixed.length < over.length) return null;
  const axes = [...node.axes.filter(({ name }) => used.has(name)), ...fixed];
  const first: Comprehension = {
    ...node,
    name: scope.names.fresh(node.name),
    axes: inOrderOfUse(axes, body),
    keys: [],
    reduction: { ...node.reduction!, axes: inner },
    body,
  };
  // It is also computed where another axis of the sum is empty.
  return proveReads(first, scope.types, scope.outer).length === 0 ? first : null;
}

/** The node with one of its reduction axes split in two, in each way that a division or a remainder in it suggests. */
function splitForms(node: Comprehension, scope: Scope): Comprehension[] {
  return node.reduction!.axes.flatMap((axis) => {
    const extent = extentFromZero(axis);
    if (extent === null) return [];
    return [...stepsOf(axis.name, node)]
      .filter((step) => step > 1 && step < extent && extent % step === 0)
      .map((step) => split(node, axis.name, step, extent / step, scope));
  });
}

/** After how many steps of a variable the quotients that it stands in change, if they change evenly: 49 for `n // 49`, 7 for `3*n % 21`. */
function stepsOf(name: string, node: Comprehension): Set<number> {
  const steps = new Set<number>();
  for (const e of postorder(...expressionsOf(node))) {
    if (e.kind !== "apply" || (e.fn !== "floor_div" && e.fn !== "mod")) continue;
    const [dividend, divisor] = e.args;
    if (divisor!.kind !== "const" || divisor!.value <= 0) continue;
    const coefficient = coefficientOf(toAffine(dividend!), index(name));
    if (coefficient !== 0) steps.add(divisor!.value / greatestCommonDivisor(coefficient, divisor!.value));
  }
  return steps;
}

/** The node with a reduction axis as two: the variable is `step * e + j`, with `count` values of `e`. */
function split(node: Comprehension, name: string, step: number, count: number, scope: Scope): Comprehension {
  const axes = node.reduction!.axes;
  const taken = new Set([
    ...node.axes.map((axis) => axis.name),
    ...axes.map((axis) => axis.name),
    ...scope.outer.variables.keys(),
  ]);
  const [high, low] = [freshVariable(`${name}_`, taken), freshVariable(`${name}_`, taken)];
  const at = apply("add", apply("mul", integer(step), index(high)), index(low));
  const put = mapExpressions(node, (e) => substituteIndices(e, new Map([[name, at]])));
  const until = (variable: string, hi: number): ReductionAxis => ({
    name: variable,
    lo: integer(0),
    hi: integer(hi),
  });
  const apart = put.reduction!.axes.flatMap((axis) =>
    axis.name === name ? [until(high, count), until(low, step)] : [axis],
  );
  return simplifyExpressions({ ...put, reduction: { ...put.reduction!, axes: apart } }, scope.outer);
}
