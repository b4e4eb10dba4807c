/** Reads: of tensors, with padding or without, and of lists. */
import { all as conjunction, apply, integer, select } from "../../ir/build.ts";
import { isWithin } from "../../ir/bounds.ts";
import type { ElementType, Expr } from "../../ir/ir.ts";
import { prove } from "../../ir/ranges.ts";
import { plainElement } from "./arithmetic.ts";
import { closureOf } from "./call.ts";
import { type Context, fail } from "./context.ts";
import { asOperand, elaborate, scalarOf } from "./expression.ts";
import type * as syntax from "../syntax.ts";
import type { Span } from "../source.ts";
import { contextAt } from "./site.ts";
import { scalar, type TensorValue, type Value } from "./value.ts";

/** `x[i, j]`, `x[i + 1 | 0.0]`, `xs[3]`; also `f[2, 2]` where a function is wanted. */
export function elaborateIndex(cx: Context, expr: Extract<syntax.Expr, { kind: "index" }>): Value {
  // `f[2, 2]` without its arguments: a function with its dimensions given, itself an argument.
  const closure = closureOf(cx, expr);
  if (closure !== null) return { kind: "function", closure };
  const target = elaborate(asOperand(cx), expr.target);
  if (target.kind === "list") return listElement(cx, expr, target.items);
  const tensor = target as TensorValue;
  const indices = expr.indices.map((e) => scalarOf(cx, e));
  const shape = tensor.shape.slice(indices.length);
  const plain = (rest: readonly Expr[]): Expr => located(cx, tensor.at([...indices, ...rest]), expr.span);
  if (expr.padding === null) return view(tensor.element, shape, plain);
  const context = contextAt(cx.site, indices);
  const inside = conjunction(
    indices.flatMap((e, axis) => {
      const size = tensor.shape[axis]!;
      if (isWithin(e, size, context)) return [];
      return [apply("ge", e, integer(0)), apply("lt", e, integer(size))].filter(
        (c) => prove(c, context) !== true,
      );
    }),
  );
  const padding = scalarOf(cx, expr.padding);
  return view(plainElement(tensor.element.scalar), shape, (rest) => select(inside, plain(rest), padding));
}

/** A tensor by its elements; a scalar's expression is made once. */
function view(element: ElementType, shape: readonly number[], at: TensorValue["at"]): TensorValue {
  return shape.length === 0 ? scalar(element, at([])) : { kind: "tensor", element, shape, at };
}

/** Remembers where a read was written. */
function located(cx: Context, expr: Expr, span: Span): Expr {
  if (expr.kind === "read") cx.builder.readSpans.set(expr, span);
  return expr;
}

function listElement(
  cx: Context,
  expr: Extract<syntax.Expr, { kind: "index" }>,
  items: readonly Value[],
): Value {
  const at = scalarOf(cx, expr.indices[0]!);
  const item = at.kind === "const" ? items[at.value] : undefined;
  return (
    item ??
    fail(
      "E0508",
      expr.indices[0]!.span,
      at.kind === "const" ? `element ${at.value}` : "not known when compiling",
      { notes: [`the list has ${items.length}`], help: "elements are numbered from 0" },
    )
  );
}
