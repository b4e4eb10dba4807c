/**
 * Products under a condition as products of guarded factors, so that each side of a contraction has its own conditions.
 *
 *     if 0 <= i + y < 56 then %w[r, y] * %x[i + y] else 0.0     ⟶     %w[r, y] * (if 0 <= i + y < 56 then %x[i + y] else 0.0)
 *
 * The simplifier takes them together, since what need not be computed need not be loaded. An infinite factor of the other side alone makes
 * a difference: its row or column is not finite anyway, where the condition holds.
 */
import { isWithin } from "../../ir/bounds.ts";
import { apply } from "../../ir/build.ts";
import { type Expr, typeOf } from "../../ir/ir.ts";
import type { RangeContext } from "../../ir/ranges.ts";
import { conditionsOf, isZero, selectAll } from "../../ir/rewrite/guards.ts";
import { indicesIn, postorder } from "../../ir/traverse.ts";
import type { Emission } from "./emission.ts";

/**
 * The body with its conditions at the factors that depend on the variables of the same side, and at those that depend on none; null where
 * there are no conditions, where one depends on several sides, or where a factor without a condition could be read out of range.
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
  const guards = list.map((): Expr[] => []);
  const conditionSides = new Set(conditions.map((condition) => sideOf(condition, sides)));
  // Those that are tested only where others hold stay with these.
  if (conditionSides.size > 1 && !conditions.every(readsAreWithin)) return null;
  for (const condition of conditions) {
    const side = sideOf(condition, sides);
    if (side === "several" || (side !== "none" && !list.some((one) => one.side === side))) return null;
    // Whichever factor depends on the same variables may be finite only where it holds.
    list.forEach((one, i) => {
      if (one.side === side || one.side === "none" || side === "none") guards[i]!.push(condition);
    });
  }
  const isSafe = list.every(
    ({ factor, side }, i) => (side !== "several" && guards[i]!.length > 0) || readsAreWithin(factor),
  );
  if (!isSafe) return null;
  return list
    .map(({ factor }, i) => (factor.kind === "const" ? factor : selectAll(guards[i]!, factor)))
    .reduce((a, b) => apply("mul", a, b));

  function readsAreWithin(part: Expr): boolean {
    return postorder(part).every(
      (expr) =>
        expr.kind !== "read" ||
        expr.indices.every((index, axis) => isWithin(index, types.get(expr.tensor)!.shape[axis]!, context)),
    );
  }
}

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
