/**
 * The sides of a choice. Where both are cheap they are computed both, wherever the condition holds, and reads are kept inside their tensors:
 *
 *     if 0 <= i < 8 then %x[i] else 0.0     ⟶     select(0.0, x[clamp(i, 0, 7)], 0 <= i && i < 8)
 */
import { isWithin } from "../../ir/bounds.ts";
import { read as readAt } from "../../ir/build.ts";
import { costOf, costsAtLeast } from "../../ir/expression-cost.ts";
import type { Expr } from "../../ir/ir.ts";
import { rewriteExpr } from "../../ir/substitute.ts";
import { operands } from "../../ir/traverse.ts";
import { clampedIndex, type Emission, usesIn } from "./emission.ts";

/** A side that costs more than this is computed only where it is chosen. */
const cheapSide = 24;

interface Sides {
  readonly yes: Expr;
  readonly no: Expr;
  readonly isCheap: boolean;
  /** What dear sides have in common with others. */
  readonly common: readonly Expr[];
}

const sidesKnown = new WeakMap<Emission, Map<Expr, Sides>>();

/** The sides of a select, with every read kept inside its tensor where they are cheap enough to be computed both. */
export function sidesOf(emission: Emission, expr: Extract<Expr, { kind: "select" }>): Sides {
  let map = sidesKnown.get(emission);
  if (map === undefined) sidesKnown.set(emission, (map = new Map()));
  let sides = map.get(expr);
  if (sides === undefined) {
    const isCheap = [expr.yes, expr.no].every(
      (side) => costOf(side) <= cheapSide && !computesMuch(emission, side),
    );
    sides = isCheap
      ? { yes: withinBounds(emission, expr.yes), no: withinBounds(emission, expr.no), isCheap, common: [] }
      : {
          yes: expr.yes,
          no: expr.no,
          isCheap,
          common: [expr.yes, expr.no].flatMap((side) => commonIn(emission, side)),
        };
    map.set(expr, sides);
  }
  return sides;
}

/**
 * What a side that is computed only where it is chosen has in common with others, and costs much: computed before the choice it is written
 * once. In the derivative of a chain of choices every side has what comes after it, which would be written again in each.
 *
 *     (if a then t * w else 0.0) + (if not a then t * 0.1 else 0.0)     t
 */
function commonIn(emission: Emission, side: Expr): Expr[] {
  const inside = usesIn(side);
  const isCommon = (expr: Expr): boolean =>
    inside.get(expr)! < (emission.uses.get(expr) ?? 0) &&
    costsAtLeast(expr, cheapSide) &&
    !computesMuch(emission, expr) &&
    withinBounds(emission, expr) === expr;
  const found: Expr[] = [];
  const open = new Set([side]);
  for (const expr of open) {
    if (isCommon(expr)) found.push(expr);
    else for (const operand of operands(expr)) open.add(operand);
  }
  return found;
}

/** Does it read something that is computed at the read and costs more than a few operations? */
function computesMuch({ computed }: Emission, root: Expr): boolean {
  const seen = new Set<Expr>();
  const open = [root];
  for (let expr = open.pop(); expr !== undefined; expr = open.pop()) {
    // A chain of choices comes to the same ones on more ways than can be gone.
    if (seen.has(expr)) continue;
    seen.add(expr);
    const node = expr.kind === "read" ? computed.get(expr.tensor) : undefined;
    if (node !== undefined && (node.reduction !== null || costOf(node.body) > cheapSide)) return true;
    if (node !== undefined) open.push(node.body);
    open.push(...operands(expr));
  }
  return false;
}

/** The expression with every index of a read clamped that is not proved to be in range, for where it is not wanted. */
function withinBounds(emission: Emission, side: Expr): Expr {
  return rewriteExpr(side, (expr) => {
    if (expr.kind !== "read") return expr;
    const indices = withinShape(emission, expr.indices, emission.types.get(expr.tensor)!.shape);
    return indices.every((index, axis) => index === expr.indices[axis])
      ? expr
      : readAt(expr.tensor, expr.element, indices);
  });
}

/** Indices of a tensor of this shape, clamped where they are not proved to be in range. */
export function withinShape(emission: Emission, indices: readonly Expr[], shape: readonly number[]): Expr[] {
  return indices.map((index, axis) =>
    isWithin(index, shape[axis]!, emission.context) ? index : clampedIndex(index, shape[axis]!),
  );
}
