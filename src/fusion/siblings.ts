/** Joins of kernels that have nothing to do with each other but their number of points: launches are saved. */
import type { ValueName } from "../ir/ir.ts";
import { type Draft, isPointwise, join, regionsOf } from "./draft.ts";
import type { MergeGraph } from "./merge-graph.ts";
import type { Overwrites } from "./overwrite.ts";
import type { Judgement, Vertex } from "./vertex.ts";

/** A kernel that takes no longer than so many launches is small: a sum of some thousand turns by one workgroup of a GPU is. */
const launchesOfSmall = 5;

/**
 * Kernels over points of the same number that don't need each other become one, where one of them is small, or they read the same large
 * tensor.
 */
export function joinSiblings(graph: MergeGraph, { sizes, target, overwrites, timeAlone }: Judgement): void {
  const isSmallAlone = (vertex: Vertex, draft: Draft): boolean =>
    timeAlone(vertex, draft) <= launchesOfSmall * target.launch;
  const open = new Map<string, Vertex[]>();
  for (const vertex of graph.vertices) {
    if (!vertex.alive || vertex.item.kind !== "draft") continue;
    const { draft } = vertex.item;
    if (!isPointwise(draft)) continue;
    const isSmall = isSmallAlone(vertex, draft);
    const points = regionsOf(draft);
    const large = isSmall ? [] : [...vertex.reads].filter((value) => 8 * (sizes.get(value) ?? 0) >= points);
    const shape = draft.grid.flatMap(({ size }) => (size === 1 ? [] : [size])).join("x");
    const partners = open.get(shape) ?? [];
    const partner = partners.find((other) => {
      if (!other.alive || other.item.kind !== "draft") return false;
      const otherIsSmall = isSmallAlone(other, other.item.draft);
      if (!isSmall && !otherIsSmall && !large.some((value) => other.reads.has(value))) return false;
      if (graph.isPutOff(other, vertex.last) || graph.isPutOff(vertex, other.last)) return false;
      const both = [...other.item.draft.members, ...draft.members];
      if (both.length > target.nodes || buffersOf(both, sizes, overwrites) > target.buffers) return false;
      return !graph.reaches([vertex], other) && !graph.reaches([other], vertex);
    });
    if (partner?.item.kind === "draft") graph.absorb(vertex, partner, join(partner.item.draft, draft));
    open.set(shape, [...partners.filter((other) => other.alive), vertex]);
  }
}

/** Buffers of a kernel of some nodes; what overwrites a parameter has no other. */
function buffersOf(
  members: Draft["members"],
  sizes: ReadonlyMap<ValueName, number>,
  overwrites: Overwrites,
): number {
  const values = members.flatMap(({ names, tensors }) => [...names, ...tensors]);
  return new Set(values.filter((value) => sizes.has(value)).map((value) => overwrites.get(value) ?? value))
    .size;
}
