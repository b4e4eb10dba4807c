/**
 * Constructors of kernel expressions. They type their result, and fold the constants and identities of index arithmetic:
 *
 *     add(mul(workgroup, integer(1)), integer(0))        // workgroup
 *     add(add(invocation, integer(3)), integer(4))       // invocation + 7
 *
 * Floats are never folded: what is computed on the device is decided there.
 */
import { scalarFunctions } from "../ir/scalar.ts";
import type { KernelExpr, KernelFunction, KernelType, Space } from "./kernel.ts";

/** The number of this workgroup. */
export const workgroup = { kind: "builtin", name: "workgroup" } as const;

/** The number of this invocation in its workgroup. */
export const invocation: KernelExpr = { kind: "builtin", name: "invocation" };

/** 0, which the driver does not know. */
export const zero = { kind: "builtin", name: "zero" } as const;

/** A literal; booleans are 0 and 1. */
export function constant(type: KernelType, value: number): KernelExpr {
  return { kind: "const", type, value };
}

/** An `i32` literal. */
export function integer(value: number): KernelExpr {
  return { kind: "const", type: "i32", value };
}

/** True or false. */
export function truth(value: boolean): KernelExpr {
  return { kind: "const", type: "bool", value: value ? 1 : 0 };
}

/** A `let`, a `var`, or the index of a `for`. */
export function local(name: string, type: KernelType): KernelExpr {
  return { kind: "local", name, type };
}

/** An element of an array. */
export function load(space: Space, array: string, index: KernelExpr, type: KernelType): KernelExpr {
  return { kind: "load", space, array, index, type };
}

/** A function applied, as it stands; `cast` needs the constructor with a target type. */
export function apply(fn: Exclude<KernelFunction, "cast">, ...args: readonly KernelExpr[]): KernelExpr {
  return { kind: "apply", fn, type: resultType(fn, args), args };
}

/** Conversion to a type; nothing when it is that type already, or an integer literal that the type has. */
export function cast(type: KernelType, x: KernelExpr): KernelExpr {
  if (typeOf(x) === type) return x;
  if (x.kind === "const" && isLiteralOf(type, x.value))
    return constant(type, type === "bool" ? Number(x.value !== 0) : x.value);
  return { kind: "apply", fn: "cast", type, args: [x] };
}

/** `if condition then yes else no`. */
export function select(condition: KernelExpr, yes: KernelExpr, no: KernelExpr): KernelExpr {
  if (condition.kind === "const") return condition.value !== 0 ? yes : no;
  return yes === no ? yes : { kind: "select", condition, yes, no };
}

/** `a + b` of `i32`. A constant ends up on the right, and two become one. */
export function add(a: KernelExpr, b: KernelExpr): KernelExpr {
  if (a.kind === "const") return b.kind === "const" ? integer((a.value + b.value) | 0) : add(b, a);
  if (b.kind !== "const") return apply("add", a, b);
  if (b.value === 0) return a;
  const [rest, addend] = constantOperand("add", a) ?? [];
  return rest === undefined ? apply("add", a, b) : add(rest, integer((addend! + b.value) | 0));
}

/** `a - b` of `i32`. */
export function sub(a: KernelExpr, b: KernelExpr): KernelExpr {
  if (a === b) return integer(0);
  return b.kind === "const" ? add(a, integer(-b.value | 0)) : apply("sub", a, b);
}

/** `a * b` of `i32`. A constant ends up on the right, and two become one. */
export function mul(a: KernelExpr, b: KernelExpr): KernelExpr {
  if (a.kind === "const") return b.kind === "const" ? integer(Math.imul(a.value, b.value)) : mul(b, a);
  if (b.kind !== "const") return apply("mul", a, b);
  if (b.value === 0) return b;
  if (b.value === 1) return a;
  const [rest, factor] = constantOperand("mul", a) ?? [];
  return rest === undefined ? apply("mul", a, b) : mul(rest, integer(Math.imul(factor!, b.value)));
}

/** `a / b` of `i32` with a ≥ 0 and b > 0, where no product in `a` overflows. */
export function quotient(a: KernelExpr, b: KernelExpr): KernelExpr {
  if (b.kind !== "const" || b.value <= 0) return apply("quotient", a, b);
  if (b.value === 1) return a;
  if (a.kind === "const") return integer(Math.trunc(a.value / b.value));
  const [multiplied, factor] = constantOperand("mul", a) ?? [];
  if (multiplied !== undefined && factor! % b.value === 0) return mul(multiplied, integer(factor! / b.value));
  const [divided, divisor] = constantOperand("quotient", a) ?? [];
  if (divided !== undefined && divisor! * b.value < 2 ** 31)
    return quotient(divided, integer(divisor! * b.value));
  return apply("quotient", a, b);
}

/** `a % b` of `i32` with a ≥ 0 and b > 0, where no product in `a` overflows. */
export function remainder(a: KernelExpr, b: KernelExpr): KernelExpr {
  if (b.kind !== "const" || b.value <= 0) return apply("remainder", a, b);
  if (b.value === 1) return integer(0);
  if (a.kind === "const") return integer(a.value % b.value);
  const [, factor] = constantOperand("mul", a) ?? [];
  if (factor !== undefined && factor % b.value === 0) return integer(0);
  const [, modulus] = constantOperand("remainder", a) ?? [];
  return modulus !== undefined && modulus <= b.value ? a : apply("remainder", a, b);
}

/** The smaller of two `i32`. */
export function minimum(a: KernelExpr, b: KernelExpr): KernelExpr {
  return nearest("min", Math.min, a, b);
}

/** The larger of two `i32`. */
export function maximum(a: KernelExpr, b: KernelExpr): KernelExpr {
  return nearest("max", Math.max, a, b);
}

/** `a < b` of `i32`. */
export function less(a: KernelExpr, b: KernelExpr): KernelExpr {
  if (a === b) return truth(false);
  return a.kind === "const" && b.kind === "const" ? truth(a.value < b.value) : apply("lt", a, b);
}

/** Both conditions. */
export function and(a: KernelExpr, b: KernelExpr): KernelExpr {
  if (a.kind === "const") return a.value !== 0 ? b : a;
  if (b.kind === "const") return b.value !== 0 ? a : b;
  return a === b ? a : apply("and", a, b);
}

/** An index as a base and a constant number of elements after it. */
export function withOffset(index: KernelExpr): readonly [base: KernelExpr, offset: number] {
  if (index.kind === "const") return [integer(0), index.value];
  return constantOperand("add", index) ?? [index, 0];
}

/** The type of an expression's value. */
export function typeOf(expr: KernelExpr): KernelType {
  let at = expr;
  while (at.kind === "select") at = at.yes;
  return at.kind === "builtin" ? "i32" : at.type;
}

/** The type of a function's result by its arguments. `cast` has none of its own. */
function resultType(fn: Exclude<KernelFunction, "cast">, args: readonly KernelExpr[]): KernelType {
  if (fn === "quotient" || fn === "remainder") return "i32";
  return scalarFunctions[fn].result === "bool" ? "bool" : typeOf(args[0]!);
}

function isLiteralOf(type: KernelType, value: number): boolean {
  if (type === "f32") return Number.isInteger(value) && Math.abs(value) <= 2 ** 24;
  return Number.isInteger(value) && value < 2 ** 31 && value >= (type === "u32" ? 0 : -(2 ** 31));
}

/** `[x, c]` when the expression is `fn` of an `x` and a literal `c`. */
function constantOperand(fn: KernelFunction, expr: KernelExpr): readonly [KernelExpr, number] | null {
  if (expr.kind !== "apply" || expr.fn !== fn) return null;
  const [x, c] = expr.args;
  return x !== undefined && c?.kind === "const" ? [x, c.value] : null;
}

function nearest(
  fn: "min" | "max",
  choose: (a: number, b: number) => number,
  a: KernelExpr,
  b: KernelExpr,
): KernelExpr {
  if (a === b) return a;
  if (a.kind === "const")
    return b.kind === "const" ? integer(choose(a.value, b.value)) : nearest(fn, choose, b, a);
  if (b.kind !== "const") return apply(fn, a, b);
  const [rest, limit] = constantOperand(fn, a) ?? [];
  return rest === undefined ? apply(fn, a, b) : nearest(fn, choose, rest, integer(choose(limit!, b.value)));
}
