/**
 * Multiply-accumulates of a graph: the points of its contractions, the way papers count the cost of networks.
 *
 *     %y = for i<4, k<8. sum l<3. %x[i, l] * %w[l, k]        4 · 8 · 3 = 96
 *     %v = for i<4. sum l<3. %x[i, l] * %x[i, l]             none: squares of a norm or a variance are not counted
 */
import { structuralKey } from "./ir/affine.ts";
import type { Comprehension, Expr, Graph, Node } from "./ir/ir.ts";
import { pointsOf } from "./ir/cost.ts";
import { postorder } from "./ir/traverse.ts";

/** The multiply-accumulates of a graph whose derivatives have been taken. */
export function multiplyAccumulates(graph: Graph): number {
  return countIn(graph.nodes);
}

function countIn(nodes: readonly Node[]): number {
  return nodes.reduce((total, node) => {
    if (node.kind === "loop") return total + node.count * countIn(node.body);
    return node.kind === "comprehension" && isContraction(node) ? total + pointsOf(node) : total;
  }, 0);
}

/** A sum of products of two different tensors, each of which the reduction runs over; a guard around them does not matter. */
function isContraction({ reduction, body }: Comprehension): boolean {
  if (reduction?.op !== "sum") return false;
  const product = withoutGuards(body);
  if (product.kind !== "apply" || product.fn !== "mul") return false;
  const [left, right] = product.args;
  if (left === undefined || right === undefined || structuralKey(left) === structuralKey(right)) return false;
  const reduced = new Set(reduction.axes.map(({ name }) => name));
  return [left, right].every((factor) => readsOver(factor, reduced));
}

/** The side of selects that is not a constant. */
function withoutGuards(expr: Expr): Expr {
  if (expr.kind !== "select") return expr;
  if (expr.no.kind === "const") return withoutGuards(expr.yes);
  return expr.yes.kind === "const" ? withoutGuards(expr.no) : expr;
}

/** Does it read a tensor at one of these indices? */
function readsOver(expr: Expr, indices: ReadonlySet<string>): boolean {
  return postorder(expr).some(
    (e) =>
      e.kind === "read" && postorder(...e.indices).some((at) => at.kind === "index" && indices.has(at.name)),
  );
}
