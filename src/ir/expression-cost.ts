/** What an expression costs to evaluate once, in floating-point operations; shared parts count once. */
import type { Expr } from "./ir.ts";
import { scalarFunctions } from "./scalar.ts";
import { operands, postorder } from "./traverse.ts";

/** Index arithmetic is free: it is done once for a row, or by the address unit. */
export function costOf(expr: Expr): number {
  return postorder(expr).reduce((cost, e) => cost + ownCost(e), 0);
}

/** Is `costOf` at least so much? It looks no further than it must. */
export function costsAtLeast(expr: Expr, least: number): boolean {
  const seen = new Set<Expr>([expr]);
  let cost = 0;
  for (const e of seen) {
    cost += ownCost(e);
    if (cost >= least) return true;
    for (const operand of operands(e)) seen.add(operand);
  }
  return false;
}

function ownCost(e: Expr): number {
  if (e.kind === "select") return 1;
  return e.kind === "apply" && e.type !== "i32" ? scalarFunctions[e.fn].cost : 0;
}
