/**
 * Delta elimination: a sum that counts only where an equation holds is solved for the equation.
 *
 *     for k<8. sum i<8, j<3. select(2*i + j - 1 == k, f(i, j), 0)   becomes   for k<8. sum i in k//2 .. (k+1)//2 + 1. f(i, k - 2*i + 1)
 *     for i<9. sum j<4. select(%a[i] == j, f(i, j), 0)              becomes   for i<9. f(i, %a[i])
 *     for j<4. sum i<9. select(%a[i] == j, f(i, j), 0)              becomes   for j<4. sum i<9 at j = %a[i]. f(i, %a[i])
 *
 * The last is segment form: n steps instead of n · o. Gradients of gathers, convolutions, paddings and strides are written as
 * the first line and come out as these; so do `aggregate`, one-hot masks and `count` in a program.
 */
import { addAffine, type Affine, affineConstant, asDivision, coefficientOf, fromAffine, scaleAffine, structuralKey, toAffine, withoutTerm } from "../affine.ts";
import { all, apply, index, integer, read, select, zeroOf } from "../build.ts";
import { type Axis, type Comprehension, type Expr, type Key, type Reduction, type ReductionAxis, typeOf } from "../ir.ts";
import { freshVariable, type NameSupply } from "../names.ts";
import { affineOf, contextOf, contextsOf, emptyContext, prove, type RangeContext, rangeOf, rangeOfAffine } from "../ranges.ts";
import { substituteIndices } from "../substitute.ts";
import { indicesIn, postorder } from "../traverse.ts";
import { nodeKey } from "./cse.ts";
import { conditionsOf, peel, readDepth, selectAll } from "./guards.ts";
import { simplifyWithin } from "./simplify-expr.ts";

/** A sum under conditions, while it is being solved. */
interface Problem {
  readonly axes: readonly Axis[];
  readonly points: readonly ReductionAxis[];
  readonly keys: readonly Key[];
  readonly guards: readonly Expr[];
  readonly value: Expr;
}

/**
 * The nodes that compute what a sum computes, the last one under its name; before it may stand one over fewer axes. Nodes that
 * are no sums, or have no conditions, come back simplified only in their conditions.
 */
export function solveDeltas(node: Comprehension, names: NameSupply, outer: RangeContext = emptyContext): Comprehension[] {
  const { reduction } = node;
  if (reduction?.op !== "sum") return [node];
  const solved = solveSum({ ...node, reduction }, names, outer);
  // What is already solved stays the same object, so that later rounds need not look at it again.
  return solved.length === 1 && nodeKey(solved[0]!) === nodeKey(node) ? [node] : solved;
}

function solveSum(node: Comprehension & { readonly reduction: Reduction }, names: NameSupply, outer: RangeContext): Comprehension[] {
  const { guards, value } = peel(node.body);
  let problem: Problem = { axes: node.axes, points: node.reduction.axes, keys: node.keys, guards, value };
  for (let step = 0; step < 64; step++) {
    const next = stepOf(node, problem, outer);
    if (next === null) break;
    problem = next;
  }
  return assemble(node, withoutPointlessKeys(problem), names, outer);
}

/** When every point has been solved for there is nothing to sum: a key is a condition again. */
function withoutPointlessKeys(p: Problem): Problem {
  if (p.points.length > 0 || p.keys.length === 0) return p;
  return { ...p, keys: [], guards: [...p.keys.map((k) => apply("eq", index(k.axis), k.at)), ...p.guards] };
}

function contextFor(node: Comprehension, p: Problem, outer: RangeContext): RangeContext {
  return contextOf(asNode(node, p), outer);
}

function asNode(node: Comprehension, p: Problem): Comprehension {
  return { ...node, axes: p.axes, reduction: { op: "sum", axes: p.points, bestValue: null }, keys: p.keys, body: p.value };
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
    const solved = solvePoint(rest, equation) ?? splitDivision(rest, equation, context) ?? solveRemainder(rest, equation, context) ?? solveMultiple(rest, equation);
    if (solved !== null) return solved;
  }
  const tightened = tighten(node, p, context, outer);
  if (tightened !== null) return tightened;
  for (const [i, guard] of p.guards.entries()) {
    const equation = equationOf(guard, context);
    const keyed = equation === null ? null : solveKey({ ...p, guards: p.guards.toSpliced(i, 1) }, equation);
    if (keyed !== null) return keyed;
  }
  return null;
}

/** Has the variable one value only? */
function isUnit(point: ReductionAxis, context: RangeContext): boolean {
  const { lo, hi } = rangeOf(apply("sub", point.hi, point.lo), context);
  return lo === 1 && hi === 1;
}

function nothing(p: Problem): Problem | null {
  if (p.points.length === 0 && p.guards.length === 0) return null;
  return { ...p, points: [], keys: [], guards: [], value: zeroOf(typeOf(p.value)) };
}

/** `e = 0` if the condition is an equation of integers. */
function equationOf(guard: Expr, context: RangeContext): Affine | null {
  if (guard.kind !== "apply" || guard.fn !== "eq" || typeOf(guard.args[0]!) !== "i32") return null;
  return affineOf(apply("sub", guard.args[0]!, guard.args[1]!), context);
}

/** `e >= 0` if the condition is an inequality of integers. */
function inequalityOf(guard: Expr, context: RangeContext): Affine | null {
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
function standsAlone(a: Affine, name: string): boolean {
  const others = [...a.terms.values()].filter(({ atom }) => !(atom.kind === "index" && atom.name === name)).map(({ atom }) => atom);
  return !indicesIn(others).has(name);
}

/** Puts `value` for a point variable; it must then lie within the variable's bounds. Null where bounds would depend on themselves. */
function substitutePoint(p: Problem, name: string, value: Expr, moreGuards: readonly Expr[] = []): Problem | null {
  const point = p.points.find((r) => r.name === name)!;
  const values = new Map([[name, value]]);
  const put = (e: Expr): Expr => substituteIndices(e, values);
  const rest = p.points.filter((r) => r !== point).map((r) => ({ ...r, lo: put(r.lo), hi: put(r.hi) }));
  const ordered = inOrder(rest);
  if (ordered === null) return null;
  const bounds = [apply("ge", value, point.lo), apply("lt", value, point.hi)];
  return {
    ...p, points: ordered, guards: [...p.guards.map(put), ...bounds, ...moreGuards].flatMap(conditionsOf),
    value: put(p.value), keys: p.keys.map((k) => ({ ...k, at: put(k.at) })),
  };
}

/** Reduction axes such that bounds mention only axes before; null when they go in a circle. */
function inOrder(points: readonly ReductionAxis[]): ReductionAxis[] | null {
  const own = new Set(points.map((p) => p.name));
  const done: ReductionAxis[] = [];
  const placed = new Set<string>();
  while (done.length < points.length) {
    const next = points.find((p) => !placed.has(p.name) && [...indicesIn([p.lo, p.hi])].every((n) => !own.has(n) || placed.has(n)));
    if (next === undefined) return null;
    done.push(next);
    placed.add(next.name);
  }
  return done;
}

/** Solves for a point variable with the coefficient 1 or -1. */
function solvePoint(p: Problem, equation: Affine): Problem | null {
  for (const point of [...p.points].reverse()) {
    const variable = index(point.name);
    const c = coefficientOf(equation, variable);
    if (Math.abs(c) !== 1 || !standsAlone(equation, point.name)) continue;
    const solved = substitutePoint(p, point.name, fromAffine(scaleAffine(withoutTerm(equation, variable), -c)));
    if (solved !== null) return solved;
  }
  return null;
}

/** `floor(n / c) = m` says `c·m ≤ n < c·m + c`, if the division holds a point variable. */
function splitDivision(p: Problem, equation: Affine, context: RangeContext): Problem | null {
  const names = new Set(p.points.map((r) => r.name));
  for (const { atom, coefficient } of equation.terms.values()) {
    const division = asDivision(atom);
    if (division === null || Math.abs(coefficient) !== 1 || ![...indicesIn([atom])].some((n) => names.has(n))) continue;
    const m = fromAffine(scaleAffine(withoutTerm(equation, atom), -coefficient));
    if ([...indicesIn([m])].some((n) => indicesIn([atom]).has(n) && names.has(n))) continue;
    const least = apply("mul", m, integer(division.divisor));
    const guards = [apply("ge", division.numerator, least), apply("lt", division.numerator, apply("add", least, integer(division.divisor)))];
    return { ...p, guards: [...p.guards, ...guards.filter((g) => prove(g, context) !== true)] };
  }
  return null;
}

/** `(v + n) % c = m` says `v = c·t + m - n` for some t. */
function solveRemainder(p: Problem, equation: Affine, context: RangeContext): Problem | null {
  for (const { atom, coefficient } of equation.terms.values()) {
    if (atom.kind !== "apply" || atom.fn !== "mod" || Math.abs(coefficient) !== 1) continue;
    const [dividend, divisor] = atom.args as [Expr, Expr];
    if (divisor.kind !== "const" || divisor.value <= 0) continue;
    const inner = toAffine(dividend);
    const point = p.points.find((r) => coefficientOf(inner, index(r.name)) === 1 && standsAlone(inner, r.name));
    const m = fromAffine(scaleAffine(withoutTerm(equation, atom), -coefficient));
    if (point === undefined || indicesIn([m]).has(point.name)) continue;
    const shift = fromAffine(addAffine(toAffine(m), scaleAffine(withoutTerm(inner, index(point.name)), -1)));
    const turn = freshVariable("t", new Set([...[...p.axes, ...p.points].map((a) => a.name), ...context.variables.keys()]));
    const value = apply("add", apply("mul", index(turn), divisor), shift);
    const ceil = (e: Expr): Expr => apply("floor_div", apply("add", e, integer(divisor.value - 1)), divisor);
    const lo = ceil(apply("sub", point.lo, shift));
    const hi = ceil(apply("sub", point.hi, shift));
    const inside = [apply("ge", m, integer(0)), apply("lt", m, divisor)];
    const solved = substitutePoint({ ...p, points: [...p.points, { name: turn, lo, hi }] }, point.name, value, inside);
    if (solved !== null) return solved;
  }
  return null;
}

/** `c·v + n = 0` says that c divides n, and then `v = -n / c`. */
function solveMultiple(p: Problem, equation: Affine): Problem | null {
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
function solveKey(p: Problem, equation: Affine): Problem | null {
  const names = new Set(p.points.map((r) => r.name));
  const keyed = new Set(p.keys.map((k) => k.axis));
  const inBounds = indicesIn(p.points.flatMap((r) => [r.lo, r.hi]));
  for (const axis of p.axes) {
    const variable = index(axis.name);
    const c = coefficientOf(equation, variable);
    if (keyed.has(axis.name) || inBounds.has(axis.name) || Math.abs(c) !== 1 || !standsAlone(equation, axis.name)) continue;
    const at = fromAffine(scaleAffine(withoutTerm(equation, variable), -c));
    if (![...indicesIn([at])].some((n) => names.has(n))) continue;
    const put = (e: Expr): Expr => substituteIndices(e, new Map([[axis.name, at]]));
    const keys = [...p.keys.map((k) => ({ ...k, at: put(k.at) })), { axis: axis.name, at }];
    if (indicesIn(keys.map((k) => k.at)).has(axis.name)) continue;
    return { ...p, keys, guards: p.guards.map(put), value: put(p.value) };
  }
  return null;
}

interface Bounds {
  readonly lo: { readonly bound: Expr; readonly guard: Expr | null }[];
  readonly hi: { readonly bound: Expr; readonly guard: Expr | null }[];
}

/** Turns inequalities that hold for few values of a point variable into its bounds; a single value is put in its place. */
function tighten(node: Comprehension, p: Problem, context: RangeContext, outer: RangeContext): Problem | null {
  const keyed = new Set(p.keys.map((k) => k.axis));
  const before = new Set([...p.axes.filter((a) => !keyed.has(a.name)).map((a) => a.name), ...outer.variables.keys()]);
  const contexts = contextsOf(asNode(node, p), outer);
  for (const [i, point] of p.points.entries()) {
    const bounds = boundsFor(p, point, context, new Set([...before, ...p.points.slice(0, i).map((r) => r.name)]));
    if (bounds !== null) {
      const result = applyBounds(p, point, bounds, contexts[i]!, context);
      if (result !== null) return result;
    }
  }
  return null;
}

function boundsFor(p: Problem, point: ReductionAxis, context: RangeContext, visible: ReadonlySet<string>): Bounds | null {
  const bounds: Bounds = { lo: [{ bound: point.lo, guard: null }], hi: [{ bound: point.hi, guard: null }] };
  for (const guard of p.guards) {
    const form = inequalityOf(guard, context);
    if (form === null) continue;
    const simple = withoutDivision(form, point.name);
    const c = coefficientOf(simple, index(point.name));
    if (c === 0 || !standsAlone(simple, point.name)) continue;
    const rest = withoutTerm(simple, index(point.name));
    if (![...indicesIn([...rest.terms.values()].map((t) => t.atom))].every((n) => visible.has(n))) continue;
    const quotient = (a: Affine): Expr => (Math.abs(c) === 1 ? fromAffine(a) : apply("floor_div", fromAffine(a), integer(Math.abs(c))));
    // c·v + rest >= 0: v >= ceil(-rest / c), or v <= floor(rest / -c).
    if (c > 0) bounds.lo.push({ bound: quotient(addAffine(scaleAffine(rest, -1), affineConstant(c - 1))), guard });
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

function applyBounds(p: Problem, point: ReductionAxis, bounds: Bounds, at: RangeContext, context: RangeContext): Problem | null {
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
  const lo = simplifyWithin(best.lo.guard === null ? point.lo : outermost("max", best.lo.bound, point.lo), at);
  const hi = simplifyWithin(best.hi.guard === null ? point.hi : outermost("min", best.hi.bound, point.hi), at);
  return { ...p, points: p.points.map((r) => (r === point ? { ...r, lo, hi } : r)), guards: p.guards.filter((g) => !used.has(g)) };
}

/** The nodes of a solved problem. What does not depend on an axis is computed without it, and spread by a second node. */
function assemble(node: Comprehension, p: Problem, names: NameSupply, outer: RangeContext): Comprehension[] {
  const context = contextFor(node, p, outer);
  const points = new Set(p.points.map((r) => r.name));
  const mentionsPoint = (e: Expr): boolean => [...indicesIn([e])].some((n) => points.has(n));
  const keyed = new Set(p.keys.map((k) => k.axis));
  const outside = p.guards.filter((g) => !mentionsPoint(g));
  const inside = p.guards.filter(mentionsPoint);
  const used = indicesIn([p.value, ...inside, ...p.points.flatMap((r) => [r.lo, r.hi]), ...p.keys.map((k) => k.at)]);
  const freed = pinned(p, outside, context, keyed);
  const value = substituteIndices(p.value, freed);
  const usedAfter = freed.size === 0 ? used : indicesIn([value, ...inside.map((g) => substituteIndices(g, freed)), ...p.points.flatMap((r) => [r.lo, r.hi].map((b) => substituteIndices(b, freed))), ...p.keys.map((k) => substituteIndices(k.at, freed))]);
  const unused = p.axes.filter((a) => !keyed.has(a.name) && !usedAfter.has(a.name));
  if (p.points.length === 0 || unused.length === 0) return [finish(node, { ...p, guards: p.guards }, context)];
  const put = (e: Expr): Expr => substituteIndices(e, freed);
  // Conditions on what the narrow node still has stay in it: they may be what keeps its reads inside their tensors.
  const spreadOver = new Set(unused.map((a) => a.name));
  const own = outside.filter((g) => ![...indicesIn([g])].some((n) => spreadOver.has(n)));
  const others = outside.filter((g) => !own.includes(g));
  const narrow: Problem = {
    axes: p.axes.filter((a) => !unused.includes(a)), points: p.points.map((r) => ({ ...r, lo: put(r.lo), hi: put(r.hi) })),
    keys: p.keys.map((k) => ({ ...k, at: put(k.at) })), guards: [...inside, ...own].map(put), value,
  };
  const part: Comprehension = finish({ ...node, name: names.fresh(node.name) }, narrow, contextFor(node, narrow, outer));
  const whole = read(part.name, part.element, narrow.axes.map((a) => index(a.name)));
  const spread: Problem = { axes: p.axes, points: [], keys: [], guards: others.some((g) => readDepth(g) > 0) ? outside : others, value: whole };
  return [part, finish(node, spread, contextFor(node, spread, outer))];
}

/** Output variables that conditions fix in terms of others: `j = %a[i]` outside of the sum. */
function pinned(p: Problem, outside: readonly Expr[], context: RangeContext, keyed: ReadonlySet<string>): Map<string, Expr> {
  const values = new Map<string, Expr>();
  for (const guard of outside) {
    const equation = equationOf(guard, context);
    if (equation === null) continue;
    for (const axis of [...p.axes].reverse()) {
      const c = coefficientOf(equation, index(axis.name));
      if (keyed.has(axis.name) || values.has(axis.name) || Math.abs(c) !== 1 || !standsAlone(equation, axis.name)) continue;
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
  if (p.points.length === 0 && p.keys.length === 0) return { ...node, axes: p.axes, reduction: null, keys: [], body: simple };
  const keys = p.keys.map((k) => ({ ...k, at: guardReads(k.at, p.guards, integer(-1)) }));
  const points = p.points.map((r, i) => {
    const later = new Set([...p.points.slice(i).map((x) => x.name), ...p.keys.map((k) => k.axis)]);
    const visible = p.guards.filter((g) => ![...indicesIn([g])].some((n) => later.has(n)));
    return { ...r, lo: guardReads(r.lo, visible, integer(0)), hi: guardReads(r.hi, visible, integer(0)) };
  });
  return { ...node, axes: p.axes, reduction: { op: "sum", axes: points, bestValue: null }, keys, body: simple };
}

/** A key or a bound is evaluated outside of the body's conditions: those that may keep its reads inside are put around it too. */
function guardReads(e: Expr, guards: readonly Expr[], otherwise: Expr): Expr {
  const depth = readDepth(e);
  if (depth === 0) return e;
  const at = indicesIn(postorder(e).flatMap((x) => (x.kind === "read" ? x.indices : [])));
  const needed = guards.filter((g) => readDepth(g) < depth && [...indicesIn([g])].some((n) => at.has(n)));
  return needed.length === 0 || (e.kind === "select" && structuralKey(e.condition) === structuralKey(all(needed))) ? e : select(all(needed), e, otherwise);
}
