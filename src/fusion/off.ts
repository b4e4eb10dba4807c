/** The plan without fusion: a kernel for every node, every value in device memory. What the other plans are measured against. */
import { type Comprehension, definitions, type Graph, type Node, sizeOf, type ValueName } from "../ir/ir.ts";
import { draftOf, timeOf } from "./draft.ts";
import { decideInlining } from "./inline.ts";
import type { Group, Plan, PlanStep } from "./plan.ts";
import type { Target } from "./target.ts";

/** Plans every node by itself. The target's only part is what the kernels are estimated to take. */
export function planOff(graph: Graph, target: Target): Plan {
  const sizes = new Map(graph.params.map(({ name, shape }) => [name, sizeOf(shape)]));
  return { graph, steps: stepsOf(graph.nodes, sizes, target), decisions: [], reorderings: [] };
}

function stepsOf(nodes: readonly Node[], outer: ReadonlyMap<ValueName, number>, target: Target): PlanStep[] {
  const sizes = new Map(outer);
  for (const node of nodes) for (const { name, shape } of definitions(node)) sizes.set(name, sizeOf(shape));
  const { stored } = decideInlining(nodes, new Set(), new Map(), "off", target, sizes);
  const members = new Map(stored.map((member) => [member.node, member]));
  return nodes.map((node): PlanStep => {
    if (node.kind === "comprehension") {
      const seconds = timeOf(draftOf(members.get(node)!), sizes, () => true, target);
      return { kind: "group", group: { ...aloneGroup(node), orders: new Map(), seconds } };
    }
    if (node.kind !== "loop")
      throw new Error(`a ${node.kind} is left in the graph; derivatives are taken before fusion`);
    const inner = new Map(sizes);
    for (const { param, shape } of node.carries) inner.set(param, sizeOf(shape));
    return { kind: "loop", loop: node, steps: stepsOf(node.body, inner, target) };
  });
}

/** A kernel of one node, its points dealt to all invocations. */
function aloneGroup(node: Comprehension): Omit<Group, "seconds" | "orders"> {
  const keyed = new Set(node.keys.map((key) => key.axis));
  const axes = node.axes.filter((axis) => !keyed.has(axis.name));
  return {
    name: node.name,
    grid: [],
    owner: "invocation",
    lanes: null,
    sharesTurns: false,
    phases: [
      {
        nodes: [node],
        axes: axes.map((axis) => axis.size),
        axesOf: [axes.map((axis) => axis.name)],
        columnsOf: [[]],
        afterBarrier: false,
      },
    ],
    gridOf: new Map(),
    inlined: new Map(),
    placements: new Map(definitions(node).map(({ name }) => [name, "device" as const])),
  };
}
