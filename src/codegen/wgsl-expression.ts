/**
 * The expressions of a statement as WGSL, with a `let` before it for whatever they share and for what would nest too deep.
 *
 *     y[i] = (x[i] - m) * (x[i] - m)   ⟶   let t0 = x[i] - m;   y[i] = t0 * t0;
 *
 * An expression is a directed acyclic graph: written as a tree it could be exponentially long. Sharing ends with the statement,
 * since the next one may find other values in memory; what statements share, a kernel has in `let`s of its own.
 */
import { scalarFunctions } from "../ir/scalar.ts";
import { bare, call, infix } from "../ir/wgsl-text.ts";
import { typeOf } from "./build.ts";
import type { BuiltinName, KernelExpr } from "./kernel.ts";
import { operands, postorder } from "./traverse.ts";
import { wgslLiteral } from "./wgsl-literal.ts";
import type { Names } from "./wgsl-names.ts";
import { withoutWholePowers } from "./wgsl-power.ts";

/** How the expressions of a kernel name what they reach. */
export interface ExpressionPlace {
  readonly names: Names;
  readonly builtin: (name: BuiltinName) => string;
  /** The text of a load by that of its index, a primary expression. */
  readonly load: (expr: Extract<KernelExpr, { readonly kind: "load" }>, index: string) => string;
}

export interface PrintedExpressions {
  /** `let` statements that go before, in order. */
  readonly lets: readonly string[];
  /** Primary expressions, one for each root. */
  readonly texts: readonly string[];
}

/** The most operations in one line of text; compilers recurse over what is nested. */
const longestText = 16;

/** Prints expressions that are all evaluated at one place. */
export function printExpressions(
  expressions: readonly KernelExpr[],
  place: ExpressionPlace,
): PrintedExpressions {
  const roots = withoutWholePowers(expressions);
  const order = postorder(...roots);
  const uses = countUses(roots, order);
  const lets: string[] = [];
  const texts = new Map<KernelExpr, string>();
  const lengths = new Map<KernelExpr, number>();
  const constants = new Set<KernelExpr>();
  const textOf = (expr: KernelExpr): string => texts.get(expr) ?? "";
  const named = (text: string): string => {
    const name = place.names.temporary();
    lets.push(`let ${name} = ${bare(text)};`);
    return name;
  };
  for (const expr of order) {
    const below = operands(expr);
    const isOfConstants = below.every((operand) => constants.has(operand));
    const args = below.map(textOf);
    // An operation on constants alone is a constant expression, where an overflow or 1.0 / 0.0 is an error: a `let` is none.
    if (expr.kind === "apply" && isOfConstants && args[0] !== undefined) args[0] = named(args[0]);
    if (expr.kind === "const" || (expr.kind === "select" && isOfConstants)) constants.add(expr);
    const length = below.reduce((total, operand) => total + (lengths.get(operand) ?? 0), 1);
    const text = printed(expr, args, place);
    const isNamed = !isTrivial(expr) && ((uses.get(expr) ?? 0) > 1 || length > longestText);
    texts.set(expr, isNamed ? named(text) : text);
    lengths.set(expr, isNamed || isTrivial(expr) ? 0 : length);
  }
  return { lets, texts: roots.map(textOf) };
}

/** Text that costs nothing to repeat. */
function isTrivial(expr: KernelExpr): boolean {
  return expr.kind === "const" || expr.kind === "local" || expr.kind === "builtin";
}

/** How often each expression stands in the text. */
function countUses(
  roots: readonly KernelExpr[],
  order: readonly KernelExpr[],
): ReadonlyMap<KernelExpr, number> {
  const uses = new Map<KernelExpr, number>();
  for (const expr of [...roots, ...order.flatMap(operands)]) uses.set(expr, (uses.get(expr) ?? 0) + 1);
  return uses;
}

/** One expression by the texts of its operands. */
function printed(expr: KernelExpr, args: readonly string[], place: ExpressionPlace): string {
  const [a = "", b = "", c = ""] = args;
  switch (expr.kind) {
    case "const":
      return wgslLiteral(expr.type, expr.value);
    case "local":
      return place.names.of("local", expr.name);
    case "builtin":
      return place.builtin(expr.name);
    case "load":
      return place.load(expr, a);
    case "select":
      return call("select", c, b, a);
    case "apply": {
      if (expr.fn === "quotient") return infix(a, "/", b);
      if (expr.fn === "remainder") return infix(a, "%", b);
      const from = expr.args[0] === undefined ? expr.type : typeOf(expr.args[0]);
      return scalarFunctions[expr.fn].wgsl(args, expr.type, from);
    }
  }
}
