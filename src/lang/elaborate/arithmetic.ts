/** Operators on elaborated scalars and tensors. Elementwise results are not nodes yet: their elements are expressions. */
import { apply, integer, select } from "../../ir/build.ts";
import { type ElementType, type Expr, i32, isFloat, type ScalarType, typeOf } from "../../ir/ir.ts";
import type { ScalarFunctionName } from "../../ir/scalar.ts";
import type { BinaryOp } from "../syntax.ts";
import { scalar, type TensorValue } from "./value.ts";

const functions: Readonly<Record<BinaryOp, Exclude<ScalarFunctionName, "cast">>> = {
  or: "or",
  and: "and",
  "==": "eq",
  "!=": "ne",
  "<": "lt",
  "<=": "le",
  ">": "gt",
  ">=": "ge",
  "+": "add",
  "-": "sub",
  "*": "mul",
  "/": "div",
  "//": "floor_div",
  "%": "mod",
  "^": "pow",
};

/** The expression of an operator; `i32` constants, which dimensions are, are computed at once. */
export function binaryExpr(op: BinaryOp, a: Expr, b: Expr): Expr {
  if (a.kind === "const" && b.kind === "const" && a.type === "i32" && b.type === "i32") {
    const folded = foldIntegers(op, a.value, b.value);
    if (folded !== null) return folded;
  }
  if (op === "^" && !isFloat(typeOf(a))) return integerPower(a, b.kind === "const" ? b.value : 0);
  return apply(functions[op], a, b);
}

function foldIntegers(op: BinaryOp, a: number, b: number): Expr | null {
  const truth = (value: boolean): Expr => ({ kind: "const", type: "bool", value: value ? 1 : 0 });
  const whole = (value: number): Expr | null =>
    Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? integer(value) : null;
  switch (op) {
    case "+":
      return whole(a + b);
    case "-":
      return whole(a - b);
    case "*":
      return whole(a * b);
    case "/":
      return b === 0 ? null : whole(a / b);
    case "//":
      return b === 0 ? null : whole(Math.floor(a / b));
    case "%":
      return b === 0 ? null : whole(a - b * Math.floor(a / b));
    case "^":
      return whole(a ** b);
    case "==":
      return truth(a === b);
    case "!=":
      return truth(a !== b);
    case "<":
      return truth(a < b);
    case "<=":
      return truth(a <= b);
    case ">":
      return truth(a > b);
    case ">=":
      return truth(a >= b);
    case "and":
    case "or":
      return null;
  }
}

function integerPower(base: Expr, exponent: number): Expr {
  let result: Expr = { kind: "const", type: typeOf(base), value: 1 };
  for (let n = 0; n < exponent; n++) result = n === 0 ? base : apply("mul", result, base);
  return result;
}

/** An operation on the elements of several tensors of one shape, among which scalars spread. */
export function elementwise(
  element: ElementType,
  operands: readonly TensorValue[],
  combine: (elements: Expr[]) => Expr,
): TensorValue {
  const shape = operands.find((o) => o.shape.length > 0)?.shape ?? [];
  // A scalar's expression is made once: used twice, it is one shared object.
  if (shape.length === 0) return scalar(element, combine(operands.map((o) => o.at([]))));
  return {
    kind: "tensor",
    element,
    shape,
    at: (indices) => combine(operands.map((o) => o.at(o.shape.length === 0 ? [] : indices))),
  };
}

/** The element type of an arithmetic result: an `idx` counts as `i32`. */
export function plainElement(type: ScalarType): ElementType {
  return type === "i32" ? i32 : { scalar: type, bound: null };
}

/** A tensor chosen by a condition, element by element. */
export function chooseTensor(condition: Expr, yes: TensorValue, no: TensorValue): TensorValue {
  const bound =
    yes.element.bound !== null && yes.element.bound === no.element.bound ? yes.element.bound : null;
  return elementwise({ scalar: yes.element.scalar, bound }, [yes, no], ([a, b]) => select(condition, a!, b!));
}
