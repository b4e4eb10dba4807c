/** Sums and products of derivatives, where factors of one and signs are seen at once. */
import { apply } from "../ir/build.ts";
import type { Expr } from "../ir/ir.ts";

export function mul(a: Expr, b: Expr): Expr {
  if (isConst(a, 1)) return b;
  if (isConst(b, 1)) return a;
  if (isConst(a, -1)) return neg(b);
  if (isConst(b, -1)) return neg(a);
  return apply("mul", a, b);
}

export function add(a: Expr, b: Expr): Expr {
  if (b.kind === "apply" && b.fn === "neg") return apply("sub", a, b.args[0]!);
  return apply("add", a, b);
}

function neg(a: Expr): Expr {
  return a.kind === "apply" && a.fn === "neg" ? a.args[0]! : apply("neg", a);
}

function isConst(e: Expr, value: number): boolean {
  return e.kind === "const" && e.value === value;
}
