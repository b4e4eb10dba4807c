/**
 * What a stored node reads, through the nodes that are inlined into it, and how often.
 *
 *     %m = for i, j. %dot[i, j] / %norm[i]            inlined
 *     %a = for i. argmax j<16. %m[i, j]               reads %dot at [i, j], 16 times a point, %norm at [i], once a point
 *
 * An access stands at some depth of the loops of its reader; what depends only on outer loops is evaluated there, as lowering does.
 */
import { structuralKey } from "../ir/affine.ts";
import { index } from "../ir/build.ts";
import { meanExtent } from "../ir/extent.ts";
import { type Comprehension, definitions, type Expr, type ValueName } from "../ir/ir.ts";
import { contextsOf, emptyContext } from "../ir/ranges.ts";
import { substituteIndices } from "../ir/substitute.ts";
import { indicesIn, postorder } from "../ir/traverse.ts";
import type { Target } from "./target.ts";

/** A loop of a reduction around an access. */
export interface LoopAround {
  readonly name: string;
  /** Turns, on average. */
  readonly extent: number;
}

/** A read of a value by a stored node; the indices are over its axes and the loops around. */
export interface Access {
  readonly tensor: ValueName;
  readonly indices: readonly Expr[];
  readonly loops: readonly LoopAround[];
  /** Is it, by way of what is inlined, inside a reduction? */
  readonly isStreamed: boolean;
}

/** The axes at which a node is computed: those that are not keyed. */
export function pointAxes(node: Comprehension): { readonly name: string; readonly size: number }[] {
  const keyed = new Set(node.keys.map((key) => key.axis));
  return node.axes.filter((axis) => !keyed.has(axis.name));
}

/** The number of points at which a node is computed. */
export function pointCount(node: Comprehension): number {
  return pointAxes(node).reduce((product, { size }) => product * size, 1);
}

/** Turns of each reduction axis of a node, on average. */
export function reductionExtents(node: Comprehension): number[] {
  const contexts = contextsOf(node, emptyContext);
  return (node.reduction?.axes ?? []).map((axis, i) => meanExtent(axis, contexts[i]!));
}

/** The turns of a node's reduction, on average; 1 without one. */
export function turnsOf(node: Comprehension): number {
  return reductionExtents(node).reduce((product, extent) => product * extent, 1);
}

/** The accesses of a node itself. */
export function accessesOf(node: Comprehension): Access[] {
  return readsOf(node, new Map(), [], (name) => name);
}

/** So many points lie side by side along an axis, where there are as many. */
export const tile = 4;

/** How often an access is evaluated over all points of its reader, with those side by side sharing what they can. */
export function evaluations(reader: Comprehension, access: Access): number {
  const shared = reader.reduction === null ? 1 : tile ** freeAxes(reader, access).length;
  return loadsOf(reader, access) / shared;
}

/** How often an access is evaluated over all points of its reader, each by itself. */
export function loadsOf(reader: Comprehension, access: Access): number {
  const variables = indicesIn(access.indices);
  const deepest = access.loops.findLastIndex((loop) => variables.has(loop.name));
  return access.loops
    .slice(0, deepest + 1)
    .reduce((product, loop) => product * loop.extent, pointCount(reader));
}

/** The axes of the reader along which points may lie side by side and share the access, which does not depend on them. */
export function freeAxes(reader: Comprehension, access: Access): string[] {
  const variables = indicesIn(access.indices);
  return longAxes(reader).flatMap(({ name }) => (variables.has(name) ? [] : [name]));
}

/** The axes of a node's points along which they may lie side by side. */
export function longAxes(node: Comprehension): { readonly name: string; readonly size: number }[] {
  return pointAxes(node).filter(({ size }) => size >= tile);
}

/** The part of its loads that a reduction makes when points lie side by side along these of its free axes: at most two. */
export function sharedPart(axes: number): number {
  return tile ** -Math.min(2, axes);
}

/** The part of its loads that a read makes which is free along so many axes: blocks of a contraction share more than tiles do. */
export function partOfLoads(free: number, isContraction: boolean, { blockSharing }: Target): number {
  return isContraction && free > 0 ? 1 / blockSharing : sharedPart(free);
}

/** A text that equal accesses share. */
export function accessKey(access: Access): string {
  return `${access.tensor}[${access.indices.map(structuralKey).join(",")}]`;
}

/** The accesses of an inlined node, at a place where it is read. */
export function accessesThrough(node: Comprehension, access: Access): Access[] {
  const values = new Map(node.axes.map((axis, i) => [axis.name, access.indices[i]!]));
  // Its loop variables get names that the reader's axes cannot have: one of these is not the other.
  return readsOf(node, values, access.loops, (name, depth) => `${name}~${depth}`);
}

/** What a stored node reads by way of the nodes that are inlined into it, each place once. */
export interface ReadsThrough {
  /** Of values that are not inlined. */
  readonly memory: readonly Access[];
  /** Of inlined nodes, which are computed there. */
  readonly computed: readonly { readonly node: Comprehension; readonly access: Access }[];
}

/** Follows the reads of a stored node through the nodes that are inlined. */
export function readsThrough(
  node: Comprehension,
  inlined: ReadonlyMap<ValueName, Comprehension>,
): ReadsThrough {
  const memory = new Map<string, Access>();
  const computed = new Map<string, { readonly node: Comprehension; readonly access: Access }>();
  const open = accessesOf(node);
  for (let access = open.pop(); access !== undefined; access = open.pop()) {
    const inner = inlined.get(access.tensor);
    const key = accessKey(access);
    if (inner === undefined) memory.set(key, access);
    else if (!computed.has(key)) {
      computed.set(key, { node: inner, access });
      open.push(...accessesThrough(inner, access));
    }
  }
  return { memory: [...memory.values()], computed: [...computed.values()] };
}

function readsOf(
  node: Comprehension,
  values: ReadonlyMap<string, Expr>,
  around: readonly LoopAround[],
  nameOf: (variable: string, depth: number) => string,
): Access[] {
  const extents = reductionExtents(node);
  const renamed = new Map(values);
  const loops = [...around];
  const found: Access[] = [];
  const collect = (exprs: readonly Expr[]): void => {
    for (const expr of postorder(...exprs)) {
      if (expr.kind !== "read") continue;
      const indices = expr.indices.map((e) => substituteIndices(e, renamed));
      found.push({ tensor: expr.tensor, indices, loops: [...loops], isStreamed: loops.length > 0 });
    }
  };
  (node.reduction?.axes ?? []).forEach(({ name, lo, hi }, i) => {
    collect([lo, hi]);
    const fresh = nameOf(name, loops.length);
    loops.push({ name: fresh, extent: extents[i]! });
    if (fresh !== name) renamed.set(name, index(fresh));
  });
  collect([...node.keys.map((key) => key.at), node.body]);
  return found;
}

/** Whether all its elements are integers or truths that hang on floating numbers: such are computed once, lest two roundings differ. */
export function isDecision(node: Comprehension): boolean {
  const { scalar } = node.element;
  if (scalar === "f32" || scalar === "f16") return false;
  return postorder(node.body).some(
    (e) => e.kind === "read" && (e.element.scalar === "f32" || e.element.scalar === "f16"),
  );
}

/** The names that a node defines. */
export function namesOf(node: Comprehension): ValueName[] {
  return definitions(node).map(({ name }) => name);
}
