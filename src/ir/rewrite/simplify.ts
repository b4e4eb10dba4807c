/**
 * The simplification of a graph: a list of passes, each from graph to graph, a line each. They are repeated until nothing
 * changes, for one makes room for another: an inlined one-hot lets a sum be solved, a solved sum has invariant parts.
 */
import { shareBestValues } from "./best-value.ts";
import { mergeCommonNodes } from "./cse.ts";
import { readReducedValues } from "./reduced-values.ts";
import { removeDeadCode } from "./dead-code.ts";
import { sinkGathers } from "./gather.ts";
import { hoistInvariants } from "./hoist.ts";
import { inlineReads } from "./inline.ts";
import { narrowing } from "./narrow.ts";
import { nameResults } from "./results.ts";
import { solveNode } from "./solve.ts";
import { renumber } from "./renumber.ts";
import { leavingSettled, type NodeRewrite, rewriteGraph } from "./walk.ts";
import type { Graph, Node } from "../ir.ts";

/** A named rewrite of graphs. */
export interface Pass {
  readonly name: string;
  readonly run: (graph: Graph) => Graph;
}

/** A pass made of a rewrite of single nodes, which remembers those that it left as they were. */
function eachNode(name: string, rewrite: NodeRewrite): Pass {
  const remembering = leavingSettled(rewrite);
  return { name, run: (graph) => rewriteGraph(graph, remembering) };
}

/** The passes in the order in which they run, for one graph: they remember its nodes from round to round. */
export function simplificationPasses(): readonly Pass[] {
  return [
    { name: "dead code", run: removeDeadCode },
    eachNode("inline", inlineReads),
    eachNode("solve deltas", solveNode),
    { name: "narrow", run: (graph) => rewriteGraph(graph, narrowing()) },
    { name: "best values", run: shareBestValues },
    eachNode("sink gathers", sinkGathers),
    eachNode("hoist invariants", hoistInvariants),
    { name: "common nodes", run: mergeCommonNodes },
    { name: "reduced values", run: readReducedValues },
    { name: "name results", run: nameResults },
  ];
}

/** Rounds after which what still changes is left as it is. */
const mostRounds = 6;

/**
 * A graph that computes the same with less. It comes after differentiation: the graph holds no derivative markers, and
 * `stop_gradient` goes. `after` sees each pass's result. */
export function simplify(graph: Graph, after: (pass: Pass, graph: Graph) => void = () => {}): Graph {
  const passes = simplificationPasses();
  for (let round = 0; round < mostRounds; round++) {
    const before = graph;
    for (const pass of passes) {
      graph = pass.run(graph);
      after(pass, graph);
    }
    if (sameNodes(before.nodes, graph.nodes)) break;
  }
  return renumber(removeDeadCode(graph));
}

/** Are these the same objects, loops compared by their bodies? */
function sameNodes(a: readonly Node[], b: readonly Node[]): boolean {
  return (
    a.length === b.length &&
    a.every((node, i) => {
      const other = b[i]!;
      return (
        node === other ||
        (node.kind === "loop" &&
          other.kind === "loop" &&
          sameNodes(node.body, other.body) &&
          node.carries.length === other.carries.length)
      );
    })
  );
}
