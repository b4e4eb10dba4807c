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
import { scalarFunctions } from "../../ir/scalar.ts";
import { conditionsOf, isZero, selectAll } from "../../ir/rewrite/guards.ts";
import { indicesIn, postorder } from "../../ir/traverse.ts";
import { deepestInlined, type Emission, type Instance } from "./emission.ts";

/**
 * The reduction with each condition around its body at a factor that depends on the variables of the same side, and at others that need
 * it; as it is where there are no conditions, where one depends on several sides, or where a factor of the other side needs it.
 */
export function withGuardedFactors(
  emission: Emission,
  instance: Instance,
  sides: readonly ReadonlySet<string>[],
): Instance {
  const body = guardedBody(emission, instance, sides);
  return body === null ? instance : { ...instance, body };
}

function guardedBody(
  emission: Emission,
  { body, contexts }: Instance,
  sides: readonly ReadonlySet<string>[],
): Expr | null {
  const context = contexts.at(-1)!;
  const conditions: Expr[] = [];
  let product = body;
  while (product.kind === "select" && isZero(product.no)) {
    conditions.push(...conditionsOf(product.condition));
    product = product.yes;
  }
  if (conditions.length === 0 || typeOf(product) !== "f32") return null;
  const sided = conditions.map((condition) => ({ condition, side: sideOf(condition, sides) }));
  // Those that are tested only where others hold stay with these.
  const areTogether = sided.every(({ side }) => side === sided[0]!.side);
  if (!areTogether && !conditions.every((one) => readsAreWithin(emission, one, context))) return null;
  const list = factors(product).map((factor) => ({
    factor,
    side: sideOf(factor, sides),
    isFree: readsAreWithin(emission, factor, context) && staysFinite(emission, factor, 0),
    guards: [] as Expr[],
  }));
  if (list.some(({ side }) => side === "several")) return null;
  for (const { condition, side } of sided) {
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

/** Is the expression finite, but for overflow, whatever the elements are that it reads, if these are? */
function staysFinite(emission: Emission, part: Expr, depth: number): boolean {
  return postorder(part).every((expr) => {
    if (typeOf(expr) !== "f32") return true;
    if (expr.kind === "apply")
      // These two are finite of integers, which is what the table speaks of.
      return scalarFunctions[expr.fn].isUnbounded !== true && expr.fn !== "floor_div" && expr.fn !== "mod";
    const node = expr.kind === "read" ? emission.computed.get(expr.tensor) : undefined;
    if (node === undefined) return true;
    const op = node.reduction?.op ?? "sum";
    return op === "sum" && depth < deepestInlined && staysFinite(emission, node.body, depth + 1);
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
