/**
 * Inlining of what costs nothing to compute again: copies, transposes, slices and constants; and of values that are zero but
 * where an equation pins an axis.
 *
 *     %d_m: f32[49, 4] = for i<49, j<4. if %a[i] == j then %w[i] else 0.0
 *     %d_x = for i<49, k<8. sum j<4. %d_m[i, j] * %c[j, k]          becomes          for i<49, k<8. %w[i] * %c[%a[i], k]
 *
 * Such a one-hot value is never worth its n × o elements: put into the sums that read it, its equation solves them.
 */
import { index, read } from "../build.ts";
import { proveReads } from "../bounds.ts";
import { structuralKey } from "../affine.ts";
import { type Comprehension, definitions, type Expr, typeOf } from "../ir.ts";
import { contextOf, contextsOf, type RangeContext } from "../ranges.ts";
import { mapExpressions } from "../rename.ts";
import { rewriteExpr, substituteIndices } from "../substitute.ts";
import { costOf } from "../expression-cost.ts";
import { selectAll } from "./guards.ts";
import { pinnedAxes, termsOf } from "./terms.ts";
import { simplifyWithin } from "./simplify-expr.ts";
import type { Scope } from "./walk.ts";

/** Puts the bodies of inlinable nodes in the place of their reads, and simplifies the result. */
export function inlineReads(node: Comprehension, scope: Scope): readonly Comprehension[] {
  const put = (e: Expr): Expr => rewriteExpr(e, (x) => (x.kind === "read" ? inlined(x, scope) : x));
  const changed = mapExpressions(node, put);
  const simplified = simplifyExpressions(changed, scope.outer);
  return simplified.reduction === null ? pin(simplified, scope) : [simplified];
}

/** The node with its bounds, keys and body simplified by the ranges that hold there; itself when nothing changes. */
export function simplifyExpressions(node: Comprehension, outer?: RangeContext): Comprehension {
  const contexts = contextsOf(node, outer);
  const inside = contexts.at(-1)!;
  const places = new Map<Expr, RangeContext>();
  for (const [i, axis] of (node.reduction?.axes ?? []).entries())
    places.set(axis.lo, contexts[i]!).set(axis.hi, contexts[i]!);
  return mapExpressions(node, (e) => simplifyWithin(e, places.get(e) ?? inside));
}

function inlined(expr: Extract<Expr, { kind: "read" }>, scope: Scope): Expr {
  const node = scope.definitions.get(expr.tensor);
  if (node === undefined || node.reduction !== null || !isFree(node)) return expr;
  return substituteIndices(node.body, new Map(node.axes.map((a, i) => [a.name, expr.indices[i]!])));
}

function isFree(node: Comprehension): boolean {
  const { body } = node;
  if (body.kind === "const" || body.kind === "read") return true;
  return isOneHot(node);
}

/** Is the value zero except where an equation tells one of its axes? */
function isOneHot(node: Comprehension): boolean {
  if (node.axes.length === 0 || node.reduction !== null) return false;
  const terms = termsOf(node.body);
  return terms.length > 0 && terms.every((t) => pinnedAxes(t.guards, node.axes).size > 0);
}

/** The most that the value of a one-hot term may cost to be inlined as it is; a costlier one gets a node of its own. */
const cheap = 2;

/**
 * Gives a one-hot body its normal form: one select for each set of conditions, and in its value the pinned axes are replaced
 * by what they equal. What is costly becomes a node over the other axes.
 */
function pin(node: Comprehension, scope: Scope): readonly Comprehension[] {
  if (!isOneHot(node)) return [node];
  const made: Comprehension[] = [];
  const bySet = new Map<string, { guards: readonly Expr[]; value: Expr }>();
  for (const term of termsOf(node.body)) {
    const pins = pinnedAxes(term.guards, node.axes);
    const guards = term.guards;
    const value = simplifyWithin(substituteIndices(term.value, pins), contextOf(node, scope.outer));
    const key = guards.map(structuralKey).sort().join("&");
    const known = bySet.get(key);
    bySet.set(key, {
      guards,
      value:
        known === undefined
          ? value
          : { kind: "apply", fn: "add", type: typeOf(value), args: [known.value, value] },
    });
  }
  const parts = [...bySet.values()].map(({ guards, value }) => {
    const pins = pinnedAxes(guards, node.axes);
    const rest = node.axes.filter((a) => !pins.has(a.name));
    let whole = value;
    const part: Comprehension = { ...node, name: scope.names.fresh(node.name), axes: rest, body: value };
    // It is then computed also where the conditions fail, so its reads must be in bounds without them.
    if (costOf(value) > cheap && proveReads(part, scope.types, scope.outer).length === 0) {
      made.push(part);
      whole = read(
        part.name,
        part.element,
        rest.map((a) => index(a.name)),
      );
    }
    return selectAll(guards, whole);
  });
  const body = parts.reduce((a, b): Expr => ({ kind: "apply", fn: "add", type: typeOf(a), args: [a, b] }));
  if (structuralKey(body) === structuralKey(node.body)) return [node];
  const pinned = { ...node, body };
  const types = new Map([...scope.types, ...made.flatMap(definitions).map((d) => [d.name, d] as const)]);
  // Conditions speak of the axes as they were: what they say of a place in the value may not be seen of the pinned one.
  return proveReads(pinned, types, scope.outer).length === 0 ? [...made, pinned] : [node];
}
