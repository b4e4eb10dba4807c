/** What is read with brackets: elements and parts of tensors, padded or not, and elements of lists. */
import { axisName } from "./axis-name.ts";
import { checkBounds, soleVariable } from "./check-bounds.ts";
import { briefly, checkExpression, checkValue, describe, notesOn } from "./check-expression.ts";
import { typeOfIndex } from "./check-range.ts";
import { dimOfExpression } from "./dim-expression.ts";
import { alwaysNonNegative } from "./dim-comparison.ts";
import { type Dim, dimNumber, showDim, subDims } from "./dims.ts";
import { diagnostic, type Inference } from "./inference.ts";
import type { Evidence, IndexVariable, Scope } from "./scope.ts";
import { join, textOf } from "./source.ts";
import type { Expr } from "./syntax.ts";
import {
  errorType,
  isIntegerElement,
  isScalar,
  scalarElement,
  showElement,
  showType,
  tensorType,
  type TensorType,
  type Type,
} from "./types.ts";

type Read = Extract<Expr, { kind: "index" }>;

/** `target[indices | padding]`, where the target is a tensor or a list. */
export function checkIndex(cx: Inference, scope: Scope, expr: Read): Type {
  const target = cx.resolve(checkExpression(cx, scope, expr.target, null));
  if (target.kind === "tensor") return checkRead(cx, scope, expr, target);
  if (target.kind === "list") return checkListElement(cx, scope, expr, target);
  for (const index of expr.indices) checkExpression(cx, scope, index, null);
  switch (target.kind) {
    case "error":
      return errorType;
    case "leaf":
      return cx.report("E0235", expr.span, "the number of axes differs from tensor to tensor", {
        help: "inside `tree_map` and `tree_sum` use elementwise operations",
      });
    case "function":
      return cx.report("E0404", expr.span, "dimensions in brackets", {
        secondary: [{ span: expr.target.span, text: "takes none" }],
        help: `only functions declared with \`fn f[n](…)\` take dimensions; call it as \`${textOf(expr.target.span)}(…)\``,
      });
    case "tuple":
    case "struct":
    case "variable":
    case "unknown":
      return cx.report("E0213", expr.target.span, `${describe(cx, target)}, not a tensor`, {
        help: helpForPart(target, textOf(expr.target.span)),
      });
  }
}

function helpForPart(target: Type, text: string): string {
  if (target.kind === "tuple") return "take a tuple apart with `let (a, b) = …`";
  const field =
    target.kind === "struct"
      ? target.decl.fields.find((f) => f.type.kind === "tensor" || f.type.kind === "list")
      : undefined;
  return `name the field that is meant: \`${text}.${field?.name ?? "weight"}[i]\``;
}

function checkListElement(
  cx: Inference,
  scope: Scope,
  expr: Read,
  list: Extract<Type, { kind: "list" }>,
): Type {
  const [index] = expr.indices;
  const dim = index === undefined ? null : dimOfExpression(cx, scope, index);
  if (index === undefined || expr.indices.length !== 1 || dim === null) {
    const indices = index === undefined ? expr.span : join(index.span, expr.indices.at(-1)!.span);
    return cx.report(
      "E0227",
      indices,
      expr.indices.length > 1 ? "more than one index" : "known only when running",
      {
        secondary: [{ span: expr.target.span, text: describe(cx, list) }],
        help: "to go through the list, write `fold acc = start for p in list -> …`",
      },
    );
  }
  const length = cx.metas.resolve(list.length);
  const isNegative = alwaysNonNegative(subDims(dimNumber(-1), dim));
  if (isNegative || alwaysNonNegative(subDims(dim, length))) {
    cx.report("E0243", index.span, `there is no element ${showDim(dim)}`, {
      secondary: [{ span: expr.target.span, text: describe(cx, list) }],
      help: `elements are numbered from 0; the last one is ${showDim(subDims(length, dimNumber(1)))}`,
    });
  }
  return list.item;
}

function checkRead(cx: Inference, scope: Scope, expr: Read, target: TensorType): Type {
  const rank = target.shape.length;
  const extra = expr.indices[rank];
  if (extra !== undefined) {
    for (const index of expr.indices) checkExpression(cx, scope, index, null);
    return cx.report("E0208", extra.span, `index number ${rank + 1}`, {
      secondary: [{ span: expr.target.span, text: describe(cx, target) }],
      help:
        rank === 0
          ? "a scalar is used as it is, without brackets"
          : `it has ${rank === 1 ? "1 axis" : `${rank} axes`}`,
    });
  }
  for (const [axis, index] of expr.indices.entries()) checkOneIndex(cx, scope, expr, target, index, axis);
  if (expr.padding !== null) checkPadding(cx, scope, expr, target, expr.padding);
  return tensorType(target.element, target.shape.slice(expr.indices.length));
}

function checkPadding(cx: Inference, scope: Scope, expr: Read, target: TensorType, padding: Expr): void {
  const wanted = tensorType(target.element);
  const found = checkValue(cx, scope, padding, wanted);
  cx.agree(found, wanted, (mismatch) =>
    diagnostic("E0212", padding.span, `${describe(cx, found)} here`, {
      secondary: [
        { span: expr.target.span, text: `elements are ${showElement(cx.element(target.element))}` },
      ],
      notes: notesOn(mismatch),
      help: "the value behind `|` has the type of an element",
    }),
  );
}

function checkOneIndex(
  cx: Inference,
  scope: Scope,
  expr: Read,
  target: TensorType,
  index: Expr,
  axis: number,
): void {
  const variable = soleVariable(scope, index);
  if (variable !== null) {
    cx.types.set(index, typeOfIndex(variable));
    if (expr.padding !== null) return;
    if (variable.written) checkBounds(cx, scope, expr, target, index, axis);
    else observe(cx, expr, target, index, axis, variable);
    return;
  }
  const type = cx.resolve(checkValue(cx, scope, index, null));
  if (type.kind === "error") return;
  const element = isScalar(type) ? type.element : null;
  if (element?.kind === "literal") {
    const isWhole = cx.attempt(type, tensorType(scalarElement("i32")));
    if (!isWhole) return reportNoInteger(cx, index, "a number with a fraction");
  } else if (element === null || !isIntegerElement(element)) {
    return reportNoInteger(cx, index, describe(cx, type));
  }
  if (expr.padding !== null) return;
  if (element?.kind === "idx") requireAxis(cx, expr, target, index, axis, element.bound);
  else checkBounds(cx, scope, expr, target, index, axis);
}

function reportNoInteger(cx: Inference, index: Expr, found: string): void {
  const isFloat = found === "f32" || found === "f16";
  cx.report("E0209", index.span, `${found} here`, {
    help: isFloat
      ? `convert it: \`i32(${briefly(index.span)})\``
      : "an index is an index variable, an `idx`, or an `i32`",
  });
}

/** An `idx` indexes axes of its own bound only. */
function requireAxis(
  cx: Inference,
  expr: Read,
  target: TensorType,
  index: Expr,
  axis: number,
  bound: Dim,
): void {
  cx.agreeDims(bound, target.shape[axis]!, () => {
    const size = showDim(cx.metas.resolve(target.shape[axis]!));
    return diagnostic("E0211", index.span, `an idx[${showDim(cx.metas.resolve(bound))}]`, {
      secondary: [
        {
          span: expr.target.span,
          text: `${axisName(axis, target.shape.length)} has size ${size}: ${describe(cx, target)}`,
        },
      ],
      help: `an \`idx[n]\` indexes an axis of size n; if it may lie outside, read with padding: \`${textOf(expr.target.span)}[… | 0.0]\``,
    });
  });
}

/** An index variable that stands alone takes the axis's size as its range. */
function observe(
  cx: Inference,
  expr: Read,
  target: TensorType,
  index: Expr,
  axis: number,
  variable: IndexVariable,
): void {
  const dim = target.shape[axis]!;
  const evidence: Evidence = {
    span: index.span,
    dim,
    from: () => `${textOf(expr.target.span)}: ${showType(cx.settle(target))}`,
  };
  const first = variable.evidence[0];
  variable.evidence.push(evidence);
  cx.agreeDims(dim, variable.hi!, () => {
    const here = showDim(cx.metas.resolve(dim));
    const there = showDim(cx.metas.resolve(first === undefined ? variable.hi! : first.dim));
    return diagnostic(
      "E0203",
      first?.span ?? variable.binder.span,
      `${there} here${first === undefined ? "" : `, from ${first.from()}`}`,
      {
        secondary: [{ span: index.span, text: `${here} here, from ${evidence.from()}` }],
        notes: [
          `${variable.binder.name.text} ranges over ${there} and over ${here}, and nothing makes them equal`,
        ],
      },
    );
  });
}
