/** Rebuilding expressions with parts replaced; sharing is kept. */
import { apply, cast, read, select } from "./build.ts";
import type { Expr } from "./ir.ts";
import { postorder } from "./traverse.ts";

/** Rebuilds an expression bottom-up. `replace` is given each rebuilt subexpression and may give another for it. */
export function rewriteExpr(root: Expr, replace: (expr: Expr) => Expr): Expr {
  const done = new Map<Expr, Expr>();
  const of = (e: Expr): Expr => done.get(e)!;
  for (const expr of postorder(root)) done.set(expr, replace(rebuild(expr, of)));
  return of(root);
}

function rebuild(expr: Expr, of: (e: Expr) => Expr): Expr {
  const changed = (list: readonly Expr[]): boolean => list.some((e) => of(e) !== e);
  switch (expr.kind) {
    case "const":
    case "index":
      return expr;
    case "read":
      return changed(expr.indices) ? read(expr.tensor, expr.element, expr.indices.map(of)) : expr;
    case "apply":
      if (!changed(expr.args)) return expr;
      return expr.fn === "cast" ? cast(expr.type, of(expr.args[0]!)) : apply(expr.fn, ...expr.args.map(of));
    case "select":
      return changed([expr.condition, expr.yes, expr.no])
        ? select(of(expr.condition), of(expr.yes), of(expr.no))
        : expr;
  }
}

/** Replaces index variables by expressions. */
export function substituteIndices(root: Expr, values: ReadonlyMap<string, Expr>): Expr {
  if (values.size === 0 || root.kind === "const") return root;
  return rewriteExpr(root, (e) => (e.kind === "index" ? (values.get(e.name) ?? e) : e));
}
