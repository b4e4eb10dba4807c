/**
 * Literals of WGSL.
 *
 *     f32 0.1 → 0.1      f32 -3 → (-3.0)      u32 7 → 7u      f32 -Infinity → (-fecit_infinity())
 */
import type { KernelType } from "./kernel.ts";

/**
 * A literal as a primary expression that gives the very value, rounded to single precision when it is a float. An infinite
 * one is a call, since a constant expression of WGSL is finite.
 */
export function wgslLiteral(type: KernelType, value: number): string {
  switch (type) {
    case "bool":
      return value === 0 ? "false" : "true";
    case "u32":
      return `${value >>> 0}u`;
    case "i32":
      return value < 0 ? `(${value})` : String(value);
    case "f32":
      // Dawn takes every constant that equals 0 for +0.
      if (Object.is(value, -0)) return "fecit_negative_zero()";
      return value < 0 ? `(-${positiveFloat(-value)})` : positiveFloat(value);
  }
}

const largestFloat = 2 ** 128 - 2 ** 104;

/** The shortest decimal that single precision reads as the value, without passing its largest number. */
function positiveFloat(value: number): string {
  const single = Math.fround(value);
  if (single !== single) return "fecit_nan()";
  if (single === Infinity) return "fecit_infinity()";
  let digits = 1;
  const decimal = (): number => Number(single.toPrecision(digits));
  while (Math.fround(decimal()) !== single || decimal() > largestFloat) digits++;
  const text = String(decimal());
  return /[.e]/.test(text) ? text : `${text}.0`;
}
