/** The forms that introduce index variables: `for`, `let y[i, j] = …` and reductions. */
import { apply, constant, index, integer, select } from "../../ir/build.ts";
import {
  type Axis,
  bool,
  type ElementType,
  type Expr,
  i32,
  type ReduceOp,
  type ReductionAxis,
} from "../../ir/ir.ts";
import type { Interval } from "../../ir/intervals.ts";
import { rangeOf } from "../../ir/ranges.ts";
import { binaryExpr, elementwise, plainElement } from "./arithmetic.ts";
import { type Context, dimOf, fail, integerOf, withLocal } from "./context.ts";
import { asOperand, elaborate, scalarOf, tensorOf } from "./expression.ts";
import { freshAxes } from "./node.ts";
import type * as syntax from "../syntax.ts";
import type { Span } from "../source.ts";
import { contextAt, offset, type ScopeAxis, type Site } from "./site.ts";
import { mapLeaves, scalar, type TensorValue, type Value } from "./value.ts";

/** Enters the index variables of a `for`. Their values are `index + lo` with the index counting from 0. */
function enterAxes(
  cx: Context,
  binders: readonly syntax.Binder[],
): { readonly inner: Context; readonly axes: Axis[] } {
  const axes: Axis[] = [];
  for (const binder of binders) {
    const range = cx.frame.body.ranges.get(binder)!;
    const lo = integerOf(cx.frame, range.lo!, binder.span);
    const hi = dimOf(cx.frame, range.hi!, binder.span);
    const size = Math.max(0, hi - lo);
    const name = cx.builder.variable(cx.site, binder.name.text);
    axes.push({ name, size });
    const site: Site = { ...cx.site, axes: [...cx.site.axes, { name, lo: 0, hi: size, isLoop: false }] };
    const element: ElementType = { scalar: "i32", bound: hi };
    cx = withLocal({ ...cx, site }, binder.name.text, scalar(element, offset(index(name), lo)));
  }
  return { inner: cx, axes };
}

/** `for binders -> body`, `let y[binders] = body`. */
export function elaborateAxes(
  cx: Context,
  binders: readonly syntax.Binder[],
  body: syntax.Expr,
  span: Span,
): Value {
  const { inner, axes } = enterAxes(cx, binders);
  const value = elaborate(inner, body);
  return mapLeaves(value, (leaf) => {
    const own = freshAxes(inner, leaf.shape);
    const expr = leaf.at(own.map((a) => index(a.name)));
    // The index variables of the `for` are this node's own axes, so its site is the one outside.
    return cx.builder.emit(cx.site, {
      hint: cx.hint,
      element: leaf.element,
      axes: [...axes, ...own],
      reduction: null,
      body: expr,
      span,
    });
  });
}

/** A reduction: its variables are in scope of its body, and the result is a node. */
export function elaborateReduce(cx: Context, expr: Extract<syntax.Expr, { kind: "reduce" }>): Value {
  const { inner, reductionAxes, count } = enterReduction(cx, expr);
  const body = tensorOf(asOperand(inner), expr.body);
  const own = freshAxes(inner, body.shape);
  const value = body.at(own.map((a) => index(a.name)));
  const make = (op: ReduceOp, element: ElementType, e: Expr): TensorValue =>
    cx.builder.emit(cx.site, {
      hint: cx.hint,
      element,
      axes: own,
      reduction: { op, axes: reductionAxes, bestValue: null },
      body: e,
      span: expr.span,
    });
  const plain = plainElement(body.element.scalar);
  switch (expr.reducer) {
    case "mean": {
      const total = make("sum", plain, value);
      const n: Expr = { kind: "apply", fn: "cast", type: plain.scalar, args: [count] };
      const divisor = count.kind === "const" ? constant(count.value, plain.scalar) : n;
      return elementwise(plain, [total], ([x]) => apply("div", x!, divisor));
    }
    case "count":
      return make("sum", i32, select(value, integer(1), integer(0)));
    case "argmax":
    case "argmin": {
      const [axis] = reductionAxes;
      const last = boundRange(cx, axis!.hi)?.hi ?? 1;
      if (last <= 0)
        return fail("E0509", expr.span, `${axis!.name} has no values`, {
          help: "choose dimensions of at least 1",
        });
      return make(expr.reducer, { scalar: "i32", bound: last }, value);
    }
    case "any":
    case "all":
      return make(expr.reducer, bool, value);
    case "sum":
    case "prod":
    case "max":
    case "min":
      return make(expr.reducer, plain, value);
  }
}

/** Enters reduction variables, whose bounds may depend on indices around them. `count` is the number of points. */
function enterReduction(
  cx: Context,
  expr: Extract<syntax.Expr, { kind: "reduce" }>,
): { readonly inner: Context; readonly reductionAxes: ReductionAxis[]; readonly count: Expr } {
  const reductionAxes: ReductionAxis[] = [];
  let count: Expr = integer(1);
  for (const binder of expr.binders) {
    const { lo, hi } = boundsOf(cx, binder);
    const least = boundRange(cx, lo)?.lo ?? 0;
    const most = boundRange(cx, hi)?.hi ?? 0;
    if (!Number.isFinite(least) || !Number.isFinite(most)) {
      fail("E0503", binder.span, "nothing bounds this range", {
        help: "clamp the bounds to a dimension: `min(e, n)`, `max(e, 0)`",
      });
    }
    const name = cx.builder.variable(cx.site, binder.name.text);
    reductionAxes.push({ name, lo, hi });
    count = binaryExpr("*", count, binaryExpr("-", hi, lo));
    const axis: ScopeAxis = { name, lo: least, hi: Math.max(least, most), isLoop: false };
    const element: ElementType = { scalar: "i32", bound: least >= 0 ? most : null };
    cx = withLocal(
      { ...cx, site: { ...cx.site, axes: [...cx.site.axes, axis] } },
      binder.name.text,
      scalar(element, index(name)),
    );
  }
  return { inner: cx, reductionAxes, count };
}

/** The values of a reduction's bound; null if it depends on an index that has none. */
function boundRange(cx: Context, bound: Expr): Interval | null {
  const context = contextAt(cx.site, [bound]);
  return context.impossible ? null : rangeOf(bound, context);
}

function boundsOf(cx: Context, binder: syntax.Binder): { readonly lo: Expr; readonly hi: Expr } {
  const range = cx.frame.body.ranges.get(binder)!;
  const bound = (dim: typeof range.lo, written: syntax.Expr | null): Expr =>
    dim !== null ? integer(integerOf(cx.frame, dim, binder.span)) : scalarOf(cx, written!);
  return { lo: bound(range.lo, binder.from), hi: bound(range.hi, binder.to) };
}
