/** Powers of two up to 4 that divide integers of a kernel, whatever its invocation: of such places four elements lie in one vector. */
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
