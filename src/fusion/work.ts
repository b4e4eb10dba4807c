/**
 * What part of a device a kernel keeps at work: how many invocations of a region have something to do for a node, and what that is beside
 * those that a workgroup has.
 *
 *     sum[%a[n]] n<784 of 784 segments, in 4 parts; 784 points beside it      4 of 256 invocations: a 64th of the device's rates
 */
import { type Comprehension, sizeOf } from "../ir/ir.ts";
import { pointCount } from "./accesses.ts";
import type { StoredNode } from "./inline.ts";
import type { Target } from "./target.ts";

/**
 * So many invocations of a region have something to do for a node. A long reduction is divided among them where its points are few; a
 * segment sum into as many parts as half of a workgroup's memory holds, each of which has all segments. `turns` may be those of more loops than
 * its own. Where a workgroup is one vector, which part of it is at work makes no difference.
 */
export function invocationsFor(
  { node, points, turns: own }: Pick<StoredNode, "node" | "points" | "turns">,
  regions: number,
  target: Target,
  turns = own,
): number {
  const inside = points / regions;
  if (!target.isVector && inside * fewPoints > target.regionInvocations) return inside;
  const isCut = !target.isVector && node.keys.length > 0;
  const most = isCut ? segmentParts(node, inside, target) : Infinity;
  return inside * Math.max(1, Math.min(most, turns / 32));
}

/**
 * Into how many parts a segment sum goes at most, each with all segments, of a region with so many columns, or of a single column where a
 * region's are too long. They lie in half of a workgroup's memory, where they are read and written at every turn: with more, so few workgroups
 * have a multiprocessor that their memory's and barriers' times are not covered.
 */
export function segmentParts(node: Comprehension, columns: number, target: Target): number {
  const room = target.workgroupBytes / 2;
  const bytes = (4 * sizeOf(node.axes.map(({ size }) => size))) / pointCount(node);
  const together = 2 * columns * bytes <= room ? columns : 1;
  return Math.min(target.regionInvocations / together, Math.floor(room / (together * bytes)));
}

/** A reduction is cut for a region's invocations where they are at least so many times its points. */
export const fewPoints = 4;

/**
 * The part of a device's rates that some work of a kernel reaches, of which each of so many regions gives so many invocations something to
 * do. Workgroups have as many as keep `most` busy: those that are idle meanwhile are in the others' way.
 */
export function partAtWork(
  pointwise: boolean,
  regions: number,
  busy: number,
  target: Target,
  most = busy,
): number {
  const { busyInvocations, busyWorkgroups, regionInvocations } = target;
  if (pointwise) return Math.min(1, (regions * busy) / busyInvocations);
  const lanes = Math.min(regionInvocations, busy);
  const used = lanes / Math.min(regionInvocations, most);
  return Math.min(1, (regions * lanes) / busyInvocations, regions / busyWorkgroups, used);
}
