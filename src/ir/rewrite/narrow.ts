/**
 * Axes on which a value does not depend: it is computed without them, and read without them. An axis on which it depends only by a
 * quotient is as short as that quotient has values.
 *
 *     for n<6272, q. sum r. %d[n // 49, r] * %w[q, r]     ⟶     for e<128, q. sum r. %d[e, r] * %w[q, r]     read at [n // 49, q]
 *
 * So is the axis of a reduction; what a sum then takes once instead of many times counts as often.
 *
 *     sum n<6272. %d[n // 49, r]                          ⟶     sum e<128. 49 * %d[e, r]
 */
import { apply, index, integer, read } from "../build.ts";
import { type Axis, type Comprehension, type Expr, type ReduceOp, typeOf, type ValueName } from "../ir.ts";
import { mapExpressions } from "../rename.ts";
import { rewriteExpr } from "../substitute.ts";
import { expressionsOf, operands, postorder } from "../traverse.ts";
import type { NodeRewrite } from "./walk.ts";

/** How an axis is kept: not at all, or by its quotient. */
type Keep = { readonly kind: "none" } | { readonly kind: "quotient"; readonly by: number };

interface Narrow {
  readonly name: ValueName;
  readonly keep: readonly Keep[];
}

/** A rewrite that narrows nodes and remembers which, for the nodes after them. */
export function narrowing(): NodeRewrite {
  const narrowed = new Map<ValueName, Narrow>();
  return (node, scope) => {
    const readNarrow = (e: Expr): Expr => {
      const narrow = e.kind === "read" ? narrowed.get(e.tensor) : undefined;
      if (narrow === undefined || e.kind !== "read") return e;
      return read(narrow.name, e.element, kept(narrow.keep, e.indices, quotient));
    };
    const current = withShortReduction(mapExpressions(node, (e) => rewriteExpr(e, readNarrow)));
    const keep = keepsOf(current);
    const isWhole = keep.every((each) => each.kind === "quotient" && each.by === 1);
    if (isWhole || isCopy(current) || (current.reduction?.bestValue ?? null) !== null) return [current];
    const part = {
      ...narrowedNode(current, keep),
      name: scope.names.fresh(current.name),
    };
    narrowed.set(current.name, { name: part.name, keep });
    // Readers no longer need the wide value; what is used by name, such as a result, still does.
    const at = current.axes.map((axis) => index(axis.name));
    const wide: Comprehension = {
      ...current,
      reduction: null,
      keys: [],
      body: read(part.name, part.element, kept(keep, at, quotient)),
    };
    return [part, wide];
  };
}

/** What is kept of a list by axes. */
function kept<T>(keep: readonly Keep[], list: readonly T[], by: (one: T, divisor: number) => T): T[] {
  return list.flatMap((one, i) => {
    const each = keep[i]!;
    return each.kind === "none" ? [] : [by(one, each.by)];
  });
}

function quotient(at: Expr, by: number): Expr {
  return by === 1 ? at : apply("floor_div", at, integer(by));
}

/** What the node depends on of each of its axes. */
function keepsOf(node: Comprehension): Keep[] {
  const expressions = expressionsOf(node);
  const keyed = new Set(node.keys.map((key) => key.axis));
  const divisors = divisorsIn(expressions);
  return node.axes.map((axis): Keep => {
    if (keyed.has(axis.name) || axis.size === 0) return { kind: "quotient", by: 1 };
    const by = divisors.get(axis.name);
    if (by === undefined) return { kind: "none" };
    return { kind: "quotient", by: axis.size % by === 0 ? by : 1 };
  });
}

/** The number by which each variable that stands somewhere is divided there; 1 for one that also stands otherwise. */
function divisorsIn(expressions: readonly Expr[]): Map<string, number> {
  const divisors = new Map<string, number>();
  const see = (name: string, by: number): void => {
    const before = divisors.get(name);
    divisors.set(name, before === undefined || before === by ? by : 1);
  };
  // A subexpression that is reached twice is looked at once; what stands over a variable is looked at for each place.
  for (const expr of postorder(...expressions)) {
    if (expr.kind === "apply" && expr.fn === "floor_div") {
      const [a, b] = expr.args;
      if (a!.kind === "index" && b!.kind === "const" && b!.value > 1) {
        see(a!.name, b!.value);
        continue;
      }
    }
    for (const operand of operands(expr)) if (operand.kind === "index") see(operand.name, 1);
  }
  for (const root of expressions) if (root.kind === "index") see(root.name, 1);
  return divisors;
}

/** The node over what is kept of its axes, quotients being axes themselves. */
function narrowedNode(node: Comprehension, keep: readonly Keep[]): Comprehension {
  const by = new Map(
    node.axes.flatMap(({ name }, i) => {
      const each = keep[i]!;
      return each.kind === "quotient" && each.by > 1 ? [[name, each.by] as const] : [];
    }),
  );
  const axes = kept<Axis>(keep, node.axes, (axis, divisor) => ({ ...axis, size: axis.size / divisor }));
  return by.size === 0 ? { ...node, axes } : { ...byQuotients(node, by), axes };
}

/** What takes equal values as one, or as that many times one; they change an argmax's place and a product. */
const takesEqualsOnce: ReadonlySet<ReduceOp> = new Set<ReduceOp>(["sum", "max", "min", "any", "all"]);

/** The node with a reduction over the quotient of each axis on which it depends only by that. */
function withShortReduction(node: Comprehension): Comprehension {
  const { reduction } = node;
  if (reduction === null || node.keys.length > 0 || !takesEqualsOnce.has(reduction.op)) return node;
  const divisors = divisorsIn(expressionsOf(node));
  const by = new Map<string, number>();
  const axes = reduction.axes.map((axis) => {
    const divisor = divisors.get(axis.name) ?? 1;
    const { lo, hi } = axis;
    const isWhole = lo.kind === "const" && lo.value === 0 && hi.kind === "const" && hi.value % divisor === 0;
    if (divisor === 1 || !isWhole) return axis;
    by.set(axis.name, divisor);
    return { ...axis, hi: integer(hi.value / divisor) };
  });
  if (by.size === 0) return node;
  const short = byQuotients(node, by);
  const times = reduction.op === "sum" ? [...by.values()].reduce((product, n) => product * n, 1) : 1;
  const type = typeOf(short.body);
  const body = times === 1 ? short.body : apply("mul", { kind: "const", type, value: times }, short.body);
  return { ...short, reduction: { ...reduction, axes }, body };
}

/** The node with variables in place of their quotients by these numbers. */
function byQuotients(node: Comprehension, by: ReadonlyMap<string, number>): Comprehension {
  const isQuotient = (e: Expr): boolean =>
    e.kind === "apply" && e.fn === "floor_div" && e.args[0]!.kind === "index" && by.has(e.args[0]!.name);
  return mapExpressions(node, (root) =>
    rewriteExpr(root, (e) => (isQuotient(e) ? (e as Expr & { kind: "apply" }).args[0]! : e)),
  );
}

function isCopy(node: Comprehension): boolean {
  return node.reduction === null && (node.body.kind === "read" || node.body.kind === "const");
}
