/**
 * Into how many parts a reduction goes of which there are fewer points than invocations that could work on them.
 *
 *     sum b<128, i<49 of 10 × 64 points      in chunks for the invocations of all workgroups
 *     sum k<64 of 4 points of a region       for those of its workgroup
 *     a product of 64 × 256, 6272 turns      parts that are products in blocks
 *     an argmax over 784 sums                parts of the range that is searched
 */
import { extentFromZero } from "../ir/extent.ts";
import type { Comprehension } from "../ir/ir.ts";
import { pointCount, turnsOf } from "./accesses.ts";
import { type Cut, divisorNear, divisorUpTo } from "./cut.ts";
import { type Draft, isPointwise, regionsOf } from "./draft.ts";
import { type Inlining, inlinedUnder } from "./inline.ts";
import { isSharedAsItStands, lanesOfPoint } from "./shared.ts";
import type { Target } from "./target.ts";
import { fewPoints, segmentParts } from "./work.ts";

/** Shorter reductions are not shared. */
const shortest = 32;

/** The longest axis in chunks, where points are fewer than the invocations that could work on them; null where they are not. */
export function sharingCuts(
  node: Comprehension,
  draft: Draft,
  isContraction: boolean,
  { inlined }: Inlining,
  target: Target,
): Cut[] | null {
  if (!isPointwise(draft) && draft.members.length > 1) return cutsInRegion(node, draft, target);
  const lanes = lanesOfPoint(draft, inlined, target);
  if (lanes !== null) return cutsForWorkgroups(node, lanes, target);
  if (isContraction && target.sharesTurns) return cutsOfProduct(node, target);
  const points = pointCount(node) / (isContraction ? target.blockPoints : 1);
  const wanted = target.busyInvocations / 4;
  const turns = turnsOf(node);
  if (points * 4 > wanted || turns < 8 * shortest) return null;
  // About as many parts as leave each at least as long as putting them together takes.
  return cutLongest(node, Math.min(wanted / points, (2 * turns) / shortest), target.interleaves);
}

/** Where invocations of a region's workgroup have nothing to do. The fewer points there are, the shorter a reduction may be. */
function cutsInRegion(node: Comprehension, draft: Draft, target: Target): Cut[] | null {
  if (isSharedAsItStands(node, draft, target)) return null;
  const regions = regionsOf(draft);
  const points = pointCount(node) / regions;
  const wanted = target.regionInvocations;
  const turns = turnsOf(node);
  if (
    points === 0 ||
    points * fewPoints > wanted ||
    turns < (points * 16 <= wanted ? shortest : 8 * shortest)
  )
    return null;
  const most = Math.max(2, 2 * Math.sqrt(turns));
  const fitting = target.sharesTurns && node.keys.length > 0 ? segmentParts(node, points, target) : 0;
  return fitting < 2
    ? cutLongest(node, Math.min(wanted / points, most), target.interleaves)
    : cutLongest(node, Math.min(fitting, most), target.interleaves, divisorUpTo);
}

interface LongAxis {
  readonly axis: number;
  readonly extent: number;
}

/** A reduction's axes by number, with their turns, the longest first. */
function longestFirst(node: Comprehension): readonly [LongAxis, ...LongAxis[]] {
  const [first, ...others] = node
    .reduction!.axes.map((own, axis) => ({ axis, extent: extentFromZero(own)! }))
    .sort((a, b) => b.extent - a.extent);
  return [first!, ...others];
}

function cutLongest(
  node: Comprehension,
  room: number,
  interleaved: boolean,
  divisor = divisorNear,
): Cut[] | null {
  const [{ axis, extent }] = longestFirst(node);
  const parts = divisor(extent, Math.min(room, extent / 2));
  return parts > 1 ? [{ axis, parts, interleaved }] : null;
}

/** Parts of products have about so many turns at least, and the whole has so many times as many. */
const shortestProduct = 128;
const fewestParts = 8;

/** A product of few points and many turns, such as a weight's gradient, as parts that keep a device busy in blocks. */
function cutsOfProduct(node: Comprehension, { blockPoints, busyInvocations }: Target): Cut[] | null {
  const blocks = pointCount(node) / blockPoints;
  const turns = turnsOf(node);
  if (blocks * fewestParts > busyInvocations || turns < fewestParts * shortestProduct) return null;
  const room = Math.min(busyInvocations / blocks, turns / shortestProduct);
  const cuts: Cut[] = [];
  let parts = 1;
  // Turns of a block that follow one another are loaded at once. An axis more is cut where one gives far too few parts.
  for (const { axis, extent } of longestFirst(node)) {
    const wanted = cuts.length === 0 ? room : room / farTooFew / parts;
    if (wanted < 2) break;
    const mine = divisorNear(extent, Math.min(wanted, extent / 2));
    if (mine > 1) cuts.push({ axis, parts: mine });
    parts *= mine;
  }
  return cuts.length === 0 ? null : cuts;
}

/** So many times as many parts would keep a device busy. */
const farTooFew = 4;

/** Turns of a part, for each invocation of the workgroup that shares them. */
const turnsOfPart = 8;

/** Where workgroups of so many lanes, one for each result, are too few: parts that have one each. */
function cutsForWorkgroups(node: Comprehension, lanes: number, { busyInvocations }: Target): Cut[] | null {
  const invocations = pointCount(node) * lanes;
  if (invocations * 4 > busyInvocations) return null;
  const room = Math.min(busyInvocations / invocations, turnsOf(node) / (turnsOfPart * lanes));
  const extents = node.reduction!.axes.map((axis) => extentFromZero(axis)!);
  // Parts of an axis further out have turns that lie together.
  const enough = extents.findIndex((extent) => extent >= room);
  const axis = enough >= 0 ? enough : extents.indexOf(Math.max(...extents));
  const parts = divisorNear(extents[axis]!, Math.min(room, extents[axis]!));
  return parts > 1 ? [{ axis, parts }] : null;
}

/** A search goes on in parts until points and parts are so many times the invocations that keep a device busy. */
const searchesAtOnce = 8;

/** Parts of a search are no shorter. Their ranges begin at multiples of so many turns, which are loaded at once. */
const shortestSearch = 24;
const turnsTogether = 4;

/**
 * The range of an argmax over sums in parts, where each of its points has an invocation: in many at once points can lie side by side and share
 * what they load.
 */
export function searchCuts(
  node: Comprehension,
  draft: Draft,
  { inlined }: Inlining,
  target: Target,
): Cut[] | null {
  if (!target.sharesTurns || !isPointwise(draft)) return null;
  const isOverSums = [...inlinedUnder([node], inlined).values()].some(
    (inner) => inner.reduction !== null && turnsOf(inner) >= shortest,
  );
  const extent = extentFromZero(node.reduction!.axes[0]!)!;
  const room = (searchesAtOnce * target.busyInvocations) / pointCount(node);
  if (!isOverSums || room < 2 || extent < 2 * shortestSearch || extent % turnsTogether !== 0) return null;
  const most = Math.min(room, extent / shortestSearch);
  const parts = divisorUpTo(extent / turnsTogether, most);
  return parts > 1 ? [{ axis: 0, parts }] : null;
}
