/**
 * The cotangent of what a comprehension reads.
 *
 * For a node `Y[i] = Σ_r body(i, r)` and a read `A[e(i, r)]` in its body, A receives the scatter
 *
 *     dA[k] = Σ_{i, r} [e(i, r) = k] · dY[i] · ∂body/∂A[e]
 *
 * which is written down as exactly that; `solveDeltas` then turns the indicator into index arithmetic.
 */
import { bodyCotangents, type Read } from "./body.ts";
import { add, mul } from "./arithmetic.ts";
import { apply, index, integer, read, select } from "../ir/build.ts";
import {
  type Axis,
  type Comprehension,
  type ElementType,
  type Expr,
  isFloat,
  type Node,
  type ReductionAxis,
  typeOf,
  type ValueName,
  type ValueType,
} from "../ir/ir.ts";
import { baseName, freshVariable, type NameSupply } from "../ir/names.ts";
import { hullOf } from "../ir/hull.ts";
import { contextOf, prove, type RangeContext } from "../ir/ranges.ts";
import { solveDeltas } from "../ir/rewrite/delta.ts";
import { selectAll, within } from "../ir/rewrite/guards.ts";
import { substituteIndices } from "../ir/substitute.ts";
import { structuralKey } from "../ir/affine.ts";

/** What a pass over the nodes shares: new names, and the types of all values. */
export interface Workspace {
  readonly names: NameSupply;
  readonly types: Map<ValueName, ValueType>;
  /** Loop variables around the nodes. */
  readonly outer: RangeContext;
  /** Takes a new node; nodes are in dependency order. */
  readonly emit: (node: Node) => void;
}

/** A value of a node and the tensor that receives it. */
export interface Cotangent {
  readonly to: ValueName;
  readonly value: ValueName;
}

/** Emits the cotangents of the active values that a node reads, given its own. */
export function transpose(
  ws: Workspace,
  node: Comprehension,
  cotangent: ValueName,
  isActive: (value: ValueName) => boolean,
): Cotangent[] {
  if (!isFloat(node.element.scalar) && node.reduction?.bestValue == null) return [];
  switch (node.reduction?.op) {
    case undefined:
    case "sum":
      return transposeSum(ws, node, cotangent, isActive, (seed) => seed);
    case "max":
    case "min":
      return transposeSum(ws, atBest(ws, node), cotangent, isActive, (seed) => seed);
    case "prod": {
      const others = productOfOthers(ws, node);
      const asSum: Comprehension = { ...node, reduction: { ...node.reduction, op: "sum" } };
      return transposeSum(ws, asSum, cotangent, isActive, (seed) => mul(seed, others));
    }
    case "argmax":
    case "argmin":
      // Only the best value has a derivative: the body's at the position that was found.
      return transposeSum(ws, atPosition(ws, node), cotangent, isActive, (seed) => seed);
    case "any":
    case "all":
      return [];
  }
}

function transposeSum(
  ws: Workspace,
  node: Comprehension,
  cotangent: ValueName,
  isActive: (value: ValueName) => boolean,
  scale: (seed: Expr) => Expr,
): Cotangent[] {
  const element: ElementType = { scalar: typeOf(node.body), bound: null };
  const keyed = new Map(node.keys.map((k) => [k.axis, k.at]));
  const seed = scale(
    read(
      cotangent,
      element,
      node.axes.map((a) => keyed.get(a.name) ?? index(a.name)),
    ),
  );
  const guards = node.keys.flatMap((k) => within(k.at, node.axes.find((a) => a.name === k.axis)!.size));
  const contributions = bodyCotangents(node.body, seed, (r) => isActive(r.tensor));
  const byRead = new Map<string, { read: Read; terms: Expr[] }>();
  for (const c of contributions) {
    const key = structuralKey(c.read);
    const entry = byRead.get(key) ?? { read: c.read, terms: [] };
    entry.terms.push(selectAll(c.conditions, c.value));
    byRead.set(key, entry);
  }
  return [...byRead.values()].map(({ read: r, terms }) => scatter(ws, node, r, guards, terms.reduce(add)));
}

/** Emits `dA[k] = Σ [e = k] value` over all points of the node. */
function scatter(
  ws: Workspace,
  node: Comprehension,
  target: Read,
  guards: readonly Expr[],
  value: Expr,
): Cotangent {
  const { shape, element } = ws.types.get(target.tensor)!;
  const keyed = new Set(node.keys.map((k) => k.axis));
  const outer = node.axes.filter((a) => !keyed.has(a.name));
  const taken = new Set([
    ...node.axes.map((a) => a.name),
    ...(node.reduction?.axes.map((a) => a.name) ?? []),
    ...ws.outer.variables.keys(),
  ]);
  const axes = shape.map((size, i): Axis => ({
    name: freshVariable(axisHint(target.indices[i]!, i), taken),
    size,
  }));
  const points: ReductionAxis[] = [
    ...outer.map((a) => ({ name: a.name, lo: integer(0), hi: integer(a.size) })),
    ...(node.reduction?.axes ?? []),
  ];
  const deltas = target.indices.map((e, i) => apply("eq", e, index(axes[i]!.name)));
  const dense: Comprehension = {
    kind: "comprehension",
    name: ws.names.fresh(`d_${target.tensor}`),
    element: { scalar: element.scalar, bound: null },
    axes,
    reduction: { op: "sum", axes: points, bestValue: null },
    keys: [],
    body: selectAll([...deltas, ...guards], value),
    origin: node.origin,
  };
  for (const made of solveDeltas(dense, ws.names, ws.types, ws.outer)) {
    ws.types.set(made.name, { name: made.name, element: made.element, shape: made.axes.map((a) => a.size) });
    ws.emit(made);
  }
  return { to: target.tensor, value: dense.name };
}

const hints = ["i", "j", "k", "l", "m", "n"];

function axisHint(e: Expr, i: number): string {
  return e.kind === "index" ? e.name : (hints[i] ?? "i");
}

/** The node without its reduction: its body at the position that an `argmax` found. */
export function atPosition(ws: Workspace, node: Comprehension): Comprehension {
  const [axis] = node.reduction!.axes;
  const position = read(
    node.name,
    node.element,
    node.axes.map((a) => index(a.name)),
  );
  const body = substituteIndices(node.body, new Map([[axis!.name, position]]));
  const element = { scalar: typeOf(node.body), bound: null };
  return {
    ...node,
    element,
    reduction: null,
    body: whereFound(ws, node, [{ at: position, ...axis! }], body),
  };
}

/**
 * The body at a position that was found, where one was found: over an empty range the position is 0, which need not be in it,
 * and the derivative is 0.
 */
function whereFound(
  ws: Workspace,
  node: Comprehension,
  places: readonly { readonly at: Expr; readonly lo: Expr; readonly hi: Expr }[],
  body: Expr,
): Expr {
  const context = contextOf({ ...node, reduction: null, keys: [] }, ws.outer);
  const inside = places.flatMap(({ at, lo, hi }) => [apply("ge", at, lo), apply("lt", at, hi)]);
  return selectAll(
    inside.filter((condition) => prove(condition, context) !== true),
    body,
  );
}

/** A `max` or `min` as its body read at the first best place; several reduction axes are flattened into one. */
export function atBest(ws: Workspace, node: Comprehension): Comprehension {
  const reduction = node.reduction!;
  const op = reduction.op === "max" ? "argmax" : "argmin";
  const flat =
    reduction.axes.length === 1
      ? { axis: reduction.axes[0]!, body: node.body, decode: null }
      : flatten(ws, node);
  const hull = hullOf({ ...node, reduction: { ...reduction, axes: [flat.axis] } }, 0, ws.outer);
  const position: Comprehension = {
    ...node,
    name: ws.names.fresh(`${baseName(node.name)}_at`),
    element: { scalar: "i32", bound: Math.max(1, hull.hi) },
    reduction: { op, axes: [flat.axis], bestValue: null },
    body: flat.body,
  };
  ws.types.set(position.name, {
    name: position.name,
    element: position.element,
    shape: node.axes.map((a) => a.size),
  });
  ws.emit(position);
  const place = read(
    position.name,
    position.element,
    node.axes.map((a) => index(a.name)),
  );
  const values = flat.decode === null ? new Map([[flat.axis.name, place]]) : flat.decode(place);
  const body = substituteIndices(node.body, values);
  const put = (e: Expr): Expr => substituteIndices(e, values);
  const places = reduction.axes.map((a) => ({ at: values.get(a.name)!, lo: put(a.lo), hi: put(a.hi) }));
  return {
    ...node,
    reduction: null,
    body: whereFound(ws, node, [{ at: place, ...flat.axis }, ...places], body),
  };
}

interface Flattened {
  readonly axis: ReductionAxis;
  readonly body: Expr;
  readonly decode: (flat: Expr) => Map<string, Expr>;
}

/** Several reduction axes as one, row-major over the ranges that they may have. */
function flatten(ws: Workspace, node: Comprehension): Flattened {
  const reduction = node.reduction!;
  const hulls = reduction.axes.map((_, i) => hullOf(node, i, ws.outer));
  const total = hulls.reduce((product, h) => product * (h.hi - h.lo), 1);
  // An empty range has no digits to tell apart.
  const sizes = hulls.map((h) => Math.max(1, h.hi - h.lo));
  const taken = new Set([
    ...[...node.axes, ...reduction.axes].map((a) => a.name),
    ...ws.outer.variables.keys(),
  ]);
  const name = freshVariable(reduction.axes[0]!.name, taken);
  const decode = (flat: Expr): Map<string, Expr> => {
    const values = new Map<string, Expr>();
    let stride = sizes.reduce((a, b) => a * b, 1);
    reduction.axes.forEach((axis, i) => {
      stride /= sizes[i]!;
      const high = stride === 1 ? flat : apply("floor_div", flat, integer(stride));
      const digit = i === 0 ? high : apply("mod", high, integer(sizes[i]!));
      values.set(axis.name, hulls[i]!.lo === 0 ? digit : apply("add", digit, integer(hulls[i]!.lo)));
    });
    return values;
  };
  const values = decode(index(name));
  const inside = reduction.axes.flatMap((a) => [
    apply("ge", index(a.name), a.lo),
    apply("lt", index(a.name), a.hi),
  ]);
  const isFixed = reduction.axes.every((a) => a.lo.kind === "const" && a.hi.kind === "const");
  const worst: Expr = {
    kind: "const",
    type: typeOf(node.body),
    value: reduction.op === "max" ? -Infinity : Infinity,
  };
  const guarded = isFixed
    ? node.body
    : select(
        inside.reduce((a, b) => apply("and", a, b)),
        node.body,
        worst,
      );
  return {
    axis: { name, lo: integer(0), hi: integer(total) },
    body: substituteIndices(guarded, values),
    decode,
  };
}

/**
 * The product over all points but one, as an expression at that point: exact also where factors are 0, for every order of
 * differentiation. It costs the square of the number of factors.
 */
export function productOfOthers(ws: Workspace, node: Comprehension): Expr {
  const { axes } = node.reduction!;
  const hulls = axes.map((_, i) => hullOf(node, i, ws.outer));
  const taken = new Set([...[...node.axes, ...axes].map((a) => a.name), ...ws.outer.variables.keys()]);
  const others = axes.map((a) => freshVariable(a.name, taken));
  const rename = new Map(axes.map((a, i): [string, Expr] => [a.name, index(others[i]!)]));
  // The point itself is an output axis that counts from 0.
  const self = axes.map((a, i) =>
    hulls[i]!.lo === 0 ? index(a.name) : apply("add", index(a.name), integer(hulls[i]!.lo)),
  );
  const isSelf = axes
    .map((_, i) => apply("eq", index(others[i]!), self[i]!))
    .reduce((a, b) => apply("and", a, b));
  const one: Expr = { kind: "const", type: typeOf(node.body), value: 1 };
  const product: Comprehension = {
    ...node,
    name: ws.names.fresh(`${baseName(node.name)}_others`),
    axes: [
      ...node.axes,
      ...axes.map((a, i) => ({ name: a.name, size: Math.max(0, hulls[i]!.hi - hulls[i]!.lo) })),
    ],
    reduction: {
      op: "prod",
      axes: axes.map((a, i) => ({
        name: others[i]!,
        lo: substituteIndices(a.lo, rename),
        hi: substituteIndices(a.hi, rename),
      })),
      bestValue: null,
    },
    body: select(isSelf, one, substituteIndices(node.body, rename)),
  };
  ws.types.set(product.name, {
    name: product.name,
    element: product.element,
    shape: product.axes.map((a) => a.size),
  });
  ws.emit(product);
  const place = axes.map((a, i) =>
    hulls[i]!.lo === 0 ? index(a.name) : apply("sub", index(a.name), integer(hulls[i]!.lo)),
  );
  return read(product.name, product.element, [...node.axes.map((a) => index(a.name)), ...place]);
}
