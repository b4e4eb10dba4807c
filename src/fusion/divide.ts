/**
 * Which reductions of a planned graph to cut: those that cross a grid that something fused has, so that their parts can join it, and those
 * that would leave invocations idle.
 */
import { extentFromZero } from "../ir/extent.ts";
import type { Comprehension, ValueName } from "../ir/ir.ts";
import { sizeOf } from "../ir/ir.ts";
import { namesOf, pointCount } from "./accesses.ts";
import { type Cut, divisorNear, isCuttable, isSearch } from "./cut.ts";
import { type Draft, hasRowsAndColumns, isPointwise, regionsOf } from "./draft.ts";
import { costAt, inlinedUnder, type Inlining, type StoredNode } from "./inline.ts";
import { isSharedAsItStands, lanesOfPoint, reductionsAtPoint, turnsOf } from "./shared.ts";
import type { Target } from "./target.ts";

/** How a node was cut before. Parts that joined a grid may still be shared among a workgroup's invocations. */
export type History = Map<ValueName, "crossing" | "shared">;

/** Why a reduction is stored that the invocations of its region share. */
export const sharedAsItStands = "invocations share its turns, and all have the result";

/** A cut to make, and which kind of cut it is. */
export interface Division {
  readonly cuts: readonly Cut[];
  readonly kind: "crossing" | "shared";
}

/** The cuts that the drafts of a block call for, by the node's name. */
export function divisionsOf(
  drafts: readonly Draft[],
  inlining: Inlining,
  sizes: ReadonlyMap<ValueName, number>,
  history: History,
  target: Target,
): Map<ValueName, Division> {
  const divisions = new Map<ValueName, Division>();
  const home = new Map<ValueName, Draft>();
  for (const draft of drafts)
    for (const { node } of draft.members) for (const name of namesOf(node)) home.set(name, draft);
  const share = (node: Comprehension, isContraction: boolean, draft: Draft): void => {
    if (history.get(node.name) === "shared" || !isCuttable(node)) return;
    const cuts = sharingCuts(node, draft, isContraction, inlining, target);
    if (cuts !== null) divisions.set(node.name, { cuts, kind: "shared" });
  };
  for (const draft of drafts) {
    for (const member of draft.members) {
      const { node } = member;
      if (isSearch(node) && !history.has(node.name)) {
        const cuts = searchCuts(node, draft, inlining, target);
        if (cuts !== null) divisions.set(node.name, { cuts, kind: "shared" });
      }
      if (!isCuttable(node)) continue;
      const crossing = history.has(node.name) ? null : crossingCuts(member, draft, home, sizes);
      if (crossing !== null) divisions.set(node.name, { cuts: crossing, kind: "crossing" });
      else {
        share(node, hasRowsAndColumns(member), draft);
      }
    }
    for (const node of reductionsInlinedIn(draft, inlining)) share(node, false, draft);
    if (!target.sharesTurns || !isPointwise(draft)) continue;
    for (const { node, member } of reductionsAtPoint(draft, inlining.inlined))
      if (node !== member.node) share(node, hasRowsAndColumns(member), draft);
  }
  return divisions;
}

/**
 * The names of reductions, inlined in a kernel of workgroups, of which a region has one result: worked out once, by all its
 * invocations.
 */
export function worthSharing(drafts: readonly Draft[], inlining: Inlining, target: Target): ValueName[] {
  if (!target.exchanges && !target.sharesTurns) return [];
  return drafts.flatMap((draft) =>
    [...reductionsInlinedIn(draft, inlining)].flatMap((node) =>
      isSharedAsItStands(node, draft, target) ? [node.name] : [],
    ),
  );
}

/** The reductions that are computed at their reads in a kernel of workgroups. */
function reductionsInlinedIn(draft: Draft, { inlined }: Inlining): ReadonlySet<Comprehension> {
  if (isPointwise(draft)) return new Set();
  const nodes = draft.members.map(({ node }) => node);
  return new Set([...inlinedUnder(nodes, inlined).values()].filter(({ reduction }) => reduction !== null));
}

/** An element whose computing takes at least so many operations is kept at hand rather than computed again. */
const costly = 16;

/**
 * Inlined nodes that one kernel of workgroups computes more than once, though their elements of a region would fit its memory: their
 * names.
 */
export function worthKeeping(drafts: readonly Draft[], { repeated }: Inlining, target: Target): ValueName[] {
  const home = new Map(drafts.flatMap((draft) => draft.members.map(({ node }) => [node, draft] as const)));
  return repeated.flatMap(({ node, readers }) => {
    const [draft, ...others] = new Set(readers.map((reader) => home.get(reader)));
    if (draft === undefined || others.length > 0 || isPointwise(draft) || draft.members.length === 1)
      return [];
    const bytes = (4 * sizeOf(node.axes.map((axis) => axis.size))) / regionsOf(draft);
    return costAt(node) >= costly && bytes <= target.workgroupBytes / 2 ? [node.name] : [];
  });
}

/** The axes that run over the grid of another draft, of which the node reads more than its parts would be. */
function crossingCuts(
  { node, accesses }: StoredNode,
  own: Draft,
  home: ReadonlyMap<ValueName, Draft>,
  sizes: ReadonlyMap<ValueName, number>,
): Cut[] | null {
  if (node.keys.length > 0) return null;
  const sources = new Set([...accesses.values()].flatMap(({ tensor }) => home.get(tensor) ?? []));
  for (const source of sources) {
    if (source === own || isPointwise(source) || source.grid.length === 0) continue;
    const read = [...accesses.values()].filter(({ tensor }) => home.get(tensor) === source);
    const axes = source.grid.map((axis) => {
      const variables = read.map((access) => {
        const member = source.members.find(({ node: made }) => namesOf(made).includes(access.tensor))!.node;
        const at = access.indices[member.axes.findIndex((a) => a.name === axis.axisOf.get(member.name))]!;
        return at.kind === "index" ? at.name : null;
      });
      return variables.every((name) => name !== null && name === variables[0]) ? variables[0]! : null;
    });
    if (axes.includes(null)) continue;
    const reductionAxes = node.reduction!.axes;
    const crossed = reductionAxes.flatMap((axis, i) =>
      axes.includes(axis.name) ? [{ axis: i, parts: extentFromZero(axis)! }] : [],
    );
    if (crossed.length === 0) continue;
    const parts = crossed.reduce(
      (product, cut) => product * cut.parts,
      sizeOf(node.axes.map((axis) => axis.size)),
    );
    const elements = read.reduce((total, { tensor }) => total + (sizes.get(tensor) ?? 0), 0);
    if (2 * parts < elements) return crossed;
  }
  return null;
}

/** Shorter reductions are not shared. */
const shortest = 32;

/** Parts of contractions on a device that stages their operands are no shorter. */
const shortestInBlocks = 128;

/** The longest axis in chunks, where points are fewer than the invocations that could work on them. */
function sharingCuts(
  node: Comprehension,
  draft: Draft,
  isContraction: boolean,
  { inlined }: Inlining,
  target: Target,
): Cut[] | null {
  const regions = regionsOf(draft);
  const isRegional = !isPointwise(draft) && draft.members.length > 1;
  if (isRegional && isSharedAsItStands(node, draft, target)) return null;
  const points = isRegional
    ? pointCount(node) / regions
    : pointCount(node) / (isContraction ? target.blockPoints : 1);
  const isInBlocks = isContraction && !isRegional && target.sharesTurns;
  const wanted = isRegional
    ? target.regionInvocations
    : isInBlocks
      ? target.busyInvocations
      : target.busyInvocations / 4;
  const extents = node.reduction!.axes.map((axis) => extentFromZero(axis)!);
  const turns = extents.reduce((product, extent) => product * extent, 1);
  const lanes = isRegional ? null : lanesOfPoint(draft, inlined, target);
  if (lanes !== null) return cutsForWorkgroups(node, pointCount(node) * lanes, lanes, target);
  // The fewer points there are, the shorter a reduction may be.
  const least = isInBlocks
    ? 8 * shortestInBlocks
    : isRegional && points * 16 <= wanted
      ? shortest
      : 8 * shortest;
  if (points * (isInBlocks ? 8 : 4) > wanted || turns < least) return null;
  // About as many parts as leave each at least as long as putting them together takes.
  const room = Math.min(
    wanted / points,
    isRegional
      ? Math.max(2, 2 * Math.sqrt(turns))
      : isInBlocks
        ? turns / shortestInBlocks
        : (2 * turns) / shortest,
  );
  const longest = extents.indexOf(Math.max(...extents));
  const most = isRegional ? partsInMemory(node, room, regions, target) : room;
  const parts = divisorNear(extents[longest]!, Math.min(most, extents[longest]! / 2));
  return parts > 1 ? [{ axis: longest, parts, interleaved: target.interleaves && !isInBlocks }] : null;
}

/**
 * Each part of a segment sum has all segments, which are read and written at every turn: where so many parts don't fit a workgroup's memory,
 * there are as many as take half of it.
 */
function partsInMemory(
  node: Comprehension,
  parts: number,
  regions: number,
  { sharesTurns, workgroupBytes }: Target,
): number {
  if (node.keys.length === 0 || !sharesTurns) return parts;
  const bytes = (4 * sizeOf(node.axes.map((axis) => axis.size))) / regions;
  const fitting = Math.floor(workgroupBytes / 2 / bytes);
  // What does not fit with two parts is in device memory anyway.
  return parts * bytes <= workgroupBytes || fitting < 2 ? parts : fitting;
}

/** A search goes on in parts until points and parts are so many times the invocations that keep a device busy. */
const searchesAtOnce = 8;

/** Parts of a search are no shorter, and if they can they have a multiple of so many turns, which are loaded at once. */
const shortestSearch = 24;
const turnsTogether = 4;

/**
 * The range of an argmax over sums in parts, where each of its points has an invocation: in many at once points can lie side by side and share
 * what they load.
 */
function searchCuts(node: Comprehension, draft: Draft, { inlined }: Inlining, target: Target): Cut[] | null {
  if (!target.sharesTurns || !isPointwise(draft)) return null;
  const isOverSums = [...inlinedUnder([node], inlined).values()].some(
    (inner) => inner.reduction !== null && turnsOf(inner) >= shortest,
  );
  const extent = extentFromZero(node.reduction!.axes[0]!)!;
  const room = (searchesAtOnce * target.busyInvocations) / pointCount(node);
  if (!isOverSums || room < 2 || extent < 2 * shortestSearch) return null;
  const parts = divisorNear(extent / turnsTogether, Math.min(room, extent / shortestSearch));
  return parts > 1 && extent % turnsTogether === 0 ? [{ axis: 0, parts }] : null;
}

/** Turns of a part, for each invocation of the workgroup that shares them. */
const turnsOfPart = 8;

/** The longest axis in parts, each for a workgroup, where those of whole reductions have too few invocations together. */
function cutsForWorkgroups(
  node: Comprehension,
  invocations: number,
  lanes: number,
  { busyInvocations }: Target,
): Cut[] | null {
  if (invocations * 4 > busyInvocations) return null;
  const room = Math.min(busyInvocations / invocations, turnsOf(node) / (turnsOfPart * lanes));
  const extents = node.reduction!.axes.map((axis) => extentFromZero(axis)!);
  // Parts of an axis further out have turns that lie together.
  const axis = extents.findIndex((extent) => extent >= room);
  const longest = axis >= 0 ? axis : extents.indexOf(Math.max(...extents));
  const parts = divisorNear(extents[longest]!, Math.min(room, extents[longest]!));
  return parts > 1 ? [{ axis: longest, parts }] : null;
}
