/** By how much integers grow from turn to turn of a loop. */
import type { KernelExpr, Statement } from "./kernel.ts";
import { postorder } from "./traverse.ts";

/** By how much integers grow when a variable grows by one, where that is always the same. */
export interface Growth {
  /** Null for what is not known to be so. */
  readonly of: (expr: KernelExpr) => number | null;
}

/** The growth by an index of what these statements compute, each of which names a value or assigns one; null for all that is assigned. */
export function growthOf(index: string, body: readonly Statement[]): Growth {
  const known = new Map<string, number | null>([[index, 1]]);
  for (const statement of body) if (statement.kind === "assign") known.set(statement.name, null);
  const done = new Map<KernelExpr, number | null>();
  const ofOne = (expr: KernelExpr): number | null => {
    switch (expr.kind) {
      case "const":
      case "builtin":
        return 0;
      case "local":
        return known.has(expr.name) ? known.get(expr.name)! : 0;
      case "load":
        return null;
      case "select":
        return [expr.condition, expr.yes, expr.no].every((one) => done.get(one) === 0) ? 0 : null;
      case "apply": {
        const all = expr.args.map((arg) => done.get(arg)!);
        if (all.every((one) => one === 0)) return 0;
        const [a, b] = all;
        if (expr.type !== "i32" || a == null || b == null) return null;
        if (expr.fn === "add") return a + b;
        if (expr.fn === "sub") return a - b;
        const [x, y] = expr.args;
        if (expr.fn === "mul" && y!.kind === "const") return a * y!.value;
        return expr.fn === "mul" && x!.kind === "const" ? b * x!.value : null;
      }
    }
  };
  const of = (root: KernelExpr): number | null => {
    for (const expr of postorder(root)) if (!done.has(expr)) done.set(expr, ofOne(expr));
    return done.get(root)!;
  };
  for (const statement of body) if (statement.kind === "let") known.set(statement.name, of(statement.value));
  return { of };
}
