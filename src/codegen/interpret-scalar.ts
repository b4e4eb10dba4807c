/**
 * Scalars of kernels in the interpreter's JavaScript: their functions' texts, their literals, and the arrays that hold them.
 *
 *     applied(add(a, b), ["l0", "l1"], rounded)        // "(l0 + l1 | 0)"
 */
import { type ScalarFunctionName, scalarFunctions } from "../ir/scalar.ts";
import { typeOf } from "./build.ts";
import type { KernelExpr, KernelFunction, KernelType } from "./kernel.ts";

/** `f32` rounds the result of every operation on floats; `f64` computes in double precision. */
export type Precision = "f32" | "f64";

/** Results that rounding to single precision leaves as they are, given arguments of single precision. */
const exactFunctions: ReadonlySet<KernelFunction> = new Set<KernelFunction>([
  "neg",
  "abs",
  "sign",
  "floor",
  "ceil",
  "round",
  "min",
  "max",
  "clamp",
]);

/** The operands of an expression that its text would evaluate not once: the sides of a select, and what is spelled twice. */
export function evaluatedOnce(expr: KernelExpr): readonly KernelExpr[] {
  if (expr.kind === "select") return [expr.yes, expr.no];
  if (expr.kind !== "apply") return [];
  const marks = expr.args.map((_, i) => `<${i}>`);
  const text = applied(expr, marks, (inner) => inner);
  return expr.args.filter((_, i) => text.split(marks[i]!).length > 2);
}

/** The text of a export function applied to the texts of its arguments. */
export function applied(
  expr: KernelExpr & { kind: "apply" },
  args: readonly string[],
  rounded: (text: string) => string,
): string {
  const { fn, type } = expr;
  if (fn === "quotient") return `(${args[0]} / ${args[1]} | 0)`;
  if (fn === "remainder") return `(${args[0]} % ${args[1]} | 0)`;
  const text = scalarFunctions[fn satisfies ScalarFunctionName].js(args, type, typeOf(expr.args[0]!));
  return type === "f32" && !exactFunctions.has(fn) ? rounded(text) : text;
}

/** The text of a number. */
export function literal(value: number): string {
  if (Object.is(value, -0)) return "(-0)";
  return value < 0 ? `(${value})` : `${value}`;
}

/** The type of the elements that an interpreter keeps of a kernel type: floats of the precision, wrapping integers, bytes. */
export function elementsOf(
  type: KernelType,
  precision: Precision,
  length: number,
): Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array {
  switch (type) {
    case "f32":
      return precision === "f32" ? new Float32Array(length) : new Float64Array(length);
    case "i32":
      return new Int32Array(length);
    case "u32":
      return new Uint32Array(length);
    case "bool":
      return new Uint8Array(length);
  }
}
