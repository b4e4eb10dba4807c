/** The conditions under which a term counts: `select(c, v, 0)`, wherever it stands in a product, is v where c holds. */
import { all, apply, select, zeroOf } from "../build.ts";
import { type Expr, typeOf } from "../ir.ts";
import { operands, postorder } from "../traverse.ts";

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

/**
 * The value where all conditions hold, 0 elsewhere. A condition that reads a tensor is tested under those that read less: they may
 * be what keeps its reads inside.
 */
export function selectAll(guards: readonly Expr[], value: Expr): Expr {
  const depths = guards.map(readDepth);
  const levels = [...new Set(depths)].sort((a, b) => b - a);
  const zero = zeroOf(typeOf(value));
  return levels.reduce(
    (inner, level) => select(all(guards.filter((_, i) => depths[i] === level)), inner, zero),
    value,
  );
}

/** How deep reads are nested: 0 without a read, 2 for `%x[%a[i]]`. */
export function readDepth(expr: Expr): number {
  const depths = new Map<Expr, number>();
  for (const e of postorder(expr)) {
    const below = operands(e).reduce((most, x) => Math.max(most, depths.get(x)!), 0);
    depths.set(e, e.kind === "read" ? below + 1 : below);
  }
  return depths.get(expr)!;
}
