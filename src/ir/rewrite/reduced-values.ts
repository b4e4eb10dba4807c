/**
 * Reductions over what another node has as its elements: they read them there.
 *
 *     %d: f32[n, r] = for n, r. %g[n, r] * exp(%x[n, r])
 *     %b: f32[r]    = for r. sum n. %g[n, r] * exp(%x[n, r])          becomes          for r. sum n. %d[n, r]
 *
 * So the gradient of a bias is the sum of the gradient that goes on to what it was added to. Whether the elements are stored, or computed
 * again in the sum after all, is for fusion to decide: both are now the same value.
 */
import { structuralKey } from "../affine.ts";
import { index, read } from "../build.ts";
import { costsAtLeast } from "../expression-cost.ts";
import type { Comprehension, Expr, Graph, Node } from "../ir.ts";
import { substituteIndices } from "../substitute.ts";
import { postorder } from "../traverse.ts";

/** What costs less, as a product of two numbers does, is not worth a read. */
const leastCost = 4;

export function readReducedValues(graph: Graph): Graph {
  const nodes = readIn(graph.nodes, new Map());
  return nodes.every((node, i) => node === graph.nodes[i]) ? graph : { ...graph, nodes };
}

/** Nodes without reduction by the key of their bodies, each with its axes in the order in which the body names them. */
type Known = ReadonlyMap<string, { readonly node: Comprehension; readonly order: readonly string[] }>;

function readIn(nodes: readonly Node[], outer: Known): Node[] {
  const known = new Map(outer);
  return nodes.map((node): Node => {
    if (node.kind === "loop") {
      const body = readIn(node.body, known);
      return body.every((inner, i) => inner === node.body[i]) ? node : { ...node, body };
    }
    if (node.kind !== "comprehension" || !costsAtLeast(node.body, leastCost)) return node;
    const { key, order } = bodyKey(node);
    if (node.reduction === null) {
      if (order.length === node.axes.length && !known.has(key)) known.set(key, { node, order });
      return node;
    }
    const same = known.get(key);
    return same === undefined ? node : reading(node, order, same.node, same.order);
  });
}

/** The reduction with a read of the source in place of its body; itself where its variables may leave the source's axes. */
function reading(
  node: Comprehension,
  order: readonly string[],
  source: Comprehension,
  sourceOrder: readonly string[],
): Comprehension {
  const variables = new Map(sourceOrder.map((axis, i) => [axis, order[i]!]));
  const isWithin = source.axes.every(({ name, size }) => {
    const variable = variables.get(name)!;
    const own = node.axes.find((axis) => axis.name === variable);
    if (own !== undefined) return own.size <= size;
    const turn = node.reduction!.axes.find((axis) => axis.name === variable);
    return (
      turn?.lo.kind === "const" && turn.hi.kind === "const" && turn.lo.value >= 0 && turn.hi.value <= size
    );
  });
  if (!isWithin) return node;
  return {
    ...node,
    body: read(
      source.name,
      source.element,
      source.axes.map(({ name }) => index(variables.get(name)!)),
    ),
  };
}

const keys = new WeakMap<Comprehension, { readonly key: string; readonly order: readonly string[] }>();

/** A text that two bodies share when they compute the same of their variables, and the variables in the order of that text. */
function bodyKey(node: Comprehension): { readonly key: string; readonly order: readonly string[] } {
  let known = keys.get(node);
  if (known === undefined) {
    const order = [...new Set(postorder(node.body).flatMap((e) => (e.kind === "index" ? [e.name] : [])))];
    const canonical = new Map(order.map((name, i): [string, Expr] => [name, index(`#${i}`)]));
    known = { key: structuralKey(substituteIndices(node.body, canonical)), order };
    keys.set(node, known);
  }
  return known;
}
