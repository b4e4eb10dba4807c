/** Constructors of IR expressions. They type their result; only what costs nothing to see is folded here. */
import { type ElementType, type Expr, type ScalarType, type ValueName, typeOf } from "./ir.ts";
import { type ScalarFunctionName, scalarFunctions } from "./scalar.ts";

/** A literal. With `like`, it has the type of that expression when both are floats, so that f16 stays f16. */
export function constant(value: number, type: ScalarType, like?: Expr): Expr {
  const wanted = like === undefined ? type : typeOf(like);
  return { kind: "const", type: wanted, value };
}

/** An `i32` literal. */
export function integer(value: number): Expr {
  return { kind: "const", type: "i32", value };
}

/** An index variable. */
export function index(name: string): Expr {
  return { kind: "index", name };
}

/** One element of a tensor. */
export function read(tensor: ValueName, element: ElementType, indices: readonly Expr[]): Expr {
  return { kind: "read", tensor, element, indices };
}

/** A scalar function applied; `cast` needs the overload with a target type. */
export function apply(fn: Exclude<ScalarFunctionName, "cast">, ...args: Expr[]): Expr {
  const result = scalarFunctions[fn].result;
  return { kind: "apply", fn, type: result === "bool" ? "bool" : typeOf(args[0]!), args };
}

/** Conversion to a scalar type; nothing when it is that type already. */
export function cast(type: ScalarType, x: Expr): Expr {
  if (typeOf(x) === type) return x;
  if (
    x.kind === "const" &&
    (type === "f32" || type === "f16" || (isInteger(x.value) && !(type === "u32" && x.value < 0)))
  ) {
    return constant(type === "bool" ? Number(x.value !== 0) : x.value, type);
  }
  return { kind: "apply", fn: "cast", type, args: [x] };
}

function isInteger(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) < 2 ** 31;
}

/** `if condition then yes else no`. */
export function select(condition: Expr, yes: Expr, no: Expr): Expr {
  if (condition.kind === "const") return condition.value !== 0 ? yes : no;
  return { kind: "select", condition, yes, no };
}

/** True or false. */
export function truth(value: boolean): Expr {
  return { kind: "const", type: "bool", value: value ? 1 : 0 };
}

/** The conjunction of conditions; true when there is none. */
export function all(conditions: readonly Expr[]): Expr {
  return conditions.length === 0 ? truth(true) : conditions.reduce((a, b) => apply("and", a, b));
}

/** The value that a reduction by `sum` begins with, of a type. */
export function zeroOf(type: ScalarType): Expr {
  return { kind: "const", type, value: 0 };
}
