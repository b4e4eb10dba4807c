/** The conditions under which a term counts: `select(c, v, 0)`, wherever it stands in a product, is v where c holds. */
import { structuralKey } from "../affine.ts";
import { all, apply, integer, select, zeroOf } from "../build.ts";
import { type Expr, typeOf } from "../ir.ts";
import { bottomUp, operands, postorder } from "../traverse.ts";

export interface Guarded {
  readonly guards: readonly Expr[];
  readonly value: Expr;
}

/** Is it the number 0? */
export function isZero(e: Expr): boolean {
  return e.kind === "const" && e.value === 0 && e.type !== "bool";
}

/** The parts of a conjunction; negated comparisons of integers are turned round. */
export function conditionsOf(condition: Expr): Expr[] {
  if (condition.kind === "const" && condition.value !== 0) return [];
  if (condition.kind !== "apply") return [condition];
  if (condition.fn === "and") return condition.args.flatMap(conditionsOf);
  if (condition.fn === "not") return negated(condition.args[0]!);
  return [condition];
}

const opposite = { lt: "ge", ge: "lt", gt: "le", le: "gt", eq: "ne", ne: "eq" } as const;

function negated(condition: Expr): Expr[] {
  if (condition.kind === "apply") {
    if (condition.fn === "not") return conditionsOf(condition.args[0]!);
    if (condition.fn === "or") return condition.args.flatMap(negated);
    const [a, b] = condition.args;
    const turned = opposite[condition.fn as keyof typeof opposite];
    // With NaN a comparison of floats and its opposite are both false.
    if (turned !== undefined && (typeOf(a!) === "i32" || turned === "ne" || turned === "eq"))
      return [apply(turned, a!, b!)];
  }
  return [apply("not", condition)];
}

/** The conditions around an expression, and what it is where they hold; elsewhere it is 0. */
export function peel(expr: Expr): Guarded {
  return peelWithin(expr, new Map());
}

function peelWithin(expr: Expr, known: Map<Expr, Guarded>): Guarded {
  let result = known.get(expr);
  if (result === undefined) {
    result = peelForm(expr, known);
    known.set(expr, result);
  }
  return result;
}

function peelForm(expr: Expr, known: Map<Expr, Guarded>): Guarded {
  switch (expr.kind) {
    case "const":
    case "index":
    case "read":
      return { guards: [], value: expr };
    case "select": {
      const side = isZero(expr.no) ? expr.yes : isZero(expr.yes) ? expr.no : null;
      if (side === null) return { guards: [], value: expr };
      const own =
        side === expr.yes ? conditionsOf(expr.condition) : conditionsOf(apply("not", expr.condition));
      const inner = peelWithin(side, known);
      return { guards: [...own, ...inner.guards], value: inner.value };
    }
    case "apply":
      return peelApplied(expr, (e) => peelWithin(e, known));
  }
}

function peelApplied(expr: Extract<Expr, { kind: "apply" }>, of: (e: Expr) => Guarded): Guarded {
  const [a, b] = expr.args;
  switch (expr.fn) {
    case "mul": {
      const [x, y] = [of(a!), of(b!)];
      if (x.guards.length + y.guards.length === 0) return { guards: [], value: expr };
      return { guards: [...x.guards, ...y.guards], value: apply("mul", x.value, y.value) };
    }
    case "div": {
      const x = of(a!);
      return x.guards.length === 0
        ? { guards: [], value: expr }
        : { guards: x.guards, value: apply("div", x.value, b!) };
    }
    case "neg": {
      const x = of(a!);
      return x.guards.length === 0
        ? { guards: [], value: expr }
        : { guards: x.guards, value: apply("neg", x.value) };
    }
    case "cast":
      // A boolean as a number is 1 where it holds.
      if (typeOf(a!) !== "bool" || expr.type === "bool") return { guards: [], value: expr };
      return { guards: conditionsOf(a!), value: { kind: "const", type: expr.type, value: 1 } };
    default:
      return { guards: [], value: expr };
  }
}

/** `0 <= e < size`, as conditions. */
export function within(e: Expr, size: number): Expr[] {
  return [apply("ge", e, integer(0)), apply("lt", e, integer(size))];
}

/**
 * The value where all conditions hold, 0 elsewhere. A condition that reads a tensor is tested under those that may be what keeps
 * its reads inside: that read less, or that compare an integer at which it reads.
 */
export function selectAll(guards: readonly Expr[], value: Expr): Expr {
  const zero = zeroOf(typeOf(value));
  return levelsOf(guards).reduceRight((inner, level) => select(all(level), inner, zero), value);
}

/** The conditions in the order in which they must be tested, those together that need not wait for one another. */
function levelsOf(guards: readonly Expr[]): Expr[][] {
  const levels: Expr[][] = [];
  let left = guards.map((guard) => ({
    guard,
    depth: readDepth(guard),
    compared: comparesIntegers(guard) ? comparedIn([guard]) : new Set<string>(),
    readAt: placesOf(guard),
  }));
  while (left.length > 0) {
    const isFree = ({ readAt, guard }: (typeof left)[number]): boolean =>
      left.every((other) => other.guard === guard || ![...other.compared].some((key) => readAt.has(key)));
    const free = left.filter(isFree);
    const ready = free.length > 0 ? free : left;
    const least = Math.min(...ready.map(({ depth }) => depth));
    const shallow = ready.filter(({ depth }) => depth === least);
    // Conditions that wait for one another are tested in their order.
    const level = new Set(free.length > 0 ? shallow : shallow.slice(0, 1));
    levels.push([...level].map(({ guard }) => guard));
    left = left.filter((one) => !level.has(one));
  }
  return levels;
}

function comparesIntegers(guard: Expr): boolean {
  return guard.kind === "apply" && guard.args.every((e) => typeOf(e) === "i32");
}

/** What integer expressions are made of: the index variables and reads in them, but not in the indices of reads; structural keys. */
export function comparedIn(exprs: readonly Expr[]): Set<string> {
  const found = new Set<string>();
  const seen = new Set<Expr>();
  const left = [...exprs];
  for (let e = left.pop(); e !== undefined; e = left.pop()) {
    if (seen.has(e)) continue;
    seen.add(e);
    if (e.kind === "index" || e.kind === "read") found.add(structuralKey(e));
    else left.push(...operands(e));
  }
  return found;
}

const places = new WeakMap<Expr, ReadonlySet<string>>();

/** `placesIn` of one condition: it stands around many values, and is asked again for each. */
function placesOf(guard: Expr): ReadonlySet<string> {
  let found = places.get(guard);
  if (found === undefined) places.set(guard, (found = placesIn([guard])));
  return found;
}

/** The index variables and reads in the indices of reads, by their structural keys. */
export function placesIn(exprs: readonly Expr[]): Set<string> {
  return atomsIn(postorder(...exprs).flatMap((e) => (e.kind === "read" ? e.indices : [])));
}

/** The index variables and reads in expressions, by their structural keys: what a condition on an index is about. */
export function atomsIn(exprs: readonly Expr[]): Set<string> {
  const atoms = postorder(...exprs).filter((e) => e.kind === "index" || e.kind === "read");
  return new Set(atoms.map(structuralKey));
}

const depths = new WeakMap<Expr, number>();

/** How deep reads are nested: 0 without a read, 2 for `%x[%a[i]]`. */
export function readDepth(expr: Expr): number {
  return bottomUp(depths, expr, (e) => {
    const below = operands(e).reduce((most, x) => Math.max(most, depths.get(x)!), 0);
    return e.kind === "read" ? below + 1 : below;
  });
}
