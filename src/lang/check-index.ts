/** Index variables and what is read with them: ranges from written bounds or from use, padded reads, list elements. */
import { addDims, alwaysNonNegative, asNumber, type Dim, dimNumber, mulDims, showDim, subDims } from "./dims.ts";
import { checkExpression, describe } from "./check-expression.ts";
import { dimOfExpression } from "./dim-expression.ts";
import { diagnostic, type Inference } from "./inference.ts";
import { bind, type IndexVariable, lookup, type Scope } from "./scope.ts";
import { join, type Span, textOf } from "./source.ts";
import type { Binder, Expr } from "./syntax.ts";
import { errorType, isIntegerElement, isScalar, scalarElement, showElement, showType, type Type, tensorType } from "./types.ts";

/** Introduces index variables; bounds of later ones may use earlier ones. */
export function enterBinders(cx: Inference, scope: Scope, binders: readonly Binder[]): { scope: Scope; variables: IndexVariable[] } {
  const variables: IndexVariable[] = [];
  const seen = new Map<string, Span>();
  for (const binder of binders) {
    const twice = seen.get(binder.name.text);
    if (twice !== undefined) {
      cx.report("E0320", binder.name.span, "again here", {
        secondary: [{ span: twice, text: "first here" }],
        help: `give the second one another name`,
      });
    }
    seen.set(binder.name.text, binder.name.span);
    const variable = enterBinder(cx, scope, binder);
    variables.push(variable);
    scope = bind(scope, binder.name.text, { kind: "index", variable, span: binder.name.span });
  }
  return { scope, variables };
}

function enterBinder(cx: Inference, scope: Scope, binder: Binder): IndexVariable {
  const bound = (expr: Expr): Dim | null => {
    const dim = dimOfExpression(cx, scope, expr);
    if (dim === null) {
      const type = cx.resolve(checkExpression(cx, scope, expr, null));
      const whole = type.kind === "error" || (isScalar(type) && (isIntegerElement(type.element) || type.element.kind === "literal"));
      if (!whole) {
        cx.report("E0230", expr.span, `${describe(cx, type)} here`, { help: "a bound is a dimension or an `i32`; convert with `i32(…)`" });
      }
    }
    return dim;
  };
  const lo = binder.from === null ? dimNumber(0) : bound(binder.from);
  const hi = binder.to === null ? cx.metas.fresh() : bound(binder.to);
  const variable: IndexVariable = { binder, lo, hi, written: binder.to !== null, evidence: [], hints: [] };
  cx.indexVariables.push(variable);
  return variable;
}

/** The type of an index variable as a value: an `idx` of its range, or an `i32` when the range is not a plain one. */
export function typeOfIndex(variable: IndexVariable): Type {
  const plain = variable.binder.from === null && variable.hi !== null;
  return tensorType(plain ? { kind: "idx", bound: variable.hi } : scalarElement("i32"));
}

/** The extent of an axis made by an index variable; reports and gives null when it depends on more than dimensions. */
export function extentOf(cx: Inference, variable: IndexVariable): Dim | null {
  if (variable.lo !== null && variable.hi !== null) return subDims(variable.hi, variable.lo);
  const { binder } = variable;
  cx.report("E0242", join(binder.from?.span ?? binder.name.span, binder.to?.span ?? binder.name.span), "this changes from element to element", {
    secondary: [{ span: binder.name.span, text: "an axis of a tensor" }],
    help: "only a reduction may have bounds that depend on other indices; guard the body with `if` instead",
  });
  return null;
}

/** `target[indices | padding]`, where the target is a tensor or a list. */
export function checkIndex(cx: Inference, scope: Scope, expr: Extract<Expr, { kind: "index" }>): Type {
  const target = cx.resolve(checkExpression(cx, scope, expr.target, null));
  switch (target.kind) {
    case "tensor":
      return checkRead(cx, scope, expr, target);
    case "list":
      return checkListElement(cx, scope, expr, target);
    case "error":
      for (const index of expr.indices) checkExpression(cx, scope, index, null);
      return errorType;
    case "leaf":
      return cx.report("E0235", expr.span, "the number of axes differs from tensor to tensor", {
        help: "inside `tree_map` and `tree_sum` use elementwise operations",
      });
    case "function":
      return cx.report("E0405", expr.span, "dimensions in brackets belong before a call", { help: "write the arguments behind it: `f[2, 2](x)`" });
    case "tuple":
    case "struct":
    case "variable":
    case "unknown":
      return cx.report("E0213", expr.target.span, `${describe(cx, target)}, not a tensor`, {
        help: target.kind === "tuple" ? "take a tuple apart with `let (a, b) = …`" : "name the field that is meant: `p.weight[i]`",
      });
  }
}

function checkListElement(cx: Inference, scope: Scope, expr: Extract<Expr, { kind: "index" }>, list: Extract<Type, { kind: "list" }>): Type {
  const [index] = expr.indices;
  const dim = index === undefined ? null : dimOfExpression(cx, scope, index);
  if (expr.indices.length !== 1 || dim === null) {
    return cx.report("E0227", join(expr.indices[0]?.span ?? expr.span, expr.indices.at(-1)?.span ?? expr.span), "an element of a list has one number, known when compiling", {
      secondary: [{ span: expr.target.span, text: describe(cx, list) }],
      help: "to go through the list, write `fold acc = start for p in list -> …`",
    });
  }
  if (alwaysNonNegative(subDims(dim, cx.metas.resolve(list.length)))) {
    cx.report("E0243", index!.span, `the last element is number ${showDim(subDims(list.length, dimNumber(1)))}`, {
      secondary: [{ span: expr.target.span, text: describe(cx, list) }],
      help: "elements are numbered from 0",
    });
  }
  return list.item;
}

function checkRead(cx: Inference, scope: Scope, expr: Extract<Expr, { kind: "index" }>, target: Extract<Type, { kind: "tensor" }>): Type {
  if (expr.indices.length > target.shape.length) {
    for (const index of expr.indices) checkExpression(cx, scope, index, null);
    const extra = expr.indices[target.shape.length]!;
    return cx.report("E0208", extra.span, `index number ${target.shape.length + 1}`, {
      secondary: [{ span: expr.target.span, text: describe(cx, target) }],
      help: target.shape.length === 0 ? "a scalar is used as it is, without brackets" : `it has ${axes(target.shape.length)}`,
    });
  }
  for (const [axis, index] of expr.indices.entries()) checkOneIndex(cx, scope, expr, target, index, axis);
  const rest = target.shape.slice(expr.indices.length);
  if (expr.padding !== null) checkPadding(cx, scope, expr.padding, target, rest.length);
  return tensorType(target.element, rest);
}

const axes = (n: number): string => (n === 1 ? "1 axis" : `${n} axes`);

function checkPadding(cx: Inference, scope: Scope, padding: Expr, target: Extract<Type, { kind: "tensor" }>, restRank: number): void {
  const wanted = tensorType(target.element);
  const found = checkExpression(cx, scope, padding, wanted);
  cx.agree(found, wanted, () =>
    diagnostic("E0212", padding.span, `${describe(cx, found)} here`, {
      notes: [`the tensor's elements are ${showElement(cx.element(target.element))}`],
      help: restRank > 0 ? "one value fills all that lies outside" : "the value behind `|` has the type of an element",
    }),
  );
}

function checkOneIndex(
  cx: Inference, scope: Scope, expr: Extract<Expr, { kind: "index" }>, target: Extract<Type, { kind: "tensor" }>, index: Expr, axis: number,
): void {
  const size = target.shape[axis]!;
  const variable = soleVariable(scope, index);
  if (variable !== null) {
    cx.types.set(index, typeOfIndex(variable));
    if (expr.padding === null) observe(cx, expr, target, index, size, variable);
    return;
  }
  const type = cx.resolve(checkExpression(cx, scope, index, null));
  if (type.kind === "error") return;
  if (!isScalar(type) || !(isIntegerElement(type.element) || type.element.kind === "literal")) {
    const help =
      isScalar(type) && type.element.kind === "scalar" && type.element.scalar === "f32"
        ? `convert it: \`i32(${textOf(index.span)})\``
        : "an index is an index variable, an `idx`, or an `i32`";
    cx.report("E0209", index.span, `${describe(cx, type)} here`, { help });
    return;
  }
  if (type.element.kind === "literal") cx.agree(type, tensorType(scalarElement("i32")), () => diagnostic("E0209", index.span, "a number with a fraction"));
  if (expr.padding !== null) return;
  if (type.element.kind === "idx") {
    const bound = type.element.bound;
    cx.agreeDims(bound, size, () =>
      diagnostic("E0211", index.span, `less than ${showDim(cx.metas.resolve(bound))}`, {
        secondary: [{ span: expr.target.span, text: `axis ${axis + 1} of ${describe(cx, target)} has ${showDim(cx.metas.resolve(size))}` }],
        help: "an `idx[n]` indexes an axis of n; read with padding, `x[… | 0.0]`, if it may lie outside",
      }),
    );
    return;
  }
  reportIfAlwaysOutside(cx, scope, expr, target, index, axis);
}

function soleVariable(scope: Scope, index: Expr): IndexVariable | null {
  if (index.kind !== "name") return null;
  const binding = lookup(scope, index.name);
  return binding?.kind === "index" ? binding.variable : null;
}

/** An index variable that stands alone takes the axis's size as its range, or must stay within it. */
function observe(
  cx: Inference, expr: Extract<Expr, { kind: "index" }>, target: Extract<Type, { kind: "tensor" }>, index: Expr, size: Dim, variable: IndexVariable,
): void {
  const name = variable.binder.name.text;
  const from = `${textOf(expr.target.span)}: ${showType(cx.resolve(target))}`;
  if (variable.written) {
    const over = variable.hi === null ? null : subDims(cx.metas.resolve(variable.hi), addDims(cx.metas.resolve(size), dimNumber(1)));
    if (over !== null && alwaysNonNegative(over) && cx.guarded === 0) {
      cx.report("E0210", index.span, `${name} goes up to ${showDim(subDims(cx.metas.resolve(variable.hi!), dimNumber(1)))}`, {
        secondary: [
          { span: expr.target.span, text: `${showDim(cx.metas.resolve(size))} here, from ${from}` },
          { span: variable.binder.span, text: "its range" },
        ],
        help: `leave the range out, or read with padding: \`${paddedForm(expr)}\``,
      });
    }
    return;
  }
  const evidence = { span: index.span, dim: size, from };
  const first = variable.evidence[0];
  variable.evidence.push(evidence);
  cx.agreeDims(size, variable.hi!, () => {
    const here = showDim(cx.metas.resolve(size));
    const earlier = first === undefined ? variable.hi! : first.dim;
    const there = showDim(cx.metas.resolve(earlier));
    return diagnostic("E0203", first?.span ?? variable.binder.span, `${there} here${first === undefined ? "" : `, from ${first.from}`}`, {
      secondary: [{ span: index.span, text: `${here} here, from ${from}` }],
      notes: [`${name} ranges over ${there} and over ${here}, and nothing makes them equal`],
      help: null,
    });
  });
}

function paddedForm(expr: Extract<Expr, { kind: "index" }>): string {
  const indices = expr.indices.map((i) => textOf(i.span)).join(", ");
  return `${textOf(expr.target.span)}[${indices} | 0.0]`;
}

interface SymbolicRange {
  readonly lo: Dim;
  readonly hi: Dim;
}

/** A read that leaves the tensor whatever the dimensions are. What only some dimensions allow is seen when compiling. */
function reportIfAlwaysOutside(
  cx: Inference, scope: Scope, expr: Extract<Expr, { kind: "index" }>, target: Extract<Type, { kind: "tensor" }>, index: Expr, axis: number,
): void {
  if (cx.guarded > 0) return;
  const range = rangeOfExpression(cx, scope, index);
  if (range === null) return;
  const size = cx.metas.resolve(target.shape[axis]!);
  const hi = cx.metas.resolve(range.hi);
  const lo = cx.metas.resolve(range.lo);
  const above = alwaysNonNegative(subDims(hi, size));
  const below = alwaysNonNegative(subDims(dimNumber(-1), lo));
  if (!above && !below) return;
  const extreme = above ? `up to ${showDim(hi)}` : `down to ${showDim(lo)}`;
  cx.report("E0210", index.span, asNumber(subDims(hi, lo)) === 0 ? `this is ${showDim(hi)}` : `this goes ${extreme}`, {
    secondary: [{ span: expr.target.span, text: `axis ${axis + 1} has ${showDim(size)}: ${describe(cx, target)}` }],
    help: `give the value outside, \`${paddedForm(expr)}\`, or change the range`,
  });
}

function rangeOfExpression(cx: Inference, scope: Scope, expr: Expr): SymbolicRange | null {
  const dim = dimOfExpression(cx, scope, expr);
  if (dim !== null) return { lo: dim, hi: dim };
  const variable = soleVariable(scope, expr);
  if (variable !== null) {
    if (variable.lo === null || variable.hi === null) return null;
    return { lo: variable.lo, hi: subDims(variable.hi, dimNumber(1)) };
  }
  if (expr.kind !== "binary") return null;
  const a = rangeOfExpression(cx, scope, expr.left);
  const b = rangeOfExpression(cx, scope, expr.right);
  if (a === null || b === null) return null;
  if (expr.op === "+") return { lo: addDims(a.lo, b.lo), hi: addDims(a.hi, b.hi) };
  if (expr.op === "-") return { lo: subDims(a.lo, b.hi), hi: subDims(a.hi, b.lo) };
  if (expr.op !== "*") return null;
  const [factor, other] = asNumber(subDims(a.hi, a.lo)) === 0 ? [a.lo, b] : [b.lo, a];
  const constant = asNumber(subDims(a.hi, a.lo)) === 0 || asNumber(subDims(b.hi, b.lo)) === 0;
  if (!constant || !alwaysNonNegative(factor)) return null;
  return { lo: mulDims(factor, other.lo), hi: mulDims(factor, other.hi) };
}
