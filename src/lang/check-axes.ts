/** Forms over index variables: `for`, `let y[i] = …`, and reductions. */
import { checkValue, describe } from "./check-expression.ts";
import { enterBinders, extentOf } from "./check-range.ts";
import { alwaysNonNegative } from "./dim-comparison.ts";
import { type Dim } from "./dims.ts";
import { diagnostic, type Inference } from "./inference.ts";
import type { IndexVariable, Scope } from "./scope.ts";
import type { Binder, Expr, Reducer } from "./syntax.ts";
import {
  type Element,
  errorType,
  isIntegerElement,
  isNumeric,
  scalarElement,
  scalarType,
  tensorType,
  type TensorType,
  type Type,
} from "./types.ts";

export function checkFor(
  cx: Inference,
  scope: Scope,
  expr: Extract<Expr, { kind: "for" }>,
  expected: Type | null,
): Type {
  return checkAxes(cx, scope, expr.binders, expr.body, expected);
}

/** `for binders -> body`, and `let y[binders] = body`: the axes are put in front of the body's own. */
export function checkAxes(
  cx: Inference,
  scope: Scope,
  binders: readonly Binder[],
  body: Expr,
  expected: Type | null,
): Type {
  const entered = enterBinders(cx, scope, binders);
  const wanted = expected === null ? null : cx.resolve(expected);
  const inner =
    wanted?.kind === "tensor" && wanted.shape.length >= binders.length
      ? tensorType(wanted.element, wanted.shape.slice(binders.length))
      : null;
  const type = checkValue(cx, entered.scope, body, inner);
  if (wanted?.kind === "tensor" && inner !== null) useExpectedRanges(cx, entered.variables, wanted.shape);
  const extents: Dim[] = [];
  for (const variable of entered.variables) {
    const extent = extentOf(cx, variable);
    if (extent === null) return errorType;
    extents.push(extent);
  }
  return putAxesInFront(cx, extents, type, body);
}

/** An index variable whose range nothing has told yet takes it from the result that is expected. */
function useExpectedRanges(cx: Inference, variables: readonly IndexVariable[], shape: readonly Dim[]): void {
  for (const [i, variable] of variables.entries()) {
    if (!variable.written && variable.evidence.length === 0) cx.metas.unify(variable.hi!, shape[i]!);
  }
}

function putAxesInFront(cx: Inference, extents: readonly Dim[], type: Type, body: Expr): Type {
  const resolved = cx.resolve(type);
  switch (resolved.kind) {
    case "tensor":
      return tensorType(resolved.element, [...extents, ...resolved.shape]);
    case "tuple":
      return { kind: "tuple", items: resolved.items.map((item) => putAxesInFront(cx, extents, item, body)) };
    case "error":
      return errorType;
    default:
      return cx.report("E0238", body.span, `${describe(cx, resolved)} here`, {
        help: "a `for` collects scalars, tensors, or tuples of them; make one tensor for each field",
      });
  }
}

/** What each reduction takes. */
const reducedKinds: Readonly<Record<Reducer, "number" | "float" | "bool">> = {
  sum: "number",
  prod: "number",
  max: "number",
  min: "number",
  argmax: "number",
  argmin: "number",
  mean: "float",
  count: "bool",
  any: "bool",
  all: "bool",
};

type Reduce = Extract<Expr, { kind: "reduce" }>;

export function checkReduce(cx: Inference, scope: Scope, expr: Reduce, expected: Type | null): Type {
  const { reducer } = expr;
  const entered = enterBinders(cx, scope, expr.binders);
  const isPosition = reducer === "argmax" || reducer === "argmin";
  const hint = isPosition || reducedKinds[reducer] === "bool" ? null : expected;
  const type = cx.resolve(checkValue(cx, entered.scope, expr.body, hint));
  if (isPosition && expr.binders.length !== 1) {
    return cx.report("E0231", expr.head, `${expr.binders.length} indices`, {
      help: `flatten them into one, or take the \`${reducer.slice(3)}\` of the inner ones first`,
    });
  }
  if (type.kind === "error") return errorType;
  if (type.kind !== "tensor") {
    return cx.report("E0216", expr.body.span, `${describe(cx, type)} here`, {
      secondary: [{ span: expr.head, text: "reduces numbers" }],
      help:
        type.kind === "leaf"
          ? "`tree_sum` sums over all tensors of a tree"
          : "name the tensor that is to be reduced",
    });
  }
  if (!reduces(cx, expr, type)) return errorType;
  if (isPosition) return tensorType(positionElement(entered.variables[0]!), type.shape);
  if (reducer === "count") return tensorType(scalarElement("i32"), type.shape);
  const element = cx.element(type.element);
  return tensorType(element.kind === "idx" ? scalarElement("i32") : element, type.shape);
}

function positionElement({ lo, hi }: IndexVariable): Element {
  return hi !== null && lo !== null && alwaysNonNegative(lo)
    ? { kind: "idx", bound: hi }
    : scalarElement("i32");
}

/** Is the body of the kind that the reduction takes? Reports it if not. */
function reduces(cx: Inference, expr: Reduce, type: TensorType): boolean {
  const element = cx.element(type.element);
  const wanted = reducedKinds[expr.reducer];
  const refuse = (takes: string, help: string): false => {
    cx.report("E0216", expr.body.span, `${describe(cx, type)} here`, {
      secondary: [{ span: expr.head, text: takes }],
      help,
    });
    return false;
  };
  if (wanted === "bool") {
    return !isNumeric(element) || refuse("reduces booleans", "write a condition, such as `x[i] > 0.0`");
  }
  if (!isNumeric(element)) {
    const help =
      expr.reducer === "sum"
        ? "to count, write `count[…]`"
        : "booleans are reduced with `any`, `all` and `count`";
    return refuse("reduces numbers", help);
  }
  if (wanted === "float") {
    if (isIntegerElement(element)) return refuse("a mean is a float", "convert the body with `f32(…)`");
    if (element.kind === "literal") {
      cx.agree(tensorType(element), scalarType("f32"), () =>
        diagnostic("E0216", expr.body.span, "a number here"),
      );
    }
  }
  return true;
}
