/**
 * What a kernel is estimated to take with values in one order or another: the lines of memory that its lanes touch, by the target's
 * numbers, beside its operations.
 *
 *     %d[n, q] = sum r. %g[n, r] * %w[q, r]      %g by n, r: along n or q, lanes load from a line each
 *                                                %g by r, n: lanes along n load side by side
 */
import { type Comprehension, definitions, sizeOf, type ValueName, type ValueType } from "../ir/ir.ts";
import { evaluations, freeAxes, pointCount, readsThrough, type ReadsThrough, turnsOf } from "./accesses.ts";
import { type Arrangement, arrangementsOf } from "./arrangements.ts";
import { cached } from "./draft.ts";
import { costAt } from "./inline.ts";
import type { AxisOrder, Group, Phase } from "./plan.ts";
import type { Target } from "./target.ts";
import { type Spread, spreadAt, type Touch, touchesOf } from "./touches.ts";
import { invocationsFor, partAtWork } from "./work.ts";

/** The order of a value's axes; equal orders of a value are one object. */
export type OrderOf = (value: ValueType) => AxisOrder;

/** A kernel whose values may lie in memory in one order or another. */
export interface KernelCost {
  /** The values in device memory that it touches. */
  readonly values: ReadonlySet<ValueName>;
  /** Seconds of a dispatch. */
  readonly seconds: (orderOf: OrderOf) => number;
  /** Seconds of a dispatch that no order of the value is better than. */
  readonly leastSeconds: (value: ValueName, orderOf: OrderOf) => number;
  /** For each phase that is better off in another order of its point axes, that order. */
  readonly points: (orderOf: OrderOf) => ReadonlyMap<Phase, AxisOrder>;
}

interface PhaseCost {
  readonly phase: Phase;
  /** Scalar operations of its nodes and of what is inlined into them. */
  readonly operations: number;
  readonly touches: readonly Touch[];
  readonly arrangements: (orderOf: OrderOf) => readonly Arrangement[];
}

/** What a phase takes with its lanes in an arrangement, beside its operations. */
interface Estimate {
  readonly at: Arrangement;
  readonly loads: number;
  readonly bytes: number;
}

/** What is to be known of a kernel. `typeOf` has all values. */
export function kernelCost(
  group: Group,
  typeOf: (value: ValueName) => ValueType,
  target: Target,
): KernelCost {
  const phases = group.phases.map((phase) => phaseCost(phase, group, typeOf, target));
  const operations = phases.reduce((sum, of) => sum + of.operations, 0);
  const part = partAtWorkOf(group, target);

  const secondsOf = (own: number, bytes: number): number =>
    Math.max(own / target.operations, bytes / target.bandwidth);
  const best = (of: PhaseCost, orderOf: OrderOf, adjust: Adjustment): Estimate => {
    const spreadOf = (touch: Touch, at: Arrangement): Spread =>
      adjust(touch, spreadAt(touch, of.phase, group, at, orderOf(touch.value), target));
    return of
      .arrangements(orderOf)
      .map((at) => estimate(of.touches, at, spreadOf, target))
      .reduce((a, b) => (secondsOf(b.loads, b.bytes) < secondsOf(a.loads, a.bytes) ? b : a));
  };
  const total = (orderOf: OrderOf, adjustmentOf: (of: PhaseCost) => Adjustment): number => {
    const all = phases.map((of) => best(of, orderOf, adjustmentOf(of)));
    const loads = all.reduce((sum, one) => sum + one.loads, 0);
    const bytes = all.reduce((sum, one) => sum + one.bytes, 0);
    return target.launch + secondsOf(operations + loads, bytes) / part;
  };
  return {
    values: new Set(phases.flatMap(({ touches }) => touches.map(({ value }) => value.name))),
    seconds: (orderOf) => total(orderOf, () => asItIs),
    leastSeconds: (value, orderOf) =>
      total(orderOf, ({ phase }) => {
        // Who makes it may go through its points in another order, in which all else lies better.
        const isMaker = phase.nodes.some((node) => definitions(node).some(({ name }) => name === value));
        return (touch, spread) => (isMaker || touch.value.name === value ? atBest(spread) : spread);
      }),
    points: (orderOf) =>
      new Map(
        phases.flatMap((of): [Phase, AxisOrder][] => {
          const { order } = best(of, orderOf, asItIs).at;
          return order.every((axis, i) => axis === i) ? [] : [[of.phase, order]];
        }),
      ),
  };
}

/** What the spread of a touch is taken for. */
type Adjustment = (touch: Touch, spread: Spread) => Spread;

const asItIs: Adjustment = (_, spread) => spread;

function atBest({ load, fetch }: Spread): Spread {
  return { load: Math.min(1, load), fetch: Math.min(1, fetch) };
}

function estimate(
  touches: readonly Touch[],
  at: Arrangement,
  spreadOf: (touch: Touch, at: Arrangement) => Spread,
  target: Target,
): Estimate {
  let loads = 0;
  const fetched = new Map<ValueType, number>();
  for (const touch of touches) {
    const { load, fetch } = spreadOf(touch, at);
    loads += touch.count * load;
    fetched.set(touch.value, Math.max(fetched.get(touch.value) ?? 1, fetch));
  }
  let bytes = 0;
  for (const [{ shape }, times] of fetched) {
    const size = sizeOf(shape);
    bytes += 4 * size * (size > cached ? times : 1);
  }
  return { at, loads: target.loadCost * loads, bytes };
}

function partAtWorkOf({ owner, grid, phases }: Group, target: Target): number {
  const isPointwise = owner === "invocation";
  const regions = sizeOf(isPointwise ? (phases[0]?.axes ?? []) : grid);
  const busy = phases.flatMap(({ nodes }) =>
    nodes.map((node) => {
      const work = { node, points: pointCount(node), turns: turnsOf(node) };
      return invocationsFor(work, regions, target);
    }),
  );
  return partAtWork(isPointwise, regions, Math.max(...busy), target);
}

function phaseCost(
  phase: Phase,
  group: Group,
  typeOf: (value: ValueName) => ValueType,
  target: Target,
): PhaseCost {
  const reads = phase.nodes.map((node) => readsThrough(node, group.inlined));
  const free = phase.nodes.flatMap((node, n) =>
    reads[n]!.memory.filter(({ isStreamed }) => isStreamed).map((access) => {
      const names = freeAxes(node, access);
      return new Set([...phase.axes.keys()].filter((axis) => names.includes(phase.axesOf[n]![axis]!)));
    }),
  );
  const isContraction =
    (group.owner === "invocation" || target.blocksInRegions) &&
    free.some((a) =>
      free.some((b) => [...a].some((axis) => !b.has(axis)) && [...b].some((axis) => !a.has(axis))),
    );
  const known = new Map<string, readonly Arrangement[]>();
  const inOrder = (order: AxisOrder): readonly Arrangement[] => {
    const key = order.join();
    let all = known.get(key);
    if (all === undefined) known.set(key, (all = arrangementsOf(phase, order, isContraction ? free : null)));
    return all;
  };
  const asGiven = inOrder([...phase.axes.keys()]);
  return {
    phase,
    operations: phase.nodes.reduce((sum, node, n) => sum + operationsOf(node, reads[n]!), 0),
    touches: touchesOf(phase, group, reads, isContraction, typeOf, target),
    arrangements: (orderOf) => [
      ...new Set([...asGiven, ...storedOrders(phase, group, orderOf).flatMap(inOrder)]),
    ],
  };
}

/** The orders of a phase's axes in which its points are as what it stores lies in memory. */
function storedOrders(
  { nodes, axes, axesOf }: Phase,
  { placements }: Group,
  orderOf: OrderOf,
): readonly AxisOrder[] {
  return nodes.flatMap((node, n) => {
    const place = (stored: AxisOrder, axis: number): number =>
      stored.indexOf(node.axes.findIndex(({ name }) => name === axesOf[n]![axis]));
    return definitions(node).flatMap((value) => {
      if (placements.get(value.name) !== "device") return [];
      const stored = orderOf(value);
      return [[...axes.keys()].sort((a, b) => place(stored, a) - place(stored, b))];
    });
  });
}

/** Scalar operations of a node and of what is computed at its reads. */
function operationsOf(node: Comprehension, { computed }: ReadsThrough): number {
  return computed.reduce(
    (sum, { node: inner, access }) => sum + evaluations(node, access) * costAt(inner),
    pointCount(node) * costAt(node),
  );
}
