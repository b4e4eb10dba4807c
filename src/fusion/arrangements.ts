/**
 * How lanes may lie over the points of a phase, as lowering deals them: along the last of its axes, or, where points are a block of rows
 * and columns, along the columns, which are all the axes of one side of the products.
 *
 *     for n, k                               lanes along k, then the next n
 *     for q, r. sum n. %x[n, q] * %y[n, r]   lanes along r with one q for all of them, or along q with one r
 */
import type { LoopAround } from "./accesses.ts";
import { filled, type Lanes } from "./footprint.ts";
import type { AxisOrder, Group, Phase } from "./plan.ts";

/** Where the lanes lie. Axes are those of the phase's points, by number. */
export interface Arrangement {
  /** The phase's axes, the one that is stepped along first at the end. */
  readonly order: AxisOrder;
  /** Those along which lanes lie, in that order. */
  readonly along: readonly number[];
  /** The axis of a block's rows, of which each invocation has several; null where points are not a block. */
  readonly rows: number | null;
}

/** A row axis has at least so many points, as in `codegen/lower/block.ts`. */
const fewestRows = 4;

/**
 * The arrangements of a phase's points with its axes in an order. `free` has, for each read of its reductions, the axes on which it does
 * not depend; null where points are not dealt in blocks.
 */
export function arrangementsOf(
  phase: Phase,
  order: AxisOrder,
  free: readonly ReadonlySet<number>[] | null,
): readonly Arrangement[] {
  const blocks = (free === null ? [] : order).flatMap((row): Arrangement[] => {
    const ofRow = free!.filter((axes) => !axes.has(row));
    const ofColumns = free!.filter((axes) => axes.has(row));
    const columns = order.filter(
      (axis) => ofColumns.some((axes) => !axes.has(axis)) && ofRow.every((axes) => axes.has(axis)),
    );
    return phase.axes[row]! < fewestRows || ofRow.length === 0 || columns.length === 0
      ? []
      : [{ order, along: columns, rows: row }];
  });
  return blocks.length === 0 ? [{ order, along: order, rows: null }] : blocks;
}

/** What lanes go through together: so many steps of a variable, a loop's or that of the rows. */
export interface Steps {
  readonly variable: string | null;
  readonly count: number;
}

/**
 * The index variables of a node of a phase at so many neighbouring lanes, step after step, with some loops around: somewhere in the middle of
 * everything.
 */
export function lanesAt(
  phase: Phase,
  node: number,
  { order, along }: Arrangement,
  group: Group,
  loops: readonly LoopAround[],
  steps: Steps,
  lanes: number,
): Lanes {
  const count = lanes * steps.count;
  const own = phase.axesOf[node]!;
  const grid = group.gridOf.get(phase.nodes[node]!.name) ?? [];
  const points = along.reduce((product, axis) => product * phase.axes[axis]!, 1);
  const first = middleOf(points, lanes);
  const valuesOf = (variable: string): Int32Array => {
    const around = loops.findLast(({ name }) => name === variable);
    const axis = own.indexOf(variable);
    const size = around?.extent ?? phase.axes[axis] ?? group.grid[grid.indexOf(variable)] ?? 1;
    if (variable === steps.variable) {
      const start = middleOf(size, steps.count);
      return filled(count, (i) => start + Math.floor(i / lanes));
    }
    if (around !== undefined || !along.includes(axis)) return new Int32Array(count).fill(size / 2);
    const below = order
      .slice(order.indexOf(axis) + 1)
      .reduce((product, other) => (along.includes(other) ? product * phase.axes[other]! : product), 1);
    return filled(count, (i) => Math.floor((first + (i % lanes)) / below) % size);
  };
  return { count, valuesOf };
}

/** A multiple of a unit about the middle of a range of at least a unit. */
function middleOf(extent: number, unit: number): number {
  return Math.max(0, Math.min(Math.floor(extent / 2 / unit) * unit, Math.floor(extent) - unit));
}
