/** Calls: what is called, and whether the arguments fit. */
import { type Callable, type DerivativeOperator } from "./callable.ts";
import { checkBuiltinCall } from "./check-builtin.ts";
import { applyDerivative } from "./check-derivative.ts";
import { checkExpression, describe, isBuiltin, reportUnknownName } from "./check-expression.ts";
import { bodyOf } from "./check-function.ts";
import { dimOfExpression } from "./dim-expression.ts";
import { type Dim, showDim } from "./dims.ts";
import { diagnostic, type Inference } from "./inference.ts";
import { instantiate } from "./instantiate.ts";
import type { FunctionInfo } from "./program.ts";
import { bind, lookup, type Scope } from "./scope.ts";
import type { Span } from "./source.ts";
import type { Expr } from "./syntax.ts";
import { errorType, isScalar, showType, type Type } from "./types.ts";

const derivatives: ReadonlySet<string> = new Set(["grad", "value_and_grad", "vjp", "jvp"]);

/** An argument: an expression still to be checked (then what is expected guides it), or only its type. */
export interface Argument {
  readonly span: Span;
  readonly expr: Expr | null;
  readonly type: Type | null;
}

/** The function that an expression stands for; null when it is not a function (nothing is reported then). */
export function callableOf(cx: Inference, scope: Scope, expr: Expr): Callable | null {
  const known = cx.callables.get(expr);
  if (known !== undefined) return known;
  const callable = resolveCallable(cx, scope, expr);
  if (callable !== null) cx.callables.set(expr, callable);
  return callable;
}

function resolveCallable(cx: Inference, scope: Scope, expr: Expr): Callable | null {
  if (expr.kind === "lambda") return { kind: "lambda", expr, scope };
  if (expr.kind === "name") {
    const binding = lookup(scope, expr.name);
    if (binding !== null) {
      if (binding.kind === "callable") return binding.callable;
      const type = binding.kind === "value" ? cx.resolve(binding.type) : null;
      return type?.kind === "function" ? type.callable : null;
    }
    const top = cx.module.names.get(expr.name);
    if (top?.kind === "function") return { kind: "named", info: top, dims: null, reference: expr };
    return top === undefined && isBuiltin(expr.name) ? { kind: "builtin", name: expr.name } : null;
  }
  if (expr.kind === "index" && expr.target.kind === "name" && lookup(scope, expr.target.name) === null) {
    const top = cx.module.names.get(expr.target.name);
    return top?.kind === "function" ? { kind: "named", info: top, dims: expr.indices, reference: expr } : null;
  }
  return null;
}

export function checkCall(cx: Inference, scope: Scope, expr: Extract<Expr, { kind: "call" }>, expected: Type | null): Type {
  const args: Argument[] = expr.args.map((e) => ({ span: e.span, expr: e, type: null }));
  const callable = calleeOf(cx, scope, expr.callee);
  if (callable === null) {
    for (const arg of expr.args) checkExpression(cx, scope, arg, null);
    return errorType;
  }
  if (callable.kind === "builtin" && derivatives.has(callable.name)) return checkDerivativeOperator(cx, scope, expr, callable.name as DerivativeOperator);
  return applyCallable(cx, scope, callable, args, expr, expected);
}

/** The function in a call's callee; reports and gives null when there is none. */
function calleeOf(cx: Inference, scope: Scope, callee: Expr): Callable | null {
  const callable = callableOf(cx, scope, callee);
  if (callable !== null) return callable;
  if (callee.kind === "name" && lookup(scope, callee.name) === null && cx.module.names.get(callee.name) === undefined) {
    reportUnknownName(cx, scope, callee.name, callee.span);
    return null;
  }
  const type = cx.resolve(checkExpression(cx, scope, callee, null));
  if (type.kind === "function") return type.callable;
  if (type.kind !== "error") {
    const help = type.kind === "tensor" && type.shape.length > 0 ? "an element is read with brackets: `x[i]`" : "an operator is missing, or this is not the name that was meant";
    cx.report("E0401", callee.span, `${describe(cx, type)}, not a function`, { help });
  }
  return null;
}

/** `grad(f)`: an expression whose value is a function. */
function checkDerivativeOperator(cx: Inference, scope: Scope, expr: Extract<Expr, { kind: "call" }>, operator: DerivativeOperator): Type {
  const [argument] = expr.args;
  if (argument === undefined || expr.args.length !== 1) {
    for (const arg of expr.args) checkExpression(cx, scope, arg, null);
    return cx.report("E0402", expr.span, `${expr.args.length} arguments`, { help: `\`${operator}\` takes one function: \`${operator}(f)(x, …)\`` });
  }
  const type = cx.resolve(checkExpression(cx, scope, argument, null));
  if (type.kind === "error") return errorType;
  if (type.kind !== "function") {
    return cx.report("E0414", argument.span, `${describe(cx, type)}, not a function`, { help: `name the function, then its arguments: \`${operator}(f)(x, …)\`` });
  }
  return { kind: "function", callable: { kind: "derivative", operator, of: type.callable } };
}

/** Checks arguments against a callable and gives the type of the result. `at` is the call. */
export function applyCallable(cx: Inference, scope: Scope, callable: Callable, args: readonly Argument[], at: Expr, expected: Type | null): Type {
  switch (callable.kind) {
    case "named":
      return applyNamed(cx, scope, callable, args, at);
    case "lambda":
      return applyLambda(cx, scope, callable, args, at);
    case "declared":
    case "linear":
      if (!rightCount(cx, args, callable.params.length, at, null)) return errorType;
      for (const [i, arg] of args.entries()) fitArgument(cx, scope, arg, callable.params[i]!, null);
      return callable.result;
    case "derivative":
      return applyDerivative(cx, scope, callable, args, at);
    case "builtin":
      return checkBuiltinCall(cx, scope, callable.name, args, at, expected);
  }
}

/** The type of an argument, found at its first use. */
export function argumentType(cx: Inference, scope: Scope, arg: Argument, expected: Type | null): Type {
  if (arg.type !== null) return arg.type;
  return cx.types.get(arg.expr!) ?? checkExpression(cx, scope, arg.expr!, expected);
}

/** Reports a wrong number of arguments. */
export function rightCount(cx: Inference, args: readonly Argument[], wanted: number, at: Expr, declared: { readonly span: Span; readonly text: string } | null): boolean {
  if (args.length === wanted) return true;
  const span = args[wanted]?.span ?? at.span;
  cx.report("E0402", span, args.length > wanted ? "too many" : `${args.length} given`, {
    message: `${wanted} ${wanted === 1 ? "argument is" : "arguments are"} expected, ${args.length} given`,
    secondary: declared === null ? [] : [declared],
  });
  return false;
}

function fitArgument(cx: Inference, scope: Scope, arg: Argument, wanted: Type, param: { readonly name: string; readonly span: Span; readonly type: Type } | null): void {
  if (wanted.kind === "function" && wanted.callable.kind === "declared") return fitFunction(cx, scope, arg, wanted.callable, param);
  const found = argumentType(cx, scope, arg, wanted);
  cx.agree(found, wanted, (m) =>
    diagnostic("E0403", arg.span, `${describe(cx, found)} here`, {
      secondary: param === null ? [] : [{ span: param.span, text: `${param.name}: ${showType(param.type)} is expected` }],
      notes: m.kind === "dim" ? [`${showDim(m.found)} is not ${showDim(m.expected)}`] : param === null ? [`${describe(cx, wanted)} is expected`] : [],
      help: loopHelp(cx, found, wanted),
    }),
  );
}

/** A function as an argument is applied to what its parameter's type promises. */
function fitFunction(
  cx: Inference, scope: Scope, arg: Argument, wanted: Extract<Callable, { kind: "declared" }>, param: { readonly name: string; readonly span: Span; readonly type: Type } | null,
): void {
  const given = cx.resolve(argumentType(cx, scope, arg, null));
  const expected = showType({ kind: "function", callable: wanted });
  const secondary = param === null ? [] : [{ span: param.span, text: `${param.name}: ${showType(param.type)} is expected` }];
  if (given.kind !== "function") {
    if (given.kind !== "error") cx.report("E0403", arg.span, `${describe(cx, given)} here`, { secondary, help: "give a function's name, or `fn (x) -> …`" });
    return;
  }
  const args = wanted.params.map((type): Argument => ({ span: arg.span, expr: null, type }));
  const result = applyCallable(cx, scope, given.callable, args, arg.expr!, wanted.result);
  cx.agree(result, wanted.result, () => diagnostic("E0403", arg.span, `gives ${describe(cx, result)}`, { secondary, notes: [`${expected} is expected`] }));
}

/** A batch given to a function of one example is the most common slip. */
function loopHelp(cx: Inference, found: Type, wanted: Type): string | null {
  const [f, w] = [cx.resolve(found), cx.resolve(wanted)];
  if (f.kind === "tensor" && w.kind === "tensor" && f.shape.length > w.shape.length) {
    const names = ["i", "j", "k"].slice(0, f.shape.length - w.shape.length);
    return `call it for each: \`for ${names.join(", ")} -> f(x[${names.join(", ")}])\``;
  }
  return null;
}

function applyNamed(cx: Inference, scope: Scope, callable: Extract<Callable, { kind: "named" }>, args: readonly Argument[], at: Expr): Type {
  const { info } = callable;
  const declared = { span: info.span, text: `${info.name} takes ${info.params.map((p) => p.name).join(", ") || "no arguments"}` };
  if (!rightCount(cx, args, info.params.length, at, declared)) {
    for (const arg of args) argumentType(cx, scope, arg, null);
    return errorType;
  }
  if (spreads(cx, scope, info, args)) return applySpread(cx, scope, callable, args, at);
  const dims = new Map([...info.dims.keys()].map((name) => [name, cx.metas.fresh()]));
  const types = new Map(info.types.map((name): [string, Type] => [name, cx.freshType()]));
  if (!giveDims(cx, scope, callable, dims)) return errorType;
  cx.instances.set(callable.reference, { dims, types });
  bodyOf(cx, info, callable.reference.span);
  const result = instantiate(info.result ?? errorType, dims, types);
  for (const [i, arg] of args.entries()) {
    const param = info.params[i]!;
    fitArgument(cx, scope, arg, instantiate(param.type, dims, types), param);
  }
  return result;
}

/** Binds the dimensions given in brackets. */
function giveDims(cx: Inference, scope: Scope, callable: Extract<Callable, { kind: "named" }>, dims: Map<string, Dim>): boolean {
  const { info } = callable;
  const given = callable.dims ?? [];
  if (given.length !== info.givenDims.length) {
    const list = info.givenDims.join(", ");
    cx.report("E0404", callable.reference.span, given.length === 0 ? "no dimensions in brackets" : `${given.length} in brackets`, {
      secondary: [{ span: info.span, text: info.givenDims.length === 0 ? "takes none" : `takes [${list}]` }],
      help: info.givenDims.length === 0 ? `call it as \`${info.name}(…)\`` : `call it as \`${info.name}[${list}](…)\``,
    });
    return false;
  }
  for (const [i, expr] of given.entries()) {
    const dim = dimOfExpression(cx, scope, expr);
    if (dim === null) {
      cx.report("E0415", expr.span, "not a dimension", { help: "only numbers, constants and dimensions are known when compiling" });
      return false;
    }
    cx.metas.unify(dims.get(info.givenDims[i]!)!, dim);
  }
  return true;
}

/** A function of scalars in the prelude (`gelu`, `relu`, …) works elementwise on tensors, as the built-in ones do. */
function spreads(cx: Inference, scope: Scope, info: FunctionInfo, args: readonly Argument[]): boolean {
  if (!info.module.file.name.endsWith("std/prelude.fec") || !info.params.every((p) => isScalar(p.type))) return false;
  return args.some((arg) => {
    const type = cx.resolve(argumentType(cx, scope, arg, null));
    return type.kind === "leaf" || (type.kind === "tensor" && type.shape.length > 0);
  });
}

function applySpread(cx: Inference, scope: Scope, callable: Extract<Callable, { kind: "named" }>, args: readonly Argument[], at: Expr): Type {
  const { info } = callable;
  bodyOf(cx, info, callable.reference.span);
  cx.instances.set(callable.reference, { dims: new Map(), types: new Map() });
  let shape: Type | null = null;
  for (const [i, arg] of args.entries()) {
    const found = cx.resolve(argumentType(cx, scope, arg, null));
    const param = info.params[i]!;
    const scalar: Type = found.kind === "tensor" || found.kind === "leaf" ? { kind: "tensor", element: found.element, shape: [] } : found;
    fitArgument(cx, scope, { span: arg.span, expr: null, type: scalar }, param.type, param);
    if (found.kind !== "leaf" && !(found.kind === "tensor" && found.shape.length > 0)) continue;
    if (shape !== null && !cx.attempt(withoutElement(found), withoutElement(shape))) {
      return cx.report("E0202", at.span, "tensors of different shapes", { secondary: [{ span: arg.span, text: describe(cx, found) }], help: "write the indices: `for i -> f(x[i], y)`" });
    }
    shape ??= found;
  }
  const result = info.result;
  if (shape === null || result?.kind !== "tensor" || (shape.kind !== "tensor" && shape.kind !== "leaf")) return errorType;
  return { ...shape, element: result.element };
}

function withoutElement(type: Type): Type {
  return type.kind === "tensor" || type.kind === "leaf" ? { ...type, element: { kind: "scalar", scalar: "f32" } } : type;
}

function applyLambda(cx: Inference, scope: Scope, callable: Extract<Callable, { kind: "lambda" }>, args: readonly Argument[], at: Expr): Type {
  const { expr } = callable;
  if (expr.params.length !== args.length) {
    return cx.report("E0411", expr.span, `takes ${expr.params.length}`, {
      secondary: [{ span: at.span, text: `is given ${args.length} arguments here` }],
      help: "an anonymous function has a parameter for each argument",
    });
  }
  const found = args.map((arg) => argumentType(cx, scope, arg, null));
  const before = cx.lambdas.get(expr);
  if (before !== undefined) {
    for (const [i, type] of found.entries()) {
      cx.agree(type, before.params[i]!, () =>
        diagnostic("E0412", args[i]!.span, `${describe(cx, type)} here`, {
          secondary: [{ span: expr.params[i]!.span, text: `${describe(cx, before.params[i]!)} at its first call` }],
          help: "an anonymous function has one type; declare a function with `fn` to use it with several",
        }),
      );
    }
    return before.result;
  }
  let inner = callable.scope;
  for (const [i, param] of expr.params.entries()) {
    const type = cx.resolve(found[i]!);
    inner = bind(inner, param.text, type.kind === "function" ? { kind: "callable", callable: type.callable, span: param.span } : { kind: "value", type, span: param.span });
  }
  const result = checkExpression(cx, inner, expr.body, null);
  cx.lambdas.set(expr, { params: found, result });
  return result;
}
