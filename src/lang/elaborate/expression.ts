/** Elaboration of expressions: every form becomes a value, and nodes where a tensor is made. */
import { apply, constant, integer, truth } from "../../ir/build.ts";
import { bool, type Expr, i32 } from "../../ir/ir.ts";
import { prove } from "../../ir/ranges.ts";
import { binaryExpr, chooseTensor, elementwise, plainElement } from "./arithmetic.ts";
import { elaborateAxes, elaborateReduce } from "./binders.ts";
import { closureOf, elaborateCall } from "./call.ts";
import { type Context, fail, withHint, withLocal } from "./context.ts";
import { elaborateFold } from "./fold.ts";
import { materialise } from "./node.ts";
import type { FieldInfo } from "../program.ts";
import { elaborateIndex } from "./read.ts";
import type * as syntax from "../syntax.ts";
import type { Span } from "../source.ts";
import { contextAt } from "./site.ts";
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
