/**
 * Products under a condition as products of guarded factors, so that each side of a contraction has its own conditions.
 *
 *     if 0 <= i + y < 56 then %w[r, y] * %x[i + y] else 0.0     ⟶     %w[r, y] * (if 0 <= i + y < 56 then %x[i + y] else 0.0)
 *     if %n[r] > 0 then %w[r, y] / %n[r] * %x[y] else 0.0       ⟶     (if %n[r] > 0 then %w[r, y] / %n[r] else 0.0) * %x[y]
 *
 * The simplifier takes them together, since what need not be computed need not be loaded. A factor goes without the condition only where it
 * is in range and finite all the same, so that 0 times it is 0, for tensors that are finite.
 */
import { isWithin } from "../../ir/bounds.ts";
import { apply } from "../../ir/build.ts";
import { type Expr, typeOf } from "../../ir/ir.ts";
import { type RangeContext, withCondition } from "../../ir/ranges.ts";
import { conditionsOf, isZero, selectAll } from "../../ir/rewrite/guards.ts";
import { indicesIn, postorder } from "../../ir/traverse.ts";
import type { Emission } from "./emission.ts";

/**
 * The body with each condition at a factor that depends on the variables of the same side, and at others that need it; null where there are
 * no conditions, where one depends on several sides, or where a factor of the other side needs it.
 */
export function withGuardedFactors(
  emission: Emission,
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
  // Those that are tested only where others hold stay with these.
  const conditionSides = new Set(conditions.map((condition) => sideOf(condition, sides)));
  if (conditionSides.size > 1 && !conditions.every((one) => readsAreWithin(emission, one, context)))
    return null;
  const list = factors(product).map((factor) => ({
    factor,
    side: sideOf(factor, sides),
    isFree: readsAreWithin(emission, factor, context) && staysFinite(emission, factor, 0),
    guards: [] as Expr[],
  }));
  if (list.some(({ side }) => side === "several")) return null;
  for (const condition of conditions) {
    const side = sideOf(condition, sides);
    const first = list.find((one) => (side === "none" ? one.side !== "none" : one.side === side));
    if (side === "several" || first === undefined) return null;
    for (const one of list) {
      if (one !== first && one.isFree) continue;
      if (side !== "none" && one.side !== side && one.side !== "none") return null;
      one.guards.push(condition);
    }
  }
  const isSafe = list.every(({ factor, guards }) => {
    const inside = guards.reduce((known, guard) => withCondition(known, guard, true), context);
    return readsAreWithin(emission, factor, inside);
  });
  if (!isSafe) return null;
  return list.map(({ factor, guards }) => selectAll(guards, factor)).reduce((a, b) => apply("mul", a, b));
}

function readsAreWithin({ types }: Emission, part: Expr, context: RangeContext): boolean {
  return postorder(part).every(
    (expr) =>
      expr.kind !== "read" ||
      expr.indices.every((index, axis) => isWithin(index, types.get(expr.tensor)!.shape[axis]!, context)),
  );
}

/** Functions that are finite of all finite arguments, but for overflow. */
const finiteFunctions: ReadonlySet<string> = new Set([
  "add",
  "sub",
  "mul",
  "neg",
  "abs",
  "min",
  "max",
  "clamp",
  "tanh",
  "sigmoid",
  "erf",
  "sin",
  "cos",
  "cast",
]);

/** Nodes inlined into one another deeper than this are not looked into. */
const deepest = 12;

/** Is the expression finite whatever the elements are that it reads, if these are? */
function staysFinite(emission: Emission, part: Expr, depth: number): boolean {
  return postorder(part).every((expr) => {
    if (typeOf(expr) !== "f32") return true;
    if (expr.kind === "apply") return finiteFunctions.has(expr.fn);
    const node = expr.kind === "read" ? emission.computed.get(expr.tensor) : undefined;
    if (node === undefined) return true;
    const op = node.reduction?.op ?? "sum";
    return op === "sum" && depth < deepest && staysFinite(emission, node.body, depth + 1);
  });
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
