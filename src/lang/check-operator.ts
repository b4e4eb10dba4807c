/**
 * Operators: on scalars, on tensors of one shape, and on a scalar with a tensor. Nothing else spreads: for other shapes
 * the message shows the index form.
 */
import { elementwiseShape } from "./check-elementwise.ts";
import { briefly, checkExpression, checkValue, describe } from "./check-expression.ts";
import { dimOfExpression } from "./dim-expression.ts";
import type { Inference } from "./inference.ts";
import { lookup, type Scope } from "./scope.ts";
import { textOf } from "./source.ts";
import type { BinaryOp, Expr } from "./syntax.ts";
import { traitsOf } from "./type-traits.ts";
import {
  type Element,
  type Elementwise,
  errorType,
  isElementwise,
  isFloatElement,
  isIntegerElement,
  isNumeric,
  scalarElement,
  tensorType,
  type Type,
  withElement,
} from "./types.ts";

export function checkUnary(
  cx: Inference,
  scope: Scope,
  expr: Extract<Expr, { kind: "unary" }>,
  expected: Type | null,
): Type {
  const type = cx.resolve(checkValue(cx, scope, expr.operand, expected));
  if (type.kind === "error") return errorType;
  const wantsBool = expr.op === "not";
  if (!isElementwise(type) || isNumeric(type.element) === wantsBool) {
    return cx.report("E0205", expr.operand.span, `${describe(cx, type)} here`, {
      help: isElementwise(type)
        ? wantsBool
          ? "`not` takes a boolean; compare the number, as in `x == 0`"
          : "`-` takes a number; for the opposite of a boolean write `not`"
        : helpForOperand(type),
    });
  }
  const { element } = type;
  if (element.kind === "scalar" && element.scalar === "u32") {
    return cx.report("E0205", expr.operand.span, "u32 here", {
      help: "a `u32` has no negative; convert with `i32(…)`",
    });
  }
  const isWritten = expr.operand.kind === "number" || expr.operand.kind === "name";
  if (expr.op === "-" && element.kind === "literal" && isWritten) cx.literals.negate(element.id, expr.span);
  return withElement(type, element.kind === "idx" ? scalarElement("i32") : element);
}

type Binary = Extract<Expr, { kind: "binary" }>;

const logical: ReadonlySet<BinaryOp> = new Set(["and", "or"]);
const comparisons: ReadonlySet<BinaryOp> = new Set(["==", "!=", "<", "<=", ">", ">="]);

export function checkBinary(cx: Inference, scope: Scope, expr: Binary, expected: Type | null): Type {
  const hint = comparisons.has(expr.op) || logical.has(expr.op) ? null : expected;
  const left = cx.resolve(checkExpression(cx, scope, expr.left, hint));
  if (logical.has(expr.op)) cx.guarded++;
  const right = cx.resolve(checkExpression(cx, scope, expr.right, hint));
  if (logical.has(expr.op)) cx.guarded--;
  if (left.kind === "error" || right.kind === "error") return errorType;
  if (!isElementwise(left)) return reportOperand(cx, expr, left, expr.left);
  if (!isElementwise(right)) return reportOperand(cx, expr, right, expr.right);
  const operands = [
    { type: left, expr: expr.left, span: expr.left.span },
    { type: right, expr: expr.right, span: expr.right.span },
  ];
  const shape = elementwiseShape(cx, operands, expr.opSpan, ([a, b]) => `${a} ${expr.op} ${b}`);
  if (shape === null) return errorType;
  const element = joinElements(cx, scope, expr, left, right);
  return element === null ? errorType : withElement(shape, element);
}

function reportOperand(cx: Inference, expr: Binary, type: Type, operand: Expr): Type {
  if (traitsOf(type).hasError) return errorType;
  return cx.report("E0205", operand.span, `${describe(cx, type)} here`, {
    secondary: [{ span: expr.opSpan, text: `\`${expr.op}\` takes scalars and tensors` }],
    help: helpForOperand(type),
  });
}

function helpForOperand(type: Type): string {
  switch (type.kind) {
    case "struct":
    case "variable":
      return "for every tensor of a struct, write `tree_map(fn (a, b) -> …, x, y)`";
    case "function":
      return "call it first";
    case "tuple":
      return "take the tuple apart with `let (a, b) = …`";
    case "list":
      return "go through the list with `fold`";
    default:
      return "name the tensor that is meant";
  }
}

/** The element type of the result. */
function joinElements(
  cx: Inference,
  scope: Scope,
  expr: Binary,
  left: Elementwise,
  right: Elementwise,
): Element | null {
  const [a, b] = [cx.element(left.element), cx.element(right.element)];
  const mixed = (help: string): null => {
    cx.report("E0206", expr.opSpan, `\`${expr.op}\` needs two of one type`, {
      secondary: [
        { span: expr.left.span, text: describe(cx, tensorType(a)) },
        { span: expr.right.span, text: describe(cx, tensorType(b)) },
      ],
      help,
    });
    return null;
  };
  const bools = [a, b].filter((e) => !isNumeric(e)).length;
  if (logical.has(expr.op)) {
    if (bools === 2) return scalarElement("bool");
    return mixed(`\`${expr.op}\` takes booleans; compare the number: \`x != 0\``);
  }
  if (bools > 0) {
    if (bools === 2 && (expr.op === "==" || expr.op === "!=")) return scalarElement("bool");
    if (bools === 2 || !comparisons.has(expr.op))
      return mixed(
        `a boolean is no number: convert, as in ${convertedBool(cx, expr, a, b)}, or choose with \`if\``,
      );
    return mixed("a boolean is used as it is: `c`, or `not c`");
  }
  const joined = joinNumbers(cx, a, b);
  if (joined === null) return mixed(conversion(cx, expr, a, b));
  hintRange(scope, expr, a, b);
  if (comparisons.has(expr.op)) return scalarElement("bool");
  return checkArithmetic(cx, scope, expr, joined);
}

/** The type of a number made of two; an `idx` counts as `i32`. Null when they are of different types. */
function joinNumbers(cx: Inference, a: Element, b: Element): Element | null {
  const plain = (e: Element): Element => (e.kind === "idx" ? scalarElement("i32") : e);
  const [x, y] = [plain(a), plain(b)];
  if (x.kind === "scalar" && y.kind === "scalar") return x.scalar === y.scalar ? x : null;
  return cx.attempt(tensorType(x), tensorType(y)) ? cx.element(x) : null;
}

function convertedBool(cx: Inference, expr: Binary, a: Element, b: Element): string {
  const [bool, other] = isNumeric(a) ? [expr.right, a] : [expr.left, b];
  const target = isFloatElement(other)
    ? describe(cx, tensorType(other))
    : isIntegerElement(other)
      ? "i32"
      : "f32";
  return `\`${target}(${briefly(bool.span)})\``;
}

function conversion(cx: Inference, expr: Binary, a: Element, b: Element): string {
  const text = (e: Expr): string => briefly(e.span);
  if (isFloatElement(a) && isIntegerElement(b))
    return `convert: \`${describe(cx, tensorType(a))}(${text(expr.right)})\``;
  if (isFloatElement(b) && isIntegerElement(a))
    return `convert: \`${describe(cx, tensorType(b))}(${text(expr.left)})\``;
  if (isIntegerElement(a) && b.kind === "literal")
    return `an integer has no fraction: write a whole number, or convert \`f32(${text(expr.left)})\``;
  if (isIntegerElement(b) && a.kind === "literal")
    return `an integer has no fraction: write a whole number, or convert \`f32(${text(expr.right)})\``;
  return "convert one side: `f32(…)`, `i32(…)`";
}

/** `a[i] == j` says what `j` ranges over, if nothing else does. */
function hintRange(scope: Scope, expr: Binary, a: Element, b: Element): void {
  for (const [side, other, otherExpr] of [
    [expr.left, b, expr.right],
    [expr.right, a, expr.left],
  ] as const) {
    if (side.kind !== "name" || other.kind !== "idx") continue;
    const binding = lookup(scope, side.name);
    if (binding?.kind !== "index" || binding.variable.written) continue;
    binding.variable.hints.push({
      span: otherExpr.span,
      dim: other.bound,
      from: () => textOf(otherExpr.span),
    });
  }
}

function checkArithmetic(cx: Inference, scope: Scope, expr: Binary, element: Element): Element | null {
  const [left, right] = [briefly(expr.left.span), briefly(expr.right.span)];
  if (expr.op === "/" && !isFloatElement(element) && dimOfExpression(cx, scope, expr) === null) {
    // Of numbers whose type is still open a quotient is a fraction.
    if (cx.attempt(tensorType(element), tensorType(cx.literals.fresh(0, false, expr.span))))
      return cx.element(element);
    cx.report("E0226", expr.opSpan, "between integers", {
      secondary: [{ span: expr.left.span, text: "an integer" }],
      help: `\`//\` rounds down; for a fraction, convert: \`f32(${left}) / f32(${right})\``,
    });
    return null;
  }
  const isSmallPower = expr.right.kind === "number" && expr.right.value <= 32;
  if (expr.op === "^" && isIntegerElement(element) && !isSmallPower) {
    cx.report("E0229", expr.right.span, "not a small whole number", {
      secondary: [{ span: expr.left.span, text: "an integer" }],
      help: `the power of an integer is written out, as in \`${left} ^ 2\`; or convert: \`f32(${left}) ^ f32(${right})\``,
    });
    return null;
  }
  return element;
}
