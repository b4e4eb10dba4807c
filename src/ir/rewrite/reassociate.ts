/**
 * What real numbers allow and roundings forbid, where it lowers the operation count: sums of products are factored (`factor.ts`) and
 * commute with linear maps (`commute.ts`), and what all candidates of an argmax have in common is not multiplied to each
 * (`choice.ts`). It is exact in real arithmetic but moves roundings, which can turn a near tie of an argmax: an option, off by default.
 */
import { operationCount } from "../cost.ts";
import type { Comprehension, Graph, ValueName } from "../ir.ts";
import { dropCommonFactors } from "./choice.ts";
import { commute, isLinear, summedIn } from "./commute.ts";
import { removeDeadCode } from "./dead-code.ts";
import { factorSums } from "./factor.ts";
import { rewriteGraph } from "./walk.ts";

/** A node more, which may be a kernel more, must save this part of what the graph's nodes cost on average. */
const leastSaved = 0.1;

/** Factors sums, and commutes them with the contractions under them, wherever that saves enough operations. */
export function reassociate(graph: Graph): Graph {
  const worth = (leastSaved * operationCount(graph)) / graph.nodes.length;
  const chosen = removeDeadCode(rewriteGraph(graph, dropCommonFactors));
  let best = rewriteGraph(chosen, factorSums(worth));
  for (const [source, readers] of sumsOver(best)) best = commuted(best, source, readers, worth);
  return best;
}

/** The graph with sums over a value taken before it: all that can be, so that nobody needs the value any more, or the one that gains most. */
function commuted(graph: Graph, source: ValueName, readers: readonly ValueName[], worth: number): Graph {
  const movable: ValueName[] = [];
  rewriteGraph(graph, (node, scope) => {
    if (readers.includes(node.name) && commute(node, source, scope)[0] !== node) movable.push(node.name);
    return [node];
  });
  if (movable.length === 0) return graph;
  const before = operationCount(graph);
  let best = graph;
  let least = before;
  for (const moved of movable.length > 1 ? [movable, ...movable.map((one) => [one])] : [movable]) {
    const tried = removeDeadCode(
      rewriteGraph(graph, (node, scope) =>
        moved.includes(node.name) ? commute(node, source, scope) : [node],
      ),
    );
    const cost = operationCount(tried);
    const added = Math.max(0, tried.nodes.length - graph.nodes.length);
    if (cost < least && before - cost >= added * worth) [best, least] = [tried, cost];
  }
  return best;
}

/** The values that may be made of contractions, in order, with the sums over each. */
function sumsOver(graph: Graph): ReadonlyMap<ValueName, readonly ValueName[]> {
  const nodes = graph.nodes.filter((n): n is Comprehension => n.kind === "comprehension");
  const readers = new Map(nodes.filter(isLinear).map(({ name }): [ValueName, ValueName[]] => [name, []]));
  for (const node of nodes) for (const source of summedIn(node)) readers.get(source)?.push(node.name);
  return new Map([...readers].filter(([, sums]) => sums.length > 0));
}
