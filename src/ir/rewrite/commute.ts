/**
 * Sums commute with linear maps: where a weighted sum runs over the results of a contraction, and the weights know nothing of
 * the contraction's channels, the sum is taken first and the map applied to its few results.
 *
 *     %v = for q, i. sum r. %w[q, r] * %x[r, i]          for q, j. sum i at j = %a[i]. %v[q, i]
 *     becomes
 *     %t = for r, j. sum i at j = %a[i]. %x[r, i]        for q, j. sum r. %w[q, r] * %t[r, j]
 *
 * Aggregation and pooling commute so with 1×1 convolutions; biases and residuals that are added to these are summed by themselves.
 * A product of products is such a sum too: (A B) C is taken as A (B C).
 */
import { apply, constant, index } from "../build.ts";
import { extentFromZero } from "../extent.ts";
import {
  type Axis,
  type Comprehension,
  type Expr,
  isFloat,
  type ReductionAxis,
  typeOf,
  type ValueName,
} from "../ir.ts";
import { freshVariable } from "../names.ts";
import { substituteIndices } from "../substitute.ts";
import { indicesIn } from "../traverse.ts";
import { addendsOf, factorsOf, inOrderOfUse, numberOfPoints, productOf, readWhole } from "./products.ts";
import type { Scope } from "./walk.ts";

/** Is it a contraction, or a value without a sum of its own, which may be made of contractions? */
export function isLinear(node: Comprehension): boolean {
  return isContraction(node) || (node.reduction === null && isFloat(node.element.scalar));
}

function isContraction(node: Comprehension): boolean {
  return (
    isFloatSum(node) &&
    node.keys.length === 0 &&
    node.reduction!.axes.every((axis) => extentFromZero(axis) !== null)
  );
}

function isFloatSum(node: Comprehension): boolean {
  return node.reduction?.op === "sum" && isFloat(node.element.scalar);
}

/** The values over which a sum of floats runs, weighted or added to others; none of a node that is no such sum. */
export function summedIn(node: Comprehension): ReadonlySet<ValueName> {
  return new Set(isFloatSum(node) ? factorsOf(node.body).flatMap((factor) => [...readsIn(factor)]) : []);
}

/** The values that are addends of an expression, or factors of its addends. */
function readsIn(expr: Expr): Set<ValueName> {
  const reads = addendsOf(expr)
    .flatMap(factorsOf)
    .flatMap((e) => (e.kind === "read" ? [e.tensor] : []));
  return new Set(reads);
}

/** Commutes a sum with the value `source` if it is a sum over that value times weights; the nodes that take its place, itself the last. */
export function commute(node: Comprehension, source: ValueName, scope: Scope): readonly Comprehension[] {
  if (!isFloatSum(node)) return [node];
  const factors = factorsOf(node.body);
  const at = factors.findIndex((factor) => readsIn(factor).has(source));
  if (at < 0 || !scope.definitions.has(source)) return [node];
  const changes = changing(node);
  const weights = factors.toSpliced(at, 1);
  const varying = weights.filter(changes);
  const taken = new Set([
    ...indicesIn([node.body]),
    ...node.axes.map((a) => a.name),
    ...node.reduction!.axes.map((r) => r.name),
    ...scope.outer.variables.keys(),
  ]);
  const made: Comprehension[] = [];
  const parts: Expr[] = [];
  const rest: Expr[] = [];
  let commuted = false;
  for (const term of termsOf(factors[at]!, scope, taken, ({ name }) => name === source)) {
    const part = commuteTerm(node, varying, term, scope);
    if (part === null) {
      rest.push(term.whole);
      continue;
    }
    commuted ||= term.points.length > 0;
    made.push(...part.nodes);
    parts.push(part.value);
  }
  if (!commuted) return [node];
  if (rest.length > 0) {
    // What has no map is summed as it is, all of it at once, over those axes only that it knows.
    const together = rest.reduce((a, b) => apply("add", a, b));
    const body = productOf([...varying, together], typeOf(node.body));
    const axes = axesKnown(node, usedBySum(node, [body]));
    const sum = { ...node, name: scope.names.fresh(node.name), axes, body };
    made.push(sum);
    parts.push(readWhole(sum));
  }
  const fixed = weights.filter((w) => !changes(w));
  const sum = parts.reduce((a, b) => apply("add", a, b));
  return [...made, { ...node, reduction: null, keys: [], body: productOf([...fixed, sum], typeOf(sum)) }];
}

/** The variables that a node's sum knows when it has other factors. */
function usedBySum(node: Comprehension, factors: readonly Expr[]): ReadonlySet<string> {
  return indicesIn([
    ...factors,
    ...node.keys.map((k) => k.at),
    ...node.reduction!.axes.flatMap((r) => [r.lo, r.hi]),
  ]);
}

/** The axes of a node that are among the variables, or that get their values by a key. */
function axesKnown(node: Comprehension, variables: ReadonlySet<string>): Axis[] {
  const keyed = new Set(node.keys.map((k) => k.axis));
  return node.axes.filter(({ name }) => variables.has(name) || keyed.has(name));
}

/** Whether an expression changes with what a node sums over. */
function changing(node: Comprehension): (e: Expr) => boolean {
  const summed = new Set(node.reduction!.axes.map((r) => r.name));
  return (e) => [...indicesIn([e])].some((name) => summed.has(name));
}

/** A product under a sum over `points`, and the expression that it equals; a term that is no sum has no points. */
interface Term {
  readonly points: readonly ReductionAxis[];
  readonly factors: readonly Expr[];
  readonly whole: Expr;
}

/**
 * An expression as a sum of terms, values that `opens` accepts being replaced by what they are. `taken` are the variables around,
 * from which those of contractions must differ.
 */
function termsOf(
  expr: Expr,
  scope: Scope,
  taken: Set<string>,
  opens: (definition: Comprehension) => boolean,
): Term[] {
  return addendsOf(expr).flatMap((whole): Term[] => {
    const factors = factorsOf(whole);
    for (const [i, factor] of factors.entries()) {
      const definition = factor.kind === "read" ? scope.definitions.get(factor.tensor) : undefined;
      if (factor.kind !== "read" || definition === undefined || !opens(definition)) continue;
      const others = factors.toSpliced(i, 1);
      return opened(factor, definition, scope, taken).map((term) => ({
        points: term.points,
        factors: [...others, ...term.factors],
        whole: productOf([...others, term.whole], typeOf(whole)),
      }));
    }
    return [{ points: [], factors, whole }];
  });
}

/** A read, by what the definition of the value says. */
function opened(
  target: Extract<Expr, { kind: "read" }>,
  definition: Comprehension,
  scope: Scope,
  taken: Set<string>,
): Term[] {
  const values = new Map(definition.axes.map((a, i): [string, Expr] => [a.name, target.indices[i]!]));
  if (definition.reduction === null)
    return termsOf(substituteIndices(definition.body, values), scope, taken, isContraction);
  const points = definition.reduction.axes.map((r) => {
    const name = freshVariable(`${r.name}_`, taken);
    values.set(r.name, index(name));
    return { ...r, name };
  });
  const factors = factorsOf(definition.body).map((f) => substituteIndices(f, values));
  return [{ points, factors, whole: target }];
}

/** What stands for the sum of the weights times a term, and the nodes for it. */
interface Part {
  readonly nodes: readonly Comprehension[];
  readonly value: Expr;
}

/** The sum of the weights times what changes with the points, then the map; null if nothing commutes. */
function commuteTerm(
  node: Comprehension,
  weights: readonly Expr[],
  { points, factors }: Term,
  scope: Scope,
): Part | null {
  const changes = changing(node);
  const map = factors.filter((f) => !changes(f));
  const inner = [...weights, ...factors.filter(changes)];
  if (map.length === 0) return null;
  const used = usedBySum(node, inner);
  const outer = axesKnown(node, used);
  const channels = points.filter((r) => used.has(r.name));
  if (outer.length === node.axes.length && channels.length === points.length && points.length > 0)
    return null;
  const body = productOf(inner, typeOf(node.body));
  const axes = [...outer, ...channels.map((r) => ({ name: r.name, size: extentFromZero(r)! }))];
  const first = {
    ...node,
    name: scope.names.fresh(node.name),
    axes: inOrderOfUse(axes, body),
    body,
  };
  // Where nothing but a bias is summed, its points are counted.
  const isCount = inner.length === 0 && node.keys.length === 0;
  const count = isCount ? numberOfPoints(node, node.reduction!.axes, scope.outer) : null;
  const sum = count === null ? readWhole(first) : constant(count, typeOf(body));
  const nodes = count === null ? [first] : [];
  if (points.length === 0) return { nodes, value: productOf([...map, sum], typeOf(body)) };
  const pointNames = new Set(points.map((r) => r.name));
  const knowsPoints = (e: Expr): boolean => [...indicesIn([e])].some((name) => pointNames.has(name));
  const second: Comprehension = {
    ...node,
    name: scope.names.fresh(node.name),
    keys: [],
    body: productOf([...map.filter(knowsPoints), sum], typeOf(body)),
    reduction: { op: "sum", axes: points, bestValue: null },
  };
  const scale = map.filter((f) => !knowsPoints(f));
  return { nodes: [...nodes, second], value: productOf([...scale, readWhole(second)], typeOf(body)) };
}
