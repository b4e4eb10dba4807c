/** The fixed range that a reduction axis stays within, whatever the indices around it are. */
import type { Comprehension } from "./ir.ts";
import { contextsOf, emptyContext, type RangeContext, rangeOf } from "./ranges.ts";

/** `lo ≤ variable < hi` for reduction axis number `axis`, with numbers; empty ranges give `lo = hi`. */
export function hullOf(
  node: Comprehension,
  axis: number,
  outer: RangeContext = emptyContext,
): { readonly lo: number; readonly hi: number } {
  const contexts = contextsOf(node, outer);
  const { lo, hi } = node.reduction!.axes[axis]!;
  const least = rangeOf(lo, contexts[axis]!).lo;
  const most = rangeOf(hi, contexts[axis]!).hi;
  if (most <= least) return { lo: 0, hi: 0 };
  return { lo: least, hi: most };
}
