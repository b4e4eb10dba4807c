/**
 * Reductions whose result all invocations of a subgroup want, shared by them: each takes some of the turns, and then they exchange
 * what they have.
 *
 *     max k<1024. %x[i, k]     ⟶     for k = 0 .. 1024 step 32 { top = max(top, x[k + 4 * invocation]) … }
 *                                    top = max(top, top of lane invocation ^ 4)
 *                                    top = max(top, top of lane invocation ^ 2)
 *                                    top = max(top, top of lane invocation ^ 1)
 *
 * Every lane combines the same values in pairs, so that all have the same result, with no memory and no barrier.
 */
import { fewestTurnsShared } from "../../fusion/target.ts";
import { constantExtent } from "../../ir/extent.ts";
import { local, typeOf } from "../build.ts";
import type { KernelExpr } from "../kernel.ts";
import type { Emission, Instance } from "./emission.ts";
import { freshName, innermost, nameHere, type Scopes, write } from "./scopes.ts";

/** The axis whose turns the lanes share, by its number; null where they don't. It is asked for where loops of the reduction are written. */
export function sharedAxis({ scopes, sharing }: Emission, { node, axes, contexts }: Instance): number | null {
  const { op } = node.reduction ?? {};
  // In a loop or a branch not all lanes need be there, and the first of equals is not found in pairs.
  if (sharing === null || scopes.floor > 0 || innermost(scopes) > 1) return null;
  if (op === "argmax" || op === "argmin") return null;
  const axis = axes.findLastIndex((each, level) => {
    const extent = constantExtent(each, contexts[level]!);
    return extent !== null && extent >= fewestTurnsShared * sharing;
  });
  return axis < 0 ? null : axis;
}

/** What the lanes have, combined: a local that is the same in all of them. */
export function combineLanes(
  scopes: Scopes,
  lanes: number,
  own: KernelExpr,
  hint: string,
  combine: (a: KernelExpr, b: KernelExpr) => KernelExpr,
): KernelExpr {
  let value = own;
  for (let mask = lanes / 2; mask >= 1; mask /= 2) {
    const name = freshName(scopes, hint);
    scopes.depths.set(name, innermost(scopes));
    write(scopes, { kind: "exchange", name, value, mask });
    value = nameHere(scopes, combine(value, local(name, typeOf(own))), hint);
  }
  return value;
}
