/**
 * The schedule of a contraction: a workgroup computes a block of rows by columns, its invocations side by side along the columns.
 *
 *     sum k. %w[i, k] * %x[k, j]         rows i: %w depends on them, %x does not      columns j: the other way round
 *
 *                 columns, 4 an invocation, one lane next to the other
 *          rows   ┌────┬────┬────┬────┐
 *        16 an    │ l0 │ l1 │ l2 │ l3 │     what depends on rows alone is the same in all lanes
 *     invocation  └────┴────┴────┴────┘
 *
 * There is no pattern for matrix products: whatever is read in a reduction tells by its indices which axes are rows and which are
 * columns. So a convolution, its gradients and products in batches are scheduled alike. Axes that all reads share are outside.
 */
import type { Emission, Instance } from "./emission.ts";
import type { PhaseReads, ReadOfMemory } from "./reads.ts";
import { contractionsOf } from "./contraction.ts";
import type { StagingShape } from "./stage.ts";
import { storedStride } from "./tile.ts";

/** The numbers that shape blocks on a kind of device. */
export interface BlockShape {
  /** Invocations side by side along the columns: those of a subgroup. */
  readonly lanes: number;
  /** Rows of invocations in a workgroup. */
  readonly laneRows: number;
  /** The most rows and columns of an invocation. */
  readonly rows: number;
  readonly columns: number;
  /** So many sums an invocation keeps at once: 64 if it is not given. */
  readonly sums?: number;
  /** So many workgroups keep the device busy. */
  readonly workgroups: number;
  /** What a load by each lane, and one that all lanes share, costs beside a multiplication. */
  readonly laneLoad: number;
  readonly sharedLoad: number;
  /** What a load costs whose lanes do not lie side by side. */
  readonly scatteredLoad: number;
  /** Whether the columns that blocks leave over have narrower ones, with a text of their own, where a workgroup has many blocks. */
  readonly narrows?: boolean;
  /** How operands are staged in workgroup memory; not at all without it. */
  readonly staging?: StagingShape;
}

/** A block of a phase; axes by their numbers among the phase's. */
export interface Block {
  /** Axes of which a workgroup has one point. */
  readonly outer: readonly number[];
  readonly row: number;
  /** Rows of an invocation. */
  readonly rows: number;
  /** The axes of the columns, the last the fastest. */
  readonly lanes: readonly number[];
  /** Columns of an invocation: neighbours of one another, or as far apart as there are lanes. */
  readonly columns: number;
  readonly areNeighbours: boolean;
  /** So many of the columns' last axes lie in memory as one, and are taken for one where columns are neighbours. */
  readonly merged: number;
  /** Rows of invocations in a workgroup. */
  readonly laneRows: number;
  /** Whether operands are staged. */
  readonly isStaged: boolean;
}

/** A reduction with fewer turns does not pay for a block. */
const fewestTurns = 4;

/** What is read a smaller part of the times of what is read most decides nothing, such as a residual around a contraction that is summed. */
const leastTimes = 1 / 8;

/** So many sums an invocation keeps at once, if the shape has no number of its own: those that fit into a GPU's registers. */
const registerSums = 64;

/** WebGPU's least limit: every adapter takes workgroups of so many. */
const mostInvocations = 256;

/**
 * The shape at a level of shorter text, each with half the rows of the one before. In a region a workgroup goes through all blocks; it has
 * other uses for its memory than staging, and the first to go are the narrower blocks for what is left of the columns.
 */
export function shapeAtLevel(shape: BlockShape, level: number, isRegion: boolean): BlockShape {
  const { staging: _, ...unstaged } = shape;
  const rows = (halved: number): number => Math.max(1, shape.rows >> Math.max(0, halved));
  if (!isRegion) return { ...shape, rows: rows(level) };
  return { ...unstaged, workgroups: 1, rows: rows(level - 1), narrows: level === 0 };
}

/** The block in which the points of a phase are best computed; null when there is no contraction in it. */
export function chooseBlock(
  emission: Emission,
  variables: readonly { readonly name: string; readonly size: number }[],
  instances: readonly Instance[],
  { reads, loopBounds, tested, turns, reductions }: PhaseReads,
  shape: BlockShape,
): Block | null {
  if (instances.some((instance) => instance.keys.length > 0)) return null;
  const all = reads.filter((read) => read.inReduction);
  const times = Math.max(...all.map((read) => read.times));
  const inLoops = all.filter((read) => read.times >= leastTimes * times);
  if (inLoops.length < 2 || turns < fewestTurns) return null;
  const size = (axis: number): number => variables[axis]!.size;
  const axes = variables.map((_, axis) => axis);
  const dependsOn = (read: ReadOfMemory, axis: number): boolean => read.variables.has(variables[axis]!.name);

  const found: { readonly block: Block; readonly cost: number }[] = [];
  for (const row of axes) {
    const [rowReads, laneReads] = [true, false].map((is) =>
      inLoops.filter((read) => dependsOn(read, row) === is),
    );
    if (rowReads!.length === 0 || laneReads!.length === 0 || size(row) < 4) continue;
    const lanes = axes.filter(
      (axis) =>
        laneReads!.some((read) => dependsOn(read, axis)) && !rowReads!.some((read) => dependsOn(read, axis)),
    );
    const columns = lanes.reduce((product, axis) => product * size(axis), 1);
    if (lanes.length === 0 || columns < shape.lanes) continue;
    if ([row, ...lanes].some((axis) => loopBounds.has(variables[axis]!.name))) continue;
    const outer = axes.filter((axis) => axis !== row && !lanes.includes(axis));
    const outside = outer.reduce((product, axis) => product * size(axis), 1);
    const last = variables[lanes.at(-1)!]!;
    const isScattered = (read: ReadOfMemory): boolean => read.strides.get(last.name) !== 1;
    const strayLoads = laneReads!.filter(isScattered).length;
    const strayStores = scatteredStores(emission, instances, last.name);
    const staged =
      shape.staging === undefined
        ? null
        : stagedOperands(
            emission,
            instances,
            variables[row]!.name,
            lanes.map((axis) => variables[axis]!.name),
          );
    // Lanes hand around what each of them loads of rows, but not where rows are tested.
    const rowLoad = tested.has(variables[row]!.name) ? shape.laneLoad : shape.sharedLoad;
    const merged = mergedAxes(emission, instances, reads, variables, lanes);
    const neighbours = lanes.slice(-merged).reduce((product, axis) => product * size(axis), 1);
    for (const choice of tilesOf(size(row), neighbours, columns, Math.max(1, reductions), shape)) {
      const { rows, columns: own, areNeighbours } = choice;
      const across = Math.ceil(columns / (own * shape.lanes));
      const unit = shape.narrows === true ? shape.lanes : own * shape.lanes;
      const covered = Math.ceil(columns / unit) * unit;
      const laneLoad = areNeighbours ? shape.laneLoad / 2 : shape.laneLoad;
      const loads = (laneReads!.length - strayLoads) * laneLoad + strayLoads * shape.scatteredLoad;
      const perPoint = strayStores * shape.scatteredLoad;
      const consider = (laneRows: number, isStaged: boolean, perTurn: number): void => {
        const down = Math.ceil(size(row) / (rows * laneRows));
        const workgroups = outside * down * across;
        if (isStaged && workgroups < shape.staging!.leastWorkgroups) return;
        const busy = Math.min(1, (workgroups * laneRows) / (shape.workgroups * shape.laneRows));
        const used = (columns * size(row)) / (covered * down * rows * laneRows);
        const cost = (perTurn + perPoint / turns) / (used * busy);
        const block = { outer, row, rows, lanes, columns: own, areNeighbours, merged, laneRows, isStaged };
        found.push({ block, cost });
      };
      consider(shape.laneRows, false, 1 + loads / rows + (rowReads!.length * rowLoad) / own);
      if (staged === null) continue;
      for (const laneRows of [shape.laneRows, 2 * shape.laneRows])
        if (laneRows * shape.lanes <= mostInvocations)
          consider(laneRows, true, stagedTurn(staged, turns, rows, own, laneRows, shape));
    }
  }
  const least = Math.min(...found.map(({ cost }) => cost));
  return found.find(({ cost }) => cost === least)?.block ?? null;
}

/** How many of the last axes should be one: where the last is no multiple of four, all that make it one and lie in memory as if they were. */
function mergedAxes(
  emission: Emission,
  instances: readonly Instance[],
  reads: readonly ReadOfMemory[],
  variables: readonly { readonly name: string; readonly size: number }[],
  axes: readonly number[],
): number {
  const of = axes.map((axis) => variables[axis]!).reverse();
  let [merged, size] = [1, of[0]!.size];
  for (; size % 4 !== 0 && merged < of.length; merged++) {
    const [inner, outer] = [of[merged - 1]!, of[merged]!];
    const areOne = (strideOf: (name: string) => number | undefined): boolean =>
      (strideOf(outer.name) ?? 0) === inner.size * (strideOf(inner.name) ?? 0);
    const isAlike =
      reads.every(({ strides }) => areOne((name) => strides.get(name))) &&
      instances.every((instance) => areOne((name) => storedStride(emission, instance, name)));
    if (!isAlike) return 1;
    size *= outer.size;
  }
  return size % 4 === 0 ? merged : 1;
}

/** Numbers of a contraction's operands. */
interface StagedOperands {
  readonly rows: number;
  readonly columns: number;
}

/** The operands that the points of a phase stage, with these axes as row and columns; null where they have none on one of the sides. */
function stagedOperands(
  emission: Emission,
  instances: readonly Instance[],
  row: string,
  columns: readonly string[],
): StagedOperands | null {
  const all = contractionsOf(emission, instances, [row], columns).flatMap(({ operands }) => operands);
  const rows = all.filter(({ side }) => side === "rows").length;
  return all.length === 0 ? null : { rows, columns: all.length - rows };
}

/** What a turn at a point costs beside a multiplication, where operands are staged. */
function stagedTurn(
  operands: StagedOperands,
  turns: number,
  rows: number,
  columns: number,
  laneRows: number,
  { lanes, staging }: BlockShape,
): number {
  const { load, fill, barrier } = staging!;
  return (
    1 +
    load * (operands.columns / rows + operands.rows / columns) +
    fill * (operands.columns / (rows * laneRows) + operands.rows / (columns * lanes)) +
    (2 * barrier) / (Math.min(staging!.turns, turns) * rows * columns)
  );
}

/** How many results have neighbours along the variable far apart in memory. */
function scatteredStores(emission: Emission, instances: readonly Instance[], name: string): number {
  return instances.filter((instance) => (storedStride(emission, instance, name) ?? 1) !== 1).length;
}

/** The tiles to choose from. Rows divide their axis, so that no lane has another row than its neighbours. */
function* tilesOf(
  rows: number,
  last: number,
  columns: number,
  reductions: number,
  shape: BlockShape,
): Generator<{ readonly rows: number; readonly columns: number; readonly areNeighbours: boolean }> {
  for (let r = Math.min(rows, shape.rows); r >= 1; r--) {
    if (rows % r !== 0) continue;
    for (let c = shape.columns; c >= 1; c = Math.floor(c / 2)) {
      if (r * c * reductions > (shape.sums ?? registerSums) || c * shape.lanes > 2 * columns) continue;
      yield { rows: r, columns: c, areNeighbours: c > 1 && last % c === 0 };
    }
  }
}
