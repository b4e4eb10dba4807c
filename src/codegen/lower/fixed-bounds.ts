/**
 * Reductions whose bounds move with the place, as reductions from 0 on, of as many turns at every place.
 *
 *     sum a: i .. min(i + 3, 28). %y[a]     ⟶     sum a<3. if i + a < 28 then %y[i + a] else 0
 */
import { fromAffine } from "../../ir/affine.ts";
import { apply, index, integer } from "../../ir/build.ts";
import { partsOf, rangeOfExtent } from "../../ir/extent.ts";
import type { Comprehension, Expr, ReductionAxis } from "../../ir/ir.ts";
import { affineOf, contextOf, contextsOf, type RangeContext } from "../../ir/ranges.ts";
import { selectAll } from "../../ir/rewrite/guards.ts";
import { simplifyWithin } from "../../ir/rewrite/simplify-expr.ts";
import { substituteIndices } from "../../ir/substitute.ts";
import { indicesIn } from "../../ir/traverse.ts";

/**
 * The node with reductions that begin and end where no place has a say; null where that can't be, or takes more turns. Bounds that do depend
 * on places, as at the edges, become conditions of the terms.
 */
export function withFixedBounds(node: Comprehension, places: ReadonlySet<string>): Comprehension | null {
  const { reduction } = node;
  if (reduction === null || places.size === 0) return node;
  if (node.keys.length > 0) return null;
  const isFixed = (e: Expr): boolean => ![...indicesIn([e])].some((name) => places.has(name));
  const moves = new Map<string, Expr>();
  const guards: Expr[] = [];
  const axes: ReductionAxis[] = [];
  for (const { name, ...bounds } of reduction.axes) {
    const outside = axes.length === 0 ? null : { ...reduction, axes };
    const context = contextOf({ ...node, reduction: outside });
    const [lo, hi] = [bounds.lo, bounds.hi].map((e) => simplifyWithin(substituteIndices(e, moves), context));
    if (isFixed(lo!) && isFixed(hi!)) {
      axes.push({ name, lo: lo!, hi: hi! });
      continue;
    }
    const moved = movedAxis({ name, lo: lo!, hi: hi! }, isFixed, context);
    if (moved === null || reduction.op !== "sum") return null;
    axes.push(moved.axis);
    moves.set(name, moved.place);
    guards.push(...moved.guards);
  }
  const body = selectAll(guards, substituteIndices(node.body, moves));
  const fixed: Comprehension = { ...node, reduction: { ...reduction, axes }, body };
  // Only places at the edges may have turns in which nothing is added.
  return mostTurns(fixed) > mostTurns(node) ? null : fixed;
}

/** A reduction's axis that begins at 0, what its variable stood for before, and when there was a turn. */
interface MovedAxis {
  readonly axis: ReductionAxis;
  readonly place: Expr;
  readonly guards: readonly Expr[];
}

/** An axis moved by one of its lower bounds, so that one of the upper ones is fixed; null where there are no such two. */
function movedAxis(
  { name, lo, hi }: ReductionAxis,
  isFixed: (e: Expr) => boolean,
  context: RangeContext,
): MovedAxis | null {
  const [starts, ends] = [partsOf("max", lo), partsOf("min", hi)];
  for (const start of starts) {
    const counts = ends.map((end) => fromAffine(affineOf(apply("sub", end, start), context)));
    const fixed = counts.filter(isFixed);
    if (fixed.length === 0) continue;
    const place = apply("add", index(name), start);
    const guards = [
      ...starts.filter((other) => other !== start).map((other) => apply("ge", place, other)),
      ...ends.filter((_, i) => !isFixed(counts[i]!)).map((end) => apply("lt", place, end)),
    ];
    const count = fixed.reduce((least, one) => apply("min", least, one));
    return { axis: { name, lo: integer(0), hi: count }, place, guards };
  }
  return null;
}

/** The most turns that a node's reduction can have at a place. */
function mostTurns(node: Comprehension): number {
  const contexts = contextsOf(node);
  return node.reduction!.axes.reduce((turns, axis, i) => turns * rangeOfExtent(axis, contexts[i]!).hi, 1);
}
