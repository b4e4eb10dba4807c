/** Equations solved for a variable: for one that is summed over, or for an output axis, which is then keyed. */
import {
  addAffine,
  type Affine,
  asDivision,
  coefficientOf,
  fromAffine,
  scaleAffine,
  toAffine,
  withoutTerm,
} from "../affine.ts";
import { apply, index, integer } from "../build.ts";
import type { Expr } from "../ir.ts";
import { freshVariable } from "../names.ts";
import { prove, type RangeContext, withCondition } from "../ranges.ts";
import { substituteIndices } from "../substitute.ts";
import { indicesIn } from "../traverse.ts";
import { comparedIn, placesIn, within } from "./guards.ts";
import { type Problem, standsAlone, substitutePoint } from "./problem.ts";

/** Solves for a point variable with the coefficient 1 or -1. */
export function solvePoint(p: Problem, equation: Affine): Problem | null {
  for (const point of [...p.points].reverse()) {
    const variable = index(point.name);
    const c = coefficientOf(equation, variable);
    if (Math.abs(c) !== 1 || !standsAlone(equation, point.name)) continue;
    const solved = substitutePoint(
      p,
      point.name,
      fromAffine(scaleAffine(withoutTerm(equation, variable), -c)),
    );
    if (solved !== null) return solved;
  }
  return null;
}

/** `floor(n / c) = m` says `c·m ≤ n < c·m + c`, if the division holds a point variable. */
export function splitDivision(p: Problem, equation: Affine, context: RangeContext): Problem | null {
  const names = new Set(p.points.map((r) => r.name));
  for (const { atom, coefficient } of equation.terms.values()) {
    const division = asDivision(atom);
    if (division === null || Math.abs(coefficient) !== 1 || ![...indicesIn([atom])].some((n) => names.has(n)))
      continue;
    const m = fromAffine(scaleAffine(withoutTerm(equation, atom), -coefficient));
    if ([...indicesIn([m])].some((n) => indicesIn([atom]).has(n) && names.has(n))) continue;
    const least = apply("mul", m, integer(division.divisor));
    const guards = [
      apply("ge", division.numerator, least),
      apply("lt", division.numerator, apply("add", least, integer(division.divisor))),
    ];
    return { ...p, guards: [...p.guards, ...guards.filter((g) => prove(g, context) !== true)] };
  }
  return null;
}

/** `(v + n) % c = m` says `v = c·t + m - n` for some t. */
export function solveRemainder(p: Problem, equation: Affine, context: RangeContext): Problem | null {
  for (const { atom, coefficient } of equation.terms.values()) {
    if (atom.kind !== "apply" || atom.fn !== "mod" || Math.abs(coefficient) !== 1) continue;
    const [dividend, divisor] = atom.args as [Expr, Expr];
    if (divisor.kind !== "const" || divisor.value <= 0) continue;
    const inner = toAffine(dividend);
    const point = p.points.find(
      (r) => coefficientOf(inner, index(r.name)) === 1 && standsAlone(inner, r.name),
    );
    const m = fromAffine(scaleAffine(withoutTerm(equation, atom), -coefficient));
    if (point === undefined || indicesIn([m]).has(point.name)) continue;
    const shift = fromAffine(addAffine(toAffine(m), scaleAffine(withoutTerm(inner, index(point.name)), -1)));
    const turn = freshVariable(
      "t",
      new Set([...[...p.axes, ...p.points].map((a) => a.name), ...context.variables.keys()]),
    );
    const value = apply("add", apply("mul", index(turn), divisor), shift);
    const ceil = (e: Expr): Expr => apply("floor_div", apply("add", e, integer(divisor.value - 1)), divisor);
    const lo = ceil(apply("sub", point.lo, shift));
    const hi = ceil(apply("sub", point.hi, shift));
    const inside = [apply("ge", m, integer(0)), apply("lt", m, divisor)];
    const solved = substitutePoint(
      { ...p, points: [...p.points, { name: turn, lo, hi }] },
      point.name,
      value,
      inside,
    );
    if (solved !== null) return solved;
  }
  return null;
}

/** `c·v + n = 0` says that c divides n, and then `v = -n / c`. */
export function solveMultiple(p: Problem, equation: Affine): Problem | null {
  for (const point of [...p.points].reverse()) {
    const variable = index(point.name);
    const c = coefficientOf(equation, variable);
    if (c === 0 || Math.abs(c) === 1 || !standsAlone(equation, point.name)) continue;
    const size = integer(Math.abs(c));
    const n = fromAffine(scaleAffine(withoutTerm(equation, variable), -Math.sign(c)));
    const divides = apply("eq", apply("mod", n, size), integer(0));
    const solved = substitutePoint(p, point.name, apply("floor_div", n, size), [divides]);
    if (solved !== null) return solved;
  }
  return null;
}

/** Solves for an output axis whose value depends on the point: segment form. */
export function solveKey(p: Problem, equation: Affine, context: RangeContext): Problem | null {
  const names = new Set(p.points.map((r) => r.name));
  const keyed = new Set(p.keys.map((k) => k.axis));
  const inBounds = indicesIn(p.points.flatMap((r) => [r.lo, r.hi]));
  for (const axis of p.axes) {
    const variable = index(axis.name);
    const c = coefficientOf(equation, variable);
    if (
      keyed.has(axis.name) ||
      inBounds.has(axis.name) ||
      Math.abs(c) !== 1 ||
      !standsAlone(equation, axis.name)
    )
      continue;
    const at = fromAffine(scaleAffine(withoutTerm(equation, variable), -c));
    if (![...indicesIn([at])].some((n) => names.has(n))) continue;
    const put = (e: Expr): Expr => substituteIndices(e, new Map([[axis.name, at]]));
    const keys = [...p.keys.map((k) => ({ ...k, at: put(k.at) })), { axis: axis.name, at }];
    if (indicesIn(keys.map((k) => k.at)).has(axis.name)) continue;
    const guards = p.guards.map(put);
    const value = put(p.value);
    // The body is evaluated also where the key is outside of the axis: what it reads at the key's place must not be read there.
    const places = placesIn([value, ...guards, ...keys.map((k) => k.at)]);
    const isReadAt = [...comparedIn([at])].some((atom) => places.has(atom));
    const inside = isReadAt ? unproved(within(at, axis.size), guards, context) : [];
    return { ...p, keys, guards: [...inside, ...guards], value };
  }
  return null;
}

/** The conditions that do not follow from what is known and from the guards. */
function unproved(conditions: readonly Expr[], guards: readonly Expr[], context: RangeContext): Expr[] {
  const guarded = guards.reduce((inner, guard) => withCondition(inner, guard, true), context);
  return conditions.filter((condition) => prove(condition, guarded) !== true);
}
