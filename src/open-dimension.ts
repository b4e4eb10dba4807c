/**
 * Whether a function treats the rows of its batch each by itself, so that a smaller batch is the first rows of a larger one.
 *
 *     fn f(x: f32[b, n]) -> f32[b] = for i -> sum[k] x[i, k]           yes: row i of the result reads row i of x
 *     fn g(x: f32[b, n]) -> f32[n] = for k -> mean[i] x[i, k]          no: it reduces over the rows
 *
 * It is decided on the two graphs, as elaboration made them for the two sizes: they must be the same but for the size of first axes,
 * and every tensor with such an axis must be read at the row that is being computed.
 */
import type { Comprehension, Expr, Graph, Node, ValueName } from "./ir/ir.ts";
import { expressionsOf, postorder, valuesUsed } from "./ir/traverse.ts";

/** Are the results of `small` the first rows of those of `large`, where its arguments are the first rows of the other's? */
export function rowsAgree(large: Graph, small: Graph): boolean {
  const open = new Set<ValueName>();
  const sameTypes = large.params.length === small.params.length && large.nodes.length === small.nodes.length;
  if (!sameTypes || large.results.join() !== small.results.join()) return false;
  for (const [i, param] of large.params.entries()) {
    const other = small.params[i]!;
    const axes = axesAgree(param.shape, other.shape);
    const sameElement =
      param.element.scalar === other.element.scalar && param.element.bound === other.element.bound;
    if (param.name !== other.name || !sameElement || axes === "different") return false;
    if (axes === "rows") open.add(param.name);
  }
  return large.nodes.every((node, i) => nodesAgree(node, small.nodes[i]!, open));
}

/** Shapes are the same, or differ in the size of the first axis alone. */
function axesAgree(large: readonly number[], small: readonly number[]): "same" | "rows" | "different" {
  if (large.length !== small.length) return "different";
  const differing = large.flatMap((n, axis) => (n === small[axis] ? [] : [axis]));
  if (differing.length === 0) return "same";
  return differing.length === 1 && differing[0] === 0 ? "rows" : "different";
}

function nodesAgree(large: Node, small: Node, open: Set<ValueName>): boolean {
  switch (large.kind) {
    case "comprehension":
      return small.kind === "comprehension" && comprehensionsAgree(large, small, open);
    case "custom": {
      // Without derivatives its results are copies, and its rule is never used.
      if (small.kind !== "custom" || small.results.length !== large.results.length) return false;
      return large.results.every(({ name, value, shape }, i) => {
        const other = small.results[i]!;
        const axes = axesAgree(shape, other.shape);
        if (axes === "rows") open.add(name);
        return (
          name === other.name &&
          value === other.value &&
          axes !== "different" &&
          (axes === "rows") === open.has(value)
        );
      });
    }
    case "loop":
      // Rows inside of loops are not followed: a loop must have nothing to do with them.
      return (
        small.kind === "loop" &&
        JSON.stringify(large) === JSON.stringify(small) &&
        ![...valuesUsed(large)].some((name) => open.has(name))
      );
    case "vjp":
    case "jvp":
      return false;
  }
}

function comprehensionsAgree(large: Comprehension, small: Comprehension, open: Set<ValueName>): boolean {
  const sizes = (node: Comprehension): number[] => node.axes.map(({ size }) => size);
  const axes = axesAgree(sizes(large), sizes(small));
  if (axes === "different" || headOf(large) !== headOf(small)) return false;
  const [first] = large.axes;
  const isOpen =
    axes === "rows" && first !== undefined && !large.keys.some(({ axis }) => axis === first.name);
  if (axes === "rows" && !isOpen) return false;
  const [own, others] = [expressionsOf(large), expressionsOf(small)];
  if (textOf(own) !== textOf(others)) return false;
  const readsOwnRow = postorder(...own).every((expr) => {
    if (expr.kind !== "read" || !open.has(expr.tensor)) return true;
    const [row] = expr.indices;
    return isOpen && row?.kind === "index" && row.name === first.name;
  });
  if (isOpen) {
    open.add(large.name);
    if (large.reduction?.bestValue != null) open.add(large.reduction.bestValue);
  }
  return readsOwnRow;
}

/** All of a comprehension but its sizes and expressions. */
function headOf({ name, element, axes, reduction, keys }: Comprehension): string {
  return JSON.stringify([
    name,
    element,
    axes.map((axis) => axis.name),
    reduction === null ? null : [reduction.op, reduction.bestValue, reduction.axes.map((axis) => axis.name)],
    keys.map((key) => key.axis),
  ]);
}

/** A text that is the same for the same directed acyclic graph of expressions. */
function textOf(roots: readonly Expr[]): string {
  const order = postorder(...roots);
  const places = new Map(order.map((expr, place) => [expr, place]));
  const at = (exprs: readonly Expr[]): unknown[] => exprs.map((expr) => places.get(expr));
  const rows = order.map((expr) => {
    switch (expr.kind) {
      case "const":
        return ["const", expr.type, Object.is(expr.value, -0) ? "-0" : String(expr.value)];
      case "index":
        return ["index", expr.name];
      case "read":
        return ["read", expr.tensor, expr.element, at(expr.indices)];
      case "apply":
        return ["apply", expr.fn, expr.type, at(expr.args)];
      case "select":
        return ["select", at([expr.condition, expr.yes, expr.no])];
    }
  });
  return JSON.stringify([rows, at(roots)]);
}
