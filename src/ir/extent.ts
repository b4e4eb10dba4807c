/**
 * How many turns a reduction axis has, where it has as many at every point.
 *
 *     y: 14 * i .. 14 * i + 14                      14
 *     y: 7 * i // 2 .. (7 * (i + 1) + 1) // 2       4, for i below 2: from 0 to 4, from 3 to 7
 */
import { subAffine } from "./affine.ts";
import { apply } from "./build.ts";
import type { Interval } from "./intervals.ts";
import type { Expr, ReductionAxis } from "./ir.ts";
import { affineOf, type RangeContext, rangeOf, rangeOfAffine, withVariable } from "./ranges.ts";
import { indicesIn } from "./traverse.ts";

/** More points than this are not looked at one by one. */
const mostPoints = 64;

/** The turns of an axis that runs from 0 to a constant, of which there may be none; null for another. */
export function extentFromZero({ lo, hi }: ReductionAxis): number | null {
  return lo.kind === "const" && lo.value === 0 && hi.kind === "const" ? Math.max(0, hi.value) : null;
}

/** The turns of an axis; null where points have different ones, or that is not known. */
export function constantExtent({ lo, hi }: ReductionAxis, context: RangeContext): number | null {
  if (lo.kind === "const" && hi.kind === "const") return hi.value - lo.value;
  const difference = subAffine(affineOf(hi, context), affineOf(lo, context));
  if (difference.terms.size === 0) return difference.constant;
  const extent = apply("sub", hi, lo);
  const over = (variables: readonly string[], inner: RangeContext, room: number): number | null => {
    const [name, ...others] = variables;
    if (name === undefined) {
      const { lo: least, hi: most } = rangeOf(extent, inner);
      return least === most ? least : null;
    }
    const range = context.variables.get(name);
    if (range === undefined || range.hi - range.lo >= room) return null;
    let all: number | null = null;
    for (let value = range.lo; value <= range.hi; value++) {
      const at = withVariable(inner, name, { lo: value, hi: value });
      const one = over(others, at, Math.floor(room / (range.hi - range.lo + 1)));
      if (one === null || (all !== null && one !== all)) return null;
      all = one;
    }
    return all;
  };
  return over([...indicesIn([lo, hi])], context, mostPoints);
}

/** The fewest and the most turns that an axis can have. */
export function rangeOfExtent({ lo, hi }: ReductionAxis, context: RangeContext): Interval {
  // The smallest of several upper bounds and the largest of several lower ones hold at once.
  const ranges = partsOf("min", hi).flatMap((h) =>
    partsOf("max", lo).map((l) => rangeOfAffine(affineOf(apply("sub", h, l), context), context)),
  );
  return {
    lo: Math.min(...ranges.map((range) => Math.max(0, range.lo))),
    hi: Math.min(...ranges.map((range) => Math.max(0, range.hi))),
  };
}

/** The turns of an axis on average: halfway between the fewest and the most that it can have; 1 where nothing bounds them. */
export function meanExtent(axis: ReductionAxis, context: RangeContext): number {
  const { lo, hi } = rangeOfExtent(axis, context);
  return Number.isFinite(hi) ? (lo + hi) / 2 : 1;
}

/** What a minimum, or a maximum, is taken of: the expression alone where it is none. */
export function partsOf(fn: "min" | "max", expr: Expr): readonly Expr[] {
  return expr.kind === "apply" && expr.fn === fn ? expr.args.flatMap((arg) => partsOf(fn, arg)) : [expr];
}
