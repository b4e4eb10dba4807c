/** Texts by which equal expressions are found. */
import type { KernelExpr } from "./kernel.ts";
import { operands } from "./traverse.ts";

const keys = new WeakMap<KernelExpr, string>();

/** A text that equal expressions share. Deep expressions are bound to locals on the way, so it stays short. */
export function keyOf(expr: KernelExpr): string {
  let key = keys.get(expr);
  if (key === undefined) {
    const below = operands(expr).map(keyOf).join(",");
    key = `${headOf(expr)}(${below})`;
    keys.set(expr, key);
  }
  return key;
}

function headOf(expr: KernelExpr): string {
  switch (expr.kind) {
    case "const":
      return `${expr.type} ${Object.is(expr.value, -0) ? "-0" : expr.value}`;
    case "local":
    case "builtin":
      return expr.name;
    case "load":
      return `${expr.space} ${expr.array}`;
    case "apply":
      return expr.fn === "cast" ? `cast ${expr.type}` : expr.fn;
    case "select":
      return "select";
  }
}
