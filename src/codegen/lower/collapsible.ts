/**
 * Which axes of a kernel are as good as one. Pairs of neighbouring axes, of nodes, of phases and of values, are bound to one another: where
 * a node reads a value at two of its variables side by side, their pair and the value's are one axis each or neither is. All that are bound
 * together are, unless something stands against one of them: a variable that is used alone, or elements that don't follow one another.
 */
import { type Group, nodesOf } from "../../fusion/plan.ts";
import {
  type Comprehension,
  definitions,
  type Expr,
  type ReductionAxis,
  type ValueName,
  type ValueType,
} from "../../ir/ir.ts";
import { operands, postorder } from "../../ir/traverse.ts";
import { Bonds } from "./bonds.ts";

/** Two neighbouring axes of a node, of its points or of its reduction. */
export interface AxisPair {
  readonly first: string;
  readonly second: string;
}

/** Pairs that are collapsed together. */
export interface Pairs {
  readonly nodes: ReadonlyMap<Comprehension, readonly AxisPair[]>;
  /** Of each value, the numbers of the first axes of its pairs, in order. */
  readonly values: ReadonlyMap<ValueName, readonly number[]>;
}

/** What is bound: a pair of a node's axes, or that of a value's from a number on, or that of a phase's. */
type Item =
  | { readonly node: Comprehension; readonly pair: AxisPair }
  | { readonly value: ValueName; readonly at: number }
  | { readonly phase: number };

/** Pairs of axes that can be collapsed; null where there are none. `types` has all values that the group touches. */
export function collapsiblePairs(group: Group, types: ReadonlyMap<ValueName, ValueType>): Pairs | null {
  const nodes = nodesOf(group);
  const bonds = new Bonds<Item>();
  const numbers = new Map(nodes.map((node, n) => [node, n]));
  const ofNode = (node: Comprehension, pair: AxisPair): string =>
    bonds.item(`node ${numbers.get(node)!} ${pair.first}`, { node, pair });
  const ofValue = (value: ValueName, at: number): string => bonds.item(`value ${value} ${at}`, { value, at });

  const shapes = new Map(nodes.flatMap(definitions).map(({ name, shape }) => [name, shape]));
  for (const node of nodes) {
    const pairs = pairsOf(node);
    for (const { name } of definitions(node))
      for (const [at, pair] of pairs.slice(0, Math.max(0, node.axes.length - 1)).entries())
        bonds.bind(ofValue(name, at), ofNode(node, pair));
    for (const pair of pairs) if (!pair.isWhole) bonds.forbid(ofNode(node, pair));
    for (const expr of expressionsOf(node)) {
      for (const [at, operand] of operands(expr).entries()) {
        if (operand.kind !== "index") continue;
        for (const pair of pairs)
          if (!isBeside(operand.name, expr, at, pair)) bonds.forbid(ofNode(node, pair));
      }
      if (expr.kind !== "read") continue;
      const shape = shapes.get(expr.tensor) ?? types.get(expr.tensor)!.shape;
      shapes.set(expr.tensor, shape);
      for (let at = 0; at + 1 < shape.length; at++) {
        const pair = pairs.find(
          ({ first, second }) =>
            isVariable(expr.indices[at], first) && isVariable(expr.indices[at + 1], second),
        );
        if (pair !== undefined) bonds.bind(ofValue(expr.tensor, at), ofNode(node, pair));
        if (pair?.extent !== shape[at + 1]) bonds.forbid(ofValue(expr.tensor, at));
      }
    }
    for (const root of rootsOf(node))
      if (root.kind === "index")
        for (const pair of pairs) if (has(pair, root.name)) bonds.forbid(ofNode(node, pair));
  }
  for (const [value, shape] of shapes)
    for (let at = 0; at + 1 < shape.length; at++)
      if (!areNeighbours(group, value, at) || shape[at] === 1 || shape[at + 1] === 1)
        bonds.forbid(ofValue(value, at));
  bindPhases(group, bonds, ofNode);

  for (const items of bonds.free()) {
    const pairs = pairsAmong(items);
    if (pairs !== null) return pairs;
  }
  return null;
}

interface PairOfNode extends AxisPair {
  /** The turns or points of the second axis. */
  readonly extent: number;
  /** Does the second axis go through all of them at each place of the first? */
  readonly isWhole: boolean;
}

/** The pairs of a node's axes, in order, then those of its reduction's. */
function pairsOf({ axes, reduction, keys }: Comprehension): readonly PairOfNode[] {
  const isKeyed = (name: string): boolean => keys.some(({ axis }) => axis === name);
  const points = axes.slice(1).map((second, at): PairOfNode => {
    const first = axes[at]!;
    const isWhole = !isKeyed(first.name) && !isKeyed(second.name);
    return { first: first.name, second: second.name, extent: second.size, isWhole };
  });
  const turns = reduction?.axes ?? [];
  const isNumber = reduction?.op === "argmax" || reduction?.op === "argmin";
  return [
    ...points,
    ...turns.slice(1).map((second, at): PairOfNode => {
      const first = turns[at]!;
      // Two empty ranges must not become one that is not.
      const isRun = ({ lo, hi }: ReductionAxis): boolean => isZero(lo) && hi.kind === "const" && hi.value > 0;
      const isWhole = !isNumber && isRun(first) && isRun(second);
      const extent = second.hi.kind === "const" ? second.hi.value : 0;
      return { first: first.name, second: second.name, extent, isWhole };
    }),
  ];
}

function isZero(expr: Expr): boolean {
  return expr.kind === "const" && expr.value === 0;
}

function has({ first, second }: AxisPair, name: string): boolean {
  return name === first || name === second;
}

function isVariable(expr: Expr | undefined, name: string): boolean {
  return expr?.kind === "index" && expr.name === name;
}

/** Does a variable stand beside the other one of a pair, where an expression has it as its operand? Also if it is none of them. */
function isBeside(name: string, parent: Expr, at: number, { first, second }: AxisPair): boolean {
  if (name !== first && name !== second) return true;
  if (parent.kind !== "read") return false;
  return name === first
    ? isVariable(parent.indices[at + 1], second)
    : isVariable(parent.indices[at - 1], first);
}

function rootsOf({ body, reduction, keys }: Comprehension): readonly Expr[] {
  return [body, ...keys.map(({ at }) => at), ...(reduction?.axes ?? []).flatMap(({ lo, hi }) => [lo, hi])];
}

function expressionsOf(node: Comprehension): readonly Expr[] {
  return postorder(...rootsOf(node));
}

/** Do a value's elements along an axis follow one another before those along the axis before it? */
function areNeighbours({ orders }: Group, value: ValueName, at: number): boolean {
  const order = orders.get(value);
  return order === undefined || order.indexOf(at + 1) === order.indexOf(at) + 1;
}

/** Binds the pairs of nodes that are computed at the same points, and forbids those that are no pair of the points'. */
function bindPhases(
  { phases, gridOf }: Group,
  bonds: Bonds<Item>,
  ofNode: (node: Comprehension, pair: AxisPair) => string,
): void {
  for (const [number, { nodes, axesOf, columnsOf }] of phases.entries())
    for (const [n, node] of nodes.entries()) {
      const names = axesOf[n]!;
      const aside = new Set([...(gridOf.get(node.name) ?? []), ...columnsOf[n]!.map(({ name }) => name)]);
      for (const [at, name] of names.slice(0, -1).entries()) {
        const phase = bonds.item(`phase ${number} ${at}`, { phase: number });
        const own = node.axes.findIndex((axis) => axis.name === name);
        const pair = { first: name, second: names[at + 1]! };
        if (node.axes[own + 1]?.name === pair.second) bonds.bind(phase, ofNode(node, pair));
        else bonds.forbid(phase);
      }
      for (const [at, { name: second }] of node.axes.slice(1).entries()) {
        const first = node.axes[at]!.name;
        const isPair = names.includes(first) && names.indexOf(second) === names.indexOf(first) + 1;
        if (!isPair || aside.has(first) || aside.has(second)) bonds.forbid(ofNode(node, { first, second }));
      }
    }
}

/** The items as pairs of nodes and values; null where no node is among them, or two of them overlap. */
function pairsAmong(items: readonly Item[]): Pairs | null {
  const nodes = new Map<Comprehension, AxisPair[]>();
  const values = new Map<ValueName, number[]>();
  for (const item of items) {
    if ("node" in item) {
      const known = nodes.get(item.node) ?? [];
      if (known.some(({ first, second }) => has(item.pair, first) || has(item.pair, second))) return null;
      nodes.set(item.node, [...known, item.pair]);
    } else if ("value" in item) {
      const known = values.get(item.value) ?? [];
      if (known.some((at) => Math.abs(at - item.at) <= 1)) return null;
      values.set(
        item.value,
        [...known, item.at].sort((a, b) => a - b),
      );
    }
  }
  return nodes.size === 0 ? null : { nodes, values };
}
