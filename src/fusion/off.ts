/** The plan without fusion: a kernel for every node, every value in device memory. What the other plans are measured against. */
import { type Comprehension, definitions, type Graph, type Node } from "../ir/ir.ts";
import type { Group, Plan, PlanStep } from "./plan.ts";

/** Plans every node by itself. */
export function planOff(graph: Graph): Plan {
  return { graph, steps: graph.nodes.map(stepOf), decisions: [] };
}

function stepOf(node: Node): PlanStep {
  if (node.kind === "comprehension") return { kind: "group", group: aloneGroup(node) };
  if (node.kind === "loop") return { kind: "loop", loop: node, steps: node.body.map(stepOf) };
  throw new Error(`a ${node.kind} is left in the graph; derivatives are taken before fusion`);
}

/** A kernel of one node, its points dealt to all invocations. */
export function aloneGroup(node: Comprehension): Group {
  const keyed = new Set(node.keys.map((key) => key.axis));
  const axes = node.axes.filter((axis) => !keyed.has(axis.name));
  return {
    name: node.name,
    grid: [],
    owner: "invocation",
    phases: [
      {
        nodes: [node],
        axes: axes.map((axis) => axis.size),
        axesOf: [axes.map((axis) => axis.name)],
        afterBarrier: false,
      },
    ],
    gridOf: new Map(),
    inlined: new Map(),
    placements: new Map(definitions(node).map(({ name }) => [name, "device" as const])),
  };
}
