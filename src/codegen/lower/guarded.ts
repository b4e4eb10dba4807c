/**
 * Products under a condition as products of guarded factors, so that each side of a contraction has its own conditions.
 *
 *     if 0 <= i + y < 56 then %w[r, y] * %x[i + y] else 0.0     ⟶     %w[r, y] * (if 0 <= i + y < 56 then %x[i + y] else 0.0)
 *
 * The simplifier takes them together, since what need not be computed need not be loaded. Both take 0 times anything for 0.
 */
import { isWithin } from "../../ir/bounds.ts";
import { all, apply, select } from "../../ir/build.ts";
import { type Expr, typeOf } from "../../ir/ir.ts";
import type { RangeContext } from "../../ir/ranges.ts";
import { conditionsOf, isZero } from "../../ir/rewrite/guards.ts";
import { indicesIn, postorder } from "../../ir/traverse.ts";
import type { Emission } from "./emission.ts";

/**
 * The body with its conditions at the factors that depend on the variables of the same side; null where there are none, where one
 * depends on several sides, or where a factor without a condition could be read out of range.
 */
export function withGuardedFactors(
  { types }: Emission,
  body: Expr,
  context: RangeContext,
  sides: readonly ReadonlySet<string>[],
): Expr | null {
  const conditions: Expr[] = [];
  let product = body;
  while (product.kind === "select" && isZero(product.no)) {
    conditions.push(...conditionsOf(product.condition));
    product = product.yes;
  }
  if (conditions.length === 0 || typeOf(product) !== "f32") return null;
  const list = factors(product).map((factor) => ({ factor, side: sideOf(factor, sides) }));
  const guards = new Map<number, Expr[]>();
  for (const condition of conditions) {
    const side = sideOf(condition, sides);
    // What depends on no side goes to a factor of whichever.
    const wanted = side === "none" ? list.find((one) => typeof one.side === "number")?.side : side;
    const at = list.findIndex((one) => typeof wanted === "number" && one.side === wanted);
    if (at < 0) return null;
    guards.set(at, [...(guards.get(at) ?? []), condition]);
  }
  const isSafe = list.every(({ factor }, i) => guards.has(i) || readsAreWithin(factor));
  if (!isSafe) return null;
  return list
    .map(({ factor }, i) => {
      const own = guards.get(i);
      return own === undefined ? factor : select(all(own), factor, zero);
    })
    .reduce((a, b) => apply("mul", a, b));

  function readsAreWithin(factor: Expr): boolean {
    return postorder(factor).every(
      (expr) =>
        expr.kind !== "read" ||
        expr.indices.every((index, axis) => isWithin(index, types.get(expr.tensor)!.shape[axis]!, context)),
    );
  }
}

const zero: Expr = { kind: "const", type: "f32", value: 0 };

function factors(product: Expr): readonly Expr[] {
  if (product.kind !== "apply" || product.fn !== "mul") return [product];
  return product.args.flatMap(factors);
}

/** The number of the only side whose variables the expression has. */
function sideOf(expr: Expr, sides: readonly ReadonlySet<string>[]): number | "none" | "several" {
  const names = [...indicesIn([expr])];
  const own = [...sides.keys()].filter((side) => names.some((name) => sides[side]!.has(name)));
  return own.length === 0 ? "none" : own.length === 1 ? own[0]! : "several";
}
