/**
 * Walking expressions. An expression is a directed acyclic graph whose tree may be exponentially larger, so nobody
 * should recurse over one without remembering objects: these do.
 */
import type { Expr } from "./ir.ts";

const none: readonly Expr[] = [];

/** The direct subexpressions, in the order in which they are printed. */
export function operands(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case "const":
    case "index":
      return none;
    case "read":
      return expr.indices;
    case "apply":
      return expr.args;
    case "select":
      return [expr.condition, expr.yes, expr.no];
  }
}

/** Every distinct object below the roots, operands before the expressions that use them. */
export function postorder(...roots: readonly Expr[]): Expr[] {
  const seen = new Set<Expr>();
  const order: Expr[] = [];
  const visit = (expr: Expr): void => {
    if (seen.has(expr)) return;
    seen.add(expr);
    for (const operand of operands(expr)) visit(operand);
    order.push(expr);
  };
  for (const root of roots) visit(root);
  return order;
}
