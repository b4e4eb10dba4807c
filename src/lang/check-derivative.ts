/** The types of `grad(f)(…)`, `value_and_grad(f)(…)`, `vjp(f)(…)(…)` and `jvp(f)(…)(…)`. */
import type { Callable, DerivativeOperator } from "./callable.ts";
import { applyCallable, type Argument, argumentType } from "./check-call.ts";
import { checkExpression, describe } from "./check-expression.ts";
import type { Label } from "./diagnostic.ts";
import { floatParts, hasFloats, oneOrTuple } from "./floats.ts";
import type { Inference } from "./inference.ts";
import type { Scope } from "./scope.ts";
import { textOf } from "./source.ts";
import type { Expr } from "./syntax.ts";
import { errorType, isFloatElement, isScalar, scalarType, type Type } from "./types.ts";

type Derivative = Extract<Callable, { kind: "derivative" }>;

const operators: ReadonlySet<string> = new Set(["grad", "value_and_grad", "vjp", "jvp"]);

export function isDerivativeOperator(name: string): name is DerivativeOperator {
  return operators.has(name);
}

/** `grad(f)`: an expression whose value is a function. */
export function checkDerivativeOperator(
  cx: Inference,
  scope: Scope,
  expr: Extract<Expr, { kind: "call" }>,
  operator: DerivativeOperator,
): Type {
  const [argument, ...others] = expr.args;
  if (argument === undefined || others.length > 0) {
    for (const arg of expr.args) checkExpression(cx, scope, arg, null);
    const call = expr.args.map((arg) => textOf(arg.span));
    return cx.report("E0402", others[0]?.span ?? expr.span, others.length > 0 ? "too many" : "none given", {
      message: `\`${operator}\` takes one function, ${expr.args.length} arguments given`,
      help: `the function's own arguments follow: \`${operator}(${call[0] ?? "f"})(${call.slice(1).join(", ") || "x, …"})\``,
    });
  }
  const type = cx.resolve(checkExpression(cx, scope, argument, null));
  if (type.kind === "error") return errorType;
  if (type.kind !== "function") {
    const callee = argument.kind === "call" ? textOf(argument.callee.span) : "f";
    const args = argument.kind === "call" ? argument.args.map((a) => textOf(a.span)).join(", ") : "x, …";
    return cx.report("E0414", argument.span, `${describe(cx, type)}, not a function`, {
      help: `name the function, then its arguments: \`${operator}(${callee})(${args})\``,
    });
  }
  return { kind: "function", callable: { kind: "derivative", operator, of: type.callable } };
}

/** `grad(f)(x, …)` and the others, applied to the arguments of `f`. */
export function applyDerivative(
  cx: Inference,
  scope: Scope,
  callable: Derivative,
  args: readonly Argument[],
  at: Expr,
): Type {
  const result = cx.resolve(applyCallable(cx, scope, callable.of, args, at, null));
  if (result.kind === "error") return errorType;
  if (result.kind === "function") {
    return cx.report("E0406", at.span, "the function gives a function", {
      secondary: originOf(callable.of),
      help: "wrap what is meant: `grad(fn (x) -> vjp(f)(x)(ct))(x)`",
    });
  }
  const types = args.map((arg) => cx.resolve(argumentType(cx, scope, arg, null)));
  if (callable.operator === "grad" || callable.operator === "value_and_grad") {
    return gradientType(cx, callable, types, args, result, at);
  }
  const floats = types.filter((t) => hasFloats(cx, t));
  if (floats.length === 0) {
    return cx.report("E0407", args[0]?.span ?? at.span, "no argument holds a float", {
      secondary: originOf(callable.of),
      help: "integers and booleans carry no gradient; give `f32` values",
    });
  }
  const [given, gives] = [oneOrTuple(floats), oneOrTuple(floatParts(cx, result))];
  const isReverse = callable.operator === "vjp";
  const params = isReverse ? floatParts(cx, result) : floats;
  return { kind: "function", callable: { kind: "linear", params, result: isReverse ? given : gives } };
}

function gradientType(
  cx: Inference,
  { operator, of }: Derivative,
  types: readonly Type[],
  args: readonly Argument[],
  result: Type,
  at: Expr,
): Type {
  const value = result.kind === "tuple" ? (result.items[0] ?? result) : result;
  const isFloat =
    isScalar(value) && (isFloatElement(cx.element(value.element)) || cx.attempt(value, scalarType("f32")));
  if (!isFloat) {
    const help = isScalar(value)
      ? "integers and booleans carry no gradient; give an `f32`"
      : `\`${operator}\` needs a scalar: reduce it with \`sum\` or \`mean\`, or use \`vjp\``;
    return cx.report("E0406", at.span, `the function gives ${describe(cx, result)}`, {
      secondary: originOf(of),
      help,
    });
  }
  const [first] = types;
  if (first === undefined || !hasFloats(cx, first)) {
    return cx.report(
      "E0407",
      args[0]?.span ?? at.span,
      first === undefined ? "no arguments" : `${describe(cx, first)} here`,
      {
        secondary: originOf(of),
        help: "the first argument is what is differentiated with respect to; put the parameters first",
      },
    );
  }
  return operator === "grad" ? first : { kind: "tuple", items: [result, first] };
}

/** Where the function that is differentiated comes from. */
function originOf(callable: Callable): Label[] {
  if (callable.kind === "named") return [{ span: callable.info.span, text: "this function" }];
  return callable.kind === "lambda" ? [{ span: callable.expr.span, text: "this function" }] : [];
}
