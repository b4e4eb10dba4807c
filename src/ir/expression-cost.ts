/** What an expression costs to evaluate once, in floating-point operations; shared parts count once. */
import type { Expr } from "./ir.ts";
import { scalarFunctions } from "./scalar.ts";
import { postorder } from "./traverse.ts";

/** Index arithmetic is free: it is done once for a row, or by the address unit. */
export function costOf(expr: Expr): number {
  let cost = 0;
  for (const e of postorder(expr)) {
    if (e.kind === "select") cost += 1;
    else if (e.kind === "apply" && e.type !== "i32") cost += scalarFunctions[e.fn].cost;
  }
  return cost;
}
