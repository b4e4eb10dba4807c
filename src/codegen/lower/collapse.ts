/**
 * Axes that a kernel only ever goes through together, and that lie one after the other in memory, as one axis:
 *
 *     %y = for c, i<14, j<14. max(%x[c, i, j], 0)     ⟶     %y = for c, i<196. max(%x[c, i], 0)
 *
 * So rows of fourteen are fours of a run of 196, and places take fewer divisions. The tensors are what they were: the kernel has a view of
 * them. It is what MLIR's linalg calls collapsing dimensions.
 */
import type { AxisOrder, Phase } from "../../fusion/plan.ts";
import { type Comprehension, type Expr, type ValueName, type ValueType } from "../../ir/ir.ts";
import { integer, read } from "../../ir/build.ts";
import { rewriteExpr } from "../../ir/substitute.ts";
import { type AxisPair, collapsiblePairs, type Pairs } from "./collapsible.ts";
import type { View } from "./view.ts";

/** A view of a group with axes collapsed, as far as they can be. */
export function collapseAxes(given: View): View {
  let view = given;
  for (;;) {
    const pairs = collapsiblePairs(view.group, view.types);
    if (pairs === null) return view;
    view = collapsed(view, pairs);
  }
}

/** The view with these pairs as one axis each, under the name of the first. */
function collapsed({ group, types }: View, pairs: Pairs): View {
  const views = new Map<ValueName, ValueType>(types);
  const orders = new Map(group.orders);
  for (const [value, dimensions] of pairs.values) {
    const type = types.get(value);
    const order = group.orders.get(value);
    if (type !== undefined) views.set(value, { ...type, shape: dimensions.reduceRight(joined, type.shape) });
    if (order !== undefined) orders.set(value, dimensions.reduceRight(withoutAxis, order));
  }
  const nodes = new Map<Comprehension, Comprehension>();
  const seen = (node: Comprehension): Comprehension => {
    let known = nodes.get(node);
    if (known === undefined) nodes.set(node, (known = collapsedNode(node, pairs)));
    return known;
  };
  const phases = group.phases.map((phase) => collapsedPhase(phase, pairs, seen));
  const inlined = new Map([...group.inlined].map(([name, node]) => [name, seen(node)]));
  return { group: { ...group, phases, inlined, orders }, types: views };
}

/** The sizes with those at a place and after it as one. */
function joined(sizes: readonly number[], at: number): readonly number[] {
  return [...sizes.slice(0, at), sizes[at]! * sizes[at + 1]!, ...sizes.slice(at + 2)];
}

/** The order without the axis after this one, whose elements follow it. */
function withoutAxis(order: AxisOrder, at: number): AxisOrder {
  return order.filter((axis) => axis !== at + 1).map((axis) => (axis > at ? axis - 1 : axis));
}

function collapsedNode(node: Comprehension, { nodes, values }: Pairs): Comprehension {
  const own = nodes.get(node) ?? [];
  const expression = (root: Expr): Expr =>
    rewriteExpr(root, (expr) => {
      const dimensions = expr.kind === "read" ? values.get(expr.tensor) : undefined;
      if (expr.kind !== "read" || dimensions === undefined) return expr;
      // The first one's variable goes through both.
      const indices = expr.indices.filter((_, at) => !dimensions.includes(at - 1));
      return read(expr.tensor, expr.element, indices);
    });
  const { reduction } = node;
  return {
    ...node,
    axes: together(node.axes, own, (first, { size }) => ({ ...first, size: first.size * size })),
    reduction: reduction && {
      ...reduction,
      axes: together(
        reduction.axes.map((axis) => ({ ...axis, lo: expression(axis.lo), hi: expression(axis.hi) })),
        own,
        (first, { hi }) => ({ ...first, hi: integer(bound(first.hi) * bound(hi)) }),
      ),
    },
    keys: node.keys.map((key) => ({ ...key, at: expression(key.at) })),
    body: expression(node.body),
  };
}

/** The axes with the pairs that are among them as one each. */
function together<A extends { readonly name: string }>(
  axes: readonly A[],
  pairs: readonly AxisPair[],
  join: (first: A, second: A) => A,
): readonly A[] {
  return axes.flatMap((axis, at) => {
    if (pairs.some(({ first, second }) => second === axis.name && axes[at - 1]?.name === first)) return [];
    const next = axes[at + 1];
    const isFirst = pairs.some(({ first, second }) => first === axis.name && second === next?.name);
    return [isFirst ? join(axis, next!) : axis];
  });
}

/** The bound of an axis that can be collapsed: it is a constant. */
function bound(expr: Expr): number {
  if (expr.kind !== "const") throw new Error("an axis whose bounds are no constants is not collapsed");
  return expr.value;
}

function collapsedPhase(phase: Phase, pairs: Pairs, seen: (node: Comprehension) => Comprehension): Phase {
  const gone = new Set(
    phase.nodes.flatMap((node, n) =>
      (pairs.nodes.get(node) ?? []).map(({ second }) => phase.axesOf[n]!.indexOf(second)),
    ),
  );
  gone.delete(-1);
  const kept = (_: unknown, at: number): boolean => !gone.has(at);
  return {
    ...phase,
    nodes: phase.nodes.map(seen),
    axes: phase.axes.map((size, at) => (gone.has(at + 1) ? size * phase.axes[at + 1]! : size)).filter(kept),
    axesOf: phase.axesOf.map((names) => names.filter(kept)),
  };
}
