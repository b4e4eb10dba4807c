/**
 * Folds. One over a list, or of a few turns, is written out; a longer one becomes a loop whose carried tensors have, in
 * front, the index variables in scope that the fold depends on.
 */
import { index, integer, read } from "../../ir/build.ts";
import { type Carry, i32, type Node } from "../../ir/ir.ts";
import { type Context, dimOf, integerOf, withHint, withLocal } from "./context.ts";
import { bindPattern, elaborate } from "./expression.ts";
import { freshAxes, materialise } from "./node.ts";
import type * as syntax from "../syntax.ts";
import { offset, originOf } from "./site.ts";
import { indicesIn, postorder } from "../../ir/traverse.ts";
import { leaves, type ListValue, mapLeaves, scalar, type TensorValue, type Value } from "./value.ts";

/** A loop is written out when that makes at most this many nodes, and expressions of at most this many parts together. */
const mostUnrolledNodes = 64;
const mostUnrolledParts = 1000;
const mostUnrolledTurns = 256;

type CountedFold = Extract<syntax.Expr, { kind: "fold-count" }>;

export function elaborateFold(
  cx: Context,
  expr: Extract<syntax.Expr, { kind: "fold-list" | "fold-count" }>,
): Value {
  const hinted = expr.accumulator.kind === "name" ? withHint(cx, expr.accumulator.name.text) : cx;
  let value = materialise(hinted, elaborate(hinted, expr.init), expr.init.span);
  if (expr.kind === "fold-list") {
    const list = elaborate(cx, expr.list) as ListValue;
    for (const item of list.items) {
      value = elaborate(
        bindPattern(withLocal(hinted, expr.item.text, item), expr.accumulator, value, expr.span),
        expr.body,
      );
    }
    return materialise(hinted, value, expr.span);
  }
  const range = cx.frame.body.ranges.get(expr.binder)!;
  const from = integerOf(cx.frame, range.lo!, expr.binder.span);
  const count = Math.max(0, dimOf(cx.frame, range.hi!, expr.binder.span) - from);
  if (count > 1) {
    const probe = probeTurn(hinted, expr, value, from, count);
    const short =
      count <= mostUnrolledTurns &&
      count * probe.nodes.length <= mostUnrolledNodes &&
      count * probe.parts <= mostUnrolledParts;
    if (!short) return elaborateLoop(hinted, expr, value, from, count, probe.depends);
  }
  for (let t = 0; t < count; t++) value = turn(hinted, expr, value, scalar(i32, integer(from + t)));
  return value;
}

function turn(cx: Context, expr: CountedFold, value: Value, t: TensorValue): Value {
  const inner = bindPattern(withLocal(cx, expr.binder.name.text, t), expr.accumulator, value, expr.span);
  return materialise(cx, elaborate(inner, expr.body), expr.body.span);
}

/**
 * One turn with an accumulator that depends on nothing: which nodes it makes, how large the expressions are that it is itself,
 * and on which indices it depends itself.
 */
function probeTurn(
  cx: Context,
  expr: CountedFold,
  value: Value,
  from: number,
  count: number,
): { readonly nodes: readonly Node[]; readonly parts: number; readonly depends: ReadonlySet<string> } {
  const name = cx.builder.variable(cx.site, expr.binder.name.text);
  const inner = loopSite(cx, name, count);
  const before = cx.builder.diagnostics.length;
  const { result, nodes } = cx.builder.collect(() => {
    const carried = mapLeaves(value, (leaf) => {
      const param = cx.builder.fresh(cx.hint);
      cx.builder.define({ name: param, element: leaf.element, shape: leaf.shape });
      return { ...leaf, at: (indices) => read(param, leaf.element, indices) };
    });
    return turn(inner, expr, carried, scalar(i32, offset(index(name), from)));
  });
  cx.builder.diagnostics.length = before;
  const lifted = nodes.flatMap((n) => (n.kind === "comprehension" ? n.axes.map((a) => a.name) : []));
  const direct = leaves(result).map((leaf) => leaf.at(leaf.shape.map(() => integer(0))));
  return {
    nodes,
    parts: postorder(...direct).length,
    depends: new Set([...lifted, ...indicesIn(direct)]),
  };
}

function loopSite(cx: Context, name: string, count: number): Context {
  return { ...cx, site: { ...cx.site, axes: [...cx.site.axes, { name, lo: 0, hi: count, isLoop: true }] } };
}

function elaborateLoop(
  cx: Context,
  expr: CountedFold,
  value: Value,
  from: number,
  count: number,
  depends: ReadonlySet<string>,
): Value {
  const initial = leaves(value);
  const ownDependence = indicesIn(initial.map((leaf) => leaf.at(leaf.shape.map(() => integer(0)))));
  const lifted = cx.site.axes.filter((a) => !a.isLoop && (depends.has(a.name) || ownDependence.has(a.name)));
  // Only the lifted index variables are axes of what is carried; others must not slip in, nor with the conditions around.
  const isBound = (name: string): boolean =>
    cx.site.axes.some((a) => a.name === name && (a.isLoop || lifted.includes(a)));
  const site = {
    guards: cx.site.guards.filter((guard) => [...indicesIn([guard])].every(isBound)),
    axes: cx.site.axes.map((a) => (a.isLoop || lifted.includes(a) ? a : { ...a, isLoop: true })),
  };
  const outer: Context = { ...cx, site };
  const prefix = lifted.map((a) => offset(index(a.name), -a.lo));
  const inits = initial.map((leaf) => nodeName(outer, leaf, expr.init.span));
  const params = initial.map(() => cx.builder.fresh(`${cx.hint}.in`));
  const shapes = initial.map((leaf) => [...lifted.map((a) => a.hi - a.lo), ...leaf.shape]);
  initial.forEach((leaf, i) =>
    cx.builder.define({ name: params[i]!, element: leaf.element, shape: shapes[i]! }),
  );
  const name = cx.builder.variable(cx.site, expr.binder.name.text);
  const { result: nexts, nodes: body } = cx.builder.collect(() => {
    let i = 0;
    const carried = mapLeaves(value, (leaf) => {
      const param = params[i++]!;
      return { ...leaf, at: (indices) => read(param, leaf.element, [...prefix, ...indices]) };
    });
    const inner = loopSite(outer, name, count);
    const next = turn(inner, expr, carried, scalar(i32, offset(index(name), from)));
    return leaves(next).map((leaf) => nodeName(inner, leaf, expr.body.span));
  });
  const carries = initial.map((leaf, i): Carry => ({
    param: params[i]!,
    init: inits[i]!,
    next: nexts[i]!,
    result: cx.builder.fresh(cx.hint),
    element: leaf.element,
    shape: shapes[i]!,
  }));
  for (const c of carries) cx.builder.define({ name: c.result, element: c.element, shape: c.shape });
  cx.builder.push({
    kind: "loop",
    index: name,
    count,
    carries,
    stacks: [],
    body,
    origin: originOf(expr.span),
  });
  let i = 0;
  return mapLeaves(value, (leaf) => {
    const { result } = carries[i++]!;
    return { ...leaf, at: (indices) => read(result, leaf.element, [...prefix, ...indices]) };
  });
}

/** The name of a node that holds a tensor, lifted over all index variables in scope. */
export function nodeName(cx: Context, leaf: TensorValue, span: syntax.Expr["span"]): string {
  const axes = freshAxes(cx, leaf.shape);
  const body = leaf.at(axes.map((a) => index(a.name)));
  const made = cx.builder.emit(cx.site, {
    hint: cx.hint,
    element: leaf.element,
    axes,
    reduction: null,
    body,
    span,
    liftAll: true,
  });
  const probe = made.at(axes.map((a) => index(a.name)));
  if (probe.kind !== "read") throw new Error("a node is read by a read");
  return probe.tensor;
}
