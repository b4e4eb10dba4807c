/**
 * Loop-invariant parts of a body, taken out into nodes over fewer axes.
 *
 *     for i<49, k<8. %r[%a[i], k] * sigmoid(%best[i])     becomes     %s = for i<49. sigmoid(%best[i])     for i<49, k<8. %r[%a[i], k] * %s[i]
 *
 * After substitution and inlining this is what keeps a body from computing the same thing for every element; the fusion planner
 * may still compute a part again where that is cheaper than keeping it.
 */
import { structuralKey } from "../affine.ts";
import { index, read } from "../build.ts";
import { proveReads } from "../bounds.ts";
import { costsAtLeast } from "../expression-cost.ts";
import { type Axis, type Comprehension, type Expr, isFloat, typeOf } from "../ir.ts";
import { contextsOf, rangeOf } from "../ranges.ts";
import { mapExpressions } from "../rename.ts";
import { rewriteExpr } from "../substitute.ts";
import { operands, postorder } from "../traverse.ts";
import type { Scope } from "./walk.ts";
import { baseName } from "../names.ts";

/** A part is worth a node of its own from this many operations on … */
const leastCost = 4;
/** … if the body would compute it this many times. */
const leastRepetition = 2;

/** Splits the invariant parts off a node. */
export function hoistInvariants(node: Comprehension, scope: Scope): readonly Comprehension[] {
  const domain = domainOf(node, scope);
  if (domain === null || domain.size === 0) return [node];
  const total = [...domain.values()].reduce((a, b) => a * b, 1);
  const dependence = dependences(node.body);
  const made = new Map<string, Comprehension>();
  for (const expr of maximal(node.body, (e) => isWorthwhile(e, dependence.get(e)!, domain, total))) {
    const key = structuralKey(expr);
    if (made.has(key)) continue;
    const axes: Axis[] = [...domain]
      .filter(([name]) => dependence.get(expr)!.variables.has(name))
      .map(([name, size]) => ({ name, size }));
    const part: Comprehension = {
      kind: "comprehension",
      name: scope.names.fresh(`${baseName(node.name)}_part`),
      element: { scalar: typeOf(expr), bound: null },
      axes,
      reduction: null,
      keys: [],
      body: expr,
      origin: node.origin,
    };
    // It is computed at every index, also where a select would not have come to it.
    if (proveReads(part, scope.types, scope.outer).length === 0) made.set(key, part);
  }
  if (made.size === 0) return [node];
  const rest = mapExpressions(node, (root) =>
    rewriteExpr(root, (e) => {
      const part = e.kind === "apply" || e.kind === "select" ? made.get(structuralKey(e)) : undefined;
      return part === undefined
        ? e
        : read(
            part.name,
            part.element,
            part.axes.map((a) => index(a.name)),
          );
    }),
  );
  return [...made.values(), rest];
}

/** The variables that the body runs over, with how many values each has; null if a range is not fixed or does not begin at 0. */
function domainOf(node: Comprehension, scope: Scope): Map<string, number> | null {
  const keyed = new Set(node.keys.map((k) => k.axis));
  const domain = new Map(node.axes.filter((a) => !keyed.has(a.name)).map((a) => [a.name, a.size]));
  const contexts = contextsOf(node, scope.outer);
  for (const [i, r] of (node.reduction?.axes ?? []).entries()) {
    const lo = rangeOf(r.lo, contexts[i]!).lo;
    const hi = rangeOf(r.hi, contexts[i]!).hi;
    if (lo < 0 || hi <= 0 || !Number.isFinite(hi)) return null;
    domain.set(r.name, hi);
  }
  return domain;
}

/** What a subexpression depends on. */
interface Dependence {
  readonly variables: ReadonlySet<string>;
  readonly readsTensor: boolean;
}

const independent: Dependence = { variables: new Set(), readsTensor: false };

function dependences(root: Expr): Map<Expr, Dependence> {
  const found = new Map<Expr, Dependence>();
  for (const e of postorder(root)) {
    const below = operands(e).map((operand) => found.get(operand)!);
    const own = e.kind === "index" ? { variables: new Set([e.name]), readsTensor: false } : independent;
    const together = below.reduce(union, own);
    found.set(e, e.kind === "read" ? { ...together, readsTensor: true } : together);
  }
  return found;
}

/** What either depends on; one of the two where that has it all, so that a deep expression needs few sets. */
function union(a: Dependence, b: Dependence): Dependence {
  const within = (x: Dependence, y: Dependence): boolean =>
    (y.readsTensor || !x.readsTensor) && [...x.variables].every((name) => y.variables.has(name));
  if (within(b, a)) return a;
  if (within(a, b)) return b;
  return {
    variables: new Set([...a.variables, ...b.variables]),
    readsTensor: a.readsTensor || b.readsTensor,
  };
}

function isWorthwhile(
  expr: Expr,
  { variables, readsTensor }: Dependence,
  domain: ReadonlyMap<string, number>,
  total: number,
): boolean {
  if (expr.kind !== "apply" || !isFloat(expr.type) || !readsTensor) return false;
  let points = 1;
  for (const name of variables) {
    const size = domain.get(name);
    if (size === undefined) return false;
    points *= size;
  }
  return points * leastRepetition <= total && costsAtLeast(expr, leastCost);
}

/** The outermost subexpressions that satisfy a test. */
function maximal(root: Expr, test: (e: Expr) => boolean): Expr[] {
  const found: Expr[] = [];
  const seen = new Set<Expr>();
  const visit = (e: Expr): void => {
    if (seen.has(e)) return;
    seen.add(e);
    if (test(e)) found.push(e);
    else operands(e).forEach(visit);
  };
  visit(root);
  return found;
}
