/** Calls: what is called, and which of its kinds the arguments are given to. */
import type { Callable } from "./callable.ts";
import { checkBuiltinCall } from "./check-builtin.ts";
import { applyDerivative, checkDerivativeOperator, isDerivativeOperator } from "./check-derivative.ts";
import { checkExpression, describe, notesOn } from "./check-expression.ts";
import { isBuiltin, reportUnknownName } from "./check-name.ts";
import { applyNamed } from "./check-named-call.ts";
import { fitArguments } from "./check-argument.ts";
import { bindName, reportNamedTwice } from "./check-block.ts";
import type { Label } from "./diagnostic.ts";
import { diagnostic, type Inference } from "./inference.ts";
import { lookup, type Scope } from "./scope.ts";
import type { Span } from "./source.ts";
import { textOf } from "./source.ts";
import type { Expr } from "./syntax.ts";
import { errorType, type Type } from "./types.ts";

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
  if (expr.kind === "name") {
    const binding = lookup(scope, expr.name);
    if (binding !== null) return binding.kind === "callable" ? binding.callable : null;
    const top = cx.module.names.get(expr.name);
    if (top?.kind === "function") return { kind: "named", info: top, dims: null, reference: expr };
    return top === undefined && isBuiltin(expr.name) ? { kind: "builtin", name: expr.name } : null;
  }
  if (expr.kind === "index" && expr.target.kind === "name" && lookup(scope, expr.target.name) === null) {
    const top = cx.module.names.get(expr.target.name);
    return top?.kind === "function"
      ? { kind: "named", info: top, dims: expr.indices, reference: expr }
      : null;
  }
  return null;
}

export function checkCall(
  cx: Inference,
  scope: Scope,
  expr: Extract<Expr, { kind: "call" }>,
  expected: Type | null,
): Type {
  const callable = calleeOf(cx, scope, expr.callee, expr.args);
  if (callable === null) {
    for (const arg of expr.args) checkExpression(cx, scope, arg, null);
    return errorType;
  }
  if (callable.kind === "builtin" && isDerivativeOperator(callable.name)) {
    return checkDerivativeOperator(cx, scope, expr, callable.name);
  }
  const args = expr.args.map((e): Argument => ({ span: e.span, expr: e, type: null }));
  return applyCallable(cx, scope, callable, args, expr, expected);
}

/** The function in a call's callee; reports and gives null when there is none. */
function calleeOf(cx: Inference, scope: Scope, callee: Expr, args: readonly Expr[]): Callable | null {
  const callable = callableOf(cx, scope, callee);
  if (callable !== null) return callable;
  if (callee.kind === "name" && lookup(scope, callee.name) === null && !cx.module.names.has(callee.name)) {
    reportUnknownName(cx, scope, callee.name, callee.span);
    return null;
  }
  const type = cx.resolve(checkExpression(cx, scope, callee, null));
  if (type.kind === "function") return type.callable;
  if (type.kind === "error") return null;
  const origin = callee.kind === "name" ? (lookup(scope, callee.name)?.span ?? null) : null;
  const text = textOf(callee.span);
  const isTensor = type.kind === "tensor" && type.shape.length > 0;
  const indices = args.map((arg) => textOf(arg.span)).join(", ") || "i";
  cx.report("E0401", callee.span, `${describe(cx, type)}, not a function`, {
    secondary: origin === null ? [] : [{ span: origin, text: "from here" }],
    help: isTensor
      ? `an element is read with brackets: \`${text}[${indices}]\``
      : `is an operator missing, as in \`${text} * (${indices})\`?`,
  });
  return null;
}

/** Checks arguments against a callable and gives the type of the result. `at` is the call. */
export function applyCallable(
  cx: Inference,
  scope: Scope,
  callable: Callable,
  args: readonly Argument[],
  at: Expr,
  expected: Type | null,
): Type {
  switch (callable.kind) {
    case "named":
      return applyNamed(cx, scope, callable, args, at);
    case "lambda":
      return applyLambda(cx, scope, callable, args, at);
    case "declared":
      return applyDeclared(cx, scope, callable, args, at, "the parameter's type says how many");
    case "linear":
      return applyDeclared(cx, scope, callable, args, at, "one for each part that carries a gradient");
    case "derivative":
      return applyDerivative(cx, scope, callable, args, at);
    case "builtin":
      if (isDerivativeOperator(callable.name)) {
        return cx.report("E0405", at.span, `\`${callable.name}\` gives a function`, {
          help: `write \`fn (x) -> ${callable.name}(f)(x)\``,
        });
      }
      return checkBuiltinCall(cx, scope, callable.name, args, at, expected);
  }
}

/** The type of an argument, found at its first use. */
export function argumentType(cx: Inference, scope: Scope, arg: Argument, expected: Type | null): Type {
  if (arg.type !== null) return arg.type;
  return cx.types.get(arg.expr!) ?? checkExpression(cx, scope, arg.expr!, expected);
}

/** Reports a wrong number of arguments; then they are checked for themselves. */
export function isRightCount(
  cx: Inference,
  scope: Scope,
  args: readonly Argument[],
  wanted: number,
  at: Expr,
  details: { readonly secondary?: readonly Label[]; readonly help?: string },
): boolean {
  if (args.length === wanted) return true;
  for (const arg of args) argumentType(cx, scope, arg, null);
  cx.report(
    "E0402",
    args[wanted]?.span ?? at.span,
    args.length > wanted ? "too many" : `${args.length} given`,
    {
      message: `${wanted} ${wanted === 1 ? "argument is" : "arguments are"} expected, ${args.length} given`,
      ...details,
    },
  );
  return false;
}

function applyDeclared(
  cx: Inference,
  scope: Scope,
  { params, result }: Extract<Callable, { kind: "declared" | "linear" }>,
  args: readonly Argument[],
  at: Expr,
  help: string,
): Type {
  const types = params.map((type) => describe(cx, type)).join(", ");
  if (!isRightCount(cx, scope, args, params.length, at, { help: `${help}: (${types})` })) return errorType;
  return fitArguments(cx, scope, args, params, null) ? result : errorType;
}

function applyLambda(
  cx: Inference,
  scope: Scope,
  callable: Extract<Callable, { kind: "lambda" }>,
  args: readonly Argument[],
  at: Expr,
): Type {
  const { expr } = callable;
  const found = args.map((arg) => argumentType(cx, scope, arg, null));
  if (expr.params.length !== args.length) {
    const isInside = at.span.start <= expr.span.start && expr.span.end <= at.span.end;
    return cx.report("E0411", expr.span, `takes ${expr.params.length}`, {
      secondary: isInside ? [] : [{ span: at.span, text: `is given ${args.length}` }],
      notes: isInside ? [`it is given ${args.length}`] : [],
      help: "an anonymous function has a parameter for each argument",
    });
  }
  const before = cx.lambdas.get(expr);
  if (before !== undefined) {
    for (const [i, type] of found.entries()) {
      const isSame = cx.agree(type, before.params[i]!, (mismatch) =>
        diagnostic("E0412", args[i]!.span, `${describe(cx, type)} here`, {
          secondary: [
            { span: expr.params[i]!.span, text: `${describe(cx, before.params[i]!)} at its first call` },
          ],
          notes: notesOn(mismatch),
          help: "an anonymous function has one type; declare a function with `fn` to use it with several",
        }),
      );
      if (!isSame) return errorType;
    }
    return before.result;
  }
  const result = checkLambdaBody(cx, callable.scope, expr, found);
  cx.lambdas.set(expr, { params: found, result });
  return result;
}

/** The type of an anonymous function's body, for parameters of these types. */
export function checkLambdaBody(
  cx: Inference,
  scope: Scope,
  expr: Extract<Expr, { kind: "lambda" }>,
  params: readonly Type[],
): Type {
  reportNamedTwice(cx, expr.params);
  let inner = scope;
  for (const [i, param] of expr.params.entries()) inner = bindName(inner, param, cx.resolve(params[i]!));
  return checkExpression(cx, inner, expr.body, null);
}
