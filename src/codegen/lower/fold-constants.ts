/**
 * Integers and conditions of literals are computed here: where a loop is unrolled, its turns decide much at once. Division by a
 * literal is multiplication.
 *
 *     2 * k - 1 >= 0      at k = 0      false, and what stands under it is not written
 */
import { apply, constant, truth } from "../build.ts";
import type { KernelExpr, KernelFunction } from "../kernel.ts";

/** Functions of `i32`, by what they give; all but comparisons give an `i32`. */
const ofIntegers: Partial<Record<KernelFunction, (...args: readonly number[]) => number | boolean>> = {
  lt: (a, b) => a! < b!,
  le: (a, b) => a! <= b!,
  gt: (a, b) => a! > b!,
  ge: (a, b) => a! >= b!,
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  min: (a, b) => Math.min(a!, b!),
  max: (a, b) => Math.max(a!, b!),
  clamp: (x, lo, hi) => Math.min(Math.max(x!, lo!), hi!),
};

/** Is it a number that single precision has with all its digits? */
function isNormal(value: number): boolean {
  return Math.abs(value) > 2 ** -120 && Math.abs(value) < 2 ** 120;
}

/** A function applied; a literal where its arguments decide it. */
export function applied(fn: Exclude<KernelFunction, "cast">, args: readonly KernelExpr[]): KernelExpr {
  const [a, b] = args;
  if (fn === "not" && a?.kind === "const") return truth(a.value === 0);
  if (fn === "and" || fn === "or") {
    // The literal that decides alone.
    const decisive = fn === "and" ? 0 : 1;
    if (a?.kind === "const") return a.value === decisive ? a : b!;
    if (b?.kind === "const") return b.value === decisive ? b : a!;
  }
  if (fn === "div" && b?.kind === "const" && b.type === "f32") {
    // WGSL's division is within 2.5 units in the last place; this is within 1.5, and much faster.
    const reciprocal = 1 / b.value;
    if (isNormal(reciprocal) && isNormal(b.value)) return apply("mul", a!, constant("f32", reciprocal));
  }
  const compute = ofIntegers[fn];
  const literals = args.flatMap((arg) => (arg.kind === "const" && arg.type === "i32" ? [arg.value] : []));
  if (compute === undefined || literals.length < args.length) return apply(fn, ...args);
  const value = compute(...literals);
  return typeof value === "boolean" ? truth(value) : constant("i32", value);
}
