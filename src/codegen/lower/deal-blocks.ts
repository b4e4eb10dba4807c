/** Points in blocks: see `block.ts`. */
import { index as indexExpr } from "../../ir/build.ts";
import type { Expr } from "../../ir/ir.ts";
import {
  add,
  and,
  integer,
  invocation,
  less,
  local,
  minimum,
  mul,
  quotient,
  remainder,
  workgroup,
} from "../build.ts";
import type { KernelExpr } from "../kernel.ts";
import type { Block, BlockShape } from "./block.ts";
import { type Emission, type Instance, type Point, variable, type Variable } from "./emission.ts";
import type { Dealing, Extent } from "./phase.ts";
import { flatten, lowerSideBySide, type PhaseVariable, split } from "./points.ts";
import { sequence } from "./lists.ts";
import { openStaging, type StagedSide } from "./fill.ts";
import { bind, block, freshName, nameHere, write } from "./scopes.ts";

/** Columns of a block's axes that are dealt alike: from `start` up to `end`, in so many blocks. */
interface Strip {
  readonly start: number;
  readonly end: number;
  readonly across: number;
  /** Columns of an invocation. */
  readonly columns: number;
  readonly areNeighbours: boolean;
}

/** All columns, of which the last block may stick out over the end, or has narrower ones for the rest. */
function stripsOf(
  { columns, areNeighbours }: Block,
  points: number,
  { lanes, narrows }: BlockShape,
): readonly Strip[] {
  const width = columns * lanes;
  const whole = points - (points % width);
  const left = Math.ceil((points - whole) / lanes);
  // Neighbours that are loaded at once are worth lanes that have none.
  if (narrows !== true || whole === points || (areNeighbours && left > columns / 2))
    return [{ start: 0, end: points, across: Math.ceil(points / width), columns, areNeighbours }];
  const rest = {
    start: whole,
    end: points,
    across: 1,
    columns: left,
    areNeighbours: false,
  };
  return whole === 0
    ? [rest]
    : [{ start: 0, end: whole, across: whole / width, columns, areNeighbours }, rest];
}

/**
 * Writes the instances that `instancesAt` gives for the indices of the phase's axes, at all points of the variables: a block a workgroup, or all
 * blocks of its region one after the other.
 */
export function lowerBlock(
  emission: Emission,
  variables: readonly PhaseVariable[],
  instancesAt: (axes: readonly Expr[]) => readonly Instance[],
  region: Point,
  schedule: Block,
  shape: BlockShape,
  over: Dealing["over"],
): Extent {
  const { lanes, staging } = shape;
  const { outer, row, rows, merged, laneRows } = schedule;
  const sizes = schedule.lanes.map((axis) => variables[axis]!.size);
  const points = sizes.reduce((product, size) => product * size, 1);
  const down = Math.ceil(variables[row]!.size / (rows * laneRows));
  const [lane, laneRow] =
    laneRows === 1
      ? [invocation, integer(0)]
      : [remainder(invocation, integer(lanes)), quotient(invocation, integer(lanes))];
  const instancesOf = new Map<string, readonly Variable[]>();
  const only = (name: string, base: KernelExpr): unknown =>
    instancesOf.set(name, [variable(emission, name, base)]);
  /** The numbers of the block among the outer axes, along the rows, and along the columns of its strip. */
  let places: readonly KernelExpr[] = [];
  const fill = (strip: Strip): void => {
    outer.forEach((axis, i) => {
      const { name } = variables[axis]!;
      only(name, nameHere(emission.scopes, places[i]!, name));
    });
    const { name: rowName, size: rowCount } = variables[row]!;
    const rowTile = add(mul(places.at(-2)!, integer(laneRows)), laneRow);
    const rowTiles = rowCount / rows;
    const isRagged = rowTiles % laneRows !== 0;
    const firstRow = mul(isRagged ? minimum(rowTile, integer(rowTiles - 1)) : rowTile, integer(rows));
    const rowBase = nameHere(emission.scopes, firstRow, rowName);
    instancesOf.set(
      rowName,
      sequence(rows).map((n) => variable(emission, rowName, rowBase, n)),
    );

    const guards: KernelExpr[] = isRagged ? [less(rowTile, integer(rowTiles))] : [];
    const own = strip.areNeighbours ? neighbours(strip) : flattened(strip);
    const guardOf = (point: Point): KernelExpr | null =>
      [...guards, ...own.guards(point)].reduce<KernelExpr | null>(
        (all, one) => (all === null ? one : and(all, one)),
        null,
      );
    const all = own.variables;
    const lists = all.map(({ name }) => instancesOf.get(name)!);
    if (staging !== undefined && schedule.isStaged)
      emission.staging = openStaging(
        emission,
        own.instances,
        { rows: rowSide(), columns: own.side },
        staging,
        lanes * laneRows,
      );
    emission.sides = [new Set([rowName]), new Set(own.side.names)];
    lowerSideBySide(emission, all, lists, own.instances, region, guardOf);
    emission.sides = null;
    emission.staging = null;
  };
  const { scopes } = emission;
  let workgroups = 1;
  for (const strip of stripsOf(schedule, points, shape)) {
    const counts = [...outer.map((axis) => variables[axis]!.size), down, strip.across];
    const blocks = counts.reduce((product, n) => product * n, 1);
    const at = (place: KernelExpr): void => {
      places = split(place, counts);
      fill(strip);
    };
    if (over === "all") workgroups = blocks;
    if (over === "workgroup" && blocks > 1) {
      const name = freshName(scopes, "block");
      const body = block(scopes, [name], () => at(local(name, "i32")));
      write(scopes, { kind: "for", index: name, from: integer(0), to: integer(blocks), step: 1, body });
    } else {
      const body = block(scopes, [], () => at(over === "all" ? workgroup : integer(0)));
      for (const statement of body) write(scopes, statement);
    }
  }
  return { workgroups, invocations: lanes * laneRows };

  interface Columns {
    readonly variables: readonly PhaseVariable[];
    readonly instances: readonly Instance[];
    readonly guards: (point: Point) => readonly KernelExpr[];
    readonly side: StagedSide;
  }

  /** The rows of the workgroup. Where they are more than there are, the last ones stand again. */
  function rowSide(): StagedSide {
    const { name, size } = variables[row]!;
    const first = mul(places.at(-2)!, integer(laneRows * rows));
    return {
      points: laneRows * rows,
      names: [name],
      isInFours: rows % 4 === 0,
      at: (group, count) => {
        const own = add(first, mul(group, integer(count)));
        const isWhole = size % (laneRows * rows) === 0;
        const base = bind(emission.scopes, isWhole ? own : minimum(own, integer(size - count)), name);
        return sequence(count).map((n) => [variable(emission, name, base, n)]);
      },
      placeOf: placesOf(name, mul(laneRow, integer(rows)), sequence(rows)),
    };
  }

  /** The places in the block of the instances of a variable: from a base on, each so much further. */
  function placesOf(name: string, base: KernelExpr, offsets: readonly number[]): StagedSide["placeOf"] {
    const known = bind(emission.scopes, base, "place");
    const byId = new Map(
      instancesOf
        .get(name)!
        .map((one, i): [number, Variable] => [one.id, { ...one, base: known, offset: offsets[i]! }]),
    );
    return (point) => byId.get(point.get(name)!.id)!;
  }

  /** An invocation has neighbours along the last axis. */
  function neighbours({ columns, end }: Strip): Columns {
    const apart = schedule.lanes.slice(0, -merged).map((axis) => variables[axis]!);
    const together = schedule.lanes.slice(-merged);
    const { variable: last, indices } = flatten(
      emission,
      together.map((axis) => variables[axis]!),
      "column",
    );
    const axes = [...apart, last];
    /** The indices of axes at places of so many neighbours. */
    const basesAt = (
      place: KernelExpr,
      count: number,
      nameOf: (value: KernelExpr, name: string) => KernelExpr,
    ): readonly KernelExpr[] => {
      const counts = axes.map(({ size }, i) => (i === apart.length ? size / count : size));
      return split(place, counts).map((at, i) =>
        nameOf(i === apart.length ? mul(at, integer(count)) : at, axes[i]!.name),
      );
    };
    const indexOf = new Map(together.map((axis, i) => [axis, indices[i]!]));
    const tiles = end / columns;
    const tile = nameHere(emission.scopes, add(mul(places.at(-1)!, integer(lanes)), lane), "column");
    const isWhole = tiles % lanes === 0;
    const within = isWhole ? tile : nameHere(emission.scopes, minimum(tile, integer(tiles - 1)), "column");
    basesAt(within, columns, (value, name) => nameHere(emission.scopes, value, name)).forEach((base, i) => {
      const { name } = axes[i]!;
      const count = i === apart.length ? columns : 1;
      instancesOf.set(
        name,
        sequence(count).map((n) => variable(emission, name, base, n)),
      );
    });
    return {
      variables: variables.flatMap((one, axis) =>
        axis === together.at(-1) ? [last] : indexOf.has(axis) ? [] : [one],
      ),
      instances: instancesAt(variables.map(({ name }, axis) => indexOf.get(axis) ?? indexExpr(name))),
      guards: () => (isWhole ? [] : [less(tile, integer(tiles))]),
      side: {
        points: lanes * columns,
        names: axes.map(({ name }) => name),
        isInFours: columns % 4 === 0,
        at: (group, count) => {
          const own = add(mul(places.at(-1)!, integer((lanes * columns) / count)), group);
          const most = integer(points / count - 1);
          const at = bind(
            emission.scopes,
            points % (lanes * columns) === 0 ? own : minimum(own, most),
            "column",
          );
          const bases = basesAt(at, count, (value, name) => bind(emission.scopes, value, name));
          const others = apart.map(({ name }, i) => variable(emission, name, bases[i]!));
          return sequence(count).map((n) => [...others, variable(emission, last.name, bases.at(-1)!, n)]);
        },
        placeOf: placesOf(last.name, mul(lane, integer(columns)), sequence(columns)),
      },
    };
  }

  /**
   * All column axes are one, of which neighbouring lanes have neighbours; an invocation has points a subgroup apart. Where operands are
   * staged, it has neighbours, so that it loads them at once from a tile.
   */
  function flattened({ columns, start, end }: Strip): Columns {
    const columnAxes = schedule.lanes.map((axis) => variables[axis]!);
    const { variable: column, indices } = flatten(emission, columnAxes, "column");
    const { name } = column;
    const areFours = schedule.isStaged && columns % 4 === 0;
    const own = areFours ? mul(lane, integer(columns)) : lane;
    const offsets = sequence(columns).map((n) => (areFours ? n : n * lanes));
    const firstOfBlock = add(mul(places.at(-1)!, integer(lanes * columns)), integer(start));
    const first = nameHere(emission.scopes, add(firstOfBlock, own), name);
    const guardsOf = new Map<number, KernelExpr>();
    const isWhole = (end - start) % (lanes * columns) === 0;
    const list = offsets.map((offset) => {
      if (isWhole) return variable(emission, name, first, offset);
      const place = add(first, integer(offset));
      const one = variable(
        emission,
        name,
        nameHere(emission.scopes, minimum(place, integer(points - 1)), name),
      );
      guardsOf.set(one.id, less(place, integer(points)));
      return one;
    });
    instancesOf.set(name, list);
    const axisOf = new Map(schedule.lanes.map((axis, i) => [axis, indices[i]!]));
    return {
      variables: [...[...outer, row].map((axis) => variables[axis]!), column],
      instances: instancesAt(variables.map((one, axis) => axisOf.get(axis) ?? indexExpr(one.name))),
      guards: (point) => {
        const guard = guardsOf.get(point.get(name)!.id);
        return guard === undefined ? [] : [guard];
      },
      side: {
        points: lanes * columns,
        names: [name],
        isInFours: areFours,
        at: (group, count) => {
          const from = add(firstOfBlock, mul(group, integer(count)));
          return sequence(count).map((n) => {
            const place = add(from, integer(n));
            const base = isWhole ? place : minimum(place, integer(points - 1));
            return [variable(emission, name, bind(emission.scopes, base, name))];
          });
        },
        placeOf: placesOf(name, own, offsets),
      },
    };
  }
}
