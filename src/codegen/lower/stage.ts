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
 * What is part of an operand, such as padding or a gather, is computed once for the workgroup. Nothing here affects what is computed.
 */
import type { Contraction, Operand, Side } from "./contraction.ts";
import type { Emission } from "./emission.ts";
import { stridesOf } from "./reads.ts";

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

/**
 * Elements from one line of a tile to the next. Lanes that are some lines apart would meet in one bank of the memory if lines were
 * multiples of eight; four more keep them apart, and fours together.
 */
function apart(length: number): number {
  return length % 8 === 0 ? length + 4 : length;
}

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

/** The innermost axes whose turns fit a slab of about so many; of the next one out as many as still do, if it has a fixed number. */
function chooseSlab(
  extents: readonly number[],
  most: number,
): { readonly level: number; readonly depth: number } {
  let inside = 1;
  for (let level = extents.length - 1; ; level--) {
    const extent = extents[level]!;
    if (extent === Infinity) return { level: level + 1, depth: extents[level + 1]! };
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
  for (let depth = 1; depth <= Math.min(extent, 2 * most); depth++) {
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
  { reductions, extents }: Contraction,
  operand: Operand,
  { level, depth }: { readonly level: number; readonly depth: number },
  { points, names, isInFours }: SideShape,
): Tile {
  const innermost = extents.length - 1;
  const turns = extents.slice(level + 1).reduce((product, extent) => product * extent, depth);
  const rest = level === innermost ? extents[level]! % depth : 0;
  const areTurnsInFours = (level === innermost ? depth : extents[innermost]!) % 4 === 0 && rest % 4 === 0;
  const lanes = lanesAlong(emission, operand, reductions[0]!.axes[innermost]!.name, names.at(-1)!);
  // Lanes have columns side by side, but the same rows: a column is read by one lane, a row by many.
  const isByTurn = operand.side === "rows" && areTurnsInFours && !(lanes === "point" && isInFours);
  const fast = isByTurn ? "turn" : "point";
  const stride = isByTurn ? apart(turns) : lanes === "turn" ? apart(points) : points;
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
