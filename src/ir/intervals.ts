/**
 * Interval arithmetic: the values that a scalar function may have when its arguments are within bounds.
 *
 *     floor_div of 0 … 5 and 4 … 4 is 0 … 1
 *
 * An interval contains every value there is; of floats only what is computed without rounding is followed.
 */
import { type Expr, type ScalarType, typeOf } from "./ir.ts";

/** The numbers from `lo` to `hi`, both included; either may be infinite; none when `hi < lo`. */
export interface Interval {
  readonly lo: number;
  readonly hi: number;
}

/** Every number. */
export const everything: Interval = { lo: -Infinity, hi: Infinity };

/** The values of a type. An `i32` is taken for a whole number of any size. */
export function rangeOfType(type: ScalarType): Interval {
  return type === "bool" ? { lo: 0, hi: 1 } : type === "u32" ? { lo: 0, hi: 4294967295 } : everything;
}

/** The values of a scalar function by the values of its arguments. */
export function rangeOfApplied(expr: Expr & { kind: "apply" }, args: readonly Interval[]): Interval {
  const range = unwrapped(expr, args);
  // Outside 32 bits an unsigned result wraps, and so does a signed one that is known to leave them.
  const wraps =
    expr.type === "u32" ? range.lo < 0 || range.hi > 4294967295 : expr.type === "i32" && !fits(range);
  return wraps ? rangeOfType(expr.type) : range;
}

/** Can an `i32` have these values without wrapping, as far as they are known? */
export function fits({ lo, hi }: Interval): boolean {
  return (lo >= -2147483648 || lo === -Infinity) && (hi <= 2147483647 || hi === Infinity);
}

function unwrapped(expr: Expr & { kind: "apply" }, args: readonly Interval[]): Interval {
  const [a, b, c] = args as [Interval, Interval, Interval];
  const whole = expr.type === "i32" || expr.type === "u32";
  switch (expr.fn) {
    // Of floats only what does not round is known.
    case "add":
      return whole ? { lo: a.lo + b.lo, hi: a.hi + b.hi } : everything;
    case "sub":
      return whole ? { lo: a.lo - b.hi, hi: a.hi - b.lo } : everything;
    case "neg":
      return { lo: 0 - a.hi, hi: 0 - a.lo };
    case "mul":
      return whole ? corners(a, b, times) : everything;
    case "floor_div":
      return whole && (b.lo > 0 || b.hi < 0) ? corners(a, b, quotient) : everything;
    case "mod": {
      if (!whole || !(b.lo > 0)) return everything;
      const below = b.lo * Math.floor(a.lo / b.lo);
      if (b.lo === b.hi && a.hi < below + b.lo) return { lo: a.lo - below, hi: a.hi - below };
      return { lo: 0, hi: a.lo >= 0 ? Math.min(a.hi, b.hi - 1) : b.hi - 1 };
    }
    case "min":
      return { lo: Math.min(a.lo, b.lo), hi: Math.min(a.hi, b.hi) };
    case "max":
      return { lo: Math.max(a.lo, b.lo), hi: Math.max(a.hi, b.hi) };
    case "clamp":
      return { lo: Math.min(Math.max(a.lo, b.lo), c.lo), hi: Math.min(Math.max(a.hi, b.hi), c.hi) };
    case "abs":
      return { lo: a.lo > 0 ? a.lo : a.hi < 0 ? -a.hi : 0, hi: Math.max(-a.lo, a.hi) };
    case "sign":
      return { lo: Math.sign(a.lo), hi: Math.sign(a.hi) };
    case "floor":
      return { lo: Math.floor(a.lo), hi: Math.floor(a.hi) };
    case "ceil":
      return { lo: Math.ceil(a.lo), hi: Math.ceil(a.hi) };
    case "stop_gradient":
      return a;
    case "bit_and":
      return a.lo >= 0 || b.lo >= 0
        ? { lo: 0, hi: Math.min(a.lo >= 0 ? a.hi : Infinity, b.lo >= 0 ? b.hi : Infinity) }
        : everything;
    case "shift_right":
      return b.lo === b.hi && b.lo >= 0 && b.lo < 32
        ? { lo: Math.floor(a.lo / 2 ** b.lo), hi: Math.floor(a.hi / 2 ** b.lo) }
        : { lo: 0, hi: a.hi };
    case "cast":
      return rangeOfCast(expr, a);
    default:
      return everything;
  }
}

function rangeOfCast(expr: Expr & { kind: "apply" }, a: Interval): Interval {
  const from = typeOf(expr.args[0]!);
  const fromFloat = from === "f32" || from === "f16";
  switch (expr.type) {
    case "i32":
    case "u32": {
      if (!fromFloat) return a;
      // NaN gives 0; what is too large stops at the type's ends.
      const [least, most] = expr.type === "i32" ? [-2147483648, 2147483647] : [0, 4294967295];
      const cut = (x: number): number => Math.max(least, Math.min(most, Math.trunc(x)));
      return { lo: Math.min(0, cut(a.lo)), hi: Math.max(0, cut(a.hi)) };
    }
    case "f32":
    case "f16": {
      const exact = expr.type === "f32" ? 2 ** 24 : 2 ** 11;
      return !fromFloat && a.lo >= -exact && a.hi <= exact ? a : everything;
    }
    case "bool":
      return rangeOfType("bool");
  }
}

function times(x: number, y: number): number {
  return x === 0 || y === 0 ? 0 : x * y;
}

function quotient(x: number, y: number): number {
  return Math.abs(y) === Infinity ? (x < 0 === y < 0 || x === 0 ? 0 : -1) : Math.floor(x / y);
}

/** The range of an operation that is monotone in each argument, by the ends of the ranges. */
function corners(a: Interval, b: Interval, operation: (x: number, y: number) => number): Interval {
  const ends = [operation(a.lo, b.lo), operation(a.lo, b.hi), operation(a.hi, b.lo), operation(a.hi, b.hi)];
  return { lo: Math.min(...ends), hi: Math.max(...ends) };
}

/** What is in both. */
export function intersect(a: Interval, b: Interval): Interval {
  return { lo: Math.max(a.lo, b.lo), hi: Math.min(a.hi, b.hi) };
}

/** What is in either, and between. */
export function union(a: Interval, b: Interval): Interval {
  return { lo: Math.min(a.lo, b.lo), hi: Math.max(a.hi, b.hi) };
}
