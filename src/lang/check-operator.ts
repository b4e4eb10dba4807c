/**
 * Operators and elementwise functions: on scalars, on tensors of one shape, and on a scalar with a tensor. Nothing else
 * spreads: for other shapes the message shows the index form.
 */
import { checkExpression, describe } from "./check-expression.ts";
import { dimOfExpression } from "./dim-expression.ts";
import { showDim } from "./dims.ts";
import { diagnostic, type Inference } from "./inference.ts";
import { lookup, type Scope } from "./scope.ts";
import { textOf, type Span } from "./source.ts";
import type { BinaryOp, Expr } from "./syntax.ts";
import { type Element, errorType, isFloatElement, isIntegerElement, isNumeric, isScalar, scalarElement, type Type, tensorType } from "./types.ts";

type Elementwise = Extract<Type, { kind: "tensor" | "leaf" }>;

/** The same shape with other elements. */
export function withElement(type: Elementwise, element: Element): Type {
  return { ...type, element };
}

export function checkUnary(cx: Inference, scope: Scope, expr: Extract<Expr, { kind: "unary" }>, expected: Type | null): Type {
  const type = cx.resolve(checkExpression(cx, scope, expr.operand, expected));
  if (type.kind === "error") return errorType;
  const wantsBool = expr.op === "not";
  if (!isElementwise(type) || isNumeric(type.element) === wantsBool) {
    return cx.report("E0205", expr.operand.span, `${describe(cx, type)} here`, {
      help: wantsBool ? "`not` takes a boolean; compare the number: `x != 0`" : "`-` takes a number",
    });
  }
  const element = cx.element(type.element);
  if (element.kind === "scalar" && element.scalar === "u32") {
    return cx.report("E0205", expr.operand.span, "u32 here", { help: "a `u32` has no negative; convert with `i32(…)`" });
  }
  return withElement(type, element.kind === "idx" ? scalarElement("i32") : element);
}

function isElementwise(type: Type): type is Elementwise {
  return type.kind === "tensor" || type.kind === "leaf";
}

const logical: ReadonlySet<BinaryOp> = new Set(["and", "or"]);
const comparisons: ReadonlySet<BinaryOp> = new Set(["==", "!=", "<", "<=", ">", ">="]);

export function checkBinary(cx: Inference, scope: Scope, expr: Extract<Expr, { kind: "binary" }>, expected: Type | null): Type {
  const hint = comparisons.has(expr.op) || logical.has(expr.op) ? null : expected;
  const left = cx.resolve(checkExpression(cx, scope, expr.left, hint));
  if (expr.op === "and") cx.guarded++;
  const right = cx.resolve(checkExpression(cx, scope, expr.right, hint));
  if (expr.op === "and") cx.guarded--;
  if (left.kind === "error" || right.kind === "error") return errorType;
  if (!isElementwise(left) || !isElementwise(right)) return reportOperand(cx, expr, isElementwise(left) ? right : left, isElementwise(left) ? expr.right : expr.left);
  const shape = joinShapes(cx, left, right, expr);
  if (shape === null) return errorType;
  const element = joinElements(cx, scope, expr, left, right);
  return element === null ? errorType : withElement(shape, element);
}

function reportOperand(cx: Inference, expr: Extract<Expr, { kind: "binary" }>, type: Type, operand: Expr): Type {
  const structs = type.kind === "struct" || type.kind === "variable";
  return cx.report("E0205", operand.span, `${describe(cx, type)} here`, {
    secondary: [{ span: expr.opSpan, text: `\`${expr.op}\` takes scalars and tensors` }],
    help: structs ? "for every tensor of a struct, write `tree_map(fn (a, b) -> …, x, y)`" : type.kind === "function" ? "call it first" : "take it apart first",
  });
}

/** The shape of an elementwise result. */
function joinShapes(cx: Inference, left: Elementwise, right: Elementwise, expr: Extract<Expr, { kind: "binary" }>): Elementwise | null {
  return elementwiseShape(cx, [
    { type: left, span: expr.left.span },
    { type: right, span: expr.right.span },
  ], expr.opSpan, (names) => `${names[0]} ${expr.op} ${names[1]}`, [expr.left, expr.right]);
}

/** The common shape of several operands, where scalars spread; reports what does not fit and gives null. */
export function elementwiseShape(
  cx: Inference, operands: readonly { readonly type: Elementwise; readonly span: Span }[], at: Span, write: (operands: string[]) => string, exprs: readonly Expr[],
): Elementwise | null {
  const shaped = operands.filter((o) => !isScalar(o.type));
  const [first] = shaped;
  if (first === undefined) return operands[0]!.type;
  for (const other of shaped.slice(1)) {
    if (!sameShape(cx, first, other, at, write, exprs)) return null;
  }
  return first.type;
}

interface Operand {
  readonly type: Elementwise;
  readonly span: Span;
}

function sameShape(cx: Inference, first: Operand, other: Operand, at: Span, write: (operands: string[]) => string, exprs: readonly Expr[]): boolean {
  const [a, b] = [first.type, other.type];
  if (a.kind === "leaf" || b.kind === "leaf") {
    if (a.kind === "leaf" && b.kind === "leaf" && a.tree === b.tree) return true;
    cx.report("E0235", at, "one side's number of axes is not known", {
      secondary: [first, other].map((o) => ({ span: o.span, text: describe(cx, o.type) })),
      help: "inside `tree_map` and `tree_sum`, combine leaves with leaves and scalars",
    });
    return false;
  }
  if (a.shape.length !== b.shape.length) {
    cx.report("E0202", at, "no axes are added here", {
      secondary: [first, other].map((o) => ({ span: o.span, text: describe(cx, o.type) })),
      help: `write the indices: \`${indexForm(a.shape.length, b.shape.length, exprs, write)}\``,
    });
    return false;
  }
  return a.shape.every((dim, i) =>
    cx.agreeDims(dim, b.shape[i]!, () => {
      const [x, y] = [showDim(cx.metas.resolve(dim)), showDim(cx.metas.resolve(b.shape[i]!))];
      return diagnostic("E0203", first.span, `${x} here: ${describe(cx, a)}`, {
        secondary: [{ span: other.span, text: `${y} here: ${describe(cx, b)}` }],
        notes: [`axis ${i + 1} has ${x} on one side and ${y} on the other, and nothing makes them equal`],
      });
    }),
  );
}

/** `for i, j -> a[i, j] + b[j]`: the smaller operand's axes are taken to be the last ones. */
function indexForm(leftRank: number, rightRank: number, exprs: readonly Expr[], write: (operands: string[]) => string): string {
  const names = ["i", "j", "k", "l", "m", "n"].slice(0, Math.max(leftRank, rightRank));
  const ranks = [leftRank, rightRank];
  const operands = exprs.map((expr, i) => {
    const text = textOf(expr.span);
    const rank = ranks[i] ?? 0;
    const target = expr.kind === "name" || expr.kind === "field" ? text : `(${text})`;
    return rank === 0 ? text : `${target}[${names.slice(names.length - rank).join(", ")}]`;
  });
  return `for ${names.join(", ")} -> ${write(operands)}`;
}

/** The element type of the result. */
function joinElements(cx: Inference, scope: Scope, expr: Extract<Expr, { kind: "binary" }>, left: Elementwise, right: Elementwise): Element | null {
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
    if (bools === 2 || !comparisons.has(expr.op)) return mixed("booleans are no numbers: convert with `f32(…)`, or choose with `if`");
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

function conversion(cx: Inference, expr: Extract<Expr, { kind: "binary" }>, a: Element, b: Element): string {
  const text = (e: Expr): string => textOf(e.span);
  if (isFloatElement(a) && isIntegerElement(b)) return `convert: \`${describe(cx, tensorType(a))}(${text(expr.right)})\``;
  if (isFloatElement(b) && isIntegerElement(a)) return `convert: \`${describe(cx, tensorType(b))}(${text(expr.left)})\``;
  if (isIntegerElement(a) && b.kind === "literal") return `an integer has no fraction: write a whole number, or convert \`f32(${text(expr.left)})\``;
  if (isIntegerElement(b) && a.kind === "literal") return `an integer has no fraction: write a whole number, or convert \`f32(${text(expr.right)})\``;
  return "convert one side: `f32(…)`, `i32(…)`";
}

/** `a[i] == j` says what `j` ranges over, if nothing else does. */
function hintRange(scope: Scope, expr: Extract<Expr, { kind: "binary" }>, a: Element, b: Element): void {
  for (const [side, other, otherExpr] of [[expr.left, b, expr.right], [expr.right, a, expr.left]] as const) {
    if (side.kind !== "name" || other.kind !== "idx") continue;
    const binding = lookup(scope, side.name);
    if (binding?.kind !== "index" || binding.variable.written) continue;
    binding.variable.hints.push({ span: otherExpr.span, dim: other.bound, from: textOf(otherExpr.span) });
  }
}

function checkArithmetic(cx: Inference, scope: Scope, expr: Extract<Expr, { kind: "binary" }>, element: Element): Element | null {
  if (expr.op === "/" && isIntegerElement(element) && dimOfExpression(cx, scope, expr) === null) {
    cx.report("E0226", expr.opSpan, "between integers", {
      secondary: [{ span: expr.left.span, text: "an integer" }],
      help: `\`//\` rounds down; for a fraction, convert: \`f32(${textOf(expr.left.span)}) / f32(${textOf(expr.right.span)})\``,
    });
    return null;
  }
  if (expr.op === "^" && isIntegerElement(element) && !(expr.right.kind === "number" && expr.right.value <= 32)) {
    cx.report("E0229", expr.right.span, "not a small whole number", {
      secondary: [{ span: expr.left.span, text: "an integer" }],
      help: "the power of an integer is written out: `x ^ 2`; or convert both sides to `f32`",
    });
    return null;
  }
  return element;
}
