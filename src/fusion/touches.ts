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
  sharedPart,
} from "./accesses.ts";
import { type Arrangement, lanesAt } from "./arrangements.ts";
import { type Footprint, footprintOf, spreadOf } from "./footprint.ts";
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
  readonly known: Map<
    Arrangement,
    { readonly footprint: Footprint; readonly spreads: Map<AxisOrder, Spread> }
  >;
}

/** Elements of the lines that are touched, for each element that is. */
export interface Spread {
  /** Of what one load takes: up to four elements that follow one another in a loop. */
  readonly load: number;
  /** Of what is fetched for a few turns of the loop. */
  readonly fetch: number;
}

/** Turns that one load may take at once, and those for which a line stays at hand. */
const turnsOfLoad = 4;
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
      const shared = !access.isStreamed
        ? 1
        : isContraction && free.length > 0
          ? 1 / target.blockSharing
          : sharedPart(free.length);
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
  const before = touch.known.get(at)?.spreads.get(order);
  if (before !== undefined) return before;
  const variables = indicesIn(access.indices);
  const loop = access.loops.findLast(({ name }) => variables.has(name)) ?? null;
  const turns = Math.max(1, Math.min(turnsOfLine, Math.floor(loop?.extent ?? 1)));
  const lanes = Math.max(1, Math.min(target.lanes, sizeOf(at.along.map((axis) => phase.axes[axis]!))));
  let known = touch.known.get(at);
  if (known === undefined) {
    const where = lanesAt(phase, node, at, group, { loops: access.loops, loop, turns }, lanes);
    const footprint = footprintOf(access.indices, value.shape, where);
    touch.known.set(at, (known = { footprint, spreads: new Map() }));
  }
  const over = (ofTurns: number, lineElements: number): number =>
    spreadOf(known.footprint, order, lineElements, lanes * ofTurns);
  const spread = {
    load: over(Math.min(turns, turnsOfLoad), target.lineElements),
    fetch: over(turns, target.scatter),
  };
  known.spreads.set(order, spread);
  return spread;
}
