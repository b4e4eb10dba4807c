/**
 * Columns of segment sums that stay in registers: who reads a sum at its own element is computed where the sum is made, for the whole
 * column at once.
 *
 *     s[m, k] = sum n at m = a[n]. v[n, k]      points k, each with a column of all m
 *     g[m, k] = c[m, k] + s[m, k]               the same points and columns: s needs no memory, and c may share what s loads
 */
import type { Axis, Comprehension } from "../ir/ir.ts";
import type { Access } from "./accesses.ts";
import type { StoredNode } from "./inline.ts";
import type { Group, Phase } from "./plan.ts";

/** Where a node is computed: at the points of some axes, and at each of them at all places of others. */
export interface Points {
  readonly axes: readonly Axis[];
  readonly columns: readonly Axis[];
}

/** Longer columns lie in memory: to compare the key with each element would take longer. */
export const longestColumn = 8;

/** The keyed axes of a segment sum. */
function keyedAxes({ axes, keys }: Comprehension): readonly Axis[] {
  return axes.filter(({ name }) => keys.some((key) => key.axis === name));
}

/**
 * The points of a reader with these axes, as those of a segment sum among its sources that it reads at its own element and nowhere else;
 * without columns where there is none.
 */
export function pointsOfReader(
  { node, accesses }: StoredNode,
  axes: readonly Axis[],
  sourceOf: (value: string) => { readonly node: Comprehension; readonly at: Points } | undefined,
): Points {
  const plain = { axes, columns: [] };
  if (node.keys.length > 0) return { axes, columns: keyedAxes(node) };
  const all = [...accesses.values()];
  for (const { tensor } of all) {
    const source = sourceOf(tensor);
    if (source === undefined || source.node.keys.length === 0) continue;
    // The lanes have a single column to share.
    if (source.at.axes.length === 0) continue;
    if (source.at.columns.reduce((product, { size }) => product * size, 1) > longestColumn) continue;
    const [first, ...others] = all
      .filter((access) => access.tensor === tensor)
      .map((access) => pointsRead(access, source, axes));
    if (first !== undefined && first !== null && others.length === 0) return first;
  }
  return plain;
}

/** The reader's axes by which it reads the source's, if it goes through all of them once; else null. */
function pointsRead(
  { indices }: Access,
  { node, at }: { readonly node: Comprehension; readonly at: Points },
  axes: readonly Axis[],
): Points | null {
  const readBy = (own: Axis): Axis | null => {
    const index = indices[node.axes.findIndex(({ name }) => name === own.name)]!;
    const axis = index.kind === "index" ? axes.find(({ name }) => name === index.name) : undefined;
    return axis?.size === own.size ? axis : null;
  };
  const points = at.axes.map(readBy);
  const columns = at.columns.map(readBy);
  const found = new Set([...points, ...columns]);
  return found.has(null) || found.size !== axes.length || found.size !== points.length + columns.length
    ? null
    : { axes: points as Axis[], columns: columns as Axis[] };
}

/** Is any node of the group computed for whole columns? */
export function hasColumns({ phases }: Group): boolean {
  return phases.some(({ columnsOf }) => columnsOf.some((columns) => columns.length > 0));
}

/** The group with a phase of its own for what is computed for whole columns, and the segment sums in memory. Its text is shorter. */
export function withoutColumns(group: Group): Group {
  const phases = group.phases.flatMap((phase): Phase[] => {
    const { nodes, axes, axesOf, columnsOf, afterBarrier } = phase;
    const isApart = columnsOf.map((columns) => columns.length > 0);
    const first = isApart.indexOf(true);
    if (first < 0) return [phase];
    const kept = <T>(list: readonly T[], apart: boolean): T[] => list.filter((_, n) => isApart[n] === apart);
    const sizes = [...columnsOf[first]!.map(({ size }) => size), ...axes];
    const all = nodes.map((_, n) => [...columnsOf[n]!.map(({ name }) => name), ...axesOf[n]!]);
    const own = { nodes: kept(nodes, false), axes, axesOf: kept(axesOf, false), afterBarrier };
    const apart = { nodes: kept(nodes, true), axes: sizes, axesOf: kept(all, true), afterBarrier: true };
    return [own, apart].map((part) => ({ ...part, columnsOf: part.nodes.map(() => []) }));
  });
  const sums = group.phases.flatMap(({ nodes }) => nodes.filter(({ keys }) => keys.length > 0));
  const placements = new Map(group.placements);
  for (const { name } of sums) if (placements.get(name) === "register") placements.set(name, "workgroup");
  return { ...group, phases, placements };
}
