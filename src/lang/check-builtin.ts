/** Calls of scalar functions, of conversions, and of the functions that only the compiler can provide. */
import { type Argument, argumentType, isRightCount } from "./check-call.ts";
import { elementwiseShape } from "./check-elementwise.ts";
import { briefly, describe, reportFunction } from "./check-expression.ts";
import { checkTree } from "./check-tree.ts";
import type { Inference } from "./inference.ts";
import type { Scope } from "./scope.ts";
import type { Expr } from "./syntax.ts";
import {
  type Element,
  type Elementwise,
  errorType,
  isFloatElement,
  isIntegerElement,
  isNumeric,
  scalarElement,
  scalarType,
  tensorType,
  type Type,
  withElement,
} from "./types.ts";
import {
  callableScalarFunction,
  type ScalarFunctionName,
  scalarFunctions,
  type TypeClass,
} from "../ir/scalar.ts";
import type { ScalarType } from "../ir/ir.ts";

export function checkBuiltinCall(
  cx: Inference,
  scope: Scope,
  name: string,
  args: readonly Argument[],
  at: Expr,
  expected: Type | null,
): Type {
  switch (name) {
    case "f32":
    case "f16":
    case "i32":
    case "u32":
    case "bool":
      return checkConversion(cx, scope, name, args, at);
    case "stop_gradient":
    case "zeros_like":
      return checkSameType(cx, scope, name, args, at, expected);
    case "rank":
      if (!isRightCount(cx, scope, args, 1, at, { help: "`rank(x)`: the number of axes of a tensor" }))
        return errorType;
      elementwiseArgument(cx, scope, args[0]!);
      return scalarType("i32");
    case "tree_map":
    case "tree_sum":
      return checkTree(cx, scope, name, args, at);
    default: {
      const fn = callableScalarFunction(name);
      return fn === null ? errorType : checkScalarFunction(cx, scope, fn, args, at, expected);
    }
  }
}

/** `stop_gradient(e)` and `zeros_like(e)`: any value, of whose type the result is. */
function checkSameType(
  cx: Inference,
  scope: Scope,
  name: string,
  args: readonly Argument[],
  at: Expr,
  expected: Type | null,
): Type {
  if (!isRightCount(cx, scope, args, 1, at, { help: `it takes one value: \`${name}(x)\`` })) return errorType;
  const arg = args[0]!;
  const type = cx.resolve(argumentType(cx, scope, arg, expected));
  return type.kind === "function" && arg.expr !== null ? reportFunction(cx, arg.expr, type.callable) : type;
}

/** The type of an argument that must be a scalar or a tensor; reports and gives null otherwise. */
function elementwiseArgument(cx: Inference, scope: Scope, arg: Argument): Elementwise | null {
  const type = cx.resolve(argumentType(cx, scope, arg, null));
  if (type.kind === "tensor" || type.kind === "leaf") return type;
  if (type.kind !== "error") {
    const tree = type.kind === "struct" || type.kind === "variable";
    cx.report("E0239", arg.span, `${describe(cx, type)} here`, {
      help: tree
        ? "for every tensor of a struct, write `tree_map(fn (x) -> …, p)`"
        : "a scalar or a tensor is expected",
    });
  }
  return null;
}

function checkConversion(
  cx: Inference,
  scope: Scope,
  name: ScalarType,
  args: readonly Argument[],
  at: Expr,
): Type {
  if (!isRightCount(cx, scope, args, 1, at, { help: `a conversion takes one value: \`${name}(x)\`` }))
    return errorType;
  const arg = args[0]!;
  const type = elementwiseArgument(cx, scope, arg);
  if (type === null) return errorType;
  // A literal is of the wanted type from the start: `u32(3528531795)` does not pass through i32.
  if (cx.element(type.element).kind === "literal" && name !== "bool")
    cx.attempt(type, withElement(type, scalarElement(name)));
  return withElement(type, scalarElement(name));
}

const classNames: Readonly<Record<TypeClass, string>> = {
  float: "a float",
  number: "a number",
  integer: "an integer",
  any: "a scalar",
  bool: "a boolean",
  u32: "a u32",
};

function fits(element: Element, wanted: TypeClass): boolean {
  switch (wanted) {
    case "float":
      return isFloatElement(element) || element.kind === "literal";
    case "number":
      return isNumeric(element);
    case "integer":
      return isIntegerElement(element) || element.kind === "literal";
    case "u32":
      return (element.kind === "scalar" && element.scalar === "u32") || element.kind === "literal";
    case "bool":
      return !isNumeric(element);
    case "any":
      return true;
  }
}

function checkScalarFunction(
  cx: Inference,
  scope: Scope,
  fn: ScalarFunctionName,
  args: readonly Argument[],
  at: Expr,
  expected: Type | null,
): Type {
  const entry = scalarFunctions[fn];
  const written = `${fn}(${["x", "y", "z"].slice(0, entry.params.length).join(", ")})`;
  if (!isRightCount(cx, scope, args, entry.params.length, at, { help: `\`${written}\`: ${entry.doc}` }))
    return errorType;
  const hint =
    expected !== null && entry.result === "same" && cx.resolve(expected).kind === "tensor" ? expected : null;
  const types: Elementwise[] = [];
  for (const arg of args) {
    argumentType(cx, scope, arg, hint);
    const type = elementwiseArgument(cx, scope, arg);
    if (type === null) return errorType;
    types.push(type);
  }
  for (const [i, wanted] of entry.params.entries()) {
    if (!fits(cx.element(types[i]!.element), wanted)) return reportClass(cx, fn, args[i]!, types[i]!, wanted);
  }
  const operands = types.map((type, i) => ({ type, expr: args[i]!.expr, span: args[i]!.span }));
  const shape = elementwiseShape(cx, operands, at.span, (texts) => `${fn}(${texts.join(", ")})`);
  const element = shape === null ? null : commonElement(cx, fn, types, args);
  if (shape === null || element === null) return errorType;
  return withElement(shape, entry.result === "bool" ? scalarElement("bool") : element);
}

function reportClass(
  cx: Inference,
  fn: ScalarFunctionName,
  arg: Argument,
  type: Elementwise,
  wanted: TypeClass,
): Type {
  const target = wanted === "float" ? "f32" : wanted === "u32" ? "u32" : wanted === "integer" ? "i32" : null;
  const { doc } = scalarFunctions[fn];
  return cx.report("E0413", arg.span, `${describe(cx, type)} here`, {
    notes: [`\`${fn}\` takes ${classNames[wanted]}`],
    help:
      target !== null && isNumeric(type.element)
        ? `convert it: \`${target}(${briefly(arg.span)})\``
        : `\`${fn}\`: ${doc}`,
  });
}

/** The element type that all arguments share, literals adapted. */
function commonElement(
  cx: Inference,
  fn: ScalarFunctionName,
  types: readonly Elementwise[],
  args: readonly Argument[],
): Element | null {
  const plain = (e: Element): Element => (e.kind === "idx" ? scalarElement("i32") : e);
  const wantsFloat = scalarFunctions[fn].params[0] === "float";
  const wantsU32 = scalarFunctions[fn].params[0] === "u32";
  let common = tensorType(plain(cx.element(types[0]!.element)));
  for (const [i, type] of types.entries()) {
    const own = tensorType(plain(cx.element(type.element)));
    if (!cx.attempt(own, common)) {
      cx.report("E0206", args[i]!.span, `${describe(cx, own)} here`, {
        secondary: [{ span: args[0]!.span, text: `${describe(cx, common)} here` }],
        help: `convert one of them, as in \`${isFloatElement(own.element) ? describe(cx, own) : "f32"}(${briefly(args[0]!.span)})\``,
      });
      return null;
    }
    common = tensorType(cx.element(common.element));
  }
  if (common.element.kind === "literal" && (wantsFloat || wantsU32))
    cx.attempt(common, scalarType(wantsFloat ? "f32" : "u32"));
  return cx.element(common.element);
}
