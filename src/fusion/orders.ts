/**
 * The orders in which values lie in memory, and in which kernels go through points: which of them are free to be changed, and a plan with
 * them changed. Why they are changed is told in `layout.ts`; here is only what may be.
 *
 *     y[n, c] stored by c, n        element n + size(n) * c        a kernel that makes it may go through its points by c, n as well
 */
import { definitions, type Node, type ValueName, type ValueType } from "../ir/ir.ts";
import { valuesUsed } from "../ir/traverse.ts";
import { type AxisOrder, type Group, nodesOf, type Phase, type Plan, type PlanStep } from "./plan.ts";

/** How values lie in memory, and in which order some phases go through their points. What is not named stays as it is. */
export interface Layout {
  readonly orders: ReadonlyMap<ValueName, AxisOrder>;
  /** For a phase, its point axes by their numbers, the one that neighbouring invocations step along last. */
  readonly points: ReadonlyMap<Phase, AxisOrder>;
}

/**
 * The values of a plan whose order is the compiler's to choose: made by kernels and read by kernels, and by nothing else. Parameters and
 * results are the caller's; what a loop carries or stacks is copied as it lies.
 */
export function movableValues(plan: Plan): readonly ValueType[] {
  const { params, results, nodes } = plan.graph;
  const fixed = new Set<ValueName>([...params.map(({ name }) => name), ...results, ...copiedByLoops(nodes)]);
  return groupsOf(plan.steps).flatMap(({ phases, placements }) =>
    phases
      .flatMap((phase) => phase.nodes.flatMap(definitions))
      .filter(
        ({ name, shape }) =>
          placements.get(name) === "device" &&
          !fixed.has(name) &&
          shape.filter((size) => size > 1).length > 1,
      ),
  );
}

/** The groups of a plan, those inside of loops included. */
export function groupsOf(steps: readonly PlanStep[]): readonly Group[] {
  return steps.flatMap((step) => (step.kind === "group" ? [step.group] : groupsOf(step.steps)));
}

/** The plan with another layout. Its orders must be of values that are movable. */
export function withLayout(plan: Plan, layout: Layout): Plan {
  const inSteps = (steps: readonly PlanStep[]): readonly PlanStep[] =>
    steps.map((step) =>
      step.kind === "group"
        ? { ...step, group: groupWith(step.group, layout) }
        : { ...step, steps: inSteps(step.steps) },
    );
  return { ...plan, steps: inSteps(plan.steps) };
}

function groupWith(group: Group, { orders, points }: Layout): Group {
  const touched = new Set(
    nodesOf(group).flatMap((node) => [...definitions(node).map(({ name }) => name), ...valuesUsed(node)]),
  );
  const own = [...orders].filter(
    ([value]) => touched.has(value) && group.placements.get(value) !== "register",
  );
  const phases = group.phases.map((phase) => {
    const order = points.get(phase);
    return order === undefined ? phase : phaseInOrder(phase, order);
  });
  return { ...group, phases, orders: new Map(own) };
}

/** The phase with its point axes in another order. */
export function phaseInOrder(phase: Phase, order: AxisOrder): Phase {
  const sorted = <T>(list: readonly T[]): T[] => order.map((axis) => list[axis]!);
  return { ...phase, axes: sorted(phase.axes), axesOf: phase.axesOf.map(sorted) };
}

/** What loops copy element by element: what goes in, what comes out, and what is carried. */
function copiedByLoops(nodes: readonly Node[]): readonly ValueName[] {
  return nodes.flatMap((node) =>
    node.kind === "loop"
      ? [
          ...node.carries.flatMap(({ param, init, next, result }) => [param, init, next, result]),
          ...node.stacks.flatMap(({ value, result }) => [value, result]),
          ...copiedByLoops(node.body),
        ]
      : [],
  );
}
