/** A body as a sum of terms, each with the conditions under which it counts. */
import { coefficientOf, fromAffine, scaleAffine, toAffine, withoutTerm } from "../affine.ts";
import { apply, index } from "../build.ts";
import { type Axis, type Expr, isFloat, typeOf } from "../ir.ts";
import { indicesIn } from "../traverse.ts";
import { conditionsOf, type Guarded, isZero } from "./guards.ts";

const mostTerms = 8;

/** The terms of a body. When they would be too many, the body is one term. */
export function termsOf(body: Expr): Guarded[] {
  return split(body, new Map()) ?? [{ guards: [], value: body }];
}

function split(expr: Expr, known: Map<Expr, Guarded[] | null>): Guarded[] | null {
  let result = known.get(expr);
  if (result === undefined) {
    const found = splitForm(expr, (e) => split(e, known));
    result = found !== null && found.length > mostTerms ? null : found;
    known.set(expr, result);
  }
  return result;
}

function splitForm(expr: Expr, of: (e: Expr) => Guarded[] | null): Guarded[] | null {
  const whole: Guarded[] = [{ guards: [], value: expr }];
  if (isZero(expr)) return [];
  if (expr.kind === "select") {
    const [side, condition] = isZero(expr.no)
      ? [expr.yes, expr.condition]
      : isZero(expr.yes)
        ? [expr.no, apply("not", expr.condition)]
        : [null, expr.condition];
    if (side === null) return whole;
    const own = conditionsOf(condition);
    return of(side)?.map((t) => ({ guards: [...own, ...t.guards], value: t.value })) ?? null;
  }
  if (expr.kind !== "apply") return whole;
  const [a, b] = expr.args;
  if (expr.fn === "cast" && typeOf(a!) === "bool" && expr.type !== "bool")
    return [{ guards: conditionsOf(a!), value: { kind: "const", type: expr.type, value: 1 } }];
  if (!isFloat(expr.type) && expr.type !== "i32") return whole;
  const each = (terms: Guarded[] | null, make: (value: Expr) => Expr): Guarded[] | null =>
    terms?.map((t) => ({ guards: t.guards, value: make(t.value) })) ?? null;
  switch (expr.fn) {
    case "add":
    case "sub": {
      const [x, y] = [of(a!), of(b!)];
      if (x === null || y === null) return null;
      return [...x, ...(expr.fn === "add" ? y : each(y, (v) => apply("neg", v))!)];
    }
    case "neg":
      return each(of(a!), (v) => apply("neg", v));
    case "mul": {
      const [x, y] = [of(a!), of(b!)];
      if (x === null || y === null) return null;
      if (isPlain(x) && isPlain(y)) return whole;
      return x.flatMap((s) =>
        y.map((t) => ({ guards: [...s.guards, ...t.guards], value: apply("mul", s.value, t.value) })),
      );
    }
    case "div": {
      const x = of(a!);
      return x === null || isPlain(x) ? (x === null ? null : whole) : each(x, (v) => apply("div", v, b!));
    }
    default:
      return whole;
  }
}

/** One term or several, none of which has a condition: nothing is gained by multiplying out. */
function isPlain(terms: readonly Guarded[]): boolean {
  return terms.every((t) => t.guards.length === 0);
}

/** Axes that equations fix in terms of the other axes: `%a[i] == j` gives `j = %a[i]`. */
export function pinnedAxes(guards: readonly Expr[], axes: readonly Axis[]): Map<string, Expr> {
  const pins = new Map<string, Expr>();
  for (const guard of guards) {
    if (guard.kind !== "apply" || guard.fn !== "eq" || typeOf(guard.args[0]!) !== "i32") continue;
    const equation = toAffine(apply("sub", guard.args[0]!, guard.args[1]!));
    for (const axis of [...axes].reverse()) {
      const c = coefficientOf(equation, index(axis.name));
      const rest = withoutTerm(equation, index(axis.name));
      const others = indicesIn([...rest.terms.values()].map((t) => t.atom));
      if (Math.abs(c) !== 1 || others.has(axis.name) || pins.has(axis.name)) continue;
      if (
        [...pins.keys()].some((name) => others.has(name)) ||
        [...pins.values()].some((e) => indicesIn([e]).has(axis.name))
      )
        continue;
      pins.set(axis.name, fromAffine(scaleAffine(rest, -c)));
      break;
    }
  }
  return pins;
}
