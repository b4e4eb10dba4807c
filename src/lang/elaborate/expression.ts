/** Elaboration of expressions: every form becomes a value, and nodes where a tensor is made. */
import { constant, index, integer, read, select, apply, all as conjunction, truth } from "../../ir/build.ts";
import { isWithin } from "../../ir/bounds.ts";
import {
  type Axis,
  bool,
  type ElementType,
  type Expr,
  i32,
  type ReduceOp,
  type ReductionAxis,
} from "../../ir/ir.ts";
import type { Interval } from "../../ir/intervals.ts";
import { prove, rangeOf } from "../../ir/ranges.ts";
import { binaryExpr, chooseTensor, elementwise, plainElement } from "./arithmetic.ts";
import { closureOf, elaborateCall } from "./call.ts";
import { type Context, dimOf, fail, integerOf, withHint, withLocal } from "./context.ts";
import { elaborateFold } from "./fold.ts";
import type { FieldInfo } from "../program.ts";
import type * as syntax from "../syntax.ts";
import type { Span } from "../source.ts";
import { contextAt, offset, type ScopeAxis, type Site } from "./site.ts";
import {
  leaves,
  lookupLocal,
  mapLeaves,
  scalar,
  type StructValue,
  type TensorValue,
  type Value,
} from "./value.ts";

/** The value of an expression. */
export function elaborate(cx: Context, expr: syntax.Expr): Value {
  switch (expr.kind) {
    case "number":
      return numberValue(cx, expr, expr.value);
    case "bool":
      return scalar(bool, truth(expr.value));
    case "name":
      return nameValue(cx, expr);
    case "block":
      return elaborateBlock(cx, expr);
    case "for":
      return elaborateAxes(cx, expr.binders, expr.body, expr.span);
    case "reduce":
      return elaborateReduce(cx, expr);
    case "if":
      return elaborateIf(cx, expr);
    case "fold-list":
    case "fold-count":
      return elaborateFold(cx, expr);
    case "unary": {
      const operand = tensorOf(asOperand(cx), expr.operand);
      const element = expr.op === "not" ? bool : plainElement(operand.element.scalar);
      return elementwise(element, [operand], ([x]) => (expr.op === "not" ? apply("not", x!) : negate(x!)));
    }
    case "binary":
      return elaborateBinary(cx, expr);
    case "index":
      return elaborateIndex(cx, expr);
    case "field": {
      const target = elaborate(cx, expr.target);
      return (target as StructValue).fields.get(expr.field.text)!;
    }
    case "call":
      return elaborateCall(cx, expr);
    case "tuple":
      return { kind: "tuple", items: expr.items.map((item) => elaborate(cx, item)) };
    case "struct":
      return structValue(cx, expr);
    case "lambda":
      return { kind: "function", closure: { kind: "lambda", expr, frame: cx.frame, locals: cx.locals } };
    case "list":
      return { kind: "list", items: expr.items.map((item) => elaborate(cx, item)) };
    case "error":
      throw new Error("elaboration of a program with syntax errors");
  }
}

/** What is only a part of an expression is named after the function that it stands in, not after what the whole is for. */
export function asOperand(cx: Context): Context {
  return withHint(cx, cx.frame.name);
}

/** An expression that the checker found to be a scalar or a tensor. */
export function tensorOf(cx: Context, expr: syntax.Expr): TensorValue {
  return elaborate(cx, expr) as TensorValue;
}

/** An expression that the checker found to be a scalar. */
export function scalarOf(cx: Context, expr: syntax.Expr): Expr {
  return tensorOf(cx, expr).at([]);
}

function negate(x: Expr): Expr {
  return x.kind === "const" ? { ...x, value: -x.value } : apply("neg", x);
}

function numberValue(cx: Context, expr: syntax.Expr, value: number): TensorValue {
  const type = cx.frame.body.types.get(expr);
  const element = type?.kind === "tensor" || type?.kind === "leaf" ? type.element : null;
  const scalarKind =
    element?.kind === "scalar"
      ? element.scalar
      : element?.kind === "idx"
        ? "i32"
        : Number.isInteger(value)
          ? "i32"
          : "f32";
  return scalar({ scalar: scalarKind, bound: null }, constant(value, scalarKind));
}

function nameValue(cx: Context, expr: Extract<syntax.Expr, { kind: "name" }>): Value {
  const local = lookupLocal(cx.locals, expr.name);
  if (local !== null) return local;
  const dim = cx.frame.dims.get(expr.name);
  if (dim !== undefined) return scalar(i32, integer(dim));
  const top = cx.frame.module.names.get(expr.name);
  if (top?.kind === "const") return numberValue(cx, expr, top.value);
  return { kind: "function", closure: closureOf(cx, expr)! };
}

function elaborateBlock(cx: Context, expr: Extract<syntax.Expr, { kind: "block" }>): Value {
  const outerHint = cx.hint;
  for (const statement of expr.lets) {
    const { pattern } = statement;
    if (pattern.kind === "indexed") {
      const name = pattern.name.text;
      cx = withLocal(
        cx,
        name,
        elaborateAxes(withHint(cx, name), pattern.binders, statement.value, statement.span),
      );
    } else {
      const hint = pattern.kind === "name" ? pattern.name.text : outerHint;
      const value = elaborate(withHint(cx, hint), statement.value);
      cx = bindPattern(cx, pattern, value, statement.span);
    }
  }
  return elaborate(withHint(cx, outerHint), expr.result);
}

/** Binds the names of a pattern; a tensor that is bound to a name becomes a node. */
export function bindPattern(cx: Context, pattern: syntax.Pattern, value: Value, span: Span): Context {
  if (pattern.kind === "tuple") {
    const { items } = value as Extract<Value, { kind: "tuple" }>;
    pattern.items.forEach((item, i) => {
      cx = bindPattern(cx, item, items[i]!, span);
    });
    return cx;
  }
  const name = pattern.name.text;
  return withLocal(cx, name, materialise(withHint(cx, name), value, span));
}

/** The same value with every tensor that is not a scalar a node (or a view of one). */
export function materialise(cx: Context, value: Value, span: Span): Value {
  return mapLeaves(value, (leaf) => (leaf.shape.length === 0 ? leaf : tensorNode(cx, leaf, span)));
}

/** A node for a tensor, unless it is one already. */
export function tensorNode(
  cx: Context,
  leaf: TensorValue,
  span: Span,
  force: { readonly liftAll?: boolean; readonly keep?: boolean } = {},
): TensorValue {
  const axes = freshAxes(cx, leaf.shape);
  const body = leaf.at(axes.map((a) => index(a.name)));
  return cx.builder.emit(cx.site, {
    hint: cx.hint,
    element: leaf.element,
    axes,
    reduction: null,
    body,
    span,
    ...force,
  });
}

const axisNames = ["i", "j", "k", "l", "m", "n", "p", "q"];

/** Axes with names that are free at the site. */
export function freshAxes(cx: Context, shape: readonly number[], taken: Iterable<string> = []): Axis[] {
  const used = new Set(taken);
  return shape.map((size, i) => {
    const name = cx.builder.variable(cx.site, axisNames[i] ?? "i", used);
    used.add(name);
    return { name, size };
  });
}

/** Enters the index variables of a `for`. Their values are `index + lo` with the index counting from 0. */
function enterAxes(
  cx: Context,
  binders: readonly syntax.Binder[],
): { readonly inner: Context; readonly axes: Axis[] } {
  const axes: Axis[] = [];
  for (const binder of binders) {
    const range = cx.frame.body.ranges.get(binder)!;
    const lo = integerOf(cx.frame, range.lo!, binder.span);
    const hi = dimOf(cx.frame, range.hi!, binder.span);
    const size = Math.max(0, hi - lo);
    const name = cx.builder.variable(cx.site, binder.name.text);
    axes.push({ name, size });
    const site: Site = { ...cx.site, axes: [...cx.site.axes, { name, lo: 0, hi: size, isLoop: false }] };
    const element: ElementType = { scalar: "i32", bound: hi };
    cx = withLocal({ ...cx, site }, binder.name.text, scalar(element, offset(index(name), lo)));
  }
  return { inner: cx, axes };
}

/** `for binders -> body`, `let y[binders] = body`. */
function elaborateAxes(cx: Context, binders: readonly syntax.Binder[], body: syntax.Expr, span: Span): Value {
  const { inner, axes } = enterAxes(cx, binders);
  const value = elaborate(inner, body);
  return mapLeaves(value, (leaf) => {
    const own = freshAxes(inner, leaf.shape);
    const expr = leaf.at(own.map((a) => index(a.name)));
    // The index variables of the `for` are this node's own axes, so its site is the one outside.
    return cx.builder.emit(cx.site, {
      hint: cx.hint,
      element: leaf.element,
      axes: [...axes, ...own],
      reduction: null,
      body: expr,
      span,
    });
  });
}

function elaborateReduce(cx: Context, expr: Extract<syntax.Expr, { kind: "reduce" }>): Value {
  const { inner, reductionAxes, count } = enterReduction(cx, expr);
  const body = tensorOf(asOperand(inner), expr.body);
  const own = freshAxes(inner, body.shape);
  const value = body.at(own.map((a) => index(a.name)));
  const make = (op: ReduceOp, element: ElementType, e: Expr): TensorValue =>
    cx.builder.emit(cx.site, {
      hint: cx.hint,
      element,
      axes: own,
      reduction: { op, axes: reductionAxes, bestValue: null },
      body: e,
      span: expr.span,
    });
  const plain = plainElement(body.element.scalar);
  switch (expr.reducer) {
    case "mean": {
      const total = make("sum", plain, value);
      const n: Expr = { kind: "apply", fn: "cast", type: plain.scalar, args: [count] };
      const divisor = count.kind === "const" ? constant(count.value, plain.scalar) : n;
      return elementwise(plain, [total], ([x]) => apply("div", x!, divisor));
    }
    case "count":
      return make("sum", i32, select(value, integer(1), integer(0)));
    case "argmax":
    case "argmin": {
      const [axis] = reductionAxes;
      const last = boundRange(cx, axis!.hi)?.hi ?? 1;
      if (last <= 0)
        return fail("E0509", expr.span, `${axis!.name} has no values`, {
          help: "choose dimensions of at least 1",
        });
      return make(expr.reducer, { scalar: "i32", bound: last }, value);
    }
    case "any":
    case "all":
      return make(expr.reducer, bool, value);
    case "sum":
    case "prod":
    case "max":
    case "min":
      return make(expr.reducer, plain, value);
  }
}

/** Enters reduction variables, whose bounds may depend on indices around them. `count` is the number of points. */
function enterReduction(
  cx: Context,
  expr: Extract<syntax.Expr, { kind: "reduce" }>,
): { readonly inner: Context; readonly reductionAxes: ReductionAxis[]; readonly count: Expr } {
  const reductionAxes: ReductionAxis[] = [];
  let count: Expr = integer(1);
  for (const binder of expr.binders) {
    const { lo, hi } = boundsOf(cx, binder);
    const least = boundRange(cx, lo)?.lo ?? 0;
    const most = boundRange(cx, hi)?.hi ?? 0;
    if (!Number.isFinite(least) || !Number.isFinite(most)) {
      fail("E0503", binder.span, "nothing bounds this range", {
        help: "clamp the bounds to a dimension: `min(e, n)`, `max(e, 0)`",
      });
    }
    const name = cx.builder.variable(cx.site, binder.name.text);
    reductionAxes.push({ name, lo, hi });
    count = binaryExpr("*", count, binaryExpr("-", hi, lo));
    const axis: ScopeAxis = { name, lo: least, hi: Math.max(least, most), isLoop: false };
    const element: ElementType = { scalar: "i32", bound: least >= 0 ? most : null };
    cx = withLocal(
      { ...cx, site: { ...cx.site, axes: [...cx.site.axes, axis] } },
      binder.name.text,
      scalar(element, index(name)),
    );
  }
  return { inner: cx, reductionAxes, count };
}

/** The values of a reduction's bound; null if it depends on an index that has none. */
function boundRange(cx: Context, bound: Expr): Interval | null {
  const context = contextAt(cx.site, [bound]);
  return context.impossible ? null : rangeOf(bound, context);
}

function boundsOf(cx: Context, binder: syntax.Binder): { readonly lo: Expr; readonly hi: Expr } {
  const range = cx.frame.body.ranges.get(binder)!;
  const bound = (dim: typeof range.lo, written: syntax.Expr | null): Expr =>
    dim !== null ? integer(integerOf(cx.frame, dim, binder.span)) : scalarOf(cx, written!);
  return { lo: bound(range.lo, binder.from), hi: bound(range.hi, binder.to) };
}

function elaborateIf(cx: Context, expr: Extract<syntax.Expr, { kind: "if" }>): Value {
  const condition = scalarOf(asOperand(cx), expr.condition);
  const decided = prove(condition, contextAt(cx.site, [condition]));
  if (decided !== null) return elaborate(cx, decided ? expr.yes : expr.no);
  const under = (guard: Expr): Context => ({
    ...cx,
    site: { ...cx.site, guards: [...cx.site.guards, guard] },
  });
  const yes = elaborate(under(condition), expr.yes);
  const no = elaborate(under(apply("not", condition)), expr.no);
  const others = leaves(no)[Symbol.iterator]();
  return mapLeaves(yes, (leaf) => chooseTensor(condition, leaf, others.next().value!));
}

function elaborateBinary(cx: Context, expr: Extract<syntax.Expr, { kind: "binary" }>): TensorValue {
  const left = tensorOf(asOperand(cx), expr.left);
  const right = tensorOf(asOperand(cx), expr.right);
  const logical = ["==", "!=", "<", "<=", ">", ">=", "and", "or"].includes(expr.op);
  const element = logical ? bool : plainElement(left.element.scalar);
  return elementwise(element, [left, right], ([a, b]) => {
    const result = binaryExpr(expr.op, a!, b!);
    if (expr.op === "/" && result.kind === "apply" && result.type === "i32")
      fail("E0504", expr.span, "the division leaves a rest", { help: "`//` rounds down" });
    return result;
  });
}

function elaborateIndex(cx: Context, expr: Extract<syntax.Expr, { kind: "index" }>): Value {
  // `f[2, 2]` without its arguments: a function with its dimensions given, itself an argument.
  const closure = closureOf(cx, expr);
  if (closure !== null) return { kind: "function", closure };
  const target = elaborate(asOperand(cx), expr.target);
  if (target.kind === "list") return listElement(cx, expr, target.items);
  const tensor = target as TensorValue;
  const indices = expr.indices.map((e) => scalarOf(cx, e));
  const shape = tensor.shape.slice(indices.length);
  const plain = (rest: readonly Expr[]): Expr => located(cx, tensor.at([...indices, ...rest]), expr.span);
  if (expr.padding === null) return view(tensor.element, shape, plain);
  const context = contextAt(cx.site, indices);
  const inside = conjunction(
    indices.flatMap((e, axis) => {
      const size = tensor.shape[axis]!;
      if (isWithin(e, size, context)) return [];
      return [apply("ge", e, integer(0)), apply("lt", e, integer(size))].filter(
        (c) => prove(c, context) !== true,
      );
    }),
  );
  const padding = scalarOf(cx, expr.padding);
  return view(plainElement(tensor.element.scalar), shape, (rest) => select(inside, plain(rest), padding));
}

/** A tensor by its elements; a scalar's expression is made once. */
function view(element: ElementType, shape: readonly number[], at: TensorValue["at"]): TensorValue {
  return shape.length === 0 ? scalar(element, at([])) : { kind: "tensor", element, shape, at };
}

/** Remembers where a read was written. */
function located(cx: Context, expr: Expr, span: Span): Expr {
  if (expr.kind === "read") cx.builder.readSpans.set(expr, span);
  return expr;
}

function listElement(
  cx: Context,
  expr: Extract<syntax.Expr, { kind: "index" }>,
  items: readonly Value[],
): Value {
  const at = scalarOf(cx, expr.indices[0]!);
  const item = at.kind === "const" ? items[at.value] : undefined;
  return (
    item ??
    fail(
      "E0508",
      expr.indices[0]!.span,
      at.kind === "const" ? `element ${at.value}` : "not known when compiling",
      { notes: [`the list has ${items.length}`], help: "elements are numbered from 0" },
    )
  );
}

function structValue(cx: Context, expr: Extract<syntax.Expr, { kind: "struct" }>): StructValue {
  const decl = cx.frame.module.names.get(expr.name.text);
  if (decl?.kind !== "struct") throw new Error(`not a struct: ${expr.name.text}`);
  const base = expr.spread === null ? null : (elaborate(cx, expr.spread) as StructValue);
  const given = new Map(expr.fields.map((f) => [f.name.text, f.value]));
  const fieldOf = (field: FieldInfo): Value => {
    const value = given.get(field.name);
    if (value === undefined) return base!.fields.get(field.name)!;
    return materialise(withHint(cx, field.name), elaborate(withHint(cx, field.name), value), value.span);
  };
  return { kind: "struct", decl, fields: new Map(decl.fields.map((f) => [f.name, fieldOf(f)])) };
}

/** Zero of every element: what has no gradient is given as this. */
export function zerosLike(leaf: TensorValue): TensorValue {
  const zero: Expr = { kind: "const", type: leaf.element.scalar, value: 0 };
  return { ...leaf, at: () => zero };
}

/** A tensor read by a name that is defined in the builder: a parameter, or a loop's carried value. */
export function namedTensor(
  name: string,
  element: ElementType,
  shape: readonly number[],
  prefix: readonly Expr[] = [],
): TensorValue {
  return { kind: "tensor", element, shape, at: (indices) => read(name, element, [...prefix, ...indices]) };
}
