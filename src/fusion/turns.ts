/**
 * The turn of a loop as a tensor that its body reads: kernels know no loops around them.
 *
 *     loop t<9 { … %x[t, i] … }     ⟶     loop t<9 { … %x[%"turn t"[], i] … }
 */
import { read } from "../ir/build.ts";
import type { Expr, Graph, Loop, Node, ValueName } from "../ir/ir.ts";
import { mapExpressions } from "../ir/rename.ts";
import { substituteIndices } from "../ir/substitute.ts";

/** The value that holds a loop's turn: an `idx<count>` scalar. */
export function turnValue(loop: Loop): ValueName {
  return `turn ${loop.index}`;
}

/** The graph with every loop variable read from its value. */
export function withTurnsAsValues(graph: Graph): Graph {
  return { ...graph, nodes: replaceIn(graph.nodes, new Map()) };
}

function replaceIn(nodes: readonly Node[], turns: ReadonlyMap<string, Expr>): Node[] {
  return nodes.map((node) => {
    if (node.kind === "comprehension")
      return turns.size === 0 ? node : mapExpressions(node, (expr) => substituteIndices(expr, turns));
    if (node.kind !== "loop") return node;
    const turn = read(turnValue(node), { scalar: "i32", bound: node.count }, []);
    return { ...node, body: replaceIn(node.body, new Map(turns).set(node.index, turn)) };
  });
}
