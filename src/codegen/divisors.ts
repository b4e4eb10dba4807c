/** Powers of two up to 4 that divide integers of a kernel, whatever its invocation: of such places four elements lie in one vector. */
import { add, integer, quotient, remainder, withOffset } from "./build.ts";
import type { KernelExpr } from "./kernel.ts";

/** What is known to divide a local: 1, 2 or 4. */
export type Divisors = ReadonlyMap<string, number>;

/** A power of two up to 4 that divides the expression. */
export function divisorOf(expr: KernelExpr, divisors: Divisors): number {
  switch (expr.kind) {
    case "const":
      return commonDivisor(4, expr.value);
    case "local":
      return divisors.get(expr.name) ?? 1;
    case "builtin":
    case "load":
      return 1;
    case "select":
      return commonDivisor(divisorOf(expr.yes, divisors), divisorOf(expr.no, divisors));
    case "apply": {
      const [a, b] = expr.args.map((arg) => divisorOf(arg, divisors));
      switch (expr.fn) {
        case "mul":
          return Math.min(4, a! * b!);
        case "add":
        case "sub":
        case "min":
        case "max":
        case "remainder":
          return commonDivisor(a!, b!);
        default:
          return 1;
      }
    }
  }
}

/** The largest power of two up to 4 that divides both. */
export function commonDivisor(a: number, b: number): number {
  for (const divisor of [4, 2]) if (a % divisor === 0 && b % divisor === 0) return divisor;
  return 1;
}

/** How far a number is after the last multiple of a step. */
export function after(number: number, step: number): number {
  return ((number % step) + step) % step;
}

/**
 * The quotient of a natural number. What comes after a multiple of two or four that also divides the divisor changes nothing: of four points side
 * by side the division is the same.
 *
 *     (4 * i + 1) / 24 = 4 * i / 24
 */
export function quotientOf(dividend: KernelExpr, divisor: number, divisors: Divisors): KernelExpr {
  return quotient(lastMultiple(dividend, divisor, divisors).multiple, integer(divisor));
}

/** The remainder of a natural number: what comes after such a multiple is added to its remainder, so that places follow one another. */
export function remainderOf(dividend: KernelExpr, divisor: number, divisors: Divisors): KernelExpr {
  const { multiple, rest } = lastMultiple(dividend, divisor, divisors);
  return add(remainder(multiple, integer(divisor)), integer(rest));
}

/** The last multiple of what is known to divide both but for a constant, and what comes after it. */
function lastMultiple(
  dividend: KernelExpr,
  divisor: number,
  divisors: Divisors,
): { readonly multiple: KernelExpr; readonly rest: number } {
  const [whole, offset] = withOffset(dividend);
  const rest = after(offset, commonDivisor(divisorOf(whole, divisors), divisor));
  return { multiple: add(whole, integer(offset - rest)), rest };
}
