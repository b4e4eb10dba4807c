/**
 * `grad`, `vjp`, `jvp` and custom derivatives become markers in the graph; taking the derivative is the autodiff pass's.
 *
 * What is differentiated with respect to is first copied into nodes that have every index variable in scope as an axis. So
 * under `for n -> grad(loss)(p, x[n])` there is one `p` for each `n`, and the marker's derivative is the gradient for each `n`.
 */
import { constant, index, read } from "../../ir/build.ts";
import { isFloat, type Node, type ValueName, type ValueType } from "../../ir/ir.ts";
import { applyClosure, callBody } from "./call.ts";
import { type Context, withHint, withLocal } from "./context.ts";
import { elaborate, zerosLike } from "./expression.ts";
import { nodeName } from "./fold.ts";
import type { FunctionInfo } from "../program.ts";
import { offset, originOf } from "./site.ts";
import type { Span } from "../source.ts";
import { type Closure, type Frame, leaves, mapLeaves, type TensorValue, type Value } from "./value.ts";
import { baseName } from "../../ir/names.ts";

const isFloating = (leaf: TensorValue): boolean => isFloat(leaf.element.scalar);

/** A tensor by the name of a node that has all index variables in scope in front. */
function lifted(cx: Context, name: ValueName, like: TensorValue): TensorValue {
  const prefix = cx.site.axes.filter((a) => !a.isLoop).map((a) => offset(index(a.name), -a.lo));
  return {
    ...like,
    element: { scalar: like.element.scalar, bound: like.element.bound },
    at: (indices) => read(name, like.element, [...prefix, ...indices]),
  };
}

/** Copies the floating leaves of a value into nodes; gives their names and the value that reads them. */
function copyFloats(
  cx: Context,
  value: Value,
  span: Span,
): { readonly names: ValueName[]; readonly value: Value } {
  const names: ValueName[] = [];
  const copied = mapLeaves(value, (leaf) => {
    if (!isFloating(leaf)) return leaf;
    const source = leaf.at(leaf.shape.map((_, i) => index(`#${i}`)));
    const named = source.kind === "read" ? withHint(cx, baseName(source.tensor)) : cx;
    const name = nodeName(named, leaf, span);
    names.push(name);
    return lifted(cx, name, leaf);
  });
  return { names, value: copied };
}

export function applyDerivative(
  cx: Context,
  closure: Extract<Closure, { kind: "derivative" }>,
  args: readonly Value[],
  span: Span,
): Value {
  const { operator, of } = closure;
  switch (operator) {
    case "grad":
    case "value_and_grad":
      return gradient(cx, operator, of, args, span);
    case "vjp":
      return {
        kind: "function",
        closure: { kind: "linear", apply: (seeds) => pullBack(cx, of, args, seeds, span) },
      };
    case "jvp":
      return {
        kind: "function",
        closure: { kind: "linear", apply: (seeds) => pushForward(cx, of, args, seeds, span) },
      };
  }
}

function gradient(
  cx: Context,
  operator: "grad" | "value_and_grad",
  of: Closure,
  args: readonly Value[],
  span: Span,
): Value {
  const first = copyFloats(cx, args[0]!, span);
  const result = applyClosure(cx, of, [first.value, ...args.slice(1)], span);
  const loss = (result.kind === "tuple" ? result.items[0]! : result) as TensorValue;
  const value = nodeName(cx, loss, span);
  const one = nodeName(withHint(cx, "one"), { ...loss, at: () => constant(1, loss.element.scalar) }, span);
  const cotangents = marker(
    cx,
    "vjp",
    [value],
    first.names,
    [one],
    first.names.map((n) => `d_${n}`),
    first.names,
    span,
  );
  const grads = readBack(cx, args[0]!, cotangents);
  if (operator === "grad") return grads;
  const items =
    result.kind === "tuple"
      ? { ...result, items: [lifted(cx, value, loss), ...result.items.slice(1)] }
      : lifted(cx, value, loss);
  return { kind: "tuple", items: [items, grads] };
}

/** The value's floats replaced by the named tensors, everything else by zeros. */
function readBack(cx: Context, like: Value, names: readonly ValueName[]): Value {
  let i = 0;
  return mapLeaves(like, (leaf) => (isFloating(leaf) ? lifted(cx, names[i++]!, leaf) : zerosLike(leaf)));
}

/** Puts a derivative marker and gives the names of its results, shaped as the values `like`. */
function marker(
  cx: Context,
  kind: "vjp" | "jvp",
  of: readonly ValueName[],
  at: readonly ValueName[],
  seeds: readonly ValueName[],
  hints: readonly string[],
  like: readonly ValueName[],
  span: Span,
): ValueName[] {
  const results = hints.map((hint, i): ValueType => {
    const { element, shape } = cx.builder.types.get(like[i]!)!;
    return { name: cx.builder.fresh(hint), element, shape };
  });
  for (const r of results) cx.builder.define(r);
  cx.builder.push({ kind, of, at, seeds, results, origin: originOf(span) });
  return results.map((r) => r.name);
}

const hasFloat = (value: Value): boolean => leaves(value).some(isFloating);
const oneOrTuple = (values: readonly Value[]): Value =>
  values.length === 1 ? values[0]! : { kind: "tuple", items: values };
const partsOf = (value: Value): readonly Value[] => (value.kind === "tuple" ? value.items : [value]);

interface Primal {
  readonly names: readonly ValueName[];
  readonly outputs: readonly ValueName[];
  readonly result: Value;
}

/** Applies a function to copies of its floating arguments and names the floats of its result. */
function primal(cx: Context, of: Closure, args: readonly Value[], span: Span): Primal {
  const copies = args.map((arg) => copyFloats(cx, arg, span));
  const result = applyClosure(
    cx,
    of,
    copies.map((c) => c.value),
    span,
  );
  const outputs = partsOf(result)
    .flatMap((part) => leaves(part))
    .filter(isFloating)
    .map((leaf) => nodeName(cx, leaf, span));
  return { names: copies.flatMap((c) => c.names), outputs, result };
}

function seedNames(cx: Context, seeds: readonly Value[], hint: string, span: Span): ValueName[] {
  return seeds
    .flatMap(leaves)
    .filter(isFloating)
    .map((leaf) => nodeName(withHint(cx, hint), leaf, span));
}

function pullBack(
  cx: Context,
  of: Closure,
  args: readonly Value[],
  seeds: readonly Value[],
  span: Span,
): Value {
  const { names, outputs } = primal(cx, of, args, span);
  const cotangents = marker(
    cx,
    "vjp",
    outputs,
    names,
    seedNames(cx, seeds, "ct", span),
    names.map((n) => `d_${n}`),
    names,
    span,
  );
  let next = 0;
  const results = args.filter(hasFloat).map((arg) => {
    const own = leaves(arg).filter(isFloating).length;
    next += own;
    return readBack(cx, arg, cotangents.slice(next - own, next));
  });
  return oneOrTuple(results);
}

function pushForward(
  cx: Context,
  of: Closure,
  args: readonly Value[],
  seeds: readonly Value[],
  span: Span,
): Value {
  const { names, outputs, result } = primal(cx, of, args, span);
  const tangents = marker(
    cx,
    "jvp",
    outputs,
    names,
    seedNames(cx, seeds, "t", span),
    outputs.map((n) => `t_${n}`),
    outputs,
    span,
  );
  let next = 0;
  const results = partsOf(result)
    .filter(hasFloat)
    .map((part) => {
      const own = leaves(part).filter(isFloating).length;
      next += own;
      return readBack(cx, part, tangents.slice(next - own, next));
    });
  return oneOrTuple(results);
}

/** A rule may call its own function. Inside so many of its own rules it is differentiated as it is written. */
const mostNestedRules = 2;

/** A call of a function with a derivative of its own: the rule goes with the values, as nodes over its cotangents. */
export function callWithRule(
  cx: Context,
  frame: Frame,
  info: FunctionInfo,
  args: readonly Value[],
  span: Span,
): Value {
  const { rulesUnderWay } = cx.builder;
  if (rulesUnderWay.filter((f) => f === info).length >= mostNestedRules)
    return callBody(cx, frame, info, args);
  const copies = args.map((arg) => copyFloats(cx, arg, span));
  const result = callBody(
    cx,
    frame,
    info,
    copies.map((c) => c.value),
  );
  const outputs = leaves(result).filter(isFloating);
  const values = outputs.map((leaf) => nodeName(cx, leaf, span));
  const cotangents = values.map((v) => define(cx, `ct_${v}`, v));
  const rule = info.decl.vjp!;
  rulesUnderWay.push(info);
  const { result: argCotangents, nodes } = cx.builder.collect(() =>
    ruleNodes(
      cx,
      frame,
      info,
      copies.map((c) => c.value),
      result,
      cotangents,
      span,
    ),
  );
  rulesUnderWay.pop();
  const results = values.map((value, i) => ({
    name: define(cx, value, value),
    value,
    element: outputs[i]!.element,
    shape: cx.builder.types.get(value)!.shape,
  }));
  const node: Node = {
    kind: "custom",
    results,
    args: copies.flatMap((c) => c.names),
    cotangents,
    rule: nodes,
    argCotangents,
    origin: originOf(rule.span),
  };
  cx.builder.push(node);
  let i = 0;
  return mapLeaves(result, (leaf) => (isFloating(leaf) ? lifted(cx, results[i++]!.name, leaf) : leaf));
}

function define(cx: Context, hint: string, like: ValueName): ValueName {
  const { element, shape } = cx.builder.types.get(like)!;
  const name = cx.builder.fresh(hint);
  cx.builder.define({ name, element, shape });
  return name;
}

/** Elaborates the rule's body and names the cotangents of the floating arguments. */
function ruleNodes(
  cx: Context,
  frame: Frame,
  info: FunctionInfo,
  args: readonly Value[],
  result: Value,
  cotangents: readonly ValueName[],
  span: Span,
): ValueName[] {
  let inner: Context = { ...cx, frame, locals: null };
  const { params, body } = info.decl.vjp!;
  args.forEach((arg, i) => {
    inner = withLocal(inner, params[i]!.text, arg);
  });
  let next = 0;
  partsOf(result)
    .filter(hasFloat)
    .forEach((part, i) => {
      const own = leaves(part).filter(isFloating).length;
      next += own;
      inner = withLocal(
        inner,
        params[args.length + i]!.text,
        readBack(cx, part, cotangents.slice(next - own, next)),
      );
    });
  const rule = elaborate(inner, body);
  return leaves(rule)
    .filter(isFloating)
    .map((leaf) => nodeName(cx, leaf, span));
}
