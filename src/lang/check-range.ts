/** Index variables where they are introduced: ranges from written bounds, or unknown until use tells them. */
import { briefly, checkValue, describe } from "./check-expression.ts";
import { dimOfExpression } from "./dim-expression.ts";
import { alwaysNonNegative } from "./dim-comparison.ts";
import { type Dim, dimNumber, showDim, subDims } from "./dims.ts";
import type { Inference } from "./inference.ts";
import { isOpen } from "./metas.ts";
import { bind, type IndexVariable, type Scope } from "./scope.ts";
import { join, type Span } from "./source.ts";
import type { Binder, Expr } from "./syntax.ts";
import { isScalar, scalarElement, scalarType, tensorType, type Type } from "./types.ts";

/** Introduces index variables; bounds of later ones may use earlier ones. */
export function enterBinders(
  cx: Inference,
  scope: Scope,
  binders: readonly Binder[],
): { scope: Scope; variables: IndexVariable[] } {
  const variables: IndexVariable[] = [];
  const seen = new Map<string, Span>();
  let inner = scope;
  for (const binder of binders) {
    const { text, span } = binder.name;
    const before = seen.get(text);
    if (before !== undefined && !text.startsWith("_")) {
      cx.report("E0320", span, "again here", {
        secondary: [{ span: before, text: "first here" }],
        help: "give the second one another name",
      });
    }
    seen.set(text, span);
    const variable = enterBinder(cx, inner, binder);
    variables.push(variable);
    inner = bind(inner, text, { kind: "index", variable, span });
  }
  return { scope: inner, variables };
}

function enterBinder(cx: Inference, scope: Scope, binder: Binder): IndexVariable {
  const lo = binder.from === null ? dimNumber(0) : boundOf(cx, scope, binder.from);
  const hi = binder.to === null ? cx.metas.fresh() : boundOf(cx, scope, binder.to);
  const variable: IndexVariable = { binder, lo, hi, written: binder.to !== null, evidence: [], hints: [] };
  cx.indexVariables.push(variable);
  return variable;
}

/** A written bound as a dimension; null when its value is known only when running. */
function boundOf(cx: Inference, scope: Scope, expr: Expr): Dim | null {
  const dim = dimOfExpression(cx, scope, expr);
  if (dim !== null) return dim;
  const type = cx.resolve(checkValue(cx, scope, expr, scalarType("i32")));
  if (type.kind !== "error" && !(isScalar(type) && cx.attempt(type, scalarType("i32")))) {
    const isFloat = isScalar(type) && type.element.kind !== "idx";
    cx.report("E0230", expr.span, `${describe(cx, type)} here`, {
      help: isFloat ? `convert it: \`i32(${briefly(expr.span)})\`` : "a bound is a dimension or an `i32`",
    });
  }
  return null;
}

/** The type of an index variable as a value: an `idx` of its range, or an `i32` when the range is not a plain one. */
export function typeOfIndex(variable: IndexVariable): Type {
  const isPlain = variable.binder.from === null && variable.hi !== null;
  return tensorType(isPlain ? { kind: "idx", bound: variable.hi } : scalarElement("i32"));
}

/** The extent of an axis made by an index variable; reports and gives null when it depends on more than dimensions. */
export function extentOf(cx: Inference, variable: IndexVariable): Dim | null {
  if (variable.lo !== null && variable.hi !== null) return subDims(variable.hi, variable.lo);
  const { binder } = variable;
  const bounds = join(binder.from?.span ?? binder.to!.span, binder.to?.span ?? binder.from!.span);
  cx.report("E0242", bounds, "known only when running", {
    secondary: [{ span: binder.name.span, text: "an axis of a tensor" }],
    help: "only a reduction may have bounds that depend on values; guard the body with `if` instead",
  });
  return null;
}

/** A range that neither use nor expectation told: a comparison with an `idx` may; otherwise it is a mistake. */
export function settleRange(cx: Inference, variable: IndexVariable): void {
  const { hi, lo, binder } = variable;
  if (hi === null) return;
  const [hint] = variable.hints;
  if (!variable.written && isOpen(cx.metas.resolve(hi)) && hint !== undefined) cx.metas.unify(hi, hint.dim);
  if (isOpen(cx.metas.resolve(hi))) {
    if (cx.hasMistake()) return;
    const name = binder.name.text;
    cx.report("E0204", binder.span, `\`${name}\` never stands alone as an index`, {
      help: `write its range: \`${name}: n\``,
    });
  } else if (lo !== null && variable.written && alwaysNonNegative(subDims(subDims(lo, dimNumber(1)), hi))) {
    cx.report("E0246", binder.span, `from ${showDim(lo)} up to, not including, ${showDim(hi)}`, {
      help: "the upper bound is excluded, and not below the lower one",
    });
  }
}
