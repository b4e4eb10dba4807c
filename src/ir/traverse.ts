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
  /** Expressions that have been entered, each with its operands and the number of those that are done. */
  const path: Expr[] = [];
  const below: (readonly Expr[])[] = [];
  const done: number[] = [];
  const enter = (expr: Expr): void => {
    if (seen.has(expr)) return;
    seen.add(expr);
    const own = operands(expr);
    if (own.length === 0) {
      order.push(expr);
      return;
    }
    path.push(expr);
    below.push(own);
    done.push(0);
  };
  for (const root of roots) {
    enter(root);
    for (let top = path.length - 1; top >= 0; top = path.length - 1) {
      const next = done[top]!;
      if (next < below[top]!.length) {
        done[top] = next + 1;
        enter(below[top]![next]!);
        continue;
      }
      order.push(path.pop()!);
      below.pop();
      done.pop();
    }
  }
  return order;
}

/**
 * What is known of an expression by what is known of its operands. `of` is asked once for each expression, and what is known already is not
 * gone through again: new expressions are made of old ones all the time.
 */
export function bottomUp<T>(known: WeakMap<Expr, T>, root: Expr, of: (expr: Expr) => T): T {
  const open = [root];
  for (let expr = open.at(-1); expr !== undefined; expr = open.at(-1)) {
    const unknown = known.has(expr) ? [] : operands(expr).filter((operand) => !known.has(operand));
    open.push(...unknown);
    if (unknown.length > 0) continue;
    open.pop();
    if (!known.has(expr)) known.set(expr, of(expr));
  }
  return known.get(root)!;
}

/** The names of the index variables that occur in expressions. */
export function indicesIn(exprs: readonly Expr[]): Set<string> {
  const names = new Set<string>();
  for (const e of postorder(...exprs)) if (e.kind === "index") names.add(e.name);
  return names;
}

/** The expressions of a comprehension: the bounds of its reduction axes, the keys, the body. */
export function expressionsOf(node: Comprehension): Expr[] {
  const bounds = (node.reduction?.axes ?? []).flatMap((axis) => [axis.lo, axis.hi]);
  return [...bounds, ...node.keys.map((key) => key.at), node.body];
}

const tensorsRead = new WeakMap<Comprehension, ReadonlySet<ValueName>>();

/** The values that a comprehension reads. Passes ask it of the same nodes again and again: it is remembered. */
function readBy(node: Comprehension): ReadonlySet<ValueName> {
  let names = tensorsRead.get(node);
  if (names === undefined) {
    const found = new Set<ValueName>();
    for (const e of postorder(...expressionsOf(node))) if (e.kind === "read") found.add(e.tensor);
    tensorsRead.set(node, found);
    names = found;
  }
  return names;
}

/** The values that a node reads from around it; those that it defines inside for itself are not among them. */
export function valuesUsed(node: Node): ReadonlySet<ValueName> {
  switch (node.kind) {
    case "comprehension":
      return readBy(node);
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
