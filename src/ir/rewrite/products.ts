/** Expressions as products and as sums: factors and addends, and how a sum of products is put together again. */
import { apply, constant, index, read } from "../build.ts";
import { constantExtent } from "../extent.ts";
import type { Axis, Comprehension, Expr, ReductionAxis, ScalarType } from "../ir.ts";
import { contextsOf, type RangeContext } from "../ranges.ts";
import { indicesIn } from "../traverse.ts";

/** Of more parts than this an expression is not made: what is shared in it would be multiplied out. */
const mostParts = 16;

/** The factors of a product. A constant divisor is a factor `1 / d`, a sign is a factor -1; selects and sums are factors as they are. */
export function factorsOf(expr: Expr): Expr[] {
  return flatten(expr, (e) => {
    if (e.kind !== "apply") return null;
    const [a, b] = e.args;
    if (e.fn === "mul") return e.args;
    if (e.fn === "neg") return [constant(-1, e.type), a!];
    if (e.fn === "div" && b!.kind === "const" && b!.value !== 0) return [a!, { ...b!, value: 1 / b!.value }];
    return null;
  });
}

/** What is added up in a sum; what is subtracted is an addend with a sign. */
export function addendsOf(expr: Expr): Expr[] {
  return flatten(expr, (e) => {
    if (e.kind !== "apply") return null;
    const [a, b] = e.args;
    if (e.fn === "add") return e.args;
    if (e.fn === "sub") return [a!, apply("neg", b!)];
    // -(a + b) and -(a - b): a sign before anything else is a factor of it.
    if (e.fn !== "neg" || a!.kind !== "apply" || (a!.fn !== "add" && a!.fn !== "sub")) return null;
    const [c, d] = a!.args;
    return [apply("neg", c!), a!.fn === "add" ? apply("neg", d!) : d!];
  });
}

/** Replaces parts by their parts, in order, as long as there are not too many. */
function flatten(expr: Expr, partsOf: (e: Expr) => readonly Expr[] | null): Expr[] {
  const parts = [expr];
  for (let i = 0; i < parts.length;) {
    const inner = parts.length < mostParts ? partsOf(parts[i]!) : null;
    if (inner === null) i++;
    else parts.splice(i, 1, ...inner);
  }
  return parts;
}

/** The product of factors; 1 when there are none. */
export function productOf(factors: readonly Expr[], type: ScalarType): Expr {
  return factors.length === 0 ? constant(1, type) : factors.reduce((a, b) => apply("mul", a, b));
}

/** A value at the variables of its axes. */
export function readWhole(node: Comprehension): Expr {
  return read(
    node.name,
    node.element,
    node.axes.map((axis) => index(axis.name)),
  );
}

/**
 * The number of points of some of a node's reduction axes; null where elements have different ones, or that is not known. `outer` tells
 * of the loops around the node.
 */
export function numberOfPoints(
  node: Comprehension,
  axes: readonly ReductionAxis[],
  outer: RangeContext,
): number | null {
  const contexts = contextsOf(node, outer);
  const all = node.reduction!.axes;
  const extents = axes.map((axis) => constantExtent(axis, contexts[all.indexOf(axis)]!));
  return extents.reduce<number | null>(
    (product, n) => (product === null || n === null ? null : product * Math.max(0, n)),
    1,
  );
}

/**
 * Axes in the order in which a body first mentions them, after those that it does not mention: values that compute the same come out
 * the same, however they were come by.
 */
export function inOrderOfUse(axes: readonly Axis[], body: Expr): Axis[] {
  const order = [...indicesIn([body])];
  return [...axes].sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
}
