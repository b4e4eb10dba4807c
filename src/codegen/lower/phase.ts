/** One phase of a kernel: its points are dealt to the invocations, each of which computes every node of the phase there. */
import { index as indexExpr, integer as irInteger } from "../../ir/build.ts";
import type { Phase } from "../../fusion/plan.ts";
import type { Comprehension, Expr } from "../../ir/ir.ts";
import { withVariable } from "../../ir/ranges.ts";
import { type BlockShape, chooseBlock } from "./block.ts";
import { lowerBlock } from "./deal-blocks.ts";
import { chooseRows, lowerRows } from "./deal-rows.ts";
import { lowerTiles, mayRepeat } from "./deal-tiles.ts";
import { type Emission, freshVariableName, type Instance, instantiate, type Point } from "./emission.ts";
import { combinations, sequence } from "./lists.ts";
import { namesOf } from "./points.ts";
import { readsOfMemory } from "./reads.ts";
import type { Sharing } from "./share.ts";

/** How the points of a phase are dealt. */
export interface Dealing {
  /** Invocations of a workgroup. */
  readonly invocations: number;
  /** So many workgroups there should be, where the points are dealt over all of them, even if each has fewer invocations then. */
  readonly leastWorkgroups: number;
  /** Over the invocations of all workgroups, or of each. */
  readonly over: "all" | "workgroup";
  /** So many tiles there should at least be. */
  readonly leastTiles: number;
  /** How blocks are shaped, where points may be dealt in blocks. */
  readonly block: BlockShape | null;
  /** Whether the invocations of a workgroup are one subgroup, which runs as a vector. */
  readonly isSubgroup: boolean;
  /** How the invocations of a workgroup share the reductions of its only point; null where they don't. */
  readonly sharing: Sharing["through"] | null;
}

/** The workgroups that a phase takes, and the invocations of each. */
export interface Extent {
  readonly workgroups: number;
  readonly invocations: number;
}

/**
 * Writes a phase, and tells whether its points are dealt in blocks. `region` has the variables of the grid's axes, and `gridOf` which axes
 * of a node those are.
 */
export function lowerPhase(
  emission: Emission,
  phase: Phase,
  region: {
    readonly point: Point;
    readonly names: readonly string[];
    readonly gridOf: (node: Comprehension) => readonly string[];
  },
  dealing: Dealing,
): { readonly extent: Extent; readonly isInBlocks: boolean } {
  // Nothing is worked out for values without elements, such as places by numbers of points that there are not.
  if (phase.axes.includes(0)) return { extent: { workgroups: 1, invocations: 1 }, isInBlocks: false };
  const outside = emission.context;
  const first = phase.axesOf[0]!;
  const variables = phase.axes.map((size, i) => {
    const name = freshVariableName(emission, first[i]!);
    emission.ranges.set(name, { lo: 0, hi: size - 1 });
    emission.context = withVariable(emission.context, name, { lo: 0, hi: size - 1 });
    return { name, size };
  });
  for (const node of phase.nodes) {
    // Who reads a segment sum of the phase finds it in registers.
    if (node.keys.length > 0) emission.columns.add(node.name);
    else for (const name of namesOf(node)) emission.computed.set(name, node);
  }
  const instancesAt = (axes: readonly Expr[]): readonly Instance[] =>
    phase.nodes.flatMap((node, n) => {
      const grid = region.gridOf(node);
      const own = phase.axesOf[n]!;
      const columns = phase.columnsOf[n]!;
      return combinations(columns.map(({ size }) => sequence(size))).map((place) =>
        instantiate(
          emission,
          node,
          node.axes.map(({ name }): Expr | null => {
            if (grid.includes(name)) return indexExpr(region.names[grid.indexOf(name)]!);
            if (own.includes(name)) return axes[own.indexOf(name)]!;
            const column = columns.findIndex((axis) => axis.name === name);
            if (column >= 0) return irInteger(place[column]!);
            // An axis that is none of these has a single point.
            return node.keys.some((key) => key.axis === name) ? null : irInteger(0);
          }),
        ),
      );
    });
  const instances = instancesAt(variables.map(({ name }) => indexExpr(name)));
  const shape = dealing.block;
  const reads = readsOfMemory(emission, instances);
  emission.overwrites = !mayRepeat(emission, instances, reads);
  const schedule = shape === null ? null : chooseBlock(emission, variables, instances, reads, shape);
  const rows =
    dealing.isSubgroup && schedule === null
      ? chooseRows(emission, variables, instances, reads, region.point, dealing)
      : null;
  const extent =
    rows !== null
      ? lowerRows(emission, variables, instancesAt, region.point, dealing.invocations, rows)
      : shape === null || schedule === null
        ? lowerTiles(emission, variables, instances, reads, region.point, dealing)
        : lowerBlock(emission, variables, instancesAt, region.point, schedule, shape, dealing.over);
  for (const node of phase.nodes) for (const name of namesOf(node)) emission.computed.delete(name);
  emission.columns.clear();
  emission.context = outside;
  return { extent, isInBlocks: schedule !== null };
}
