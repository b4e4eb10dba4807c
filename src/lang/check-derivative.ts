/** The types of `grad(f)(…)`, `value_and_grad(f)(…)`, `vjp(f)(…)(…)` and `jvp(f)(…)(…)`. */
import type { Callable } from "./callable.ts";
import { applyCallable, type Argument, argumentType } from "./check-call.ts";
import { describe, hasFloats } from "./check-expression.ts";
import type { Inference } from "./inference.ts";
import type { Scope } from "./scope.ts";
import type { Expr } from "./syntax.ts";
import { errorType, isFloatElement, isScalar, scalarType, type Type } from "./types.ts";

export function applyDerivative(cx: Inference, scope: Scope, callable: Extract<Callable, { kind: "derivative" }>, args: readonly Argument[], at: Expr): Type {
  const result = cx.resolve(applyCallable(cx, scope, callable.of, args, at, null));
  if (result.kind === "error") return errorType;
  const types = args.map((arg) => cx.resolve(argumentType(cx, scope, arg, null)));
  switch (callable.operator) {
    case "grad":
    case "value_and_grad":
      return gradientType(cx, callable.operator, types, args, result, at);
    case "vjp": {
      const floats = floatingArguments(cx, types, args, at);
      if (floats === null) return errorType;
      return { kind: "function", callable: { kind: "linear", params: floatParts(cx, result), result: oneOrTuple(floats) } };
    }
    case "jvp": {
      const floats = floatingArguments(cx, types, args, at);
      if (floats === null) return errorType;
      return { kind: "function", callable: { kind: "linear", params: floats, result: oneOrTuple(floatParts(cx, result)) } };
    }
  }
}

function gradientType(cx: Inference, operator: string, types: readonly Type[], args: readonly Argument[], result: Type, at: Expr): Type {
  const value = result.kind === "tuple" ? result.items[0] : result;
  const scalar = value === undefined ? null : cx.resolve(value);
  const literal = scalar !== null && isScalar(scalar) && cx.element(scalar.element).kind === "literal";
  if (literal) cx.attempt(scalar, scalarType("f32"));
  if (scalar === null || !isScalar(scalar) || !(literal || isFloatElement(cx.element(scalar.element)))) {
    return cx.report("E0406", at.span, `the function gives ${describe(cx, result)}`, {
      help: `\`${operator}\` needs a scalar: reduce it with \`sum\` or \`mean\`, or use \`vjp\``,
    });
  }
  const [first] = types;
  if (first === undefined || !hasFloats(cx, first)) {
    return cx.report("E0407", args[0]?.span ?? at.span, first === undefined ? "no arguments" : `${describe(cx, first)} here`, {
      help: "the first argument is what is differentiated with respect to; put the parameters first",
    });
  }
  return operator === "grad" ? first : { kind: "tuple", items: [result, first] };
}

function floatingArguments(cx: Inference, types: readonly Type[], args: readonly Argument[], at: Expr): Type[] | null {
  const floats = types.filter((t) => hasFloats(cx, t));
  if (floats.length > 0) return floats;
  cx.report("E0407", args[0]?.span ?? at.span, "no argument holds a float", { help: "integers and booleans carry no gradient" });
  return null;
}

/** The parts of a result that have a derivative. */
export function floatParts(cx: Inference, result: Type): Type[] {
  const parts = result.kind === "tuple" ? result.items : [result];
  return parts.filter((t) => hasFloats(cx, t));
}

/** One type as it is, several as a tuple. */
export function oneOrTuple(types: readonly Type[]): Type {
  return types.length === 1 ? types[0]! : { kind: "tuple", items: types };
}
