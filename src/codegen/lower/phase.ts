/**
 * One phase of a kernel: its points are dealt to the invocations, each of which computes every node of the phase there.
 *
 *     for point = invocation .. 588 step 64 {
 *       let i = point / 12; let k = point % 12 * 2
 *       out[…] = … at (i, k); out[…] = … at (i, k + 1)          a tile of two points
 *     }
 */
import { apply as irApply, index as indexExpr, integer as irInteger } from "../../ir/build.ts";
import type { Comprehension, Expr } from "../../ir/ir.ts";
import { isWithin } from "../../ir/bounds.ts";
import { withVariable } from "../../ir/ranges.ts";
import type { Phase } from "../../fusion/plan.ts";
import {
  add,
  and,
  apply,
  constant,
  integer,
  invocation,
  less,
  load,
  local,
  minimum,
  mul,
  quotient,
  remainder,
  workgroup,
} from "../build.ts";
import { keyOf } from "../expression-key.ts";
import type { KernelExpr, Statement } from "../kernel.ts";
import {
  type Emission,
  freshVariableName,
  type Instance,
  instantiate,
  type Point,
  variable,
  type Variable,
} from "./emission.ts";
import { linearIndex, lower, lowerInstance } from "./expression.ts";
import { applied } from "./fold-constants.ts";
import { combinations, isAlike, overAxes, withVariables } from "./reduction.ts";
import { readsOfMemory } from "./reads.ts";
import { block, freshName, nameHere, write } from "./scopes.ts";
import { type Block, type BlockShape, chooseBlock } from "./block.ts";
import { chooseTile } from "./tile.ts";

/** How the points of a phase are dealt. */
export interface Dealing {
  /** Invocations of a workgroup. */
  readonly invocations: number;
  /** Over the invocations of all workgroups, or of each. */
  readonly over: "all" | "workgroup";
  /** So many tiles there should at least be. */
  readonly leastTiles: number;
  /** How blocks are shaped, where points may be dealt in blocks. */
  readonly block: BlockShape | null;
}

/** The workgroups that a phase takes, and the invocations of each. */
export interface Extent {
  readonly workgroups: number;
  readonly invocations: number;
}

/** Writes a phase. `region` has the variables of the grid's axes, and `gridOf` which axes of a node those are. */
export function lowerPhase(
  emission: Emission,
  phase: Phase,
  region: {
    readonly point: Point;
    readonly names: readonly string[];
    readonly gridOf: (node: Comprehension) => readonly string[];
  },
  dealing: Dealing,
): Extent {
  const outside = emission.context;
  const first = phase.axesOf[0]!;
  const variables = phase.axes.map((size, i) => {
    const name = freshVariableName(emission, first[i]!);
    emission.ranges.set(name, { lo: 0, hi: size - 1 });
    emission.context = withVariable(emission.context, name, { lo: 0, hi: size - 1 });
    return { name, size };
  });
  for (const node of phase.nodes) for (const name of namesOf(node)) emission.computed.set(name, node);
  const instancesAt = (axes: readonly Expr[]): readonly Instance[] =>
    phase.nodes.map((node, n) => {
      const grid = region.gridOf(node);
      const own = phase.axesOf[n]!;
      return instantiate(
        emission,
        node,
        node.axes.map(({ name }): Expr | null => {
          if (grid.includes(name)) return indexExpr(region.names[grid.indexOf(name)]!);
          if (own.includes(name)) return axes[own.indexOf(name)]!;
          // An axis that is neither the grid's nor the phase's has a single point.
          return node.keys.some((key) => key.axis === name) ? null : irInteger(0);
        }),
      );
    });
  const instances = instancesAt(variables.map(({ name }) => indexExpr(name)));
  const block = dealing.block === null ? null : chooseBlock(emission, variables, instances, dealing.block);
  const extent =
    block === null
      ? lowerTiles(emission, variables, instances, region.point, dealing)
      : lowerBlock(emission, variables, instancesAt, region.point, block, dealing.block!);
  for (const node of phase.nodes) for (const name of namesOf(node)) emission.computed.delete(name);
  emission.context = outside;
  return extent;
}

interface PhaseVariable {
  readonly name: string;
  readonly size: number;
}

/** Points in small tiles, dealt to invocations one after the other. */
function lowerTiles(
  emission: Emission,
  variables: readonly PhaseVariable[],
  instances: readonly Instance[],
  region: Point,
  dealing: Dealing,
): Extent {
  // A column that a tile folds back onto would be added to twice.
  const isExact = instances.some((instance) => instance.keys.length > 0);
  const factors = chooseTile(emission, { variables, instances, leastTiles: dealing.leastTiles, isExact });
  const counts = variables.map(({ size }, i) => Math.ceil(size / factors[i]!));
  const tiles = counts.reduce((product, n) => product * n, 1);

  const fill = (at: KernelExpr, guard: KernelExpr | null): void => {
    const places = split(at, counts);
    const lists = variables.map(({ name, size }, i) => {
      const base = nameHere(emission.scopes, mul(places[i]!, integer(factors[i]!)), name);
      const whole = size % (factors[i] ?? 1) === 0;
      return sequence(factors[i]!).map((n) =>
        whole || n === 0
          ? variable(emission, name, base, n)
          : variable(
              emission,
              name,
              nameHere(emission.scopes, minimum(add(base, integer(n)), integer(size - 1)), name),
            ),
      );
    });
    lowerSideBySide(emission, variables, lists, instances, region, () => guard);
  };
  deal(emission, tiles, dealing, mayGoTogether(emission, instances), fill);
  const { invocations } = dealing;
  return { workgroups: Math.ceil(tiles / invocations), invocations };
}

/** Every node at every combination of the variables' instances. A point of which `isWithout` gives a condition is stored under it. */
function lowerSideBySide(
  emission: Emission,
  variables: readonly PhaseVariable[],
  lists: readonly (readonly Variable[])[],
  instances: readonly Instance[],
  region: Point,
  guardOf: (point: Point) => KernelExpr | null,
): void {
  variables.forEach(({ name }, i) => emission.tile.set(name, lists[i]!));
  const points = combinations<Variable>(lists).map((choice) => withVariables(region, choice));
  for (const instance of instances) lowerNode(emission, instance, points, guardOf);
  for (const { name } of variables) emission.tile.delete(name);
}

/** Points in blocks, a workgroup each: see `block.ts`. */
function lowerBlock(
  emission: Emission,
  variables: readonly PhaseVariable[],
  instancesAt: (axes: readonly Expr[]) => readonly Instance[],
  region: Point,
  block: Block,
  { lanes, laneRows }: BlockShape,
): Extent {
  const { outer, row, rows, columns, areNeighbours } = block;
  const sizes = block.lanes.map((axis) => variables[axis]!.size);
  const points = sizes.reduce((product, size) => product * size, 1);
  const across = Math.ceil(points / (columns * lanes));
  const down = Math.ceil(variables[row]!.size / (rows * laneRows));
  const places = split(workgroup, [...outer.map((axis) => variables[axis]!.size), down, across]);
  const [lane, laneRow] =
    laneRows === 1
      ? [invocation, integer(0)]
      : [remainder(invocation, integer(lanes)), quotient(invocation, integer(lanes))];
  const instancesOf = new Map<string, readonly Variable[]>();
  const only = (name: string, base: KernelExpr): unknown =>
    instancesOf.set(name, [variable(emission, name, base)]);
  const body = blockOf(emission, () => {
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
    const own = areNeighbours ? neighbours() : flattened();
    const guardOf = (point: Point): KernelExpr | null =>
      [...guards, ...own.guards(point)].reduce<KernelExpr | null>(
        (all, one) => (all === null ? one : and(all, one)),
        null,
      );
    const all = own.variables;
    const lists = all.map(({ name }) => instancesOf.get(name)!);
    lowerSideBySide(emission, all, lists, own.instances, region, guardOf);
  });
  for (const statement of body) write(emission.scopes, statement);
  return {
    workgroups: outer.reduce((product, axis) => product * variables[axis]!.size, down * across),
    invocations: lanes * laneRows,
  };

  interface Columns {
    readonly variables: readonly PhaseVariable[];
    readonly instances: readonly Instance[];
    readonly guards: (point: Point) => readonly KernelExpr[];
  }

  /** An invocation has neighbours along the last axis. */
  function neighbours(): Columns {
    const counts = sizes.map((size, i) => (i === sizes.length - 1 ? size / columns : size));
    const tiles = points / columns;
    const tile = nameHere(emission.scopes, add(mul(places.at(-1)!, integer(lanes)), lane), "column");
    const isWhole = tiles % lanes === 0;
    const within = isWhole ? tile : nameHere(emission.scopes, minimum(tile, integer(tiles - 1)), "column");
    split(within, counts).forEach((place, i) => {
      const { name } = variables[block.lanes[i]!]!;
      const isLast = i === counts.length - 1;
      const base = nameHere(emission.scopes, isLast ? mul(place, integer(columns)) : place, name);
      instancesOf.set(
        name,
        sequence(isLast ? columns : 1).map((n) => variable(emission, name, base, n)),
      );
    });
    return {
      variables,
      instances: instancesAt(variables.map(({ name }) => indexExpr(name))),
      guards: () => (isWhole ? [] : [less(tile, integer(tiles))]),
    };
  }

  /** All column axes are one, of which neighbouring lanes have neighbours; an invocation has points a subgroup apart. */
  function flattened(): Columns {
    const last = variables[block.lanes.at(-1)!]!;
    const name = block.lanes.length === 1 ? last.name : freshVariableName(emission, "column");
    if (block.lanes.length > 1) {
      emission.ranges.set(name, { lo: 0, hi: points - 1 });
      emission.context = withVariable(emission.context, name, { lo: 0, hi: points - 1 });
    }
    const first = nameHere(emission.scopes, add(mul(places.at(-1)!, integer(lanes * columns)), lane), name);
    const guardsOf = new Map<number, KernelExpr>();
    const isWhole = points % (lanes * columns) === 0;
    const list = sequence(columns).map((n) => {
      if (isWhole) return variable(emission, name, first, n * lanes);
      const place = add(first, integer(n * lanes));
      const one = variable(
        emission,
        name,
        nameHere(emission.scopes, minimum(place, integer(points - 1)), name),
      );
      guardsOf.set(one.id, less(place, integer(points)));
      return one;
    });
    instancesOf.set(name, list);
    let below = 1;
    const expressions = [...block.lanes].reverse().map((axis, i): readonly [number, Expr] => {
      const { size } = variables[axis]!;
      const above = below === 1 ? indexExpr(name) : irApply("floor_div", indexExpr(name), irInteger(below));
      below *= size;
      return [axis, i === block.lanes.length - 1 ? above : irApply("mod", above, irInteger(size))];
    });
    const axisOf = new Map(expressions);
    return {
      variables: [...[...outer, row].map((axis) => variables[axis]!), { name, size: points }],
      instances: instancesAt(variables.map((one, axis) => axisOf.get(axis) ?? indexExpr(one.name))),
      guards: (point) => {
        const guard = guardsOf.get(point.get(name)!.id);
        return guard === undefined ? [] : [guard];
      },
    };
  }
}

/** Statements that depend on the invocation, a block deeper than the kernel, though nothing encloses them. */
function blockOf(emission: Emission, fill: () => void): Statement[] {
  return block(emission.scopes, [], fill);
}

function namesOf(node: Comprehension): string[] {
  const best = node.reduction?.bestValue ?? null;
  return best === null ? [node.name] : [node.name, best];
}

/**
 * Has every tile computed by one invocation. Loops run alike in all invocations, and conditions stand only where the last turn has
 * fewer tiles than invocations: what lanes do together costs least. With `isTogether` even there all come along, those that have
 * no tile with the last one, whose results they don't store: so that they can share what they load.
 */
function deal(
  emission: Emission,
  tiles: number,
  { invocations, over }: Dealing,
  isTogether: boolean,
  fill: (tile: KernelExpr, guard: KernelExpr | null) => void,
): void {
  const { scopes } = emission;
  const guarded = (tile: KernelExpr): void => {
    const name = freshName(scopes, "point");
    scopes.depths.set(name, scopes.open.length);
    write(scopes, { kind: "let", name, value: tile });
    const place = local(name, "i32");
    const hasTile = tiles % invocations === 0 ? null : less(place, integer(tiles));
    const body = block(scopes, [name], () => {
      if (hasTile === null || !isTogether) return fill(place, null);
      fill(nameHere(scopes, minimum(place, integer(tiles - 1)), "point"), hasTile);
    });
    if (hasTile === null || isTogether) for (const statement of body) write(scopes, statement);
    else write(scopes, { kind: "if", condition: hasTile, then: body, else: [] });
  };
  if (over === "all") return guarded(add(mul(workgroup, integer(invocations)), invocation));
  if (tiles === 1) {
    const body = block(scopes, [], () => fill(integer(0), null));
    write(scopes, { kind: "if", condition: less(invocation, integer(1)), then: body, else: [] });
    return;
  }
  if (tiles <= invocations) return guarded(invocation);
  const name = freshName(scopes, "first");
  const body = block(scopes, [name], () => guarded(add(local(name, "i32"), invocation)));
  write(scopes, { kind: "for", index: name, from: integer(0), to: integer(tiles), step: invocations, body });
}

/** Do the instances have reductions to share loads in, and store nothing that they read? */
function mayGoTogether(emission: Emission, instances: readonly Instance[]): boolean {
  const { arrays, reductions } = readsOfMemory(emission, instances);
  return (
    reductions > 0 &&
    instances.every(
      ({ node, keys }) =>
        keys.length === 0 &&
        namesOf(node).every((name) => !arrays.has(emission.storages.get(name)?.array ?? "")),
    )
  );
}

/** A number taken apart into places of a mixed radix, the last the lowest. */
export function split(number: KernelExpr, counts: readonly number[]): KernelExpr[] {
  let below = 1;
  return counts
    .map((count, i) => ({ count, i }))
    .reverse()
    .map(({ count, i }) => {
      const place =
        i === 0
          ? quotient(number, integer(below))
          : remainder(quotient(number, integer(below)), integer(count));
      below *= count;
      return count === 1 ? integer(0) : place;
    })
    .reverse();
}

function lowerNode(
  emission: Emission,
  instance: Instance,
  points: readonly Point[],
  guardOf: (point: Point) => KernelExpr | null,
): void {
  if (instance.keys.length > 0) return lowerKeyed(emission, instance, points);
  const results = namesOf(instance.node).flatMap((name) => {
    const storage = emission.storages.get(name);
    return storage === undefined ? [] : [{ name, storage }];
  });
  // All values before the first store, so that side-by-side points share their loops.
  const values = points.map((point) =>
    results.map(({ name }) => lowerInstance(emission, instance, name, point)),
  );
  const stores = points.map((point, p) =>
    results.map(({ storage }, r): Statement => {
      const at = linearIndex(emission, instance.indices, storage, point);
      return { kind: "store", space: storage.space, array: storage.array, index: at, value: values[p]![r]! };
    }),
  );
  // What is stored under one condition stands in one branch.
  const branches = new Map<string, { readonly condition: KernelExpr; readonly then: Statement[] }>();
  points.forEach((point, p) => {
    const condition = guardOf(point);
    if (condition === null) return stores[p]!.forEach((store) => write(emission.scopes, store));
    const key = keyOf(condition);
    const known = branches.get(key);
    if (known === undefined) branches.set(key, { condition, then: [...stores[p]!] });
    else known.then.push(...stores[p]!);
  });
  for (const { condition, then } of branches.values())
    write(emission.scopes, { kind: "if", condition, then, else: [] });
}

/**
 * A segment sum: the invocation owns a whole column of its array, all elements of the keyed axes at one point of the others. It clears
 * the column, then walks the reduction and adds each value where its key says. Nobody else touches the column, so nothing is atomic
 * and the order is always the same.
 */
function lowerKeyed(emission: Emission, instance: Instance, points: readonly Point[]): void {
  const { scopes } = emission;
  const storage = emission.storages.get(instance.node.name)!;
  const shape = emission.types.get(instance.node.name)!.shape;
  const type = storage.type;
  const keyed = instance.keys.map((key) => key.axis);
  const clear = (level: number, indices: readonly (Expr | null)[], around: Point): void => {
    const axis = keyed[level];
    if (axis === undefined) {
      const at = linearIndex(emission, indices, storage, around);
      write(scopes, {
        kind: "store",
        space: storage.space,
        array: storage.array,
        index: at,
        value: constant(type, 0),
      });
      return;
    }
    const outside = emission.context;
    const name = freshVariableName(emission, instance.node.axes[axis]!.name);
    emission.context = withVariable(emission.context, name, { lo: 0, hi: shape[axis]! - 1 });
    const index = freshName(scopes, name);
    const body = block(scopes, [index], () =>
      clear(
        level + 1,
        indices.map((e, i) => (i === axis ? indexExpr(name) : e)),
        withVariables(around, [variable(emission, name, local(index, "i32"))]),
      ),
    );
    write(scopes, { kind: "for", index, from: integer(0), to: integer(shape[axis]!), step: 1, body });
    emission.context = outside;
  };
  for (const point of points) clear(0, instance.indices, point);

  const places = instance.indices.map((e, i) =>
    keyed.includes(i) ? instance.keys[keyed.indexOf(i)]!.at : e,
  );
  const outside = emission.context;
  const addAt = (at: Point): void => {
    const value = lower(emission, instance.body, at);
    const index = linearIndex(emission, places, storage, at);
    const sum = apply("add", load(storage.space, storage.array, index, type), value);
    const store: Statement = { kind: "store", space: storage.space, array: storage.array, index, value: sum };
    const condition = instance.keys
      .filter((key) => !isWithin(key.at, shape[key.axis]!, emission.context))
      .map((key) => {
        const k = lower(emission, key.at, at);
        return and(applied("ge", [k, integer(0)]), less(k, integer(shape[key.axis]!)));
      })
      .reduce<KernelExpr | null>((all, one) => (all === null ? one : and(all, one)), null);
    if (condition?.kind === "const" && condition.value === 0) return;
    const isCertain = condition === null || condition.kind === "const";
    write(scopes, isCertain ? store : { kind: "if", condition, then: [store], else: [] });
  };
  const walks = isAlike(emission, instance) ? [points] : points.map((point) => [point]);
  for (const walk of walks) overAxes(emission, instance, walk, lower, addAt);
  emission.context = outside;
}

function sequence(length: number): number[] {
  return Array.from({ length }, (_, n) => n);
}
