/**
 * Reads at indices that are data and have few values, where the rest of the place is the same in all lanes.
 *
 *     %g[%a[n], k]      lanes along n, %a below 4     ⟶     all of g[0, k] … g[3, k], which lanes share, and a choice
 *
 * A load at a place of each lane's own costs as much as several that all lanes share and as many selects.
 */
import { read as readAt } from "../../ir/build.ts";
import type { Expr } from "../../ir/ir.ts";
import { rangeOf } from "../../ir/ranges.ts";
import { indicesIn, postorder } from "../../ir/traverse.ts";
import type { Emission } from "./emission.ts";
import { combinations, sequence } from "./lists.ts";

type Read = Extract<Expr, { kind: "read" }>;

/** More places are not chosen from. */
const mostPlaces = 4;

/** The axes of a read whose indices are chosen, and the indices that they may have together. */
export interface Choice {
  readonly axes: readonly number[];
  readonly places: readonly (readonly number[])[];
}

/** The indices of the read that depend on the variables, if they are data of few values. */
export function choiceOf(emission: Emission, read: Read, variables: ReadonlySet<string>): Choice | null {
  if (!emission.storages.has(read.tensor)) return null;
  const { shape } = emission.types.get(read.tensor)!;
  const axes: number[] = [];
  const values: number[][] = [];
  for (const [axis, index] of read.indices.entries()) {
    if (![...indicesIn([index])].some((name) => variables.has(name))) continue;
    if (!postorder(index).some((e) => e.kind === "read")) return null;
    const { lo, hi } = rangeOf(index, emission.context);
    if (lo < 0 || hi >= shape[axis]! || hi - lo >= mostPlaces) return null;
    axes.push(axis);
    values.push(sequence(hi - lo + 1).map((n) => lo + n));
  }
  const count = values.reduce((product, list) => product * list.length, 1);
  return axes.length === 0 || count > mostPlaces ? null : { axes, places: combinations(values) };
}

/** The read at one of the places. */
export function readAtPlace(read: Read, { axes }: Choice, place: readonly number[]): Expr {
  const indices = read.indices.map((index, axis): Expr => {
    const at = axes.indexOf(axis);
    return at < 0 ? index : { kind: "const", type: "i32", value: place[at]! };
  });
  return readAt(read.tensor, read.element, indices);
}
