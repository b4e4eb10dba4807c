/** Removes nodes whose values nobody uses, and loops' carried values that only feed themselves. */
import { definitions, type Graph, type Loop, type Node, type ValueName } from "../ir.ts";
import { valuesUsed } from "../traverse.ts";

export function removeDeadCode(graph: Graph): Graph {
  return { ...graph, nodes: liveNodes(graph.nodes, new Set(graph.results)) };
}

/** The nodes that the wanted values need, in order. `wanted` grows by what they use from outside. */
export function liveNodes(nodes: readonly Node[], wanted: Set<ValueName>): Node[] {
  const live: Node[] = [];
  for (const node of [...nodes].reverse()) {
    if (!definitions(node).some((d) => wanted.has(d.name))) continue;
    const kept = node.kind === "loop" ? liveLoop(node, wanted) : withoutUnusedBest(node, wanted);
    for (const name of valuesUsed(kept)) wanted.add(name);
    live.push(kept);
  }
  return live.reverse();
}

function withoutUnusedBest(node: Node, wanted: ReadonlySet<ValueName>): Node {
  if (
    node.kind !== "comprehension" ||
    node.reduction?.bestValue == null ||
    wanted.has(node.reduction.bestValue)
  )
    return node;
  return { ...node, reduction: { ...node.reduction, bestValue: null } };
}

function liveLoop(loop: Loop, wanted: ReadonlySet<ValueName>): Loop {
  const stacks = loop.stacks.filter((s) => wanted.has(s.result));
  let carries = loop.carries.filter((c) => wanted.has(c.result));
  for (;;) {
    const inner = new Set([...carries.map((c) => c.next), ...stacks.map((s) => s.value)]);
    const body = liveNodes(loop.body, inner);
    // A carried value is needed when the body of one that is needed reads it.
    const needed = loop.carries.filter((c) => carries.includes(c) || inner.has(c.param));
    if (needed.length === carries.length) return { ...loop, carries, stacks, body };
    carries = needed;
  }
}
