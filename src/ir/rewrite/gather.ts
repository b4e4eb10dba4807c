/**
 * Gathers sunk through definitions: where only some elements of a computed value are read, at places that are data, the
 * elements are computed at those places instead.
 *
 *     %dot: f32[49, 4] = for i<49, j<4. sum k<8. %x[i, k] * %c[j, k]
 *     … %dot[i, %a[i]] …            reads          %dot.1: f32[49] = for i<49. sum k<8. %x[i, k] * %c[%a[i], k]
 *
 * So a backward pass needs the similarity of each point to one center, not the n × o matrix.
 */
import { index, read } from "../build.ts";
import { isWithin, proveReads } from "../bounds.ts";
import { type Axis, type Comprehension, type Expr, sizeOf } from "../ir.ts";
import { freshVariable } from "../names.ts";
import { contextOf, contextsOf, rangeOf } from "../ranges.ts";
import { mapExpressions } from "../rename.ts";
import { rewriteExpr, substituteIndices } from "../substitute.ts";
import { expressionsOf, indicesIn, postorder } from "../traverse.ts";
import { simplifyWithin } from "./simplify-expr.ts";
import type { Scope } from "./walk.ts";

type Read = Extract<Expr, { kind: "read" }>;

/** How many times smaller than the whole value must be what is read of it, in all turns of a loop. */
const worthwhile = 2;

/** Replaces such reads in a node; the parts that they need come before it. */
export function sinkGathers(node: Comprehension, scope: Scope): readonly Comprehension[] {
  const gathers = postorder(...expressionsOf(node)).some(
    (e) => e.kind === "read" && scope.definitions.has(e.tensor) && isGather(e),
  );
  if (!gathers) return [node];
  const made: Comprehension[] = [];
  const definitions = new Map(scope.definitions);
  const types = new Map(scope.types);
  const inner: Scope = { ...scope, definitions, types };
  const replace = (user: Comprehension, depth: number): Comprehension =>
    mapExpressions(user, (root) =>
      rewriteExpr(root, (e) => {
        const part = e.kind === "read" && depth < 8 ? partOf(user, e, inner) : null;
        if (part === null) return e;
        const sunk = replace(part, depth + 1);
        made.push(sunk);
        definitions.set(sunk.name, sunk);
        types.set(sunk.name, { name: sunk.name, element: sunk.element, shape: sunk.axes.map((a) => a.size) });
        return read(
          sunk.name,
          sunk.element,
          sunk.axes.map((a) => index(a.name)),
        );
      }),
    );
  const result = replace(node, 0);
  return [...made, result];
}

/** Is some index data? */
function isGather(expr: Read): boolean {
  return postorder(...expr.indices).some((x) => x.kind === "read");
}

/** The node over the variables of a gathering read that computes what it reads; null when it is better read as it is. */
function partOf(user: Comprehension, expr: Read, scope: Scope): Comprehension | null {
  const source = scope.definitions.get(expr.tensor);
  if (
    source === undefined ||
    source.name !== expr.tensor ||
    source.keys.length > 0 ||
    source.reduction?.bestValue != null
  )
    return null;
  if (!isGather(expr)) return null;
  const axes = variablesOf(user, expr.indices, scope);
  const turns = scope.turns.get(expr.tensor) ?? 1;
  const whole = sizeOf(source.axes.map((a) => a.size));
  if (axes === null || turns * sizeOf(axes.map((a) => a.size)) * worthwhile > whole) return null;
  const context = contextOf(user, scope.outer);
  if (!expr.indices.every((e, i) => isWithin(e, source.axes[i]!.size, context))) return null;
  const part = at(source, expr.indices, axes, scope);
  return proveReads(part, scope.types, scope.outer).length === 0 ? part : null;
}

/** The variables of the user's that the indices mention, as axes; null when one has no fixed range from 0. */
function variablesOf(user: Comprehension, indices: readonly Expr[], scope: Scope): Axis[] | null {
  const names = indicesIn(indices);
  const axes = user.axes.filter((a) => names.has(a.name));
  const contexts = contextsOf(user, scope.outer);
  for (const [i, r] of (user.reduction?.axes ?? []).entries()) {
    if (!names.has(r.name)) continue;
    const lo = rangeOf(r.lo, contexts[i]!);
    const hi = rangeOf(r.hi, contexts[i]!);
    if (lo.lo < 0 || hi.hi <= 0 || !Number.isFinite(hi.hi)) return null;
    axes.push({ name: r.name, size: hi.hi });
  }
  const known = new Set([...axes.map((a) => a.name), ...scope.outer.variables.keys()]);
  return [...names].every((n) => known.has(n)) ? axes : null;
}

/** A node's value at given indices, over the axes that they mention. */
function at(
  source: Comprehension,
  indices: readonly Expr[],
  axes: readonly Axis[],
  scope: Scope,
): Comprehension {
  const own = source.reduction?.axes ?? [];
  // The source may stand outside of loops around the user, whose variables may have the names of those that it sums over.
  const around = new Set([...axes.map((a) => a.name), ...scope.outer.variables.keys()]);
  const taken = new Set([...around, ...[...source.axes, ...own].map((a) => a.name)]);
  const renamed = new Map<string, Expr>();
  const reductionNames = own.map((r) => {
    const name = around.has(r.name) ? freshVariable(r.name, taken) : r.name;
    renamed.set(r.name, index(name));
    return name;
  });
  const values = new Map<string, Expr>([
    ...renamed,
    ...source.axes.map((a, i): [string, Expr] => [a.name, indices[i]!]),
  ]);
  const put = (e: Expr): Expr => substituteIndices(e, values);
  const reduction =
    source.reduction === null
      ? null
      : {
          ...source.reduction,
          axes: own.map((r, i) => ({ name: reductionNames[i]!, lo: put(r.lo), hi: put(r.hi) })),
        };
  const part: Comprehension = {
    ...source,
    name: scope.names.fresh(source.name),
    axes,
    reduction,
    body: put(source.body),
  };
  return { ...part, body: simplifyWithin(part.body, contextOf(part, scope.outer)) };
}
