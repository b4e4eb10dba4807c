/**
 * The types of expressions. Each rule is a function of one form; what is found is recorded in the `Inference`.
 *
 * `expected` is the type that the surroundings want, when they know: it gives index variables their range, and literals
 * and anonymous functions their type. It is a hint; whoever passes it still compares.
 */
import type { Callable } from "./callable.ts";
import { checkFor, checkReduce } from "./check-axes.ts";
import { checkBlock } from "./check-block.ts";
import { callableOf, checkCall } from "./check-call.ts";
import { checkFold } from "./check-fold.ts";
import { checkIf } from "./check-if.ts";
import { checkIndex } from "./check-index.ts";
import { checkName } from "./check-name.ts";
import { checkBinary, checkUnary } from "./check-operator.ts";
import { checkField, checkStructLiteral } from "./check-struct.ts";
import type { Label } from "./diagnostic.ts";
import { dimNumber, showDim } from "./dims.ts";
import { diagnostic, type Inference, type Mismatch } from "./inference.ts";
import { isOpen } from "./metas.ts";
import type { Scope } from "./scope.ts";
import { type Span, textOf } from "./source.ts";
import type { Expr } from "./syntax.ts";
import { errorType, scalarType, showType, type Type, tensorType } from "./types.ts";

export { isBuiltin } from "./check-name.ts";

/** A type for a message: `f32[n, d]`, or `a number` for a literal whose type is not known. */
export function describe(cx: Inference, type: Type): string {
  const known = cx.resolve(type);
  return showType(known.kind === "tensor" && known.shape.length > 0 ? cx.settle(known) : known);
}

/** How a value becomes one of the type that is wanted, when only the scalar types differ; null otherwise. */
export function conversionHelp(
  cx: Inference,
  expr: Expr | null,
  foundType: Type,
  wantedType: Type,
): string | null {
  const [found, wanted] = [cx.resolve(foundType), cx.resolve(wantedType)];
  if (expr === null || found.kind !== "tensor" || wanted.kind !== "tensor") return null;
  const target = cx.element(wanted.element);
  const from = cx.element(found.element);
  if (found.shape.length !== wanted.shape.length || target.kind !== "scalar" || target.scalar === "bool")
    return null;
  if (from.kind === "scalar" && from.scalar === target.scalar) return null;
  return `convert it: \`${target.scalar}(${briefly(expr.span)})\``;
}

/** The text of a span to be put between parentheses in a message; `…` when it is long. */
export function briefly(span: Span): string {
  const text = withoutParentheses(textOf(span));
  return text.length > 30 || text.includes("\n") ? "…" : text;
}

function withoutParentheses(text: string): string {
  if (!text.startsWith("(")) return text;
  let depth = 0;
  for (const [i, character] of [...text].entries()) {
    if (character === "(") depth++;
    if (character === ")") depth--;
    if (depth === 0) return i === text.length - 1 ? text.slice(1, -1) : text;
  }
  return text;
}

/** The notes that say which dimension it is that differs. */
export function notesOn(mismatch: Mismatch): string[] {
  switch (mismatch.kind) {
    case "dim":
      if (isOpen(mismatch.found) || isOpen(mismatch.expected)) {
        return [`nothing makes ${showDim(mismatch.expected)} equal to ${showDim(mismatch.found)}`];
      }
      return [`${showDim(mismatch.found)} is not ${showDim(mismatch.expected)}`];
    case "bound":
      if (mismatch.value < 0) return [`an \`idx[${showDim(mismatch.bound)}]\` is not negative`];
      return [`${mismatch.value} is not less than ${showDim(mismatch.bound)}`];
    case "type":
      return [];
  }
}

/** Finds and records the type of an expression. */
export function checkExpression(cx: Inference, scope: Scope, expr: Expr, expected: Type | null): Type {
  const type = typeOfForm(cx, scope, expr, expected);
  cx.types.set(expr, type);
  return type;
}

/** As `checkExpression`, where a function can't stand. */
export function checkValue(cx: Inference, scope: Scope, expr: Expr, expected: Type | null): Type {
  const type = checkExpression(cx, scope, expr, expected);
  if (type.kind !== "function") return type;
  const found = cx.resolve(type);
  return found.kind === "function" ? reportFunction(cx, expr, found.callable) : found;
}

/** A function stands where a value belongs. */
export function reportFunction(cx: Inference, expr: Expr, callable: Callable): Type {
  const help = {
    named: "call it, or give it to a function that takes one",
    builtin: "call it, or give it to a function that takes one",
    lambda: "call it, or give it to a function that takes one",
    declared: "call it, or give it to a function that takes one",
    derivative: "it waits for the function's arguments: `grad(f)(x, …)`",
    linear: "it waits for cotangents or tangents: `vjp(f)(x)(ct)`, `jvp(f)(x)(v)`",
  }[callable.kind];
  return cx.report("E0405", expr.span, "a function", { help });
}

function typeOfForm(cx: Inference, scope: Scope, expr: Expr, expected: Type | null): Type {
  switch (expr.kind) {
    case "number":
      return tensorType(cx.literals.fresh(expr.value, expr.isInteger, expr.span));
    case "bool":
      return scalarType("bool");
    case "name":
      return checkName(cx, scope, expr);
    case "block":
      return checkBlock(cx, scope, expr, expected);
    case "for":
      return checkFor(cx, scope, expr, expected);
    case "reduce":
      return checkReduce(cx, scope, expr, expected);
    case "if":
      return checkIf(cx, scope, expr, expected);
    case "fold-list":
    case "fold-count":
      return checkFold(cx, scope, expr, expected);
    case "unary":
      return checkUnary(cx, scope, expr, expected);
    case "binary":
      return checkBinary(cx, scope, expr, expected);
    case "index": {
      const callable = callableOf(cx, scope, expr);
      return callable === null ? checkIndex(cx, scope, expr) : { kind: "function", callable };
    }
    case "field":
      return checkField(cx, scope, expr);
    case "call":
      return checkCall(cx, scope, expr, expected);
    case "tuple":
      return checkTuple(cx, scope, expr, expected);
    case "struct":
      return checkStructLiteral(cx, scope, expr, expected);
    case "lambda":
      cx.lambdaScopes.set(expr, scope);
      return { kind: "function", callable: { kind: "lambda", expr, scope } };
    case "list":
      return checkList(cx, scope, expr, expected);
    case "error":
      return errorType;
  }
}

/** Checks an expression that must have a given type. */
export function checkAgainst(
  cx: Inference,
  scope: Scope,
  expr: Expr,
  expected: Type,
  what: string,
  origin: Label,
): void {
  const found = checkValue(cx, scope, expr, expected);
  cx.agree(found, expected, (mismatch) =>
    diagnostic("E0201", expr.span, `${describe(cx, found)} here`, {
      secondary: [origin],
      notes: [`${what}: ${describe(cx, expected)}`, ...notesOn(mismatch)],
    }),
  );
}

function checkTuple(
  cx: Inference,
  scope: Scope,
  expr: Extract<Expr, { kind: "tuple" }>,
  expected: Type | null,
): Type {
  const wanted = expected === null ? null : cx.resolve(expected);
  const items = wanted?.kind === "tuple" ? wanted.items : [];
  return { kind: "tuple", items: expr.items.map((item, i) => checkValue(cx, scope, item, items[i] ?? null)) };
}

function checkList(
  cx: Inference,
  scope: Scope,
  expr: Extract<Expr, { kind: "list" }>,
  expected: Type | null,
): Type {
  const wanted = expected === null ? null : cx.resolve(expected);
  let item: Type = wanted?.kind === "list" ? wanted.item : cx.freshType();
  const [first] = expr.items;
  for (const e of expr.items) {
    const found = checkValue(cx, scope, e, item);
    cx.agree(found, item, (mismatch) =>
      diagnostic("E0240", e.span, `${describe(cx, found)} here`, {
        secondary: e === first ? [] : [{ span: first!.span, text: `${describe(cx, item)} here` }],
        notes: e === first ? [`elements of type ${describe(cx, item)} are expected`] : notesOn(mismatch),
        help: "all elements of a list have one type",
      }),
    );
    item = cx.resolve(item);
  }
  return { kind: "list", item, length: dimNumber(expr.items.length) };
}
