/**
 * Where the nodes of a phase touch device memory, reads and stores, and how much of it the lanes of a subgroup touch together there.
 *
 *     %d[n, q] = sum r. %g[n, r] * %w[q, r]        %g at [n, r], %w at [q, r], %d at [n, q]
 */
import { index } from "../ir/build.ts";
import {
  type Comprehension,
  definitions,
  type Expr,
  sizeOf,
  type ValueName,
  type ValueType,
} from "../ir/ir.ts";
import { indicesIn } from "../ir/traverse.ts";
import {
  type Access,
  freeAxes,
  type LoopAround,
  loadsOf,
  type ReadsThrough,
  reductionExtents,
  partOfLoads,
} from "./accesses.ts";
import { type Arrangement, lanesAt, type Steps } from "./arrangements.ts";
import { followsSteps, type Footprint, footprintOf, placesOf, spreadInLanes, spreadOf } from "./footprint.ts";
import type { AxisOrder, Group, Phase } from "./plan.ts";
import type { Target } from "./target.ts";

/** A place where a node of a phase touches device memory. */
export interface Touch {
  readonly value: ValueType;
  /** The node, by its number in the phase. */
  readonly node: number;
  readonly access: Access;
  /** How often it is touched, all points together, with points that lie side by side sharing what they can. */
  readonly count: number;
  /** What was found before. */
  readonly known: Map<Arrangement, KnownTouch>;
}

/** Elements of the lines that are touched, for each element that is. */
export interface Spread {
  /** Of what one load takes: up to four elements that follow one another in a loop, or along the rows of a block. */
  readonly load: number;
  /** Of what is fetched for a few turns of the loop. */
  readonly fetch: number;
}

/** Of a touch in an arrangement: what lanes touch in some steps, and the spreads by order. */
interface KnownTouch {
  readonly lanes: number;
  readonly footprints: readonly (Footprint & { readonly steps: number })[];
  readonly spreads: Map<AxisOrder, Spread>;
}

/** Steps that one load may take at once, and turns for which a line stays at hand. */
const stepsOfLoad = 4;
const turnsOfLine = 8;

/** The touches of a phase of a group, whose nodes read `through` what is inlined. */
export function touchesOf(
  phase: Phase,
  group: Group,
  through: readonly ReadsThrough[],
  isContraction: boolean,
  typeOf: (value: ValueName) => ValueType,
  target: Target,
): readonly Touch[] {
  return phase.nodes.flatMap((node, n) => {
    const grid = group.gridOf.get(node.name) ?? [];
    const reads = through[n]!.memory.flatMap((access): Touch[] => {
      const placement = group.placements.get(access.tensor);
      if (placement !== undefined && placement !== "device") return [];
      // Points of different workgroups share nothing.
      const free = freeAxes(node, access).filter((name) => !grid.includes(name));
      const shared = access.isStreamed ? partOfLoads(free.length, isContraction, target) : 1;
      const count = loadsOf(node, access) * shared;
      return [{ value: typeOf(access.tensor), node: n, access, count, known: new Map() }];
    });
    const stores = definitions(node).flatMap(({ name }): Touch[] => {
      if (group.placements.get(name) !== "device") return [];
      const access = storeOf(node, name);
      return [{ value: typeOf(name), node: n, access, count: loadsOf(node, access), known: new Map() }];
    });
    return [...reads, ...stores];
  });
}

/** Where a node stores a value: at its point, or where its keys say, in every turn. */
function storeOf(node: Comprehension, tensor: ValueName): Access {
  const keys = new Map(node.keys.map(({ axis, at }) => [axis, at]));
  const indices = node.axes.map(({ name }): Expr => keys.get(name) ?? index(name));
  const extents = reductionExtents(node);
  const loops = (node.reduction?.axes ?? []).map(({ name }, i): LoopAround => ({
    name,
    extent: extents[i]!,
  }));
  return { tensor, indices, loops: keys.size > 0 ? loops : [], isStreamed: false };
}

/** The spread of a touch, with the lanes in an arrangement and its value in an order. */
export function spreadAt(
  touch: Touch,
  phase: Phase,
  group: Group,
  at: Arrangement,
  order: AxisOrder,
  target: Target,
): Spread {
  const { value, node, access } = touch;
  let known = touch.known.get(at);
  if (known === undefined) {
    const most = target.lanes * columnsOf(at, target);
    const lanes = Math.max(1, Math.min(most, sizeOf(at.along.map((axis) => phase.axes[axis]!))));
    const footprints = stepsOf(access, phase, node, at).map((steps) => {
      const where = lanesAt(phase, node, at, group, access.loops, steps, lanes);
      return { ...footprintOf(access.indices, value.shape, where), steps: steps.count };
    });
    touch.known.set(at, (known = { lanes, footprints, spreads: new Map() }));
  }
  const before = known.spreads.get(order);
  if (before !== undefined) return before;
  const { lanes, footprints } = known;
  const loads = footprints.map((one) => {
    // Who has several columns has no turns beside them.
    const columns = columnsOf(at, target);
    if (columns > 1) return spreadInLanes(placesOf(one, order, lanes), columns, target.lineElements);
    const places = placesOf(one, order, lanes * Math.min(one.steps, stepsOfLoad));
    // Otherwise each step is a load by itself.
    const together = followsSteps(places, lanes) ? places : places.subarray(0, lanes);
    return spreadOf(together, target.lineElements);
  });
  const [turns] = footprints;
  const spread = {
    load: Math.min(...loads),
    fetch: spreadOf(placesOf(turns!, order, lanes * turns!.steps), target.scatter),
  };
  known.spreads.set(order, spread);
  return spread;
}

/** Columns of a block that an invocation has side by side. Each counts as a lane. */
function columnsOf({ rows }: Arrangement, { blockColumns }: Target): number {
  return rows === null ? 1 : blockColumns;
}

/** What one load may take several steps of: the turns of the innermost loop, first, or else the rows of a block. */
function stepsOf(
  { indices, loops }: Access,
  { axes, axesOf }: Phase,
  node: number,
  { rows }: Arrangement,
): readonly Steps[] {
  const variables = indicesIn(indices);
  const loop = loops.findLast(({ name }) => variables.has(name));
  const turns = Math.max(1, Math.min(turnsOfLine, Math.floor(loop?.extent ?? 1)));
  const inLoop: Steps = { variable: loop?.name ?? null, count: turns };
  const row = rows === null ? null : axesOf[node]![rows]!;
  if (row === null || !variables.has(row)) return [inLoop];
  return [inLoop, { variable: row, count: Math.min(stepsOfLoad, axes[rows!]!) }];
}
