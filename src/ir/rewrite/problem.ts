/**
 * A sum under conditions, while delta elimination solves it, and the one thing that every step does to it: putting a value in
 * the place of a variable that is summed over.
 */
import { addAffine, type Affine, affineConstant } from "../affine.ts";
import { apply, zeroOf } from "../build.ts";
import { type Axis, type Comprehension, type Expr, type Key, type ReductionAxis, typeOf } from "../ir.ts";
import { affineOf, contextOf, type RangeContext } from "../ranges.ts";
import { substituteIndices } from "../substitute.ts";
import { indicesIn } from "../traverse.ts";
import { conditionsOf } from "./guards.ts";

/** The sum over `points` of `value` where all `guards` hold. */
export interface Problem {
  readonly axes: readonly Axis[];
  readonly points: readonly ReductionAxis[];
  readonly keys: readonly Key[];
  readonly guards: readonly Expr[];
  readonly value: Expr;
}

/** What holds where the value is computed. */
export function contextFor(node: Comprehension, p: Problem, outer: RangeContext): RangeContext {
  return contextOf(asNode(node, p), outer);
}

/** A problem that sums nothing: 0. Null if it is that already. */
export function nothing(p: Problem): Problem | null {
  if (p.points.length === 0 && p.guards.length === 0) return null;
  return { ...p, points: [], keys: [], guards: [], value: zeroOf(typeOf(p.value)) };
}

/** The problem as a node, its conditions left out. */
export function asNode(node: Comprehension, p: Problem): Comprehension {
  return {
    ...node,
    axes: p.axes,
    reduction: { op: "sum", axes: p.points, bestValue: null },
    keys: p.keys,
    body: p.value,
  };
}

/** `e = 0` if the condition is an equation of integers. */
export function equationOf(guard: Expr, context: RangeContext): Affine | null {
  if (guard.kind !== "apply" || guard.fn !== "eq" || typeOf(guard.args[0]!) !== "i32") return null;
  return affineOf(apply("sub", guard.args[0]!, guard.args[1]!), context);
}

/** `e >= 0` if the condition is an inequality of integers. */
export function inequalityOf(guard: Expr, context: RangeContext): Affine | null {
  if (guard.kind !== "apply" || guard.args.length !== 2 || typeOf(guard.args[0]!) !== "i32") return null;
  const [a, b] = guard.args as [Expr, Expr];
  switch (guard.fn) {
    case "ge":
      return affineOf(apply("sub", a, b), context);
    case "le":
      return affineOf(apply("sub", b, a), context);
    case "gt":
      return addAffine(affineOf(apply("sub", a, b), context), affineConstant(-1));
    case "lt":
      return addAffine(affineOf(apply("sub", b, a), context), affineConstant(-1));
    default:
      return null;
  }
}

/** Does the variable occur in the form only as a term of its own? */
export function standsAlone(a: Affine, name: string): boolean {
  const others = [...a.terms.values()]
    .filter(({ atom }) => !(atom.kind === "index" && atom.name === name))
    .map(({ atom }) => atom);
  return !indicesIn(others).has(name);
}

/** Puts `value` for a point variable; it must then lie within the variable's bounds. Null where bounds would depend on themselves. */
export function substitutePoint(
  p: Problem,
  name: string,
  value: Expr,
  moreGuards: readonly Expr[] = [],
): Problem | null {
  const point = p.points.find((r) => r.name === name)!;
  const values = new Map([[name, value]]);
  const put = (e: Expr): Expr => substituteIndices(e, values);
  const rest = p.points.filter((r) => r !== point).map((r) => ({ ...r, lo: put(r.lo), hi: put(r.hi) }));
  const ordered = inOrder(rest);
  if (ordered === null) return null;
  const bounds = [apply("ge", value, point.lo), apply("lt", value, point.hi)];
  return {
    ...p,
    points: ordered,
    guards: [...p.guards.map(put), ...bounds, ...moreGuards].flatMap(conditionsOf),
    value: put(p.value),
    keys: p.keys.map((k) => ({ ...k, at: put(k.at) })),
  };
}

/** Reduction axes such that bounds mention only axes before; null when they go in a circle. */
function inOrder(points: readonly ReductionAxis[]): ReductionAxis[] | null {
  const own = new Set(points.map((p) => p.name));
  const done: ReductionAxis[] = [];
  const placed = new Set<string>();
  while (done.length < points.length) {
    const next = points.find(
      (p) => !placed.has(p.name) && [...indicesIn([p.lo, p.hi])].every((n) => !own.has(n) || placed.has(n)),
    );
    if (next === undefined) return null;
    done.push(next);
    placed.add(next.name);
  }
  return done;
}
