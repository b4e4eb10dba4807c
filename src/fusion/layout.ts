/**
 * In which order each intermediate lies in memory, by how the kernels that make and read it step over it.
 *
 *     %d[n, q] = sum r. %g[n, r] * %w[q, r]      lanes along n or along q would each load from a line of their own; with %g stored
 *                                                by r, n, lanes along n load side by side
 *
 * One value after the other, the largest first, is tried with one of its axes moved to the end or to the front, in all kernels that touch it
 * at once, and what its makers lose is set against what its readers gain. A change has to gain clearly: the estimate is a rough one.
 */
import { sizeOf, type ValueName, type ValueType } from "../ir/ir.ts";
import { type KernelCost, kernelCost, type OrderOf } from "./kernel-cost.ts";
import { movableValues, withLayout } from "./orders.ts";
import type { AxisOrder, Group, Plan, PlanStep, Reordering } from "./plan.ts";
import type { Target } from "./target.ts";
import { typesOf } from "./value-types.ts";

/** Values are gone through so many times at most: the order of one is chosen by that of others. */
const mostRounds = 3;

/** The plan with its intermediates in the orders that are estimated to be best. */
export function withChosenLayout(plan: Plan, target: Target): Plan {
  const movable = [...movableValues(plan)].sort((a, b) => sizeOf(b.shape) - sizeOf(a.shape));
  if (movable.length === 0) return plan;
  const types = typesOf(plan.graph);
  const kernels = dispatchesIn(plan.steps).map(({ group, times }) => ({
    cost: kernelCost(group, (value) => types.get(value)!, target),
    times,
  }));
  const touching = new Map<ValueName, WeighedKernel[]>();
  for (const kernel of kernels)
    for (const value of kernel.cost.values) {
      const others = touching.get(value);
      if (others === undefined) touching.set(value, [kernel]);
      else others.push(kernel);
    }
  const layout = rowMajorLayout();
  const chosen = new Map<ValueName, Reordering>();
  for (let round = 0, changed = true; changed && round < mostRounds; round++) {
    changed = false;
    for (const value of movable) {
      const better = betterOrder(value, touching.get(value.name) ?? [], layout, target);
      if (better === null) continue;
      layout.set(value, better.order);
      chosen.set(value.name, better);
      changed = true;
    }
  }
  const reorderings = [...chosen.values()].filter(({ order }) => order.some((axis, i) => axis !== i));
  if (reorderings.length === 0) return plan;
  const orders = new Map(reorderings.map(({ value, order }) => [value, order]));
  const around = new Set([...orders.keys()].flatMap((value) => touching.get(value) ?? []));
  const points = new Map([...around].flatMap(({ cost }) => [...cost.points(layout.orderOf)]));
  return { ...withLayout(plan, { orders, points }), reorderings };
}

/** A kernel, and how often it runs. */
interface WeighedKernel {
  readonly cost: KernelCost;
  readonly times: number;
}

/** The orders of values while they are being chosen; equal orders are one object. */
interface ChangingLayout {
  readonly orderOf: OrderOf;
  readonly set: (value: ValueType, order: AxisOrder) => void;
}

function rowMajorLayout(): ChangingLayout {
  const orders = new Map<ValueName, AxisOrder>();
  const known = new Map<string, AxisOrder>();
  const unique = (order: AxisOrder): AxisOrder => {
    const before = known.get(order.join());
    if (before === undefined) known.set(order.join(), order);
    return before ?? order;
  };
  return {
    orderOf: ({ name, shape }) => {
      let order = orders.get(name);
      if (order === undefined) orders.set(name, (order = unique([...shape.keys()])));
      return order;
    },
    set: ({ name }, order) => orders.set(name, unique(order)),
  };
}

/** The best order of a value's axes, if it is clearly better than the one that it has. */
function betterOrder(
  value: ValueType,
  around: readonly WeighedKernel[],
  { orderOf, set }: ChangingLayout,
  { layoutGain }: Target,
): Reordering | null {
  const inAll = (secondsOf: (cost: KernelCost) => number): number =>
    around.reduce((sum, { cost, times }) => sum + times * secondsOf(cost), 0);
  const now = orderOf(value);
  const before = inAll((cost) => cost.seconds(orderOf));
  const isClear = (after: number): boolean => after <= (1 - layoutGain) * before;
  if (!isClear(inAll((cost) => cost.leastSeconds(value.name, orderOf)))) return null;
  let best: Reordering | null = null;
  for (const order of neighboursOf(now, value.shape)) {
    set(value, order);
    const after = inAll((cost) => cost.seconds(orderOf));
    if (isClear(after) && (best === null || after < best.after))
      best = { value: value.name, order, before, after };
  }
  set(value, now);
  return best;
}

/** The orders with one axis moved to the end or to the front; axes of one point stay. */
function neighboursOf(order: AxisOrder, shape: readonly number[]): readonly AxisOrder[] {
  const wide = order.filter((axis) => shape[axis]! > 1);
  const narrow = order.filter((axis) => shape[axis]! <= 1);
  const moved = wide.flatMap((axis) => {
    const others = wide.filter((one) => one !== axis);
    return [
      [...others, axis],
      [axis, ...others],
    ];
  });
  const all = new Map(moved.map((one) => [one.join(), [...narrow, ...one]]));
  all.delete(wide.join());
  return [...all.values()];
}

/** The groups of a plan with how often each runs. */
function dispatchesIn(
  steps: readonly PlanStep[],
  times = 1,
): readonly { readonly group: Group; readonly times: number }[] {
  return steps.flatMap((step) =>
    step.kind === "group"
      ? [{ group: step.group, times }]
      : dispatchesIn(step.steps, times * step.loop.count),
  );
}
