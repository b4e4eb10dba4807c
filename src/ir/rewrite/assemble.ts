/** The nodes of a solved problem. */
import { coefficientOf, fromAffine, scaleAffine, structuralKey, withoutTerm } from "../affine.ts";
import { proveReads } from "../bounds.ts";
import { all, index, integer, read, select } from "../build.ts";
import type { Comprehension, Expr, ValueName, ValueType } from "../ir.ts";
import type { NameSupply } from "../names.ts";
import { type RangeContext, rangeOf } from "../ranges.ts";
import { substituteIndices } from "../substitute.ts";
import { indicesIn, postorder } from "../traverse.ts";
import { atomsIn, placesIn, readDepth, selectAll } from "./guards.ts";
import { contextFor, equationOf, type Problem, standsAlone } from "./problem.ts";
import { simplifyWithin } from "./simplify-expr.ts";

/** The types of the values that a sum may read. */
export type Types = ReadonlyMap<ValueName, Pick<ValueType, "shape">>;

/** The nodes of a solved problem. What does not depend on an axis is computed without it, and spread by a second node. */
export function assemble(
  node: Comprehension,
  p: Problem,
  names: NameSupply,
  types: Types,
  outer: RangeContext,
): Comprehension[] {
  const context = contextFor(node, p, outer);
  const points = new Set(p.points.map((r) => r.name));
  const mentionsPoint = (e: Expr): boolean => [...indicesIn([e])].some((n) => points.has(n));
  const keyed = new Set(p.keys.map((k) => k.axis));
  const outside = p.guards.filter((g) => !mentionsPoint(g));
  const inside = p.guards.filter(mentionsPoint);
  const freed = pinned(p, outside, context, keyed);
  const put = (e: Expr): Expr => substituteIndices(e, freed);
  const bounds = p.points.flatMap((r) => [r.lo, r.hi]);
  const needed = [p.value, ...inside, ...bounds, ...p.keys.map((k) => k.at)].map(put);
  const used = indicesIn(needed);
  // An inequality that ties an axis to the index of a read may be what keeps the read inside: then the axis stays.
  const readAt = indicesIn(postorder(...needed).flatMap((e) => (e.kind === "read" ? e.indices : [])));
  const inequalities = outside.filter((g) => equationOf(g, context) === null).map((g) => indicesIn([g]));
  const isTied = (name: string): boolean =>
    inequalities.some((mentioned) => mentioned.has(name) && [...mentioned].some((n) => readAt.has(n)));
  const unused = p.axes.filter((a) => !keyed.has(a.name) && !used.has(a.name) && !isTied(a.name));
  if (p.points.length === 0 || unused.length === 0) return [finish(node, p, context)];
  // Conditions on what the narrow node still has stay in it: they may be what keeps its reads inside their tensors.
  const spreadOver = new Set(unused.map((a) => a.name));
  const isSpread = (e: Expr): boolean => [...indicesIn([e])].some((n) => spreadOver.has(n));
  const own = outside.map(put).filter((g) => !isSpread(g));
  const others = outside.filter(isSpread);
  const narrow: Problem = {
    axes: p.axes.filter((a) => !unused.includes(a)),
    points: p.points.map((r) => ({ ...r, lo: put(r.lo), hi: put(r.hi) })),
    keys: p.keys.map((k) => ({ ...k, at: put(k.at) })),
    guards: [...inside.map(put), ...own],
    value: put(p.value),
  };
  const part: Comprehension = finish(
    { ...node, name: names.fresh(node.name) },
    narrow,
    contextFor(node, narrow, outer),
  );
  // A condition on an axis that the narrow node is without may be what keeps a read inside in other ways.
  if (proveReads(part, types, outer).length > 0) return [finish(node, p, context)];
  const whole = read(
    part.name,
    part.element,
    narrow.axes.map((a) => index(a.name)),
  );
  const spread: Problem = {
    axes: p.axes,
    points: [],
    keys: [],
    guards: others.some((g) => readDepth(g) > 0) ? outside : others,
    value: whole,
  };
  return [part, finish(node, spread, contextFor(node, spread, outer))];
}

/** Output variables that conditions fix in terms of others: `j = %a[i]` outside of the sum. */
function pinned(
  p: Problem,
  outside: readonly Expr[],
  context: RangeContext,
  keyed: ReadonlySet<string>,
): Map<string, Expr> {
  const values = new Map<string, Expr>();
  for (const guard of outside) {
    const equation = equationOf(guard, context);
    if (equation === null) continue;
    for (const axis of [...p.axes].reverse()) {
      const c = coefficientOf(equation, index(axis.name));
      if (
        keyed.has(axis.name) ||
        values.has(axis.name) ||
        Math.abs(c) !== 1 ||
        !standsAlone(equation, axis.name)
      )
        continue;
      const value = fromAffine(scaleAffine(withoutTerm(equation, index(axis.name)), -c));
      if ([...indicesIn([value])].some((n) => values.has(n))) continue;
      // A value outside of the axis would make the reads of the narrow node leave their tensors.
      const { lo, hi } = rangeOf(value, context);
      if (lo < 0 || hi >= axis.size) continue;
      values.set(axis.name, value);
      break;
    }
  }
  return values;
}

function finish(node: Comprehension, p: Problem, context: RangeContext): Comprehension {
  const body = selectAll(p.guards, p.value);
  const simple = simplifyWithin(body, context);
  if (p.points.length === 0 && p.keys.length === 0)
    return { ...node, axes: p.axes, reduction: null, keys: [], body: simple };
  const keys = p.keys.map((k) => ({ ...k, at: guardReads(k.at, p.guards, integer(-1)) }));
  const points = p.points.map((r, i) => {
    const later = new Set([...p.points.slice(i).map((x) => x.name), ...p.keys.map((k) => k.axis)]);
    const visible = p.guards.filter((g) => ![...indicesIn([g])].some((n) => later.has(n)));
    return { ...r, lo: guardReads(r.lo, visible, integer(0)), hi: guardReads(r.hi, visible, integer(0)) };
  });
  return {
    ...node,
    axes: p.axes,
    reduction: { op: "sum", axes: points, bestValue: null },
    keys,
    body: simple,
  };
}

/** A key or a bound is evaluated outside of the body's conditions: those that may keep its reads inside are put around it too. */
function guardReads(e: Expr, guards: readonly Expr[], otherwise: Expr): Expr {
  const depth = readDepth(e);
  if (depth === 0) return e;
  const at = placesIn([e]);
  const needed = guards.filter((g) => readDepth(g) < depth && [...atomsIn([g])].some((atom) => at.has(atom)));
  return needed.length === 0 ||
    (e.kind === "select" && structuralKey(e.condition) === structuralKey(all(needed)))
    ? e
    : select(all(needed), e, otherwise);
}
