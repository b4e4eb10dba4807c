/**
 * Reads at an index that is data and has few values, where the rest of the place is the same in all lanes.
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

type Read = Extract<Expr, { kind: "read" }>;

/** More values are not chosen from. */
const mostChoices = 4;

/** An index of a read as a choice. */
export interface Choice {
  readonly axis: number;
  /** The values that it may have: from `lo` to `hi`. */
  readonly lo: number;
  readonly hi: number;
}

/** The only index of the read that depends on the variables, if it depends on nothing else and is data of few values. */
export function choiceOf(emission: Emission, read: Read, variables: ReadonlySet<string>): Choice | null {
  const axes = read.indices.flatMap((index, axis) =>
    [...indicesIn([index])].some((name) => variables.has(name)) ? [axis] : [],
  );
  const [axis] = axes;
  if (axis === undefined || axes.length > 1 || !emission.storages.has(read.tensor)) return null;
  const index = read.indices[axis]!;
  if (!postorder(index).some((e) => e.kind === "read")) return null;
  const { lo, hi } = rangeOf(index, emission.context);
  const size = emission.types.get(read.tensor)!.shape[axis]!;
  return lo >= 0 && hi < size && hi - lo < mostChoices ? { axis, lo, hi } : null;
}

/** The read with one of the values as its index. */
export function chosen(read: Read, { axis }: Choice, value: number): Expr {
  const indices = read.indices.map((index, i): Expr =>
    i === axis ? { kind: "const", type: "i32", value } : index,
  );
  return readAt(read.tensor, read.element, indices);
}
