/** Calls of declared functions: each use has dimensions and types of its own. */
import type { Callable } from "./callable.ts";
import { fitArguments } from "./check-argument.ts";
import { type Argument, argumentType, isRightCount } from "./check-call.ts";
import { elementwiseShape, type Operand } from "./check-elementwise.ts";
import { bodyOf } from "./check-function.ts";
import { dimOfExpression } from "./dim-expression.ts";
import type { Dim } from "./dims.ts";
import type { Inference } from "./inference.ts";
import { instantiate } from "./instantiate.ts";
import type { FunctionInfo, Instance } from "./program.ts";
import type { Scope } from "./scope.ts";
import { textOf } from "./source.ts";
import type { Expr } from "./syntax.ts";
import { preludeName } from "./standard-names.ts";
import {
  type Elementwise,
  errorType,
  isElementwise,
  isScalar,
  scalarElement,
  tensorType,
  type Type,
  withElement,
} from "./types.ts";

type Named = Extract<Callable, { kind: "named" }>;

export function applyNamed(
  cx: Inference,
  scope: Scope,
  callable: Named,
  args: readonly Argument[],
  at: Expr,
): Type {
  const { info, reference } = callable;
  const names = info.params.map((p) => p.name).join(", ") || "no arguments";
  const secondary = [{ span: info.span, text: `${info.name} takes ${names}` }];
  if (!isRightCount(cx, scope, args, info.params.length, at, { secondary })) return errorType;
  if (spreads(cx, scope, info, args)) return applySpread(cx, scope, callable, args, at);
  const before = cx.instances.get(reference);
  const instance = before ?? newInstance(cx, scope, callable);
  if (instance === null) {
    for (const arg of args) argumentType(cx, scope, arg, null);
    return errorType;
  }
  bodyOf(cx, info, reference.span);
  const wanted = info.params.map((param) => instantiate(param.type, instance.dims, instance.types));
  if (!fitArguments(cx, scope, args, wanted, info, before === undefined ? null : reference)) return errorType;
  return instantiate(info.result ?? errorType, instance.dims, instance.types);
}

/** The unknowns of one use, recorded where the function is named; null when the brackets are wrong. */
function newInstance(cx: Inference, scope: Scope, callable: Named): Instance | null {
  const { info, reference } = callable;
  const dims = new Map([...info.dims.keys()].map((name) => [name, cx.metas.fresh()]));
  const types = new Map(info.types.map((name): [string, Type] => [name, cx.freshType()]));
  if (!giveDims(cx, scope, callable, dims)) return null;
  const instance = { dims, types };
  cx.instances.set(reference, instance);
  return instance;
}

/** Binds the dimensions given in brackets. */
function giveDims(
  cx: Inference,
  scope: Scope,
  { info, dims, reference }: Named,
  into: ReadonlyMap<string, Dim>,
): boolean {
  const given = dims ?? [];
  const wanted = info.givenDims;
  if (given.length !== wanted.length) {
    const list = wanted.join(", ");
    cx.report(
      "E0404",
      reference.span,
      given.length === 0 ? "no dimensions in brackets" : `${given.length} in brackets`,
      {
        secondary: [{ span: info.span, text: wanted.length === 0 ? "takes none" : `takes [${list}]` }],
        help:
          wanted.length === 0 ? `call it as \`${info.name}(…)\`` : `call it as \`${info.name}[${list}](…)\``,
      },
    );
    return false;
  }
  for (const [i, expr] of given.entries()) {
    const dim = dimOfExpression(cx, scope, expr);
    if (dim === null) {
      cx.report("E0415", expr.span, "known only when running", {
        secondary: [{ span: info.span, text: `takes ${wanted[i]} as a dimension` }],
        help: `only numbers, constants and dimensions are known when compiling, not \`${textOf(expr.span)}\``,
      });
      return false;
    }
    cx.metas.unify(into.get(wanted[i]!)!, dim);
  }
  return true;
}

/** A function of scalars in the prelude (`gelu`, `relu`, …) works elementwise on tensors, as the built-in ones do. */
function spreads(cx: Inference, scope: Scope, info: FunctionInfo, args: readonly Argument[]): boolean {
  if (info.module.file.name !== preludeName || !info.params.every((p) => isScalar(p.type))) return false;
  return args.some((arg) => {
    const type = cx.resolve(argumentType(cx, scope, arg, null));
    return isElementwise(type) && !isScalar(type);
  });
}

function applySpread(
  cx: Inference,
  scope: Scope,
  { info, reference }: Named,
  args: readonly Argument[],
  at: Expr,
): Type {
  bodyOf(cx, info, reference.span);
  cx.instances.set(reference, { dims: new Map(), types: new Map() });
  const operands: Operand[] = [];
  const elements: Argument[] = [];
  for (const arg of args) {
    const type = cx.resolve(argumentType(cx, scope, arg, null));
    if (isElementwise(type)) operands.push({ type, expr: arg.expr, span: arg.span });
    elements.push({
      span: arg.span,
      expr: null,
      type: isElementwise(type) ? tensorType(type.element) : type,
    });
  }
  if (
    !fitArguments(
      cx,
      scope,
      elements,
      info.params.map((p) => p.type),
      info,
    )
  )
    return errorType;
  const shape = elementwiseShape(cx, operands, at.span, (texts) => `${info.name}(${texts.join(", ")})`);
  return shape === null ? errorType : withElement(shape, resultElement(info));
}

function resultElement(info: FunctionInfo): Elementwise["element"] {
  return info.result?.kind === "tensor" ? info.result.element : scalarElement("f32");
}
