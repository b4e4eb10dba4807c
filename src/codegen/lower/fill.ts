/**
 * Writes what `stage.ts` plans: how the invocations of a workgroup fill the tiles of a slab, and how operands are loaded from them.
 *
 *     w_tile[64 × 20]: 16 turns of 64 rows     ⟶     row = invocation / 4; turn = 4 * (invocation % 4)
 *                                                     w_tile[20 * row + turn ..] = w[…], w[…], w[…], w[…]
 *
 * Beyond the last row or column the last one stands again: nothing reads it but points that are not stored.
 */
import { structuralKey } from "../../ir/affine.ts";
import { type Expr, typeOf } from "../../ir/ir.ts";
import { add, integer, invocation, less, load, local, minimum, mul, quotient, remainder } from "../build.ts";
import type { KernelExpr, Statement } from "../kernel.ts";
import { contractionsOf, type Side } from "./contraction.ts";
import { type Emission, type Instance, type Point, variable, type Variable } from "./emission.ts";
import { kernelType } from "./expression.ts";
import { sequence } from "./lists.ts";
import { split } from "./points.ts";
import type { Lower } from "./accumulator.ts";
import { withVariables } from "./reduction.ts";
import { bind, block, freshName, kernelName, type Scope, write } from "./scopes.ts";
import { bytesOf, type SideShape, type Slabs, slabsOf, type StagingShape, type Tile } from "./stage.ts";
import { sumByDepth } from "./sums.ts";

/** A side of a block that stages its operands. */
export interface StagedSide extends SideShape {
  /** The variables at a group of so many neighbouring points, by the group's number in the block. */
  readonly at: (group: KernelExpr, size: 1 | 4) => readonly (readonly Variable[])[];
  /** The place in the block of a point that an invocation has. */
  readonly placeOf: (point: Point) => Variable;
}

/** What a block stages. */
export interface Staging {
  readonly invocations: number;
  readonly sides: Readonly<Record<Side, StagedSide>>;
  /** The contractions, by the keys of their reductions. */
  readonly contractions: ReadonlyMap<string, Slabs>;
  /** The slab whose turns are being written; null outside of one. */
  slab: OpenSlab | null;
}

/** What a block stages: the contractions of its instances that fit workgroup memory; null where none do. */
export function openStaging(
  emission: Emission,
  instances: readonly Instance[],
  sides: Staging["sides"],
  shape: StagingShape,
  invocations: number,
): Staging | null {
  const contractions = new Map<string, Slabs>();
  let bytes = 0;
  for (const contraction of contractionsOf(emission, instances, sides.rows.names, sides.columns.names)) {
    const slabs = slabsOf(emission, contraction, sides, { ...shape, bytes: shape.bytes - bytes });
    if (slabs === null) continue;
    for (const { key } of contraction.reductions) contractions.set(key, slabs);
    bytes += bytesOf(slabs.tiles);
  }
  return contractions.size === 0 ? null : { invocations, sides, contractions, slab: null };
}

interface OpenSlab {
  readonly slabs: Slabs;
  /** The array of each tile by the key of its operand. */
  readonly tiles: ReadonlyMap<string, { readonly tile: Tile; readonly array: string }>;
  /** Its block, further out than which tiles are not read. */
  readonly block: Scope;
  /** The place in the slab of each turn of an axis, by the turn's id. */
  readonly places: Map<number, Variable>;
}

/** Unrolled fills have so many rounds at most. */
const mostRounds = 16;

/** Turns of an axis from one on. */
interface Turns {
  readonly from: KernelExpr;
  readonly count: number;
}

/** Writes a contraction's slabs, one after the other along an axis, from a turn on; `inside` writes so many turns of one from its first. */
export function inSlabs(
  emission: Emission,
  slabs: Slabs,
  from: KernelExpr,
  here: Point,
  lower: Lower,
  inside: (first: KernelExpr, count: number) => void,
): void {
  const { scopes } = emission;
  const { depth, extents, level } = slabs;
  const extent = extents[level]!;
  const slab = (first: KernelExpr, count: number): void =>
    writeSlab(emission, slabs, { from: first, count }, here, lower, () => inside(first, count));
  const whole = extent - (extent % depth);
  if (whole === depth) slab(from, depth);
  else {
    const index = freshName(scopes, "first");
    const body = block(scopes, [index], () => slab(add(from, local(index, "i32")), depth));
    write(scopes, { kind: "for", index, from: integer(0), to: integer(whole), step: depth, body });
  }
  if (whole < extent) slab(add(from, integer(whole)), extent - whole);
}

/** Writes a slab: its tiles are filled, then `inside` writes what reads them. Barriers keep the two apart, and one slab from the next. */
function writeSlab(
  emission: Emission,
  slabs: Slabs,
  turns: Turns,
  here: Point,
  lower: Lower,
  inside: () => void,
): void {
  const staging = emission.staging!;
  const { scopes } = emission;
  const tiles = new Map(
    slabs.tiles.map((tile) => [structuralKey(tile.operand.expr), { tile, array: arrayOf(emission, tile) }]),
  );
  // What is loaded from tiles is not known after the slab.
  const body = block(scopes, [], () => {
    const outside = emission.context;
    emission.context = slabs.reductions[0]!.contexts.at(-1)!;
    for (const { tile, array } of tiles.values())
      fillTile(emission, staging, { slabs, turns, here, lower }, tile, array);
    emission.context = outside;
    write(scopes, { kind: "barrier" });
    staging.slab = { slabs, tiles, block: scopes.open.at(-1)!, places: new Map() };
    inside();
    staging.slab = null;
    write(scopes, { kind: "barrier" });
  });
  for (const statement of body) write(scopes, statement);
}

/** Tells where a turn of an axis is in the open slab. */
export function placeInSlab({ staging }: Emission, turn: Variable, base: KernelExpr, offset: number): void {
  staging?.slab?.places.set(turn.id, { ...turn, base, offset });
}

/** The slabs in which a reduction is written at some depth; null where it is written as it stands. */
export function slabsAt({ staging, scopes }: Emission, { key }: Instance, depth: number): Slabs | null {
  // All invocations of the workgroup come to the barriers: no condition, no loop stands around.
  if (staging === null || staging.slab !== null || scopes.floor > 0 || depth > 1) return null;
  return staging.contractions.get(key) ?? null;
}

const arrays = new WeakMap<Tile, string>();

/** The array of a tile: one for all slabs. */
function arrayOf({ scopes, tiles }: Emission, tile: Tile): string {
  const before = arrays.get(tile);
  if (before !== undefined) return before;
  const name = freshName(scopes, `${kernelName(tile.operand.reads[0]!.tensor)}_tile`);
  tiles.push({ name, type: kernelType(typeOf(tile.operand.expr)), length: tile.length });
  arrays.set(tile, name);
  return name;
}

interface Filling {
  readonly slabs: Slabs;
  readonly turns: Turns;
  readonly here: Point;
  readonly lower: Lower;
}

function fillTile(
  emission: Emission,
  { invocations, sides }: Staging,
  { slabs, turns, here, lower }: Filling,
  { operand, fast, stride, vector, lanes }: Tile,
  array: string,
): void {
  const { scopes } = emission;
  const side = sides[operand.side];
  const { level, extents } = slabs;
  const { axes } = slabs.reductions[0]!;
  const counts = [turns.count, ...extents.slice(level + 1)];
  const all = counts.reduce((product, count) => product * count, 1);
  const [groups, others] = fast === "turn" ? [all / vector, side.points] : [side.points / vector, all];

  const turnsAt = (group: KernelExpr, size: 1 | 4): readonly (readonly Variable[])[] => {
    const places = split(
      group,
      counts.map((count, i) => (i === counts.length - 1 ? count / size : count)),
    );
    let at = here;
    const bases = places.map((place, i) => {
      const axis = axes[level + i]!;
      const within = bind(scopes, i === places.length - 1 ? mul(place, integer(size)) : place, axis.name);
      const from = i === 0 ? turns.from : lower(emission, axis.lo, at);
      const one = variable(emission, axis.name, add(from, within));
      at = withVariables(at, [one]);
      return one;
    });
    return sequence(size).map((n) =>
      n === 0
        ? bases
        : [...bases.slice(0, -1), variable(emission, bases.at(-1)!.name, bases.at(-1)!.base, n)],
    );
  };
  // The invocations' numbers in two places, of which the quick one changes from one to the next.
  const isGroupFirst = lanes === fast;
  const [slowCount, quickCount] = isGroupFirst ? [others, groups] : [groups, others];
  const put = (slow: KernelExpr, quick: KernelExpr, guard: KernelExpr | null): void => {
    const [other, group] = (isGroupFirst ? [slow, quick] : [quick, slow]).map((place) =>
      bind(scopes, place, "place"),
    );
    const turn = fast === "turn" ? turnsAt(group!, vector) : turnsAt(other!, 1);
    const point = fast === "turn" ? side.at(other!, 1) : side.at(group!, vector);
    const values = sequence(vector).map((n) =>
      lower(
        emission,
        operand.expr,
        withVariables(here, [...(turn[n] ?? turn[0]!), ...(point[n] ?? point[0]!)]),
      ),
    );
    const first = sumByDepth(scopes, [mul(other!, integer(stride)), mul(group!, integer(vector))]);
    const stores = values.map((value, n): Statement => {
      const index = add(first, integer(n));
      return { kind: "store", space: "workgroup", array, index, value };
    });
    if (guard === null) for (const store of stores) write(scopes, store);
    else write(scopes, { kind: "if", condition: guard, then: stores, else: [] });
  };

  const total = slowCount * quickCount;
  const whole = Math.floor(total / invocations);
  // Where rounds are whole numbers of the quick places, these are the same in each.
  const isEven = invocations % quickCount === 0;
  const placesIn = (round: number): readonly [slow: KernelExpr, quick: KernelExpr] => {
    const number = isEven ? invocation : add(invocation, integer(round * invocations));
    const slow = quotient(number, integer(quickCount));
    const after = isEven ? (round * invocations) / quickCount : 0;
    return [add(slow, integer(after)), remainder(number, integer(quickCount))];
  };
  if (whole > mostRounds) {
    const index = freshName(scopes, "round");
    const step = isEven ? invocations / quickCount : invocations;
    const body = block(scopes, [index], () => {
      const place = add(isEven ? placesIn(0)[0] : invocation, local(index, "i32"));
      const [, quick] = isEven ? placesIn(0) : [null, remainder(place, integer(quickCount))];
      put(isEven ? place : quotient(place, integer(quickCount)), quick, null);
    });
    write(scopes, { kind: "for", index, from: integer(0), to: integer(whole * step), step, body });
  } else for (let round = 0; round < whole; round++) put(...placesIn(round), null);
  const left = total - whole * invocations;
  if (left === 0) return;
  // In the last round some have nothing to do. They go along, so that what the others do is worked out before the loop.
  const [slow, quick] = placesIn(whole);
  put(minimum(slow, integer(slowCount - 1)), quick, less(invocation, integer(left)));
}

/** The value of an expression that is an operand of the open slab, from its tile; null of any other. */
export function loadOfTile({ scopes, staging }: Emission, expr: Expr, point: Point): KernelExpr | null {
  const slab = staging?.slab ?? null;
  if (slab === null) return null;
  const depth = scopes.open.indexOf(slab.block);
  // What is written further out stands before the tiles are filled.
  if (depth < 0) return null;
  const found = slab.tiles.get(structuralKey(expr));
  if (found === undefined) return null;
  const { tile, array } = found;
  const { extents, reductions, level } = slab.slabs;
  const byTurn = tile.fast === "turn";
  let step = byTurn ? 1 : tile.stride;
  const places = reductions[0]!.axes
    .slice(level)
    .map((axis, i) => ({ axis, i }))
    .reverse()
    .map(({ axis, i }) => {
      const place = { at: slab.places.get(point.get(axis.name)!.id)!, step };
      step *= extents[level + i]!;
      return place;
    });
  places.push({ at: staging!.sides[tile.operand.side].placeOf(point), step: byTurn ? tile.stride : 1 });
  const base = sumByDepth(
    scopes,
    places.map(({ at, step: by }) => mul(at.base, integer(by))),
  );
  const offset = places.reduce((sum, { at, step: by }) => sum + by * at.offset, 0);
  const index = add(base, integer(offset));
  // Never further out than the slab.
  const { floor } = scopes;
  scopes.floor = Math.max(floor, depth);
  const value = bind(scopes, load("workgroup", array, index, kernelType(typeOf(expr))), array);
  scopes.floor = floor;
  return value;
}
