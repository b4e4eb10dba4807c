/**
 * Walking expressions and nodes. An expression is a directed acyclic graph whose tree may be exponentially larger, so nobody
 * should recurse over one without remembering objects: these do.
 */
import { type Comprehension, type Expr, type Node, type ValueName, definitions } from "./ir.ts";

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

/** Every distinct object below the roots, operands before the expressions that use them. Unrolled folds are deep: no recursion. */
export function postorder(...roots: readonly Expr[]): Expr[] {
  const seen = new Set<Expr>();
  const order: Expr[] = [];
  /** Expressions that have been entered, each with the number of its operands that are done. */
  const path: { readonly expr: Expr; readonly below: readonly Expr[]; done: number }[] = [];
  const enter = (expr: Expr): void => {
    if (seen.has(expr)) return;
    seen.add(expr);
    path.push({ expr, below: operands(expr), done: 0 });
  };
  for (const root of roots) {
    enter(root);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      if (top.done < top.below.length) enter(top.below[top.done++]!);
      else order.push(path.pop()!.expr);
    }
  }
  return order;
}

/** The names of the index variables that occur in expressions. */
export function indicesIn(exprs: readonly Expr[]): Set<string> {
  return new Set(postorder(...exprs).flatMap((e) => (e.kind === "index" ? [e.name] : [])));
}

/** The expressions of a comprehension: the bounds of its reduction axes, the keys, the body. */
export function expressionsOf(node: Comprehension): Expr[] {
  const bounds = (node.reduction?.axes ?? []).flatMap((axis) => [axis.lo, axis.hi]);
  return [...bounds, ...node.keys.map((key) => key.at), node.body];
}

/** The values that a node reads from around it; those that it defines inside for itself are not among them. */
export function valuesUsed(node: Node): Set<ValueName> {
  switch (node.kind) {
    case "comprehension":
      return new Set(
        postorder(...expressionsOf(node)).flatMap((expr) => (expr.kind === "read" ? [expr.tensor] : [])),
      );
    case "loop": {
      const inside = [...node.carries.map((carry) => carry.next), ...node.stacks.map((stack) => stack.value)];
      const free = freeIn(
        node.body,
        node.carries.map((carry) => carry.param),
        inside,
      );
      return new Set([...node.carries.map((carry) => carry.init), ...free]);
    }
    case "custom": {
      const free = freeIn(node.rule, node.cotangents, node.argCotangents);
      return new Set([...node.results.map((result) => result.value), ...node.args, ...free]);
    }
    case "vjp":
    case "jvp":
      return new Set([...node.of, ...node.at, ...node.seeds]);
  }
}

function freeIn(
  nodes: readonly Node[],
  own: readonly ValueName[],
  results: readonly ValueName[],
): ValueName[] {
  const defined = new Set([...own, ...nodes.flatMap((node) => definitions(node).map(({ name }) => name))]);
  return [...nodes.flatMap((node) => [...valuesUsed(node)]), ...results].filter((name) => !defined.has(name));
}
