/** `if`, and the type in which its two sides meet. */
import { briefly, checkValue, conversionHelp, describe, notesOn } from "./check-expression.ts";
import { compareDims } from "./dim-comparison.ts";
import { diagnostic, type Inference } from "./inference.ts";
import type { Scope } from "./scope.ts";
import type { Expr } from "./syntax.ts";
import { type Element, isNumeric, isScalar, scalarElement, scalarType, type Type } from "./types.ts";

type If = Extract<Expr, { kind: "if" }>;

export function checkIf(cx: Inference, scope: Scope, expr: If, expected: Type | null): Type {
  const condition = cx.resolve(checkValue(cx, scope, expr.condition, scalarType("bool")));
  if (condition.kind !== "error" && !(isScalar(condition) && !isNumeric(cx.element(condition.element)))) {
    const isTensor = condition.kind === "tensor" && condition.shape.length > 0;
    cx.report("E0207", expr.condition.span, `${describe(cx, condition)} here`, {
      help: isTensor
        ? "choose element by element: `for i -> if c[i] then … else …`"
        : `compare it, as in \`${briefly(expr.condition.span)} != 0\``,
    });
  }
  cx.guarded++;
  const yes = checkValue(cx, scope, expr.yes, expected);
  const no = checkValue(cx, scope, expr.no, expected ?? yes);
  cx.guarded--;
  return joinSides(cx, yes, no, expr);
}

/** The common type of two sides: an `idx` meets an `i32`, or an `idx` of another bound, in `i32`. */
function joinSides(cx: Inference, yes: Type, no: Type, expr: If): Type {
  const [a, b] = [widened(cx.resolve(yes), cx.resolve(no)), widened(cx.resolve(no), cx.resolve(yes))];
  cx.agree(b, a, (mismatch) =>
    diagnostic("E0217", expr.no.span, `${describe(cx, no)} here`, {
      secondary: [{ span: expr.yes.span, text: `${describe(cx, yes)} here` }],
      notes: notesOn(mismatch),
      help: conversionHelp(cx, expr.no, no, yes) ?? "both sides of an `if` have one type",
    }),
  );
  return a;
}

/** An `idx` beside other integers is an `i32`, in tuples too. */
function widened(type: Type, other: Type): Type {
  if (type.kind === "tuple" && other.kind === "tuple" && type.items.length === other.items.length) {
    return { kind: "tuple", items: type.items.map((t, i) => widened(t, other.items[i]!)) };
  }
  if (type.kind !== "tensor" || other.kind !== "tensor" || type.element.kind !== "idx") return type;
  return isOfBound(other.element, type.element) ? type : { ...type, element: scalarElement("i32") };
}

function isOfBound(element: Element, idx: Extract<Element, { kind: "idx" }>): boolean {
  return element.kind === "idx" && compareDims(element.bound, idx.bound) !== "different";
}
