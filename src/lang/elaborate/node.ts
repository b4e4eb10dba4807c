/** Nodes for tensors: what is bound to a name, or used by another node as a whole, is computed once. */
import { index } from "../../ir/build.ts";
import type { Axis } from "../../ir/ir.ts";
import type { Context } from "./context.ts";
import type { Span } from "../source.ts";
import { mapLeaves, type TensorValue, type Value } from "./value.ts";

/** The same value with every tensor that is not a scalar a node (or a view of one). */
export function materialise(cx: Context, value: Value, span: Span): Value {
  return mapLeaves(value, (leaf) => (leaf.shape.length === 0 ? leaf : tensorNode(cx, leaf, span)));
}

/** A node for a tensor, unless it is one already. */
export function tensorNode(
  cx: Context,
  leaf: TensorValue,
  span: Span,
  force: { readonly liftAll?: boolean; readonly keep?: boolean } = {},
): TensorValue {
  const axes = freshAxes(cx, leaf.shape);
  const body = leaf.at(axes.map((a) => index(a.name)));
  return cx.builder.emit(cx.site, {
    hint: cx.hint,
    element: leaf.element,
    axes,
    reduction: null,
    body,
    span,
    ...force,
  });
}

const axisNames = ["i", "j", "k", "l", "m", "n", "p", "q"];

/** Axes with names that are free at the site. */
export function freshAxes(cx: Context, shape: readonly number[], taken: Iterable<string> = []): Axis[] {
  const used = new Set(taken);
  return shape.map((size, i) => {
    const name = cx.builder.variable(cx.site, axisNames[i] ?? "i", used);
    used.add(name);
    return { name, size };
  });
}
