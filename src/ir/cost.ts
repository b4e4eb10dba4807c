/**
 * What a graph costs, as numbers that passes compare and `inspect` shows: scalar operations, and the size of what it keeps.
 *
 *     %y : f32[4, 8] = for i<4, k<8. sum l<3. %x[i, l] * %c[k, l]        4 · 8 · 3 points of 2 operations: 192
 *     %s : f32[9] = for j<9. sum i<50 at j = %a[i]. %v[i]               50 points of 1 operation: j is not iterated
 */
import { costOf } from "./expression-cost.ts";
import { meanExtent } from "./extent.ts";
import { type Comprehension, definitions, type Graph, type Node, sizeOf, type ValueType } from "./ir.ts";
import { contextsOf, emptyContext, type RangeContext, withVariable } from "./ranges.ts";

/** The number of scalar operations of a graph, derivatives taken. */
export function operationCount(graph: Graph): number {
  return totalOf(graph.nodes, emptyContext);
}

function totalOf(nodes: readonly Node[], outer: RangeContext): number {
  return nodes.reduce((total, node) => total + operationsOf(node, outer), 0);
}

/** What nodes outside of loops were counted to: a pass that tries many graphs shares most nodes among them. */
const counted = new WeakMap<Node, number>();

/** The number of scalar operations of one node; `outer` tells of the loops around it. */
export function operationsOf(node: Node, outer: RangeContext = emptyContext): number {
  if (outer !== emptyContext) return count(node, outer);
  let operations = counted.get(node);
  if (operations === undefined) counted.set(node, (operations = count(node, outer)));
  return operations;
}

function count(node: Node, outer: RangeContext): number {
  switch (node.kind) {
    case "comprehension":
      return pointsOf(node, outer) * (costOf(node.body) + (node.reduction === null ? 0 : 1));
    case "loop":
      return node.count * totalOf(node.body, withVariable(outer, node.index, { lo: 0, hi: node.count - 1 }));
    case "custom":
    case "vjp":
    case "jvp":
      return 0;
  }
}

/** How often the body is evaluated. Keyed axes are not iterated; a range that depends on others counts with its mean extent. */
export function pointsOf(node: Comprehension, outer: RangeContext = emptyContext): number {
  const keyed = new Set(node.keys.map((key) => key.axis));
  const iterated = node.axes.filter((axis) => !keyed.has(axis.name));
  const contexts = contextsOf(node, outer);
  const extents = (node.reduction?.axes ?? []).map((axis, i) => meanExtent(axis, contexts[i]!));
  return [...iterated.map((axis) => axis.size), ...extents].reduce((product, n) => product * n, 1);
}

/** The value with the most elements that the graph computes; null if it computes nothing. */
export function largestValue(graph: Graph): ValueType | null {
  let largest: ValueType | null = null;
  for (const value of valuesOf(graph.nodes)) {
    if (largest === null || sizeOf(value.shape) > sizeOf(largest.shape)) largest = value;
  }
  return largest;
}

/** Every value that nodes define, those inside loops included. */
function valuesOf(nodes: readonly Node[]): ValueType[] {
  return nodes.flatMap((node) => [
    ...(node.kind === "loop" ? valuesOf(node.body) : []),
    ...definitions(node),
  ]);
}
