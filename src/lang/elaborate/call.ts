/** Calls are inlined: a function's body is elaborated at the site of the call, with its dimensions as numbers. */
import { apply, cast, constant, index } from "../../ir/build.ts";
import { bool, f32, i32, type ScalarType } from "../../ir/ir.ts";
import { callableScalarFunction, scalarFunctions } from "../../ir/scalar.ts";
import { elementwise, plainElement } from "./arithmetic.ts";
import { type Context, fail, given, integerOf, withHint, withLocal } from "./context.ts";
import { applyDerivative, callWithRule } from "./derivative.ts";
import { elaborate, zerosLike } from "./expression.ts";
import { freshAxes, materialise, tensorNode } from "./node.ts";
import { type Dim, evaluateDim, showDim } from "../dims.ts";
import type { Condition, FunctionInfo } from "../program.ts";
import type * as syntax from "../syntax.ts";
import type { Span } from "../source.ts";
import {
  type Closure,
  type Frame,
  type FunctionValue,
  leaves,
  lookupLocal,
  mapLeaves,
  scalar,
  type TensorValue,
  type Value,
} from "./value.ts";
import { isBuiltin } from "../check-expression.ts";

/** The function that an expression stands for. */
export function closureOf(cx: Context, expr: syntax.Expr): Closure | null {
  if (expr.kind === "name") {
    const local = lookupLocal(cx.locals, expr.name);
    if (local !== null) return local.kind === "function" ? local.closure : null;
    const top = cx.frame.module.names.get(expr.name);
    if (top?.kind === "function")
      return {
        kind: "named",
        callable: { kind: "named", info: top, dims: null, reference: expr },
        frame: cx.frame,
      };
    return top === undefined && isBuiltin(expr.name) ? { kind: "builtin", name: expr.name } : null;
  }
  if (expr.kind === "index" && expr.target.kind === "name") {
    const top =
      lookupLocal(cx.locals, expr.target.name) === null
        ? cx.frame.module.names.get(expr.target.name)
        : undefined;
    if (top?.kind === "function")
      return {
        kind: "named",
        callable: { kind: "named", info: top, dims: expr.indices, reference: expr },
        frame: cx.frame,
      };
  }
  return null;
}

export function elaborateCall(cx: Context, expr: Extract<syntax.Expr, { kind: "call" }>): Value {
  const closure = closureOf(cx, expr.callee) ?? (elaborate(cx, expr.callee) as FunctionValue).closure;
  if (closure.kind === "builtin" && ["grad", "value_and_grad", "vjp", "jvp"].includes(closure.name)) {
    const { closure: of } = elaborate(cx, expr.args[0]!) as FunctionValue;
    return { kind: "function", closure: { kind: "derivative", operator: closure.name as "grad", of } };
  }
  // An argument that becomes a node is named after the parameter that it is for.
  const names = closure.kind === "named" ? closure.callable.info.params.map((p) => p.name) : [];
  const args = expr.args.map((arg, i) =>
    elaborate(names[i] === undefined ? cx : withHint(cx, names[i]), arg),
  );
  return applyClosure(cx, closure, args, expr.span);
}

/** Applies a function to values at a site. */
export function applyClosure(cx: Context, closure: Closure, args: readonly Value[], span: Span): Value {
  switch (closure.kind) {
    case "named":
      return applyNamed(cx, closure, args, span);
    case "lambda": {
      let inner: Context = { ...cx, frame: closure.frame, locals: closure.locals };
      closure.expr.params.forEach((param, i) => {
        inner = withLocal(inner, param.text, materialise(withHint(cx, param.text), args[i]!, span));
      });
      return elaborate(inner, closure.expr.body);
    }
    case "derivative":
      return applyDerivative(cx, closure, args, span);
    case "linear":
      return closure.apply(args);
    case "builtin":
      return applyBuiltin(cx, closure.name, args, span);
  }
}

function applyNamed(
  cx: Context,
  closure: Extract<Closure, { kind: "named" }>,
  args: readonly Value[],
  span: Span,
): Value {
  const { info, reference } = closure.callable;
  const shaped = args.find((a): a is TensorValue => a.kind === "tensor" && a.shape.length > 0);
  const scalarsOnly =
    info.params.length > 0 && info.params.every((p) => p.type.kind === "tensor" && p.type.shape.length === 0);
  if (shaped !== undefined && scalarsOnly)
    return spread(cx, closure, args as TensorValue[], shaped.shape, span);
  const instance = closure.frame.body.instances.get(reference);
  const dims = new Map(
    [...(instance?.dims ?? [])].map(([name, dim]) => [name, integerOf(closure.frame, dim, reference.span)]),
  );
  const frame = frameOf(info, dims, span);
  const named = args.map((arg, i) => materialise(withHint(cx, info.params[i]!.name), arg, span));
  if (info.decl.vjp !== null) return callWithRule(cx, frame, info, named, span);
  return callBody(cx, frame, info, named);
}

/** The frame of one use of a function; conditions that waited for the dimensions are checked now. */
export function frameOf(info: FunctionInfo, dims: ReadonlyMap<string, number>, span: Span): Frame {
  const frame: Frame = { module: info.module, body: info.body!, dims, name: info.name };
  for (const [name, value] of dims) {
    if (value < 0)
      fail("E0505", span, `${name} is ${value}`, {
        secondary: [{ span: info.span, text: "in this function" }],
        help: "choose larger dimensions",
      });
  }
  for (const condition of frame.body.conditions) {
    const left = evaluateDim(condition.left, dims);
    const right = evaluateDim(condition.right, dims);
    if (left !== null && left === right) continue;
    failCondition(frame, condition, left, right, span);
  }
  return frame;
}

function failCondition(
  frame: Frame,
  { about, diagnostic, ...equation }: Condition,
  left: number | null,
  right: number | null,
  span: Span,
): never {
  const { primary, secondary } = diagnostic;
  const isHere = span.file === primary.span.file && span.start === primary.span.start;
  const places = [...secondary, ...(isHere ? [] : [{ span, text: "compiled for this use" }])];
  const dims = given(frame, equation.left, equation.right);
  if (about === "index") {
    return fail("E0513", primary.span, primary.text, {
      secondary: places,
      notes: [`with ${dims}`],
      help: "positions are counted from 0",
    });
  }
  const value = (dim: Dim, n: number | null): string => `${showDim(dim)} is ${n ?? "no whole number"}`;
  return fail("E0502", primary.span, primary.text, {
    secondary: places,
    notes: [`${value(equation.left, left)}, ${value(equation.right, right)}, with ${dims}`],
    help: "choose dimensions for which both are equal",
  });
}

/** A function's body with its parameters bound. */
export function callBody(cx: Context, frame: Frame, info: FunctionInfo, args: readonly Value[]): Value {
  let inner: Context = { ...cx, frame, locals: null };
  info.params.forEach((param, i) => {
    inner = withLocal(inner, param.name, args[i]!);
  });
  const isPart = cx.hint === cx.frame.name;
  return elaborate(isPart ? withHint(inner, info.name) : inner, info.decl.body);
}

/** A function of scalars, applied to each element. */
function spread(
  cx: Context,
  closure: Extract<Closure, { kind: "named" }>,
  args: readonly TensorValue[],
  shape: readonly number[],
  span: Span,
): Value {
  const axes = freshAxes(cx, shape);
  const indices = axes.map((a) => index(a.name));
  const site = {
    ...cx.site,
    axes: [...cx.site.axes, ...axes.map((a) => ({ name: a.name, lo: 0, hi: a.size, isLoop: false }))],
  };
  const elements = args.map((a) => scalar(a.element, a.at(a.shape.length === 0 ? [] : indices)));
  const result = applyNamed({ ...cx, site }, closure, elements, span) as TensorValue;
  return cx.builder.emit(cx.site, {
    hint: cx.hint,
    element: result.element,
    axes,
    reduction: null,
    body: result.at([]),
    span,
  });
}

function applyBuiltin(cx: Context, name: string, args: readonly Value[], span: Span): Value {
  switch (name) {
    case "f32":
    case "f16":
    case "i32":
    case "u32":
    case "bool":
      return convert(name, args[0] as TensorValue);
    case "stop_gradient":
      return mapLeaves(args[0]!, (leaf) =>
        elementwise(leaf.element, [leaf], ([x]) => apply("stop_gradient", x!)),
      );
    case "zeros_like":
      return mapLeaves(args[0]!, zerosLike);
    case "rank":
      return scalar(i32, constant((args[0] as TensorValue).shape.length, "i32"));
    case "tree_map":
      return treeMap(cx, args, span);
    case "tree_sum":
      return treeSum(cx, args, span);
    default: {
      const fn = callableScalarFunction(name)!;
      const tensors = args as TensorValue[];
      const element = scalarFunctions[fn].result === "bool" ? bool : plainElement(tensors[0]!.element.scalar);
      return elementwise(element, tensors, (elements) =>
        apply(fn as Exclude<typeof fn, "cast">, ...elements),
      );
    }
  }
}

function convert(type: ScalarType, x: TensorValue): TensorValue {
  const element = type === "i32" && x.element.scalar === "i32" ? x.element : { scalar: type, bound: null };
  return elementwise(element, [x], ([e]) => cast(type, e!));
}

function treeFunction(args: readonly Value[], span: Span): Closure {
  for (const leaf of args.slice(1).flatMap(leaves)) {
    if (leaf.element.scalar !== "f32" && leaf.element.scalar !== "f16") {
      fail("E0507", span, `a leaf of ${leaf.element.scalar}`, {
        help: "keep integers and keys outside of the tree",
      });
    }
  }
  return (args[0] as FunctionValue).closure;
}

function treeMap(cx: Context, args: readonly Value[], span: Span): Value {
  const fn = treeFunction(args, span);
  const others = args.slice(2).map((tree) => leaves(tree)[Symbol.iterator]());
  return mapLeaves(args[1]!, (leaf) => {
    const operands = [leaf, ...others.map((o) => o.next().value!)];
    const result = applyClosure(cx, fn, operands, span) as TensorValue;
    if (leaf.shape.length === 0) return result;
    const whole = result.shape.length === 0 ? { ...leaf, at: () => result.at([]) } : result;
    return tensorNode(cx, whole, span);
  });
}

function treeSum(cx: Context, args: readonly Value[], span: Span): Value {
  const fn = treeFunction(args, span);
  const parts = leaves(args[1]!).map((leaf) =>
    total(cx, applyClosure(cx, fn, [leaf], span) as TensorValue, span),
  );
  return scalar(
    f32,
    parts.map((p) => p.at([])).reduce((a, b) => apply("add", a, b), constant(0, "f32")),
  );
}

/** The sum of all elements. */
function total(cx: Context, value: TensorValue, span: Span): TensorValue {
  if (value.shape.length === 0) return value;
  const axes = freshAxes(cx, value.shape);
  const bounds = axes.map((a) => ({ name: a.name, lo: constant(0, "i32"), hi: constant(a.size, "i32") }));
  const body = value.at(axes.map((a) => index(a.name)));
  return cx.builder.emit(cx.site, {
    hint: cx.hint,
    element: value.element,
    axes: [],
    reduction: { op: "sum", axes: bounds, bestValue: null },
    body,
    span,
  });
}
