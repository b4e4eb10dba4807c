/**
 * Reductions whose result all invocations of a workgroup want, shared by them: each takes some of the turns, and then they put together
 * what they have. Where they are one subgroup, they exchange it:
 *
 *     max k<1024. %x[i, k]     ⟶     for k = 0 .. 1024 step 32 { top = max(top, x[k + 4 * invocation]) … }
 *                                    top = max(top, top of lane invocation ^ 4)
 *                                    top = max(top, top of lane invocation ^ 2)
 *                                    top = max(top, top of lane invocation ^ 1)
 *
 * Otherwise it goes through workgroup memory, in two steps of about as many parts:
 *
 *     parts[invocation] = top
 *     barrier
 *     if invocation < 16 { … rows[invocation] = max(parts[invocation], parts[invocation + 16], …) }
 *     barrier
 *     … top = max(rows[0], rows[1], …)
 *
 * All invocations combine the same values in the same order, so that all have the same result.
 */
import { rowsToShare } from "../../fusion/shared.ts";
import { fewestTurnsShared, fewestTurnsThroughMemory } from "../../fusion/target.ts";
import { constantExtent } from "../../ir/extent.ts";
import { add, integer, invocation, less, load, local, typeOf } from "../build.ts";
import type { KernelExpr } from "../kernel.ts";
import type { Emission, Instance } from "./emission.ts";
import { block, branch, declare, freshName, innermost, nameHere, type Scopes, write } from "./scopes.ts";

/** Invocations that share the reductions of a phase of one point. */
export interface Sharing {
  readonly lanes: number;
  /** How they put together what they have. */
  readonly through: "subgroup" | "memory";
}

/** Which turns are shared: of one axis, by its number, or of all from one on, as if they were one. */
export interface SharedTurns {
  readonly level: number;
  readonly isFlat: boolean;
}

/** How invocations of a workgroup share reductions: as a subgroup, else in memory if their number can be halved; null where they don't. */
export function waySharing(
  lanes: number,
  isSubgroup: boolean,
  sharesTurns: boolean,
): Sharing["through"] | null {
  if (isSubgroup) return "subgroup";
  return sharesTurns && lanes >= 4 && Number.isInteger(Math.log2(lanes)) ? "memory" : null;
}

/** The turns that the lanes share; null where they don't. It is asked for where loops of the reduction are written. */
export function sharedTurns(
  { scopes, sharing }: Emission,
  { node, axes, contexts }: Instance,
): SharedTurns | null {
  const { op } = node.reduction ?? {};
  // In a loop or a branch not all lanes need be there, and the first of equals is not found in pairs.
  if (sharing === null || scopes.floor > 0 || innermost(scopes) > 1) return null;
  if (op === "argmax" || op === "argmin") return null;
  const extents = axes.map((axis, level) => constantExtent(axis, contexts[level]!));
  const enough = fewestTurnsShared * sharing.lanes;
  const single = extents.findLastIndex((extent) => extent !== null && extent >= enough);
  if (single >= 0) return { level: single, isFlat: false };
  if (sharing.through === "subgroup") return null;
  let turns = 1;
  let level = extents.length;
  while (level > 0 && turns < enough && (extents[level - 1] ?? 0) > 0) turns *= extents[--level]!;
  return turns < fewestTurnsThroughMemory ? null : { level, isFlat: true };
}

/** What the lanes have, combined: a local that is the same in all of them. */
export function combineLanes(
  emission: Emission,
  own: KernelExpr,
  hint: string,
  combine: (a: KernelExpr, b: KernelExpr) => KernelExpr,
): KernelExpr {
  const { lanes, through } = emission.sharing!;
  return through === "subgroup"
    ? combineInPairs(emission.scopes, lanes, own, hint, combine)
    : combineInMemory(emission, lanes, own, hint, combine);
}

function combineInPairs(
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

function combineInMemory(
  { scopes, tiles, exchanges }: Emission,
  lanes: number,
  own: KernelExpr,
  hint: string,
  combine: (a: KernelExpr, b: KernelExpr) => KernelExpr,
): KernelExpr {
  const type = typeOf(own);
  // The next reduction of its type goes through the same arrays: parts are read before the second barrier, rows written after the next.
  const arrayOf = (kind: string, length: number): string => {
    const key = `${kind} ${type}`;
    const known = exchanges.get(key);
    if (known !== undefined) return known;
    const name = freshName(scopes, kind);
    tiles.push({ name, type, length });
    exchanges.set(key, name);
    return name;
  };
  /** Every `step`-th element of so many, from `first` on. */
  const all = (array: string, first: KernelExpr, step: number, count: number): KernelExpr => {
    const sum = declare(scopes, hint, type, load("workgroup", array, first, type));
    const index = freshName(scopes, "part");
    const body = block(scopes, [index], () => {
      const part = load("workgroup", array, add(first, local(index, "i32")), type);
      write(scopes, { kind: "assign", name: sum.name, value: combine(sum, part) });
    });
    write(scopes, { kind: "for", index, from: integer(step), to: integer(step * count), step, body });
    return sum;
  };
  const columns = rowsToShare(lanes);
  const parts = arrayOf("parts", lanes);
  write(scopes, { kind: "store", space: "workgroup", array: parts, index: invocation, value: own });
  write(scopes, { kind: "barrier" });
  const rows = arrayOf("rows", columns);
  const then = branch(scopes, () => {
    const value = all(parts, invocation, columns, lanes / columns);
    write(scopes, { kind: "store", space: "workgroup", array: rows, index: invocation, value });
  });
  write(scopes, { kind: "if", condition: less(invocation, integer(columns)), then, else: [] });
  write(scopes, { kind: "barrier" });
  return all(rows, integer(0), 1, columns);
}
