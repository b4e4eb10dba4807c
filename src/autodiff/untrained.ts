/**
 * Parameters that a graph takes gradients of and that none reaches: what PyTorch calls a gradient of None.
 *
 *     loss = … %v[argmax of %f] …        the gradient of %f is not a number that happens to be 0: there is no way to it
 */
import { differentiateNoting } from "./differentiate.ts";
import type { Graph, Node, ValueName } from "../ir/ir.ts";

/**
 * The graph with its derivatives taken, and its parameters of which gradients are taken but always without a path from what
 * is differentiated. A parameter whose gradient is only sometimes zero is none of them.
 */
export function differentiateTraining(graph: Graph): {
  readonly graph: Graph;
  readonly untrained: ReadonlySet<ValueName>;
} {
  const { graph: taken, unreached } = differentiateNoting(graph);
  const params = new Set(graph.params.map((p) => p.name));
  const [reached, missed] = [new Set<ValueName>(), new Set<ValueName>()];
  const sources = new Map<ValueName, ValueName>();
  const originOf = (name: ValueName): ValueName => sources.get(name) ?? name;
  const visit = (nodes: readonly Node[]): void => {
    for (const node of nodes) {
      if (node.kind === "loop") visit(node.body);
      if (node.kind === "comprehension" && node.reduction === null && node.body.kind === "read")
        sources.set(node.name, originOf(node.body.tensor));
      if (node.kind !== "vjp") continue;
      node.at.forEach((value, i) => {
        const to = unreached.has(node.results[i]!.name) ? missed : reached;
        to.add(originOf(value));
      });
    }
  };
  visit(graph.nodes);
  const untrained = [...missed].filter((name) => params.has(name) && !reached.has(name));
  return { graph: taken, untrained: new Set(untrained) };
}
