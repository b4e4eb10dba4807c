/**
 * Powers with a constant whole exponent as repeated multiplication, which any base has and which is nearly exact.
 *
 *     pow(x, 5.0)  →  let t0 = x * x; t0 * t0 * x      pow(x, -1.0)  →  1.0 / x
 *
 * WGSL's `pow` takes no negative base and may be off by many units in the last place. Other exponents go to `fecit_pow`.
 */
import { apply, constant } from "./build.ts";
import type { KernelExpr } from "./kernel.ts";
import { operands, postorder, withOperands } from "./traverse.ts";

/** Above it the products' errors add up to more than one power's. */
const largestExponent = 64;

/** The expressions with such powers written out. What two of them share is still one object. */
export function withoutWholePowers(roots: readonly KernelExpr[]): readonly KernelExpr[] {
  const order = postorder(...roots);
  if (!order.some((expr) => wholeExponent(expr) !== null)) return roots;
  const written = new Map<KernelExpr, KernelExpr>();
  const now = (expr: KernelExpr): KernelExpr => written.get(expr) ?? expr;
  for (const expr of order) {
    const exponent = wholeExponent(expr);
    const [base] = operands(expr);
    if (exponent !== null && base !== undefined) written.set(expr, repeatedProduct(now(base), exponent));
    else if (operands(expr).some((operand) => written.has(operand)))
      written.set(expr, withOperands(expr, now));
  }
  return roots.map(now);
}

function wholeExponent(expr: KernelExpr): number | null {
  if (expr.kind !== "apply" || expr.fn !== "pow") return null;
  const exponent = expr.args[1];
  if (exponent?.kind !== "const" || !Number.isInteger(exponent.value)) return null;
  return Math.abs(exponent.value) <= largestExponent ? exponent.value : null;
}

/** By squaring: x^(2n) is (x^n)². */
function repeatedProduct(x: KernelExpr, exponent: number): KernelExpr {
  if (exponent < 0) return apply("div", constant("f32", 1), repeatedProduct(x, -exponent));
  if (exponent === 0) return constant("f32", 1);
  if (exponent === 1) return x;
  const half = repeatedProduct(x, Math.floor(exponent / 2));
  const square = apply("mul", half, half);
  return exponent % 2 === 0 ? square : apply("mul", square, x);
}
