/**
 * Sums commute with linear maps: where a weighted sum runs over the results of a contraction, and the weights know nothing of
 * the contraction's channels, the sum is taken first and the map applied to its few results.
 *
 *     %v = for q, i. sum r. %w[q, r] * %x[r, i]          for q, j. sum i at j = %a[i]. %v[q, i]
 *     becomes
 *     %t = for r, j. sum i at j = %a[i]. %x[r, i]        for q, j. sum r. %w[q, r] * %t[r, j]
 *
 * Aggregation and pooling commute so with 1×1 convolutions and their biases. It is exact in real arithmetic but moves roundings,
 * which can turn a near tie of an argmax: an option, off by default, and kept only where it lowers the operation count.
 */
import { apply, index, read } from "../build.ts";
import { operationCount } from "../cost.ts";
import {
  type Comprehension,
  type Expr,
  type Graph,
  isFloat,
  type ReductionAxis,
  typeOf,
  type ValueName,
} from "../ir.ts";
import { freshVariable } from "../names.ts";
import { substituteIndices } from "../substitute.ts";
import { indicesIn } from "../traverse.ts";
import { removeDeadCode } from "./dead-code.ts";
import { rewriteGraph, type Scope } from "./walk.ts";

/** Commutes every sum with the contractions under it as long as that lowers the operation count. */
export function reassociate(graph: Graph): Graph {
  const contractions = graph.nodes.filter(
    (n): n is Comprehension => n.kind === "comprehension" && isLinear(n),
  );
  let best = graph;
  let cost = operationCount(graph);
  for (const { name } of contractions) {
    const tried = removeDeadCode(rewriteGraph(best, (node, scope) => commute(node, name, scope)));
    const lowered = operationCount(tried);
    if (lowered >= cost) continue;
    [best, cost] = [tried, lowered];
  }
  return best;
}

/** A contraction, or one with something added to it that is no reduction: a bias. */
function isLinear(node: Comprehension): boolean {
  if (!isFloat(node.element.scalar) || node.keys.length > 0) return false;
  if (node.reduction !== null) return node.reduction.op === "sum";
  return node.body.kind === "apply" && node.body.fn === "add";
}

/** Commutes a sum with the value `source` if it is a sum over that value times weights. */
function commute(node: Comprehension, source: ValueName, scope: Scope): readonly Comprehension[] {
  if (node.reduction?.op !== "sum" || !isFloat(node.element.scalar)) return [node];
  const factors = factorsOf(node.body);
  const at = factors.findIndex((f) => f.kind === "read" && f.tensor === source);
  const definition = scope.definitions.get(source);
  if (at < 0 || definition === undefined || definition.name !== source) return [node];
  const target = factors[at] as Extract<Expr, { kind: "read" }>;
  const weights = factors.toSpliced(at, 1);
  const reductionNames = node.reduction.axes.map((r) => r.name);
  const names = [...node.axes.map((a) => a.name), ...reductionNames, ...scope.outer.variables.keys()];
  const terms = linearTerms(definition, target, scope, names);
  if (terms === null) return [node];
  const made: Comprehension[] = [];
  const parts: Expr[] = [];
  for (const term of terms) {
    const part = commuteTerm(node, weights, term, scope);
    if (part === null) return [node];
    made.push(...part);
    parts.push(
      read(
        part.at(-1)!.name,
        node.element,
        node.axes.map((a) => index(a.name)),
      ),
    );
  }
  const body = parts.reduce((a, b) => apply("add", a, b));
  return [...made, { ...node, reduction: null, keys: [], body }];
}

/** A product under a sum over `points`; a term that is no sum has none. */
interface Term {
  readonly points: readonly ReductionAxis[];
  readonly factors: readonly Expr[];
}

/**
 * The value that is read, at the indices where it is read, as a sum of contractions and single factors. `names` are variables that
 * its own must differ from.
 */
function linearTerms(
  definition: Comprehension,
  target: Extract<Expr, { kind: "read" }>,
  scope: Scope,
  names: readonly string[],
): Term[] | null {
  const values = new Map(definition.axes.map((a, i): [string, Expr] => [a.name, target.indices[i]!]));
  if (definition.reduction === null) {
    const { body } = definition;
    if (body.kind !== "apply" || body.fn !== "add") return null;
    const parts = body.args.map((arg) => substituteIndices(arg, values));
    const terms = parts.map((part) => {
      const inner = part.kind === "read" ? scope.definitions.get(part.tensor) : undefined;
      const contraction =
        inner !== undefined && inner.reduction !== null && part.kind === "read"
          ? linearTerms(inner, part, scope, names)
          : null;
      return contraction ?? [{ points: [], factors: [part] }];
    });
    return terms.flat();
  }
  if (definition.reduction.op !== "sum" || definition.keys.length > 0) return null;
  const taken = new Set([...indicesIn(target.indices), ...names]);
  const points = definition.reduction.axes.map((r) => {
    const name = freshVariable(`${r.name}_`, taken);
    values.set(r.name, index(name));
    return { name, lo: r.lo, hi: r.hi };
  });
  if (points.some((r) => r.lo.kind !== "const" || r.hi.kind !== "const" || r.lo.value !== 0)) return null;
  return [{ points, factors: factorsOf(definition.body).map((f) => substituteIndices(f, values)) }];
}

/** The nodes for one term: the sum of the weights times what changes with the points, then the map. Null if nothing commutes. */
function commuteTerm(
  node: Comprehension,
  weights: readonly Expr[],
  term: Term,
  scope: Scope,
): Comprehension[] | null {
  const summed = new Set(node.reduction!.axes.map((r) => r.name));
  const changes = (e: Expr): boolean => [...indicesIn([e])].some((n) => summed.has(n));
  const map = term.factors.filter((f) => !changes(f));
  const inner = [...weights, ...term.factors.filter(changes)];
  if (map.length === 0) return null;
  const used = indicesIn([
    ...inner,
    ...node.keys.map((k) => k.at),
    ...node.reduction!.axes.flatMap((r) => [r.lo, r.hi]),
  ]);
  const keyed = new Set(node.keys.map((k) => k.axis));
  const outer = node.axes.filter((a) => used.has(a.name) || keyed.has(a.name));
  const channels = term.points.filter((r) => used.has(r.name));
  if (outer.length === node.axes.length && channels.length === term.points.length && term.points.length > 0)
    return null;
  const first: Comprehension = {
    ...node,
    name: scope.names.fresh(node.name),
    axes: [...outer, ...channels.map((r) => ({ name: r.name, size: sizeOfAxis(r) }))],
    body: inner.length === 0 ? one(node) : inner.reduce((a, b) => apply("mul", a, b)),
  };
  const sum = read(
    first.name,
    first.element,
    first.axes.map((a) => index(a.name)),
  );
  const body = [...map, sum].reduce((a, b) => apply("mul", a, b));
  const second: Comprehension = {
    ...node,
    name: scope.names.fresh(node.name),
    keys: [],
    body,
    reduction: term.points.length === 0 ? null : { op: "sum", axes: term.points, bestValue: null },
  };
  return [first, second];
}

function one(node: Comprehension): Expr {
  return { kind: "const", type: typeOf(node.body), value: 1 };
}

function sizeOfAxis(axis: ReductionAxis): number {
  return axis.hi.kind === "const" ? axis.hi.value : 0;
}

/** The factors of a product. A quotient's divisor is a factor `1 / d`; selects and sums are factors as they are. */
function factorsOf(expr: Expr): Expr[] {
  if (expr.kind !== "apply") return [expr];
  const [a, b] = expr.args;
  if (expr.fn === "mul") return [...factorsOf(a!), ...factorsOf(b!)];
  if (expr.fn === "div" && b!.kind === "const") return [...factorsOf(a!), { ...b!, value: 1 / b!.value }];
  return [expr];
}
