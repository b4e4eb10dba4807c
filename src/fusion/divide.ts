/**
 * Which reductions of a planned graph to cut: those that cross a grid that something fused has, so that their parts can join it, and those
 * that would leave invocations idle.
 */
import { extentFromZero } from "../ir/extent.ts";
import type { Comprehension, ValueName } from "../ir/ir.ts";
import { sizeOf } from "../ir/ir.ts";
import { namesOf } from "./accesses.ts";
import { type Cut, isCuttable, isSearch } from "./cut.ts";
import { type Draft, hasRowsAndColumns, isPointwise, regionsOf } from "./draft.ts";
import { costAt, inlinedUnder, type Inlining, type StoredNode } from "./inline.ts";
import { isSharedAsItStands, reductionsAtPoint } from "./shared.ts";
import { searchCuts, sharingCuts } from "./sharing-cuts.ts";
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
      else share(node, hasRowsAndColumns(member), draft);
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
