/**
 * What a workgroup stages: operands of a contraction that its invocations compute together into the workgroup's memory, some turns of
 * the reduction at a time, and then all read from there.
 *
 *     sum q<64. %w[r, q] * gelu(%x[q, i])       rows r: %w[r, q] is staged       columns i: gelu(%x[q, i]) is staged
 *
 *     for first = 0 .. 64 step 16 {
 *       w_tile[…] = w[…]; x_tile[…] = gelu(x[…])          a share of each by every invocation
 *       barrier
 *       for q = 0 .. 16 { … w_tile[…] * x_tile[…] }       a block of rows by columns in each invocation's registers
 *       barrier
 *     }
 *
 * An operand is the largest expression that depends on the turn and on one side alone: padding, a normalisation or a gather is part of it
 * and computed once for the workgroup. Nothing here affects what is computed.
 */
import { structuralKey } from "../../ir/affine.ts";
import { constantExtent } from "../../ir/extent.ts";
import { type Expr, typeOf } from "../../ir/ir.ts";
import { indicesIn, postorder } from "../../ir/traverse.ts";
import { type Emission, type Instance, instantiate } from "./emission.ts";
import { withGuardedFactors } from "./guarded.ts";
import { stridesOf } from "./reads.ts";

/** The side of a contraction on which an operand depends. */
export type Side = "rows" | "columns";

/** The numbers by which operands are staged. */
export interface StagingShape {
  /** Turns of a reduction that are staged at a time, about. */
  readonly turns: number;
  /** Bytes of workgroup memory for it. */
  readonly bytes: number;
  /** With fewer workgroups there are too few invocations to work while others wait at a barrier. */
  readonly leastWorkgroups: number;
  /** What a load from a tile costs beside a multiplication, loading and storing an element of one, and a barrier. */
  readonly load: number;
  readonly fill: number;
  readonly barrier: number;
}

/** An expression that is staged. */
export interface Operand {
  readonly expr: Expr;
  readonly side: Side;
  /** What it reads from memory. */
  readonly reads: readonly (Expr & { readonly kind: "read" })[];
}

/** A reduction with operands on both sides. */
export interface Contraction {
  /** The reduction, with conditions at the operands. */
  readonly instance: Instance;
  /** The turns of each axis. */
  readonly extents: readonly number[];
  readonly operands: readonly Operand[];
}

/** Nodes inlined into one another deeper than this are not looked into. */
const deepest = 12;

/** The reductions of some instances whose operands can be staged, by the variables of rows and of columns. */
export function contractionsOf(
  emission: Emission,
  instances: readonly Instance[],
  rows: readonly string[],
  columns: readonly string[],
): readonly Contraction[] {
  const found = new Map<string, Contraction>();
  const seen = new Set<string>();
  const visit = (instance: Instance, depth: number): void => {
    if (depth > deepest || seen.has(instance.key)) return;
    seen.add(instance.key);
    if (instance.axes.length > 0) {
      const contraction = contractionOf(emission, instance, new Set(rows), new Set(columns));
      if (contraction !== null) found.set(instance.key, contraction);
      return;
    }
    for (const expr of postorder(instance.body)) {
      const node = expr.kind === "read" ? emission.computed.get(expr.tensor) : undefined;
      if (expr.kind === "read" && node !== undefined)
        visit(instantiate(emission, node, expr.indices), depth + 1);
    }
  };
  for (const instance of instances) visit(instance, 0);
  return [...found.values()];
}

function contractionOf(
  emission: Emission,
  instance: Instance,
  rows: ReadonlySet<string>,
  columns: ReadonlySet<string>,
): Contraction | null {
  const turns = new Set(instance.axes.map(({ name }) => name));
  const extents: number[] = [];
  for (const [level, axis] of instance.axes.entries()) {
    const extent = constantExtent(axis, instance.contexts[level]!);
    const bounds = indicesIn([axis.lo, axis.hi]);
    // All invocations come to the barriers, as often.
    if (extent === null || extent <= 0 || [turns, rows, columns].some((names) => meets(bounds, names)))
      return null;
    extents.push(extent);
  }
  const body = withGuardedFactors(emission, instance.body, instance.contexts.at(-1)!, [rows, columns]);
  const own = body === null ? instance : { ...instance, body };
  const operands = new Map<string, Operand>();
  const seen = new Set<Expr>();
  const visit = (expr: Expr, depth: number): void => {
    if (seen.has(expr) || depth > deepest) return;
    seen.add(expr);
    const names = indicesIn([expr]);
    // What is the same in all turns is in registers anyway.
    if (!meets(names, turns)) return;
    const onRows = meets(names, rows);
    if (onRows !== meets(names, columns)) {
      const reads = readsIn(emission, expr, 0);
      if (reads !== null && reads.length > 0 && typeOf(expr) !== "bool") {
        operands.set(structuralKey(expr), { expr, side: onRows ? "rows" : "columns", reads });
        return;
      }
    }
    // What stands under a condition may only be computed where that holds: it is staged with the condition or not at all.
    if (expr.kind === "apply") for (const arg of expr.args) visit(arg, depth);
    const node = expr.kind === "read" ? emission.computed.get(expr.tensor) : undefined;
    if (expr.kind === "read" && node !== undefined && node.reduction === null)
      visit(instantiate(emission, node, expr.indices).body, depth + 1);
  };
  visit(own.body, 0);
  const list = [...operands.values()];
  const hasBoth = list.some(({ side }) => side === "rows") && list.some(({ side }) => side === "columns");
  return hasBoth ? { instance: own, extents, operands: list } : null;
}

function meets(names: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  return [...names].some((name) => others.has(name));
}

/** What an expression reads from memory; null where it hangs on a reduction, which would be computed again for every element. */
function readsIn(emission: Emission, root: Expr, depth: number): Operand["reads"] | null {
  if (depth > deepest) return null;
  const reads: (Expr & { kind: "read" })[] = [];
  for (const expr of postorder(root)) {
    if (expr.kind !== "read") continue;
    const node = emission.computed.get(expr.tensor);
    if (node === undefined) {
      reads.push(expr);
      continue;
    }
    if (node.reduction !== null) return null;
    const inner = readsIn(emission, instantiate(emission, node, expr.indices).body, depth + 1);
    if (inner === null) return null;
    reads.push(...inner);
  }
  return reads;
}

/** A side of a workgroup's block. */
export interface SideShape {
  /** Points of the workgroup. */
  readonly points: number;
  /** The variables of its axes, the last the one along which neighbours lie. */
  readonly names: readonly string[];
  /** Are an invocation's points fours of neighbours, which lie within the axis or outside of it together? */
  readonly isInFours: boolean;
}

/** An operand's array: all points of its side by the turns of a slab. */
export interface Tile {
  readonly operand: Operand;
  /** Which neighbours lie side by side in it. */
  readonly fast: "turn" | "point";
  /** Elements from one to the next of the others. */
  readonly stride: number;
  readonly length: number;
  /** So many side by side are computed by one invocation. */
  readonly vector: 1 | 4;
  /** Along which of the two neighbouring invocations have neighbours: as they lie in memory. */
  readonly lanes: "turn" | "point";
}

/** A contraction in slabs of turns. */
export interface Slabs extends Contraction {
  /** The number of the axis of which a slab has some turns, `depth` of them. It has one of those further out, and all of those inside. */
  readonly level: number;
  readonly depth: number;
  readonly tiles: readonly Tile[];
}

/** Arrays are longer by so many elements a line where lanes that load or store together would else meet in one bank of the memory. */
const padding = 4;

/** The slabs of a contraction; null where none fit. */
export function slabsOf(
  emission: Emission,
  contraction: Contraction,
  sides: Readonly<Record<Side, SideShape>>,
  { turns, bytes }: StagingShape,
): Slabs | null {
  for (let most = turns; most >= 1; most = Math.floor(most / 2)) {
    const { level, depth } = chooseSlab(contraction.extents, most);
    const tiles = contraction.operands.map((operand) =>
      tileOf(emission, contraction, operand, { level, depth }, sides[operand.side]),
    );
    if (bytesOf(tiles) <= bytes) return { ...contraction, level, depth, tiles };
  }
  return null;
}

/** The bytes of workgroup memory that tiles take. */
export function bytesOf(tiles: readonly Tile[]): number {
  return tiles.reduce((total, { length }) => total + 4 * length, 0);
}

/** The innermost axes whose turns fit a slab of about so many; of the next one out as many as still do. */
function chooseSlab(
  extents: readonly number[],
  most: number,
): { readonly level: number; readonly depth: number } {
  let inside = 1;
  for (let level = extents.length - 1; ; level--) {
    const extent = extents[level]!;
    if (inside * extent > most) return { level, depth: depthOfSlab(extent, Math.max(1, most / inside)) };
    if (level === 0) return { level, depth: extent };
    inside *= extent;
  }
}

/**
 * Turns of a slab of an axis, about `most`: rather a few more or fewer than a rest at the end, which has a text of its own, and rather a
 * multiple of four, for loads of four turns.
 */
function depthOfSlab(extent: number, most: number): number {
  let best = { depth: 1, cost: Infinity };
  for (let depth = 1; depth <= Math.min(extent, 1.5 * most); depth++) {
    const barriers = (Math.ceil(extent / depth) * most) / extent;
    const cost =
      barriers +
      Math.max(0, depth / most - 1) +
      (extent % depth === 0 ? 0 : 0.5) +
      (depth % 4 === 0 && (extent % depth) % 4 === 0 ? 0 : 0.25);
    if (cost < best.cost) best = { depth, cost };
  }
  return best.depth;
}

function tileOf(
  emission: Emission,
  { instance, extents }: Contraction,
  operand: Operand,
  { level, depth }: { readonly level: number; readonly depth: number },
  { points, names, isInFours }: SideShape,
): Tile {
  const innermost = extents.length - 1;
  const turns = extents.slice(level + 1).reduce((product, extent) => product * extent, depth);
  const rest = level === innermost ? extents[level]! % depth : 0;
  const areTurnsInFours = (level === innermost ? depth : extents[innermost]!) % 4 === 0 && rest % 4 === 0;
  const lanes = lanesAlong(emission, operand, instance.axes[innermost]!.name, names.at(-1)!);
  // Lanes have columns side by side, but the same rows: a column is read by one lane, a row by many.
  const isByTurn = operand.side === "rows" && areTurnsInFours && !(lanes === "point" && isInFours);
  const fast = isByTurn ? "turn" : "point";
  const stride = isByTurn ? turns + padding : points + (lanes === "turn" ? padding : 0);
  return {
    operand,
    fast,
    stride,
    length: stride * (isByTurn ? points : turns),
    vector: isByTurn || isInFours ? 4 : 1,
    lanes,
  };
}

/** Along which of turns and points what is read lies closer together. */
function lanesAlong(emission: Emission, { reads }: Operand, turn: string, point: string): "turn" | "point" {
  const closest = (name: string): number =>
    Math.min(
      ...reads.map((read) => {
        // Where it steps now and then, as a quotient does, it mostly steps by one.
        const stride = stridesOf(emission, read).get(name) ?? 0;
        return stride === 0 ? Infinity : Number.isNaN(stride) ? 1 : Math.abs(stride);
      }),
    );
  return closest(turn) < closest(point) ? "turn" : "point";
}
