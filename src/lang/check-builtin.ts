/** Calls of scalar functions, of conversions, and of the functions over trees. */
import { applyCallable, type Argument, argumentType, callableOf, rightCount } from "./check-call.ts";
import { describe, hasFloats } from "./check-expression.ts";
import { elementwiseShape, withElement } from "./check-operator.ts";
import { diagnostic, type Inference } from "./inference.ts";
import type { Scope } from "./scope.ts";
import { textOf } from "./source.ts";
import type { Expr } from "./syntax.ts";
import { type Element, errorType, isFloatElement, isIntegerElement, isNumeric, isScalar, scalarElement, scalarType, type Type, tensorType } from "./types.ts";
import { callableScalarFunction, type ScalarFunctionName, scalarFunctions, type TypeClass } from "../ir/scalar.ts";
import type { ScalarType } from "../ir/ir.ts";

type Elementwise = Extract<Type, { kind: "tensor" | "leaf" }>;

export function checkBuiltinCall(cx: Inference, scope: Scope, name: string, args: readonly Argument[], at: Expr, expected: Type | null): Type {
  switch (name) {
    case "f32":
    case "f16":
    case "i32":
    case "u32":
    case "bool":
      return checkConversion(cx, scope, name, args, at);
    case "stop_gradient":
    case "zeros_like":
      if (!rightCount(cx, args, 1, at, null)) return errorType;
      return argumentType(cx, scope, args[0]!, expected);
    case "rank":
      if (!rightCount(cx, args, 1, at, null)) return errorType;
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

/** The type of an argument that must be a scalar or a tensor; reports and gives null otherwise. */
function elementwiseArgument(cx: Inference, scope: Scope, arg: Argument): Elementwise | null {
  const type = cx.resolve(argumentType(cx, scope, arg, null));
  if (type.kind === "tensor" || type.kind === "leaf") return type;
  if (type.kind !== "error") {
    const tree = type.kind === "struct" || type.kind === "variable";
    cx.report("E0239", arg.span, `${describe(cx, type)} here`, {
      help: tree ? "for every tensor of a struct, write `tree_map(fn (x) -> …, p)`" : "a scalar or a tensor is expected",
    });
  }
  return null;
}

function checkConversion(cx: Inference, scope: Scope, name: ScalarType, args: readonly Argument[], at: Expr): Type {
  if (!rightCount(cx, args, 1, at, null)) return errorType;
  const arg = args[0]!;
  const type = elementwiseArgument(cx, scope, arg);
  if (type === null) return errorType;
  // A literal is of the wanted type from the start: `u32(3528531795)` does not pass through i32.
  if (cx.element(type.element).kind === "literal" && name !== "bool") cx.attempt(type, withElement(type, scalarElement(name)));
  if (name === "u32" || name === "i32") reportLiteralOverflow(cx, name, arg);
  return withElement(type, scalarElement(name));
}

function reportLiteralOverflow(cx: Inference, name: "i32" | "u32", arg: Argument): void {
  const { expr } = arg;
  if (expr?.kind !== "number" || !expr.isInteger) return;
  const limit = name === "u32" ? 4294967295 : 2147483647;
  if (expr.value > limit) cx.report("E0228", arg.span, `at most ${limit} fits`, { help: name === "i32" ? "use `u32(…)` or a float" : "use a float" });
}

const classNames: Readonly<Record<TypeClass, string>> = {
  float: "a float", number: "a number", integer: "an integer", any: "a scalar", bool: "a boolean", u32: "a u32",
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

function checkScalarFunction(cx: Inference, scope: Scope, fn: ScalarFunctionName, args: readonly Argument[], at: Expr, expected: Type | null): Type {
  const entry = scalarFunctions[fn];
  if (!rightCount(cx, args, entry.params.length, at, null)) {
    for (const arg of args) argumentType(cx, scope, arg, null);
    return errorType;
  }
  const types: Elementwise[] = [];
  for (const arg of args) {
    const hint = expected === null || cx.resolve(expected).kind !== "tensor" ? null : expected;
    argumentType(cx, scope, arg, entry.result === "same" ? hint : null);
    const type = elementwiseArgument(cx, scope, arg);
    if (type === null) return errorType;
    types.push(type);
  }
  for (const [i, wanted] of entry.params.entries()) {
    if (!fits(cx.element(types[i]!.element), wanted)) return reportClass(cx, fn, args[i]!, types[i]!, wanted);
  }
  const shape = elementwiseShape(
    cx, types.map((type, i) => ({ type, span: args[i]!.span })), at.span, (operands) => `${fn}(${operands.join(", ")})`, args.flatMap((a) => (a.expr === null ? [] : [a.expr])),
  );
  if (shape === null) return errorType;
  const element = commonElement(cx, fn, types, args);
  if (element === null) return errorType;
  return withElement(shape, entry.result === "bool" ? scalarElement("bool") : element);
}

function reportClass(cx: Inference, fn: string, arg: Argument, type: Elementwise, wanted: TypeClass): Type {
  const convert = wanted === "float" && isIntegerElement(cx.element(type.element)) ? `convert it: \`f32(${textOf(arg.span)})\`` : null;
  return cx.report("E0413", arg.span, `${describe(cx, type)} here`, {
    notes: [`\`${fn}\` takes ${classNames[wanted]}`],
    help: convert ?? (wanted === "u32" ? `convert it: \`u32(${textOf(arg.span)})\`` : scalarFunctions[fn as ScalarFunctionName].doc),
  });
}

/** The element type that all arguments share, literals adapted. */
function commonElement(cx: Inference, fn: ScalarFunctionName, types: readonly Elementwise[], args: readonly Argument[]): Element | null {
  const plain = (e: Element): Element => (e.kind === "idx" ? scalarElement("i32") : e);
  const wantsFloat = scalarFunctions[fn].params[0] === "float";
  const wantsU32 = scalarFunctions[fn].params[0] === "u32";
  let common = tensorType(plain(cx.element(types[0]!.element)));
  for (const [i, type] of types.entries()) {
    const own = tensorType(plain(cx.element(type.element)));
    if (!cx.attempt(own, common) ) {
      cx.report("E0206", args[i]!.span, `${describe(cx, own)} here`, {
        secondary: [{ span: args[0]!.span, text: `${describe(cx, common)} here` }],
        help: "convert one of them: `f32(…)`, `i32(…)`",
      });
      return null;
    }
    common = tensorType(cx.element(common.element));
  }
  if (common.element.kind === "literal" && (wantsFloat || wantsU32)) cx.attempt(common, scalarType(wantsFloat ? "f32" : "u32"));
  return cx.element(common.element);
}

function checkTree(cx: Inference, scope: Scope, name: "tree_map" | "tree_sum", args: readonly Argument[], at: Expr): Type {
  const [fnArg, ...trees] = args;
  if (fnArg === undefined || trees.length === 0 || (name === "tree_sum" && trees.length !== 1)) {
    return cx.report("E0402", at.span, `${args.length} arguments`, { help: name === "tree_map" ? "`tree_map(fn (x, y) -> …, a, b)`" : "`tree_sum(fn (x) -> …, a)`" });
  }
  const callable = fnArg.expr === null ? null : callableOf(cx, scope, fnArg.expr);
  const fnType = callable === null ? cx.resolve(argumentType(cx, scope, fnArg, null)) : null;
  const fn = callable ?? (fnType?.kind === "function" ? fnType.callable : null);
  if (fn === null) return cx.report("E0414", fnArg.span, "not a function", { help: `\`${name}\` takes a function first: \`fn (x) -> …\`` });
  const first = cx.resolve(argumentType(cx, scope, trees[0]!, null));
  for (const tree of trees) {
    const type = cx.resolve(argumentType(cx, scope, tree, first));
    if (type.kind === "error") return errorType;
    if (type.kind === "function" || !hasFloats(cx, type)) return cx.report("E0234", tree.span, `${describe(cx, type)} here`, { help: "a tree is a struct, a list or a tuple of float tensors" });
    cx.agree(type, first, () =>
      diagnostic("E0234", tree.span, `${describe(cx, type)} here`, { secondary: [{ span: trees[0]!.span, text: `${describe(cx, first)} here` }], help: "all trees have one type" }),
    );
  }
  const leaf: Type = { kind: "leaf", element: scalarElement("f32"), tree: cx.freshTree() };
  const result = cx.resolve(applyCallable(cx, scope, fn, trees.map((t) => ({ span: t.span, expr: null, type: leaf })), at, null));
  if (result.kind === "error") return errorType;
  const plain = result.kind === "leaf" && result.tree === leaf.tree && isFloatElement(cx.element(result.element));
  const scalar = isScalar(result) && cx.attempt(result, scalarType("f32"));
  if (!plain && !scalar) {
    return cx.report("E0245", fnArg.span, `gives ${describe(cx, result)}`, { help: "for each tensor it gives a float tensor of the same shape, or a float" });
  }
  return name === "tree_sum" ? scalarType("f32") : first;
}
