/**
 * Points of a region by rows: the lanes of a subgroup lie side by side along some axes, and go through the others together.
 *
 *     for first = 0 .. 49 step 32 {                    a lane has columns first + lane, first + lane + 8, …
 *       …                                              what does not depend on the row, once
 *       for row = 0 .. 8 { … }                         what does not depend on the column is the same in all lanes
 *     }
 *
 * For drivers that run the lanes of a subgroup as a vector: there a load that all lanes share costs little. Where rows are a multiple of four
 * long, a lane has four columns side by side, first + 4 * lane, … which it loads at once where they lie so.
 */
import { index as indexExpr } from "../../ir/build.ts";
import type { Expr } from "../../ir/ir.ts";
import { add, integer, invocation, less, local, minimum, mul } from "../build.ts";
import { commonDivisor } from "../divisors.ts";
import type { KernelExpr } from "../kernel.ts";
import { choiceOf } from "./choices.ts";
import { mayRepeat } from "./deal-tiles.ts";
import { type Emission, type Instance, type Point, variable, type Variable } from "./emission.ts";
import type { Dealing, Extent } from "./phase.ts";
import { flatten, lowerSideBySide, type PhaseVariable, split } from "./points.ts";
import type { PhaseReads, ReadOfMemory } from "./reads.ts";
import { sequence } from "./lists.ts";
import { block, freshName, nameHere, write } from "./scopes.ts";
import { chooseTile, loadsOfTiles, sharedLoad } from "./tile.ts";

/** How the points of a phase are dealt by rows. Axes by their numbers among the phase's. */
export interface Rows {
  /** The axes along which lanes lie, the last the fastest. */
  readonly lanes: readonly number[];
  /** Columns of a lane that are written side by side. */
  readonly columns: number;
  /** So many of them are neighbours: four or one. */
  readonly beside: number;
  /** Points along each axis that are written side by side; 1 for those of the lanes. */
  readonly factors: readonly number[];
}

/** Rows must spare so much of the loads that tiles have. */
const leastGain = 0.7;

/** Lanes may have so many times as many columns as there are. */
const mostWaste = 1.3;

/** Loops of so many turns are written out. */
const fewTurns = 4;

/** So many columns and rows of a lane stand side by side at most. */
const mostColumns = 8;
const rowCounts = [16, 8, 4, 2, 1];

/** The rows in which the points of a phase are best computed; null where tiles load as little. */
export function chooseRows(
  emission: Emission,
  variables: readonly PhaseVariable[],
  instances: readonly Instance[],
  phaseReads: PhaseReads,
  region: Point,
  { invocations, leastTiles }: Dealing,
): Rows | null {
  // Points whose loops differ have little to share.
  if (variables.some(({ name }) => phaseReads.loopBounds.has(name))) return null;
  if (!mayRepeat(emission, instances, phaseReads)) return null;
  const request = { variables, instances, phaseReads, leastTiles, isExact: false };
  const most = leastGain * loadsOfTiles(emission, request, chooseTile(emission, request));
  const all = variables.map((_, axis) => axis);
  const sizeOf = (axes: readonly number[]): number =>
    axes.reduce((product, axis) => product * variables[axis]!.size, 1);
  const { turns, reductions } = phaseReads;
  // Sums are kept in registers through a loop, what has none is stored at once. A few turns are written out, whose conditions are then known.
  const room = turns === 1 ? 4 : turns <= fewTurns ? turns : 2;
  const mostBeside = Math.max(1, Math.floor(emission.bodiesInLoop / room / Math.max(1, reductions)));
  let best: { readonly rows: Rows; readonly loads: number } | null = null;
  const candidates = [...all.map((axis) => all.slice(axis)), ...all.slice(0, -1).map((axis) => [axis])];
  for (const lanes of candidates.reverse()) {
    const size = sizeOf(lanes);
    const row = all.findLast((axis) => !lanes.includes(axis) && variables[axis]!.size > 1);
    const rows = sizeOf(all.filter((axis) => !lanes.includes(axis)));
    const depends = dependence(
      phaseReads.reads,
      lanes.map((axis) => variables[axis]!.name),
      row === undefined ? null : variables[row]!.name,
      region,
      emission,
    );
    for (const count of rowCounts) {
      if (count > 1 && (row === undefined || variables[row]!.size % count !== 0)) continue;
      for (let columns = mostColumns; columns >= 1; columns--) {
        // Without points it is not a number.
        const padded = paddedTo(size, invocations * columns) / size;
        if (!(padded <= mostWaste) || count * columns > mostBeside) continue;
        const loadsWith = (fours: boolean): number =>
          padded * depends.reduce((sum, of) => sum + loadsOf(of, count, columns, rows, fours), 0);
        // Tiles load four at once as well.
        if (loadsWith(false) > most) continue;
        const beside = columns % 4 === 0 && variables[lanes.at(-1)!]!.size % 4 === 0 ? 4 : 1;
        const loads = loadsWith(beside === 4);
        if (best !== null && loads >= best.loads) continue;
        const factors = variables.map((_, axis) => (axis === row ? count : 1));
        best = { loads, rows: { lanes, columns, beside, factors } };
      }
    }
  }
  return best?.rows ?? null;
}

/** On what a read depends, and how often it is read for a point. */
interface Dependence {
  readonly times: number;
  readonly onLane: boolean;
  readonly onRow: boolean;
  /** On nothing but the lane and the region: neither another row nor a turn changes it. */
  readonly onLaneOnly: boolean;
  readonly isChoice: boolean;
  /** Do columns side by side lie side by side in memory? */
  readonly isBeside: boolean;
}

function dependence(
  reads: readonly ReadOfMemory[],
  along: readonly string[],
  row: string | null,
  region: Point,
  emission: Emission,
): Dependence[] {
  const lanes = new Set(along);
  return reads.map(({ read, variables, times, strides }) => ({
    times,
    isBeside: strides.get(along.at(-1)!) === 1,
    onLane: [...variables].some((name) => lanes.has(name)),
    onRow: row !== null && variables.has(row),
    onLaneOnly: [...variables].every((name) => lanes.has(name) || region.has(name)),
    isChoice: choiceOf(emission, read, lanes) !== null,
  }));
}

/** How often a read is loaded for a point, in loads of an element by each lane, with so many rows and columns side by side. */
function loadsOf(
  { times, onLane, onRow, onLaneOnly, isChoice, isBeside }: Dependence,
  count: number,
  columns: number,
  rows: number,
  hasFours: boolean,
): number {
  if (!onLane || isChoice)
    return (times * (isChoice ? choiceLoad : sharedLoad)) / columns / (onRow ? 1 : count);
  const load = isBeside && hasFours ? quarterLoad : 1;
  return onLaneOnly ? load / rows : (load * times) / (onRow ? 1 : count);
}

/** An element of four that a lane loads at once, in loads of one. */
const quarterLoad = 1 / 2;

/** Loads of all that may be chosen, and the choice. */
const choiceLoad = 1;

const paddedTo = (size: number, unit: number): number => Math.ceil(size / unit) * unit;

/** Writes the instances that `instancesAt` gives for the indices of the phase's axes, at all points of the variables. */
export function lowerRows(
  emission: Emission,
  variables: readonly PhaseVariable[],
  instancesAt: (axes: readonly Expr[]) => readonly Instance[],
  region: Point,
  invocations: number,
  { lanes, columns, beside, factors }: Rows,
): Extent {
  const { scopes } = emission;
  const laneAxes = lanes.map((axis) => variables[axis]!);
  const { variable: flat, indices } = flatten(emission, laneAxes, "column");
  const { name: column, size } = flat;
  const instances = instancesAt(
    variables.map(({ name }, axis) =>
      lanes.includes(axis) ? indices[lanes.indexOf(axis)]! : indexExpr(name),
    ),
  );
  const others = variables.map((_, axis) => axis).filter((axis) => !lanes.includes(axis));
  const counts = others.map((axis) => variables[axis]!.size / factors[axis]!);
  const rowTiles = counts.reduce((product, n) => product * n, 1);
  const step = invocations * columns;
  emission.lane = new Set([column]);

  const atColumns = (first: KernelExpr): void => {
    const own = nameHere(scopes, add(first, mul(invocation, integer(beside))), column);
    const guards = new Map<number, KernelExpr>();
    const list = sequence(columns / beside).flatMap((n): readonly Variable[] => {
      const after = n * beside * invocations;
      const together = (base: KernelExpr, offset: number): readonly Variable[] =>
        sequence(beside).map((i) => variable(emission, column, base, offset + i));
      // With one round it is known which columns all lanes have.
      const isWhole = size % step === 0 || (size < step && after + beside * invocations <= size);
      if (isWhole) return together(own, after);
      const place = add(own, integer(after));
      const kept = together(nameHere(scopes, minimum(place, integer(size - beside)), column), 0);
      const isColumn = nameHere(scopes, less(place, integer(size)), "is_column");
      for (const { id } of kept) guards.set(id, isColumn);
      return kept;
    });
    const guardOf = (point: Point): KernelExpr | null => guards.get(point.get(column)!.id) ?? null;
    const atRows = (row: KernelExpr): void => {
      const places = split(row, counts);
      const rows = others.map((axis, i): readonly Variable[] => {
        const { name } = variables[axis]!;
        const base = nameHere(scopes, mul(places[i]!, integer(factors[axis]!)), name);
        return sequence(factors[axis]!).map((n) => variable(emission, name, base, n));
      });
      const axes = [...others.map((axis) => variables[axis]!), flat];
      lowerSideBySide(emission, axes, [...rows, list], instances, region, guardOf);
    };
    if (rowTiles === 1) return atRows(integer(0));
    const row = freshName(scopes, "row");
    const body = block(scopes, [row], () => atRows(local(row, "i32")));
    write(scopes, { kind: "for", index: row, from: integer(0), to: integer(rowTiles), step: 1, body });
  };
  if (size <= step) block(scopes, [], () => atColumns(integer(0))).forEach((each) => write(scopes, each));
  else {
    const first = freshName(scopes, "first");
    scopes.divisors.set(first, commonDivisor(4, step));
    const body = block(scopes, [first], () => atColumns(local(first, "i32")));
    write(scopes, { kind: "for", index: first, from: integer(0), to: integer(size), step, body });
  }
  emission.lane = new Set();
  return { workgroups: 1, invocations };
}
