/**
 * What is known of integers where an expression is evaluated: ranges of index variables, and facts that hold there.
 *
 *     for i<8. if i >= 1 then %x[i - 1] else 0.0
 *
 * Inside the `then` the fact `i - 1 >= 0` is known, so the read is in bounds. Everything here is sound and incomplete: a
 * range contains every value there is, `prove` answers null when it does not know.
 */
import {
  type Affine,
  addAffine,
  affineAtom,
  affineConstant,
  affineWithin,
  asDivision,
  fromAffine,
  greatestCommonDivisor,
  plainInterval,
  scaleAffine,
  structuralKey,
  subAffine,
  toAffine,
} from "./affine.ts";
import { apply, integer } from "./build.ts";
import { type Interval, everything, intersect, rangeOfApplied, rangeOfType, union } from "./intervals.ts";
import { type Comprehension, type Expr, typeOf } from "./ir.ts";
import { bottomUp, operands } from "./traverse.ts";

/** What holds at a place in a graph. Immutable; made from `emptyContext`. */
export interface RangeContext {
  /** Ranges of index variables. */
  readonly variables: ReadonlyMap<string, Interval>;
  /** What facts say of other atoms, by their structural keys. */
  readonly atoms: ReadonlyMap<string, Interval>;
  /** Each is known to be at least 0. */
  readonly facts: readonly Affine[];
  /** Conditions whose truth is known, by their structural keys. */
  readonly conditions: ReadonlyMap<string, boolean>;
  /** Nothing is evaluated here: an axis is empty, or conditions exclude each other. Anything is true. */
  readonly impossible: boolean;
  /** How many conditions have been entered. */
  readonly depth: number;
}

/** Nothing is known. */
export const emptyContext: RangeContext = {
  variables: new Map(),
  atoms: new Map(),
  facts: [],
  conditions: new Map(),
  impossible: false,
  depth: 0,
};

const nothing: Interval = { lo: 0, hi: -1 };

/** Deeper than this, the sides of a select are looked at without their conditions: contexts double with each. */
const deepestSelect = 4;

/**
 * The sides of a select are looked at without its condition where selects are nested deeper than this in it: in a chain of choices the
 * contexts of one choice after the other are more than can be looked at.
 */
const longestChain = 3;

/** So many combinations of facts are tried for a proof. */
const mostTried = 200;

/** With an index variable of a known range. It hides an outer one of its name, and all that was known of that. */
export function withVariable(context: RangeContext, name: string, range: Interval): RangeContext {
  return withVariables(context, [{ name, range }]);
}

function withVariables(
  context: RangeContext,
  added: readonly { readonly name: string; readonly range: Interval }[],
): RangeContext {
  if (added.length === 0) return context;
  const outer = added.some(({ name }) => context.variables.has(name))
    ? { ...context, atoms: emptyContext.atoms, facts: [], conditions: emptyContext.conditions }
    : context;
  const variables = new Map(context.variables);
  for (const { name, range } of added) variables.set(name, range);
  const impossible = context.impossible || added.some(({ range }) => range.lo > range.hi);
  return { ...outer, variables, impossible };
}

/** What holds inside a comprehension, at its body. Keyed axes are not variables there. */
export function contextOf(node: Comprehension, outer: RangeContext = emptyContext): RangeContext {
  return contextsOf(node, outer).at(-1)!;
}

const contextsInside = new WeakMap<Comprehension, WeakMap<RangeContext, readonly RangeContext[]>>();

/**
 * What holds at the bounds of each reduction axis in turn, and last at the body. It is remembered for a node, and with it what
 * was found out in these contexts.
 */
export function contextsOf(node: Comprehension, outer: RangeContext = emptyContext): readonly RangeContext[] {
  let known = contextsInside.get(node);
  if (known === undefined) contextsInside.set(node, (known = new WeakMap()));
  let contexts = known.get(outer);
  if (contexts === undefined) known.set(outer, (contexts = enterAxes(node, outer)));
  return contexts;
}

function enterAxes(node: Comprehension, outer: RangeContext): readonly RangeContext[] {
  const keyed = new Set(node.keys.map((key) => key.axis));
  const iterated = node.axes.filter((axis) => !keyed.has(axis.name));
  let context = withVariables(
    outer,
    iterated.map(({ name, size }) => ({ name, range: { lo: 0, hi: size - 1 } })),
  );
  const contexts = [context];
  for (const { name, lo, hi } of node.reduction?.axes ?? []) {
    const range = { lo: rangeOf(lo, context).lo, hi: rangeOf(hi, context).hi - 1 };
    const [from, to] = [affineOf(lo, context), affineOf(hi, context)];
    context = withVariable(context, name, range);
    const variable = affineAtom({ kind: "index", name });
    if (from.terms.size > 0) context = withFact(context, subAffine(variable, from));
    if (to.terms.size > 0)
      context = withFact(context, addAffine(subAffine(to, variable), affineConstant(-1)));
    contexts.push(context);
  }
  return contexts;
}

/** With `fact` known to be at least 0. The ranges of its atoms are narrowed to what it leaves. */
export function withFact(context: RangeContext, fact: Affine): RangeContext {
  const own = rangeOfAffine(fact, context);
  if (context.impossible || own.lo >= 0) return context;
  if (own.hi < 0) return { ...context, impossible: true };

  // A minimum that is at least something makes both its arguments so; what is known of itself may be asked for too.
  for (const { atom, coefficient } of fact.terms.values()) {
    if (atom.kind !== "apply" || atom.fn !== (coefficient > 0 ? "min" : "max")) continue;
    const split = atom.args.reduce(
      (inner, arg) => withFact(inner, replaceAtom(fact, atom, affineOf(arg, context))),
      context,
    );
    return split.impossible ? split : withOwnFact(split, fact);
  }
  return withOwnFact(context, fact);
}

function withOwnFact(context: RangeContext, fact: Affine): RangeContext {
  const variables = new Map(context.variables);
  const atoms = new Map(context.atoms);
  let impossible = false;
  for (const [key, { atom, coefficient }] of fact.terms) {
    const rest = rangeOfAffine(addAffine(fact, scaleAffine(affineAtom(atom), -coefficient)), context);
    const known = rangeOfAtom(atom, context);
    const limit = -rest.hi / coefficient;
    const range =
      coefficient > 0
        ? { lo: Math.max(known.lo, Math.ceil(limit)), hi: known.hi }
        : { lo: known.lo, hi: Math.min(known.hi, Math.floor(limit)) };
    if (range.lo > range.hi) impossible = true;
    if (atom.kind === "index") variables.set(atom.name, range);
    else atoms.set(key, range);
  }
  return { ...context, variables, atoms, impossible, facts: [...context.facts, fact] };
}

/** With a condition known to be true, or known to be false. */
export function withCondition(context: RangeContext, condition: Expr, truth: boolean): RangeContext {
  const known = prove(condition, context);
  if (known === truth) return context;
  if (known !== null) return { ...context, impossible: true };
  const conditions = new Map(context.conditions).set(structuralKey(condition), truth);
  const inner = { ...context, conditions, depth: context.depth + 1 };
  if (condition.kind !== "apply") return inner;

  const [a, b] = condition.args;
  if (condition.fn === "not") return withCondition(inner, a!, !truth);
  if (condition.fn === (truth ? "and" : "or"))
    return withCondition(withCondition(inner, a!, truth), b!, truth);
  if (a === undefined || b === undefined || typeOf(a) !== "i32") return inner;
  const difference = subAffine(affineOf(a, context), affineOf(b, context));
  const atLeast = (offset: number): RangeContext =>
    withFact(inner, addAffine(difference, affineConstant(-offset)));
  const atMost = (offset: number): RangeContext =>
    withFact(inner, addAffine(scaleAffine(difference, -1), affineConstant(offset)));
  switch (condition.fn) {
    case "lt":
      return truth ? atMost(-1) : atLeast(0);
    case "le":
      return truth ? atMost(0) : atLeast(1);
    case "gt":
      return truth ? atLeast(1) : atMost(0);
    case "ge":
      return truth ? atLeast(0) : atMost(-1);
    case "eq":
    case "ne": {
      if (truth === (condition.fn === "eq")) return withFact(atLeast(0), scaleAffine(difference, -1));
      const { lo, hi } = rangeOfAffine(difference, context);
      return lo === 0 ? atLeast(1) : hi === 0 ? atMost(-1) : inner;
    }
    default:
      return inner;
  }
}

/** The values of an expression; of floats and what is not known, everything. */
export function rangeOf(expr: Expr, context: RangeContext): Interval {
  if (context.impossible) return nothing;
  const { ranges } = memoryOf(context);
  let range = ranges.get(expr);
  if (range === undefined) {
    range = rangeOfAtom(expr, context);
    if (typeOf(expr) === "i32" && range.lo < range.hi)
      range = intersect(range, rangeOfAffine(affineOf(expr, context), context));
    ranges.set(expr, range);
  }
  return range;
}

/** The values of an affine form. */
export function rangeOfAffine(a: Affine, context: RangeContext): Interval {
  if (context.impossible) return nothing;
  let best = plainInterval(a, (atom) => rangeOfAtom(atom, context));
  // floor(n / c) is at least (n - c + 1) / c and at most n / c: with that, divisions cancel against other terms.
  const divisions = [...a.terms.values()].filter(({ atom }) => asDivision(atom) !== null).slice(0, 4);
  const relaxations = divisions.length > 1 ? [...divisions.map((d) => [d]), divisions] : [divisions];
  for (const relaxed of relaxations) {
    if (relaxed.length === 0) continue;
    for (const sign of [1, -1]) {
      let [form, scale] = [scaleAffine(a, sign), 1];
      for (const { atom, coefficient } of relaxed) {
        const { numerator, divisor } = asDivision(atom)!;
        const times = coefficient * sign * scale;
        const least =
          times > 0
            ? addAffine(affineOf(numerator, context), affineConstant(1 - divisor))
            : affineOf(numerator, context);
        form = addAffine(
          scaleAffine(addAffine(form, scaleAffine(affineAtom(atom), -times)), divisor),
          scaleAffine(least, times),
        );
        scale *= divisor;
      }
      // Coefficients stay whole numbers of double precision.
      if (scale > 2 ** 20) continue;
      const lo = Math.ceil(plainInterval(form, (atom) => rangeOfAtom(atom, context)).lo / scale);
      best = intersect(best, sign > 0 ? { lo, hi: Infinity } : { lo: -Infinity, hi: 0 - lo });
    }
  }
  return best;
}

/** The affine form, simplified by what is known here. */
export function affineOf(expr: Expr, context: RangeContext): Affine {
  return memoryOf(context).affine(expr);
}

/** Is the condition true here, or false, or is it not known? */
export function prove(condition: Expr, context: RangeContext): boolean | null {
  if (context.impossible) return true;
  if (condition.kind === "const") return condition.value !== 0;
  const known = context.conditions.get(structuralKey(condition));
  if (known !== undefined) return known;
  if (condition.kind === "select") {
    const chosen = prove(condition.condition, context);
    if (chosen !== null) return prove(chosen ? condition.yes : condition.no, context);
    const yes = prove(condition.yes, context);
    return yes !== null && yes === prove(condition.no, context) ? yes : null;
  }
  if (condition.kind !== "apply") return null;
  const { proofs } = memoryOf(context);
  let proof = proofs.get(condition);
  if (proof === undefined) {
    proofs.set(condition, null);
    proof = proveApplied(condition, context);
    proofs.set(condition, proof);
  }
  return proof;
}

/** Is the form at least 0, by ranges, by the facts known here, and by cases of minima, maxima and selects? */
export function proveNonNegative(a: Affine, context: RangeContext): boolean {
  if (context.impossible || rangeOfAffine(a, context).lo >= 0) return true;
  // The innermost conditions come first: they are there for what they guard.
  const facts = [...factsOf(context)].reverse();
  // Facts that exclude each other: nothing is evaluated here.
  if (facts.some((fact) => rangeOfAffine(fact, context).hi < 0)) return true;
  return (
    byFacts(a, [...facts, ...divisionFacts([a, ...facts], context)], context, 2) || byCases(a, context, 3)
  );
}

function proveApplied(condition: Expr & { kind: "apply" }, context: RangeContext): boolean | null {
  const [a, b] = condition.args;
  const not = (answer: boolean | null): boolean | null => (answer === null ? null : !answer);
  switch (condition.fn) {
    case "not":
      return not(prove(a!, context));
    case "and":
    case "or": {
      const decisive = condition.fn === "or";
      const [left, right] = [prove(a!, context), prove(b!, context)];
      if (left === decisive || right === decisive) return decisive;
      return left === null || right === null ? null : !decisive;
    }
    case "lt":
      return proveLess(a!, b!, 1, context);
    case "le":
      return proveLess(a!, b!, 0, context);
    case "gt":
      return proveLess(b!, a!, 1, context);
    case "ge":
      return proveLess(b!, a!, 0, context);
    case "eq":
      return proveEqual(a!, b!, context);
    case "ne":
      return not(proveEqual(a!, b!, context));
    case "stop_gradient":
      return prove(a!, context);
    default:
      return null;
  }
}

/** `a + gap <= b`? */
function proveLess(a: Expr, b: Expr, gap: 0 | 1, context: RangeContext): boolean | null {
  if (typeOf(a) === "i32") {
    const room = addAffine(subAffine(affineOf(b, context), affineOf(a, context)), affineConstant(-gap));
    if (proveNonNegative(room, context)) return true;
    return proveNonNegative(addAffine(scaleAffine(room, -1), affineConstant(-1)), context) ? false : null;
  }
  if (typeOf(a) !== "u32") return null;
  const [left, right] = [rangeOf(a, context), rangeOf(b, context)];
  return left.hi + gap <= right.lo ? true : left.lo + gap > right.hi ? false : null;
}

function proveEqual(a: Expr, b: Expr, context: RangeContext): boolean | null {
  if (typeOf(a) !== "i32") {
    if (typeOf(a) !== "u32") return null;
    const [left, right] = [rangeOf(a, context), rangeOf(b, context)];
    if (left.hi < right.lo || right.hi < left.lo) return false;
    return left.lo === left.hi && right.lo === right.hi ? true : null;
  }
  const difference = subAffine(affineOf(a, context), affineOf(b, context));
  if (difference.terms.size === 0) return difference.constant === 0;
  const step = [...difference.terms.values()].reduce(
    (gcd, term) => greatestCommonDivisor(gcd, term.coefficient),
    0,
  );
  if (difference.constant % step !== 0) return false;
  const negative = scaleAffine(difference, -1);
  const below = addAffine(negative, affineConstant(-1));
  const above = addAffine(difference, affineConstant(-1));
  if (proveNonNegative(below, context) || proveNonNegative(above, context)) return false;
  return proveNonNegative(difference, context) && proveNonNegative(negative, context) ? true : null;
}

/**
 * With a fact f >= 0 it is enough that d * a - n * f > -d for some whole d > 0, n > 0, for a is whole. Those are tried that make a
 * term cancel; a second fact may be needed to show it.
 */
function byFacts(
  a: Affine,
  facts: readonly Affine[],
  context: RangeContext,
  most: number,
  effort = { left: mostTried },
): boolean {
  for (const fact of facts) {
    const tried = new Set<number>();
    for (const [key, { coefficient }] of fact.terms) {
      const wanted = a.terms.get(key)?.coefficient;
      if (wanted === undefined || wanted > 0 !== coefficient > 0) continue;
      const [d, n] = [Math.abs(coefficient), Math.abs(wanted)];
      if (tried.has(n / d)) continue;
      tried.add(n / d);
      if (effort.left-- <= 0) return false;
      const rest = addAffine(subAffine(scaleAffine(a, d), scaleAffine(fact, n)), affineConstant(d - 1));
      if (
        rangeOfAffine(rest, context).lo >= 0 ||
        (most > 1 && byFacts(rest, facts, context, most - 1, effort))
      )
        return true;
    }
  }
  return false;
}

/** The facts in the form that they have here: since one became known, others may have made a variable a constant. */
function factsOf(context: RangeContext): readonly Affine[] {
  const memory = memoryOf(context);
  memory.facts ??= context.facts.map((fact) => affineOf(fromAffine(fact), context));
  return memory.facts;
}

/** What is true of the divisions among the terms: `n - c * (n // c)` is the remainder, 0 … c - 1 if no more is known of it. */
function divisionFacts(forms: readonly Affine[], context: RangeContext): Affine[] {
  const divisions = new Map<string, Affine[]>();
  for (const form of forms) {
    for (const [key, { atom }] of form.terms) {
      const division = asDivision(atom);
      if (division === null || divisions.has(key) || divisions.size >= 4) continue;
      const rest = subAffine(
        affineOf(division.numerator, context),
        scaleAffine(affineAtom(atom), division.divisor),
      );
      const { lo, hi } = rangeOfAtom(apply("mod", division.numerator, integer(division.divisor)), context);
      divisions.set(key, [
        addAffine(rest, affineConstant(-lo)),
        addAffine(scaleAffine(rest, -1), affineConstant(hi)),
      ]);
    }
  }
  return [...divisions.values()].flat();
}

/** Splits a minimum, a maximum or a select among the terms into its cases. */
function byCases(a: Affine, context: RangeContext, most: number): boolean {
  if (most === 0) return false;
  const holds = (form: Affine, where: RangeContext): boolean =>
    where.impossible ||
    rangeOfAffine(form, where).lo >= 0 ||
    byFacts(form, factsOf(where), where, 1) ||
    byCases(form, where, most - 1);
  for (const { atom, coefficient } of a.terms.values()) {
    if (atom.kind === "select") {
      if (!areApart(atom, context)) return false;
      const side = (expr: Expr, truth: boolean): boolean => {
        const where = withCondition(context, atom.condition, truth);
        return holds(replaceAtom(a, atom, affineOf(expr, where)), where);
      };
      return side(atom.yes, true) && side(atom.no, false);
    }
    if (atom.kind !== "apply" || (atom.fn !== "min" && atom.fn !== "max")) continue;
    const cases = atom.args.map((arg) => replaceAtom(a, atom, affineOf(arg, context)));
    const bothNeeded = (atom.fn === "min") === coefficient > 0;
    return bothNeeded
      ? cases.every((form) => holds(form, context))
      : cases.some((form) => holds(form, context));
  }
  return false;
}

/** Are the sides of a select looked at under its condition? Each has a context then, in which all is looked at anew. */
function areApart(select: Expr, { depth }: RangeContext): boolean {
  return depth < deepestSelect && nesting(select) <= longestChain;
}

const nestings = new WeakMap<Expr, number>();

/** How deep selects are nested in an expression, in conditions and sides. */
function nesting(root: Expr): number {
  return bottomUp(nestings, root, (expr) => {
    const below = operands(expr).reduce((most, operand) => Math.max(most, nestings.get(operand)!), 0);
    return below + (expr.kind === "select" ? 1 : 0);
  });
}

function replaceAtom(a: Affine, atom: Expr, by: Affine): Affine {
  const coefficient = a.terms.get(structuralKey(atom))!.coefficient;
  return addAffine(a, scaleAffine(subAffine(by, affineAtom(atom)), coefficient));
}

/** The values of an expression by its outermost operation, and by what facts say of it. */
function rangeOfAtom(expr: Expr, context: RangeContext): Interval {
  const { atoms } = memoryOf(context);
  let range = atoms.get(expr);
  if (range === undefined) {
    const known = context.atoms.get(structuralKey(expr));
    // A fact may speak of the atom itself: until it is known, it is anything.
    atoms.set(expr, everything);
    range = rangeOfOperation(expr, context);
    if (known !== undefined) range = intersect(range, known);
    atoms.set(expr, range);
  }
  return range;
}

function rangeOfOperation(expr: Expr, context: RangeContext): Interval {
  switch (expr.kind) {
    case "const":
      return Number.isNaN(expr.value) ? everything : { lo: expr.value, hi: expr.value };
    case "index":
      return context.variables.get(expr.name) ?? everything;
    case "read":
      return expr.element.bound === null
        ? rangeOfType(expr.element.scalar)
        : { lo: 0, hi: expr.element.bound - 1 };
    case "select": {
      const chosen = prove(expr.condition, context);
      if (chosen !== null) return rangeOf(chosen ? expr.yes : expr.no, context);
      const isApart = areApart(expr, context);
      const yes = isApart ? withCondition(context, expr.condition, true) : context;
      const no = isApart ? withCondition(context, expr.condition, false) : context;
      if (yes.impossible) return rangeOf(expr.no, no);
      if (no.impossible) return rangeOf(expr.yes, yes);
      return union(rangeOf(expr.yes, yes), rangeOf(expr.no, no));
    }
    case "apply": {
      if (expr.type === "bool") {
        const proof = prove(expr, context);
        return proof === null ? rangeOfType("bool") : { lo: Number(proof), hi: Number(proof) };
      }
      return rangeOfApplied(
        expr,
        expr.args.map((arg) => rangeOf(arg, context)),
      );
    }
  }
}

/** What has been found out in a context, so that shared expressions are looked at once. */
interface Memory {
  readonly affine: (expr: Expr) => Affine;
  readonly ranges: Map<Expr, Interval>;
  readonly atoms: Map<Expr, Interval>;
  readonly proofs: Map<Expr, boolean | null>;
  facts: readonly Affine[] | null;
}

const memories = new WeakMap<RangeContext, Memory>();

function memoryOf(context: RangeContext): Memory {
  let memory = memories.get(context);
  if (memory === undefined) {
    const affine = context.impossible ? toAffine : affineWithin((atom) => rangeOfAtom(atom, context));
    memory = { affine, ranges: new Map(), atoms: new Map(), proofs: new Map(), facts: null };
    memories.set(context, memory);
  }
  return memory;
}
