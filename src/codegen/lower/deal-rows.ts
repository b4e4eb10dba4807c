/**
 * Points of a region by rows: the lanes of a subgroup lie side by side along one axis, and go through the others together.
 *
 *     for first = 0 .. 49 step 32 {                    a lane has columns first + lane, first + lane + 8, …
 *       …                                              what does not depend on the row, once
 *       for row = 0 .. 8 { … }                         what does not depend on the column is the same in all lanes
 *     }
 *
 * For drivers that run the lanes of a subgroup as a vector: there a load that all lanes share costs little.
 */
import { add, integer, invocation, less, local, minimum, mul } from "../build.ts";
import type { KernelExpr } from "../kernel.ts";
import { choiceOf } from "./choices.ts";
import { mayRepeat } from "./deal-tiles.ts";
import { type Emission, type Instance, type Point, variable, type Variable } from "./emission.ts";
import type { Extent } from "./phase.ts";
import { lowerSideBySide, type PhaseVariable, split } from "./points.ts";
import { type ReadOfMemory, readsOfMemory } from "./reads.ts";
import { sequence } from "./reduction.ts";
import { block, freshName, nameHere, write } from "./scopes.ts";

/** How the points of a phase are dealt by rows. */
export interface Rows {
  /** The number of the variable along which lanes lie. */
  readonly lane: number;
  /** Columns of a lane that are written side by side. */
  readonly columns: number;
  /** Points along each of the other axes that are written side by side. */
  readonly factors: readonly number[];
}

/** At most this part of what is read may be another element for each lane and row. */
const mostOwn = 3 / 4;

/** Lanes may have so many times as many columns as there are. */
const mostWaste = 1.3;

/** So many points of a lane stand side by side at most, and so many columns. */
const mostPoints = 32;
const mostColumns = 8;

/** The rows in which the points of a phase are best computed; null where lanes would share too little. */
export function chooseRows(
  emission: Emission,
  variables: readonly PhaseVariable[],
  instances: readonly Instance[],
  lanes: number,
): Rows | null {
  if (variables.filter(({ size }) => size > 1).length < 2) return null;
  const phaseReads = readsOfMemory(emission, instances);
  const { reads, loopBounds, tested } = phaseReads;
  // Points whose loops or conditions differ have little to share.
  if (variables.some(({ name }) => loopBounds.has(name) || tested.has(name))) return null;
  if (!mayRepeat(emission, instances, phaseReads)) return null;
  const total = reads.reduce((sum, { times }) => sum + times, 0);
  let best: { readonly lane: number; readonly own: number } | null = null;
  variables.forEach(({ name, size }, lane) => {
    if (paddedTo(size, lanes) > mostWaste * size) return;
    // What the row does not change is loaded once for all rows.
    const isByRow = (read: ReadOfMemory): boolean =>
      variables.some((variable) => variable.name !== name && read.variables.has(variable.name));
    const own = reads
      .filter((each) => each.variables.has(name) && isByRow(each))
      .filter(({ read }) => choiceOf(emission, read, name) === null)
      .reduce((sum, { times }) => sum + times, 0);
    if (own <= mostOwn * total && (best === null || own <= best.own)) best = { lane, own };
  });
  if (best === null) return null;
  const { lane } = best as { lane: number };
  const { size } = variables[lane]!;
  let columns = mostColumns;
  while (paddedTo(size, lanes * columns) > paddedTo(size, lanes)) columns -= 1;
  const factors = variables.map(() => 1);
  const row = variables.findLastIndex((variable, i) => i !== lane && variable.size > 1);
  factors[row] = [4, 2].find((f) => variables[row]!.size % f === 0 && f * columns <= mostPoints) ?? 1;
  return { lane, columns, factors };
}

const paddedTo = (size: number, unit: number): number => Math.ceil(size / unit) * unit;

/** Writes instances at all points of their variables. */
export function lowerRows(
  emission: Emission,
  variables: readonly PhaseVariable[],
  instances: readonly Instance[],
  region: Point,
  lanes: number,
  { lane, columns, factors }: Rows,
): Extent {
  const { scopes } = emission;
  const { name: column, size } = variables[lane]!;
  const others = variables.map((_, i) => i).filter((i) => i !== lane);
  const counts = others.map((i) => variables[i]!.size / factors[i]!);
  const rowTiles = counts.reduce((product, n) => product * n, 1);
  const step = lanes * columns;
  emission.lane = column;

  const atColumns = (first: KernelExpr): void => {
    const own = nameHere(scopes, add(first, invocation), column);
    const guards = new Map<number, KernelExpr>();
    const list = sequence(columns).map((n): Variable => {
      // With one round it is known which columns all lanes have.
      const isWhole = size % step === 0 || (size < step && (n + 1) * lanes <= size);
      if (isWhole) return variable(emission, column, own, n * lanes);
      const place = add(own, integer(n * lanes));
      const kept = nameHere(scopes, minimum(place, integer(size - 1)), column);
      const one = variable(emission, column, kept);
      guards.set(one.id, nameHere(scopes, less(place, integer(size)), "is_column"));
      return one;
    });
    const atRows = (row: KernelExpr): void => {
      const places = split(row, counts);
      const lists = variables.map(({ name }, i): readonly Variable[] => {
        if (i === lane) return list;
        const base = nameHere(scopes, mul(places[others.indexOf(i)]!, integer(factors[i]!)), name);
        return sequence(factors[i]!).map((n) => variable(emission, name, base, n));
      });
      const guardOf = (point: Point): KernelExpr | null => guards.get(point.get(column)!.id) ?? null;
      lowerSideBySide(emission, variables, lists, instances, region, guardOf);
    };
    if (rowTiles === 1) return atRows(integer(0));
    const row = freshName(scopes, "row");
    const body = block(scopes, [row], () => atRows(local(row, "i32")));
    write(scopes, { kind: "for", index: row, from: integer(0), to: integer(rowTiles), step: 1, body });
  };
  if (size <= step) block(scopes, [], () => atColumns(integer(0))).forEach((each) => write(scopes, each));
  else {
    const first = freshName(scopes, "first");
    const body = block(scopes, [first], () => atColumns(local(first, "i32")));
    write(scopes, { kind: "for", index: first, from: integer(0), to: integer(size), step, body });
  }
  emission.lane = null;
  return { workgroups: 1, invocations: lanes };
}
