/** Plans of programs, for tests of what fusion promises. */
import { load } from "../../src/index.ts";
import type { FusionLevel, Group, Plan, PlanStep } from "../../src/fusion/plan.ts";
import { planGraph } from "../../src/fusion/planner.ts";
import { hardwareTarget, type Target } from "../../src/fusion/target.ts";
import {
  type Comprehension,
  definitions,
  type Graph,
  type Node,
  type ValueName,
  type ValueType,
} from "../../src/ir/ir.ts";

/** The graph of a function of a text, simplified, with the derivatives that it asks for taken. */
export function graphOf(text: string, name: string, dims: Readonly<Record<string, number>>): Graph {
  return load(text).compile(name, { dims }).graph;
}

export function planOf(graph: Graph, level: FusionLevel = "full", target: Target = hardwareTarget): Plan {
  return planGraph(graph, level, target);
}

/** The kernels of a plan, those in loops once. */
export function groupsOf({ steps }: Plan): Group[] {
  const inside = (step: PlanStep): Group[] =>
    step.kind === "group" ? [step.group] : step.steps.flatMap(inside);
  return steps.flatMap(inside);
}

/** All comprehensions of a plan's graph, those in loops too. */
export function nodesOf({ graph }: Plan): Comprehension[] {
  const inside = (node: Node): Comprehension[] =>
    node.kind === "comprehension" ? [node] : node.kind === "loop" ? node.body.flatMap(inside) : [];
  return graph.nodes.flatMap(inside);
}

/** The values that the kernels of a plan store in device memory. */
export function storedValues(plan: Plan): ValueType[] {
  const types = new Map<ValueName, ValueType>(
    nodesOf(plan).flatMap((node) => definitions(node).map((value) => [value.name, value] as const)),
  );
  return groupsOf(plan).flatMap(({ placements }) =>
    [...placements].flatMap(([name, placement]) => (placement === "device" ? [types.get(name)!] : [])),
  );
}
