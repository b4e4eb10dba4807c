/** Plans whose values lie in memory in any order, and whose kernels go through their points in any: results must be the same. */
import { groupsOf, movableValues, withLayout } from "../../src/fusion/orders.ts";
import type { Plan } from "../../src/fusion/plan.ts";
import type { RandomSource } from "../programs/random-source.ts";

/** The plan with a random order of axes for each value that may have one, and of points for each phase. */
export function shuffled(plan: Plan, random: RandomSource): Plan {
  const phases = groupsOf(plan.steps).flatMap((group) => group.phases);
  return withLayout(plan, {
    orders: new Map(movableValues(plan).map(({ name, shape }) => [name, permutation(shape.length, random)])),
    points: new Map(phases.map((phase) => [phase, permutation(phase.axes.length, random)])),
  });
}

function permutation(length: number, random: RandomSource): number[] {
  const left = [...Array(length).keys()];
  return Array.from({ length }, () => left.splice(random.below(left.length), 1)[0]!);
}
