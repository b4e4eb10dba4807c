/**
 * A plan: which nodes of a graph share a kernel, in what order a kernel does them, and where each value lives.
 *
 *     cluster: kernel over i<8, e<4, of workgroups            one region of the grid a workgroup
 *       phase 0  m_part.1[j]                 → workgroup
 *       phase 1  a[i1], a_best[i1]           → device         dot, m inlined
 *       phase 2  aggregate_part[c, j, k]     → workgroup      after a barrier
 *       …
 *
 * The planner decides by what is legal (docs/fusion.md) and by what is cheaper; codegen writes what the plan says.
 */
import type { Axis, Comprehension, Graph, Loop, ValueName } from "../ir/ir.ts";

/**
 * Where a value lives. `inline`: nowhere, it is computed at its reads. `register`: made and read by one invocation at one point.
 * `workgroup`: in the workgroup's memory, of one region of the grid. `device`: in a buffer.
 */
export type Placement = "inline" | "register" | "workgroup" | "device";

/**
 * Nodes that are computed at the same points: `axes[p]` is the size of point axis `p`; `axesOf` has, for each node, which of its own
 * axes those are, in the order of the grid's axes and then of `axes`. Keyed axes are not points.
 */
export interface Phase {
  readonly nodes: readonly Comprehension[];
  /** The sizes of the point axes within a region. */
  readonly axes: readonly number[];
  /** Does it read what other invocations wrote in the phases before it, since the last barrier? */
  readonly afterBarrier: boolean;
  /** For each node, the names of its own axes that are the phase's, in order. */
  readonly axesOf: readonly (readonly string[])[];
  /** For each node, those of its axes of which it is computed at every place, wherever it is computed: few places altogether. */
  readonly columnsOf: readonly (readonly Axis[])[];
}

/**
 * In what order a tensor's elements lie in memory: its axes by their numbers, from the one whose neighbours lie farthest apart to the one
 * whose neighbours lie side by side. `[0, 1, 2]` is row-major; of x[b, c, n] in the order `[0, 2, 1]` the channels lie side by side.
 */
export type AxisOrder = readonly number[];

/** What one kernel computes. */
export interface Group {
  readonly name: string;
  /**
   * Sizes of the grid's axes. With the owner `workgroup`, a workgroup computes one point of the grid, phase after phase; with the owner
   * `invocation` there is one phase, the grid is empty, and points are dealt to invocations.
   */
  readonly grid: readonly number[];
  readonly owner: "workgroup" | "invocation";
  /** A workgroup has so many invocations, which share the turns of a point's reductions; null where others decide. */
  readonly lanes: number | null;
  /** Whether the invocations of a workgroup that is no one subgroup share reductions of one result, through workgroup memory. */
  readonly sharesTurns: boolean;
  readonly phases: readonly Phase[];
  /** For each node of the phases, the names of its own axes that are the grid's, in order. */
  readonly gridOf: ReadonlyMap<ValueName, readonly string[]>;
  /** Nodes that are computed at their reads, by each value that they define. */
  readonly inlined: ReadonlyMap<ValueName, Comprehension>;
  /** Of the values that the phases define. A value read elsewhere is `device`. */
  readonly placements: ReadonlyMap<ValueName, Placement>;
  /** Of the values in device memory that it reads or writes, those that are not row-major. */
  readonly orders: ReadonlyMap<ValueName, AxisOrder>;
  /** Seconds that a dispatch takes by the planner's estimate. */
  readonly seconds: number;
}

/** The nodes of a group: those of its phases, and those that are computed at their reads. */
export function nodesOf({ phases, inlined }: Group): readonly Comprehension[] {
  return [...new Set([...phases.flatMap((phase) => phase.nodes), ...inlined.values()])];
}

export type PlanStep =
  | { readonly kind: "group"; readonly group: Group }
  /** A loop of the graph; its body planned by itself. */
  | { readonly kind: "loop"; readonly loop: Loop; readonly steps: readonly PlanStep[] };

/** Why two nodes share a kernel, or do not. */
export interface Decision {
  readonly producer: ValueName;
  readonly consumer: ValueName;
  readonly fused: boolean;
  readonly placement: Placement;
  readonly reason: string;
}

export interface Plan {
  /** The graph that the steps compute: the one planned, with reductions cut where the plan needed it. */
  readonly graph: Graph;
  readonly steps: readonly PlanStep[];
  readonly decisions: readonly Decision[];
  /** The values in device memory that are not row-major. */
  readonly reorderings: readonly Reordering[];
}

/** A value that lies in memory in an order of the planner's choice. */
export interface Reordering {
  readonly value: ValueName;
  readonly order: AxisOrder;
  /** Seconds that the kernels which touch it take in a call by estimate: in the order that it had before, and in this. */
  readonly before: number;
  readonly after: number;
}

/** How much is fused. `off`: every node has a kernel of its own. `map`: chains of elementwise nodes are one. `full`: everything that pays. */
export type FusionLevel = (typeof fusionLevels)[number];

/** All of them. */
export const fusionLevels = ["off", "map", "full"] as const;

/**
 * What memory is worth. `speed`: nothing is computed again to save it. `balanced`: where most memory is in use, values that wait there are
 * computed again, cheapest first, for a twenty-fifth of the time in all. `least`: for as much time as it takes.
 */
export type MemoryChoice = (typeof memoryChoices)[number];

/** All of them. */
export const memoryChoices = ["speed", "balanced", "least"] as const;

/** In which order intermediates lie in memory: as it is best for the kernels that touch them, by estimate, or always row-major. */
export type LayoutChoice = (typeof layoutChoices)[number];

/** All of them. */
export const layoutChoices = ["chosen", "row-major"] as const;
