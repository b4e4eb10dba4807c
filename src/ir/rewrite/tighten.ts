/** Inequalities as bounds: a variable that is summed over then runs over the few values that count. */
import {
  addAffine,
  type Affine,
  affineConstant,
  asDivision,
  coefficientOf,
  fromAffine,
  scaleAffine,
  toAffine,
  withoutTerm,
} from "../affine.ts";
import { apply, index, integer } from "../build.ts";
import type { Comprehension, Expr, ReductionAxis } from "../ir.ts";
import { affineOf, contextsOf, prove, type RangeContext, rangeOfAffine } from "../ranges.ts";
import { indicesIn } from "../traverse.ts";
import { asNode, inequalityOf, nothing, type Problem, standsAlone, substitutePoint } from "./problem.ts";
import { simplifyWithin } from "./simplify-expr.ts";

interface Bounds {
  readonly lo: { readonly bound: Expr; readonly guard: Expr | null }[];
  readonly hi: { readonly bound: Expr; readonly guard: Expr | null }[];
}

/** Turns inequalities that hold for few values of a point variable into its bounds; a single value is put in its place. */
export function tighten(
  node: Comprehension,
  p: Problem,
  context: RangeContext,
  outer: RangeContext,
): Problem | null {
  const keyed = new Set(p.keys.map((k) => k.axis));
  const before = new Set([
    ...p.axes.filter((a) => !keyed.has(a.name)).map((a) => a.name),
    ...outer.variables.keys(),
  ]);
  const contexts = contextsOf(asNode(node, p), outer);
  for (const [i, point] of p.points.entries()) {
    const bounds = boundsFor(
      p,
      point,
      context,
      new Set([...before, ...p.points.slice(0, i).map((r) => r.name)]),
    );
    if (bounds !== null) {
      const result = applyBounds(p, point, bounds, contexts[i]!, context);
      if (result !== null) return result;
    }
  }
  return null;
}

function boundsFor(
  p: Problem,
  point: ReductionAxis,
  context: RangeContext,
  visible: ReadonlySet<string>,
): Bounds | null {
  const bounds: Bounds = { lo: [{ bound: point.lo, guard: null }], hi: [{ bound: point.hi, guard: null }] };
  for (const guard of p.guards) {
    const form = inequalityOf(guard, context);
    if (form === null) continue;
    const simple = withoutDivision(form, point.name);
    const c = coefficientOf(simple, index(point.name));
    if (c === 0 || !standsAlone(simple, point.name)) continue;
    const rest = withoutTerm(simple, index(point.name));
    if (![...indicesIn([...rest.terms.values()].map((t) => t.atom))].every((n) => visible.has(n))) continue;
    const quotient = (a: Affine): Expr =>
      Math.abs(c) === 1 ? fromAffine(a) : apply("floor_div", fromAffine(a), integer(Math.abs(c)));
    // c·v + rest >= 0: v >= ceil(-rest / c), or v <= floor(rest / -c).
    if (c > 0)
      bounds.lo.push({ bound: quotient(addAffine(scaleAffine(rest, -1), affineConstant(c - 1))), guard });
    else bounds.hi.push({ bound: quotient(addAffine(rest, affineConstant(-c))), guard });
  }
  return bounds.lo.length + bounds.hi.length > 2 ? bounds : null;
}

/** An inequality with one division of a variable, without it: `floor(n / c) + r >= 0` is `n + c·r >= 0`. */
function withoutDivision(form: Affine, name: string): Affine {
  for (const { atom, coefficient } of form.terms.values()) {
    const division = asDivision(atom);
    if (division === null || Math.abs(coefficient) !== 1 || !indicesIn([atom]).has(name)) continue;
    const rest = scaleAffine(withoutTerm(form, atom), division.divisor);
    const numerator = toAffine(division.numerator);
    return coefficient > 0
      ? addAffine(numerator, rest)
      : addAffine(addAffine(rest, affineConstant(division.divisor - 1)), scaleAffine(numerator, -1));
  }
  return form;
}

/** How much shorter a range must become for its bounds to be worth computing. */
const worthwhile = 2;

function applyBounds(
  p: Problem,
  point: ReductionAxis,
  bounds: Bounds,
  at: RangeContext,
  context: RangeContext,
): Problem | null {
  const extent = (lo: Expr, hi: Expr): number => rangeOfAffine(affineOf(apply("sub", hi, lo), at), at).hi;
  const full = extent(point.lo, point.hi);
  let best = { size: full, lo: bounds.lo[0]!, hi: bounds.hi[0]! };
  for (const lo of bounds.lo) {
    for (const hi of bounds.hi) {
      const size = extent(lo.bound, hi.bound);
      if (size < best.size) best = { size, lo, hi };
    }
  }
  if (best.size <= 0) return nothing(p);
  if (best.size <= 1) return substitutePoint(p, point.name, simplifyWithin(best.lo.bound, context));
  if (best.size * worthwhile > full) return null;
  const used = new Set([best.lo.guard, best.hi.guard]);
  const outermost = (op: "max" | "min", chosen: Expr, old: Expr): Expr => {
    const better = prove(apply(op === "max" ? "ge" : "le", chosen, old), at) === true;
    return better ? chosen : apply(op, chosen, old);
  };
  const lo = simplifyWithin(
    best.lo.guard === null ? point.lo : outermost("max", best.lo.bound, point.lo),
    at,
  );
  const hi = simplifyWithin(
    best.hi.guard === null ? point.hi : outermost("min", best.hi.bound, point.hi),
    at,
  );
  return {
    ...p,
    points: p.points.map((r) => (r === point ? { ...r, lo, hi } : r)),
    guards: p.guards.filter((g) => !used.has(g)),
  };
}
