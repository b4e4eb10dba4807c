/**
 * Walking kernel expressions and statements. An expression is a directed acyclic graph whose tree may be exponentially larger, so
 * nobody should recurse over one without remembering objects: these do.
 *
 *     postorder(add(x, mul(x, y)))        // x, y, x * y, x + x * y
 */
import type { KernelExpr, Statement } from "./kernel.ts";

const none: readonly KernelExpr[] = [];

/** The direct subexpressions, in the order in which they are printed. */
export function operands(expr: KernelExpr): readonly KernelExpr[] {
  switch (expr.kind) {
    case "const":
    case "local":
    case "builtin":
      return none;
    case "load":
      return [expr.index];
    case "apply":
      return expr.args;
    case "select":
      return [expr.condition, expr.yes, expr.no];
  }
}

/** The expression with what `now` gives for its operands. */
export function withOperands(expr: KernelExpr, now: (operand: KernelExpr) => KernelExpr): KernelExpr {
  switch (expr.kind) {
    case "const":
    case "local":
    case "builtin":
      return expr;
    case "load":
      return { ...expr, index: now(expr.index) };
    case "apply":
      return { ...expr, args: expr.args.map((arg) => now(arg)) };
    case "select":
      return { ...expr, condition: now(expr.condition), yes: now(expr.yes), no: now(expr.no) };
  }
}

/** The expression rebuilt from its leaves up. `replace` is given each part with its operands replaced, and may give another for it. */
export function rewritten(root: KernelExpr, replace: (expr: KernelExpr) => KernelExpr): KernelExpr {
  const done = new Map<KernelExpr, KernelExpr>();
  const now = (operand: KernelExpr): KernelExpr => done.get(operand)!;
  for (const expr of postorder(root)) {
    const isSame = operands(expr).every((operand) => now(operand) === operand);
    done.set(expr, replace(isSame ? expr : withOperands(expr, now)));
  }
  return now(root);
}

/** Every distinct object below the roots, operands before the expressions that use them. Unrolled folds are deep: no recursion. */
export function postorder(...roots: readonly KernelExpr[]): KernelExpr[] {
  const seen = new Set<KernelExpr>();
  const order: KernelExpr[] = [];
  /** Expressions that have been entered, each with the number of its operands that are done. */
  const path: { readonly expr: KernelExpr; readonly below: readonly KernelExpr[]; done: number }[] = [];
  const enter = (expr: KernelExpr): void => {
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

/** The expressions that stand in a statement itself, those of statements inside it left out. */
export function expressionsOf(statement: Statement): readonly KernelExpr[] {
  switch (statement.kind) {
    case "let":
    case "assign":
    case "broadcast":
    case "exchange":
      return [statement.value];
    case "var":
      return [statement.init];
    case "store":
      return [statement.index, statement.value];
    case "loads":
      return [statement.index];
    case "stores":
      return [statement.index, ...statement.values];
    case "for":
      return [statement.from, statement.to];
    case "if":
      return [statement.condition];
    case "array":
    case "barrier":
      return none;
  }
}

/** The locals that statements read, and those inside of them. */
export function localsRead(list: readonly Statement[], found: Set<string> = new Set()): Set<string> {
  for (const statement of list) {
    for (const expr of postorder(...expressionsOf(statement)))
      if (expr.kind === "local") found.add(expr.name);
    for (const block of blocksOf(statement)) localsRead(block, found);
  }
  return found;
}

/** Is there such a statement in a list, or inside one of its statements? */
export function contains(list: readonly Statement[], isIt: (statement: Statement) => boolean): boolean {
  return list.some(
    (statement) => isIt(statement) || blocksOf(statement).some((block) => contains(block, isIt)),
  );
}

/** Names of arrays. */
export interface Touched {
  readonly read: Set<string>;
  readonly written: Set<string>;
}

/** The arrays that invocations share and that statements read and write. */
export function arraysTouched(list: readonly Statement[], found?: Touched): Touched {
  const touched = found ?? { read: new Set(), written: new Set() };
  for (const statement of list) {
    for (const expr of postorder(...expressionsOf(statement)))
      if (expr.kind === "load" && expr.space !== "private") touched.read.add(expr.array);
    if (statement.kind === "loads") touched.read.add(statement.array);
    if (statement.kind === "stores" || (statement.kind === "store" && statement.space !== "private"))
      touched.written.add(statement.array);
    for (const block of blocksOf(statement)) arraysTouched(block, touched);
  }
  return touched;
}

/** Does the statement nothing but store, perhaps under a condition? */
export function isStoring(statement: Statement): boolean {
  if (statement.kind === "if") return [...statement.then, ...statement.else].every(isStoring);
  return statement.kind === "store" || statement.kind === "stores";
}

/** Does the statement nothing but load? */
export function isLoading(statement: Statement): boolean {
  return statement.kind === "loads" || (statement.kind === "let" && statement.value.kind === "load");
}

/** Is it what another lane of the subgroup has? */
export function isLaneValue(
  statement: Statement,
): statement is Extract<Statement, { kind: "broadcast" | "exchange" }> {
  return statement.kind === "broadcast" || statement.kind === "exchange";
}

/** The turns of a loop whose bounds are constants; null where they are not. */
export function constantTurns({ from, to, step }: Statement & { kind: "for" }): number | null {
  if (from.kind !== "const" || to.kind !== "const") return null;
  return Math.max(0, Math.ceil((to.value - from.value) / step));
}

/** The lists of statements inside a statement. */
export function blocksOf(statement: Statement): readonly (readonly Statement[])[] {
  switch (statement.kind) {
    case "for":
      return [statement.body];
    case "if":
      return [statement.then, statement.else];
    default:
      return [];
  }
}
