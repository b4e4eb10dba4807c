/**
 * The simplification of a graph: a list of passes, each from graph to graph, a line each. They are repeated until nothing
 * changes, for one makes room for another: an inlined one-hot lets a sum be solved, a solved sum has invariant parts.
 */
import { shareBestValues } from "./best-value.ts";
import { mergeCommonNodes } from "./cse.ts";
import { removeDeadCode } from "./dead-code.ts";
import { sinkGathers } from "./gather.ts";
import { hoistInvariants } from "./hoist.ts";
import { inlineReads } from "./inline.ts";
import { narrowing } from "./narrow.ts";
import { nameResults } from "./results.ts";
import { solveNode } from "./solve.ts";
import { renumber } from "./renumber.ts";
import { rewriteGraph } from "./walk.ts";
import type { Graph } from "../ir.ts";
import { printGraph } from "../print.ts";

/** A named rewrite of graphs. */
export interface Pass {
  readonly name: string;
  readonly run: (graph: Graph) => Graph;
}

/** The passes in the order in which they run. */
export const simplificationPasses: readonly Pass[] = [
  { name: "dead code", run: removeDeadCode },
  { name: "inline", run: (graph) => rewriteGraph(graph, inlineReads) },
  { name: "solve deltas", run: (graph) => rewriteGraph(graph, solveNode) },
  { name: "narrow", run: (graph) => rewriteGraph(graph, narrowing()) },
  { name: "best values", run: shareBestValues },
  { name: "sink gathers", run: (graph) => rewriteGraph(graph, sinkGathers) },
  { name: "hoist invariants", run: (graph) => rewriteGraph(graph, hoistInvariants) },
  { name: "common nodes", run: mergeCommonNodes },
  { name: "name results", run: nameResults },
];

/** Rounds after which what still changes is left as it is. */
const mostRounds = 6;

/** A graph that computes the same with less. The graph holds no derivative markers. `after` sees each pass's result. */
export function simplify(graph: Graph, after: (pass: Pass, graph: Graph) => void = () => {}): Graph {
  let text = "";
  for (let round = 0; round < mostRounds; round++) {
    for (const pass of simplificationPasses) {
      graph = pass.run(graph);
      after(pass, graph);
    }
    const next = printGraph(graph);
    if (next === text) break;
    text = next;
  }
  return renumber(removeDeadCode(graph));
}
