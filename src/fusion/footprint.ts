/**
 * How much memory the lanes of a subgroup touch together, counted rather than derived: whatever the indices are, they are worked out for
 * each lane and for a few turns of a loop, and the lines that they fall into are counted.
 *
 *     %x[n, k], lanes along k               8 elements in 1 line of 8               1: as little as there can be
 *     %x[n, k], lanes along n               8 elements in 8 lines                   8
 *     %x[n, k], lanes along n, turns k      4 turns, 32 elements in 8 lines         2, as one load may take four that follow one another
 *     %x[n, k], lanes along j               1 element for 8 lanes                   1/8 · 8
 *
 * An index that is data is taken for random numbers.
 */
import type { Expr, ScalarType } from "../ir/ir.ts";
import { postorder } from "../ir/traverse.ts";
import type { AxisOrder } from "./plan.ts";

/** The elements that lanes touch, turn after turn: for each axis of the tensor its index at each lane of each turn. */
export interface Footprint {
  readonly shape: readonly number[];
  readonly indices: readonly Int32Array[];
}

/** Where some lanes are in some turns. */
export interface Lanes {
  /** Lanes times turns. */
  readonly count: number;
  /** The value of an index variable at each of them, turn after turn. */
  readonly valuesOf: (variable: string) => Int32Array;
}

/** The elements of a tensor that are touched at these indices. */
export function footprintOf(indices: readonly Expr[], shape: readonly number[], lanes: Lanes): Footprint {
  const known = new Map<Expr, Int32Array>();
  for (const expr of postorder(...indices)) known.set(expr, valuesOf(expr, known, lanes));
  return {
    shape,
    indices: indices.map((index, axis) => within(known.get(index)!, shape[axis]!)),
  };
}

/** Paddings and loops that begin elsewhere lead outside; around the corner elements lie as they would there. */
function within(values: Int32Array, size: number): Int32Array {
  return values.every((value) => value >= 0 && value < size)
    ? values
    : values.map((value) => floorMod(value, size));
}

/** Where the first `count` elements of a footprint lie, with the tensor's axes in an order. */
export function placesOf({ shape, indices }: Footprint, order: AxisOrder, count: number): Float64Array {
  const places = new Float64Array(count);
  let stride = 1;
  for (let at = order.length - 1; at >= 0; at--) {
    const axis = order[at]!;
    const own = indices[axis]!;
    for (let i = 0; i < count; i++) places[i]! += stride * own[i]!;
    stride *= shape[axis]!;
  }
  return places;
}

/**
 * Elements of the lines that are touched for each touch: 1 where lanes lie side by side, the elements of a line where each has a line of its
 * own, less than 1 where lanes share elements.
 */
export function spreadOf(places: Float64Array, lineElements: number): number {
  const lines = new Set<number>();
  for (const place of places) lines.add(Math.floor(place / lineElements));
  return (lines.size * lineElements) / places.length;
}

/**
 * The same where each lane touches several elements, one after the other in `places`: 1 where those lie together, from a multiple of their
 * number on, so that one load takes them; `apart` where each takes a load.
 */
export function spreadInLanes(places: Float64Array, elements: number, apart: number): number {
  if (new Set(places).size === 1) return apart / places.length;
  let loads = 0;
  for (let first = 0; first < places.length; first += elements) {
    const own = places.subarray(first, first + elements);
    const isTogether = own[0]! % elements === 0 && own.every((place, i) => place === own[0]! + i);
    loads += isTogether ? own.length : apart * own.length;
  }
  return loads / places.length;
}

/** Does each of so many lanes touch elements that follow one another, step after step? */
export function followsSteps(places: Float64Array, lanes: number): boolean {
  for (let i = lanes; i < places.length; i++) if (places[i]! - places[i - lanes]! !== 1) return false;
  return true;
}

function valuesOf(expr: Expr, known: ReadonlyMap<Expr, Int32Array>, lanes: Lanes): Int32Array {
  const { count } = lanes;
  const each = (of: (lane: number) => number): Int32Array => filled(count, of);
  switch (expr.kind) {
    case "const":
      return new Int32Array(count).fill(expr.value);
    case "index":
      return lanes.valuesOf(expr.name);
    case "read":
      return each((i) => mixed(nameSeed(expr.tensor), ...expr.indices.map((index) => known.get(index)![i]!)));
    case "select": {
      const [condition, yes, no] = [expr.condition, expr.yes, expr.no].map((part) => known.get(part)!);
      return each((i) => (condition![i] !== 0 ? yes![i]! : no![i]!));
    }
    case "apply": {
      const args = expr.args.map((arg) => known.get(arg)!);
      const fn = isWhole(expr.type) ? functions[expr.fn] : undefined;
      if (fn === undefined) return each((i) => mixed(nameSeed(expr.fn), ...args.map((arg) => arg[i]!)));
      const [a, b, c] = args;
      return each((i) => fn(a![i]!, b?.[i] ?? 0, c?.[i] ?? 0));
    }
  }
}

function isWhole(type: ScalarType): boolean {
  return type === "i32" || type === "u32" || type === "bool";
}

/** What occurs in indices; anything else is taken for data. */
const functions: Readonly<Record<string, (a: number, b: number, c: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => Math.imul(a, b),
  neg: (a) => -a,
  floor_div: (a, b) => (b === 0 ? 0 : Math.floor(a / b)),
  mod: (a, b) => (b === 0 ? 0 : floorMod(a, b)),
  min: (a, b) => Math.min(a, b),
  max: (a, b) => Math.max(a, b),
  clamp: (a, b, c) => Math.min(Math.max(a, b), c),
  abs: (a) => Math.abs(a),
  eq: (a, b) => Number(a === b),
  ne: (a, b) => Number(a !== b),
  lt: (a, b) => Number(a < b),
  le: (a, b) => Number(a <= b),
  gt: (a, b) => Number(a > b),
  ge: (a, b) => Number(a >= b),
  and: (a, b) => Number(a !== 0 && b !== 0),
  or: (a, b) => Number(a !== 0 || b !== 0),
  not: (a) => Number(a === 0),
  stop_gradient: (a) => a,
  cast: (a) => a,
};

function floorMod(a: number, b: number): number {
  return b <= 0 ? 0 : a - b * Math.floor(a / b);
}

/** The values of a function of 0 … count - 1. */
export function filled(count: number, of: (i: number) => number): Int32Array {
  const values = new Int32Array(count);
  for (let i = 0; i < count; i++) values[i] = of(i);
  return values;
}

/** A number that looks random, the same for the same numbers. */
function mixed(...numbers: readonly number[]): number {
  let hash = 0x9e3779b9;
  for (const n of numbers) {
    hash = Math.imul(hash ^ n, 0x85ebca6b);
    hash ^= hash >>> 13;
  }
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 1;
}

function nameSeed(name: string): number {
  let seed = 0;
  for (let i = 0; i < name.length; i++) seed = Math.imul(seed, 31) + name.charCodeAt(i);
  return seed | 0;
}
