/**
 * Reductions whose turns the invocations of a workgroup share: those of which a region has one result, and those of so few results that each
 * is given a workgroup.
 *
 *     %mean = for b<32. sum c<64, n<3136. %x[b, c, n]        a workgroup for each b and part of the turns
 */
import { extentFromZero } from "../ir/extent.ts";
import type { Comprehension, ValueName } from "../ir/ir.ts";
import { indicesIn, valuesUsed } from "../ir/traverse.ts";
import { pointAxes, pointCount, turnsOf } from "./accesses.ts";
import { isCuttable } from "./cut.ts";
import { type Draft, hasRowsAndColumns, isPointwise, regionsOf } from "./draft.ts";
import type { StoredNode } from "./inline.ts";
import { fewestTurnsShared, fewestTurnsThroughMemory, type Target } from "./target.ts";

/** Does a region have one result of the reduction, of turns enough for all its invocations? */
export function isSharedAsItStands(node: Comprehension, draft: Draft, target: Target): boolean {
  const { exchanges, sharesTurns, regionInvocations } = target;
  if (!exchanges && !sharesTurns) return false;
  if (isPointwise(draft) || node.keys.length > 0 || !isCuttable(node)) return false;
  if (pointCount(node) === 0 || pointCount(node) > regionsOf(draft)) return false;
  if (sharesTurns && turnsOf(node) >= fewestTurnsThroughMemory) return true;
  return node.reduction!.axes.some((axis) => extentFromZero(axis)! >= fewestTurnsShared * regionInvocations);
}

/** Each invocation of a workgroup that has a point to itself has at least so many turns, if the workgroup is more than the smallest. */
const turnsEach = 4;
const fewestLanes = 32;

/** Products of many results are dealt in blocks instead, in which points share what they load. */
const mostProducts = 1024;

/** Where there are more points, each by an invocation, and neighbours read neighbouring elements, that is faster than turns apart in memory. */
const mostColumns = 16384;

/** Does a reduction read most along an axis of points, which lies innermost in memory as it is written, rather than along its turns? */
function readsColumns({ node, accesses }: StoredNode): boolean {
  const points = pointAxes(node).map(({ name }) => name);
  const streamed = [...accesses.values()].filter(({ isStreamed }) => isStreamed);
  return streamed.some(({ indices, loops }) => {
    const last = indicesIn(indices.slice(-1));
    return points.some((name) => last.has(name)) && !loops.some(({ name }) => last.has(name));
  });
}

/** The reductions that a draft computes once at each of its points, its own and inlined ones, each with the member that it is for. */
export function reductionsAtPoint(
  draft: Draft,
  inlined: ReadonlyMap<ValueName, Comprehension>,
): readonly { readonly node: Comprehension; readonly member: StoredNode }[] {
  return draft.members.flatMap((member) => {
    const found = new Set<Comprehension>();
    const visit = (node: Comprehension): void => {
      // What is inlined into a reduction is computed in its turns.
      if (node.reduction !== null) return void found.add(node);
      for (const value of valuesUsed(node)) {
        const inner = inlined.get(value);
        if (inner !== undefined) visit(inner);
      }
    };
    visit(member.node);
    return [...found].map((node) => ({ node, member }));
  });
}

/**
 * The invocations of the workgroup that each point of a draft is given, for its long reductions; null where an invocation has a point, or
 * several.
 */
export function lanesOfPoint(
  draft: Draft,
  inlined: ReadonlyMap<ValueName, Comprehension>,
  target: Target,
): number | null {
  if (!target.sharesTurns || !isPointwise(draft)) return null;
  const points = regionsOf(draft);
  if (points === 0 || points >= target.busyInvocations) return null;
  const long = reductionsAtPoint(draft, inlined).filter(
    ({ node }) => turnsOf(node) >= fewestTurnsThroughMemory,
  );
  if (long.length === 0 || !long.every(({ node }) => isCuttable(node))) return null;
  if (points > mostProducts && long.some(({ member }) => hasRowsAndColumns(member))) return null;
  if (points > mostColumns && long.some(({ member }) => readsColumns(member))) return null;
  return lanesFor(Math.max(...long.map(({ node }) => turnsOf(node))), points, target);
}

/** The invocations of a workgroup that shares so many turns, where there are so many of them. */
function lanesFor(turns: number, points: number, target: Target): number {
  let lanes = target.regionInvocations;
  while (
    lanes > fewestLanes &&
    (lanes * turnsEach > turns || points * lanes > mostLanes * target.busyInvocations)
  )
    lanes /= 2;
  return lanes;
}

/** All workgroups together need no more than so many times the invocations that keep a device busy. */
const mostLanes = 4;

/** Parts that so many invocations put together first, before they put together what each of these gave. */
export function rowsToShare(lanes: number): number {
  return 2 ** Math.floor(Math.log2(lanes) / 2);
}

/** Bytes of workgroup memory, at most, through which the invocations of a region put reductions of a type together. */
export function bytesToShare({ regionInvocations }: Target): number {
  return 4 * (regionInvocations + rowsToShare(regionInvocations));
}
