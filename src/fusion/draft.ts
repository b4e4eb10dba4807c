/**
 * A group in the making: stored nodes, and the axes that all of them share.
 *
 *     %s = for b, i. sum k. …        %y = for b, i, j. %x[b, i, j] * %s[b, i]        joined: grid b, i
 *
 * An axis of one node and an axis of another are the same grid axis when every read between them has the one's variable at the other's
 * place, over axes of one size: then nothing crosses from one point of the grid to another.
 */
import type { Expr, ValueName } from "../ir/ir.ts";
import { indicesIn } from "../ir/traverse.ts";
import { type Access, longAxes, partOfLoads, pointAxes, tile } from "./accesses.ts";
import type { StoredNode } from "./inline.ts";
import type { Target } from "./target.ts";

/** An axis of the grid: its size, and which axis of each node it is. */
export interface GridAxis {
  readonly size: number;
  readonly axisOf: ReadonlyMap<ValueName, string>;
}

export interface Draft {
  readonly members: readonly StoredNode[];
  readonly grid: readonly GridAxis[];
}

/** A node by itself: all its point axes are its grid. */
export function draftOf(member: StoredNode): Draft {
  const grid = pointAxes(member.node).map(({ name, size }) => ({
    size,
    axisOf: new Map([[member.node.name, name]]),
  }));
  return { members: [member], grid };
}

/** The number of points of a draft's grid. */
export function regionsOf(draft: Draft): number {
  return draft.grid.reduce((product, { size }) => product * size, 1);
}

/** Is every node computed once a region, so that one invocation can do a region? */
export function isPointwise(draft: Draft): boolean {
  const regions = regionsOf(draft);
  return draft.members.every(({ node, points }) => node.keys.length === 0 && points === regions);
}

/** The two as one, with the grid axes that they share. `producer` must not read from `consumer`. */
export function join(producer: Draft, consumer: Draft): Draft {
  const producers = new Map(producer.members.flatMap((member) => member.names.map((name) => [name, member])));
  const crossing = consumer.members.flatMap((reader) =>
    reader.tensors.some((tensor) => producers.has(tensor))
      ? [...reader.accesses.values()].flatMap((access) => {
          const member = producers.get(access.tensor);
          return member === undefined ? [] : [{ reader, access, member }];
        })
      : [],
  );
  const grid: GridAxis[] = [];
  const used = new Set<GridAxis>();
  for (const mine of producer.grid) {
    const same = consumer.grid.find(
      (yours) =>
        !used.has(yours) &&
        yours.size === mine.size &&
        crossing.every(({ reader, access, member }) => isSame(access, member, mine, reader, yours)),
    );
    if (same === undefined) continue;
    used.add(same);
    grid.push({ size: mine.size, axisOf: new Map([...mine.axisOf, ...same.axisOf]) });
  }
  return { members: [...producer.members, ...consumer.members], grid };
}

function isSame(
  access: Access,
  member: StoredNode,
  mine: GridAxis,
  reader: StoredNode,
  yours: GridAxis,
): boolean {
  const position = member.node.axes.findIndex((axis) => axis.name === mine.axisOf.get(member.node.name));
  return isVariable(access.indices[position]!, yours.axisOf.get(reader.node.name)!);
}

function isVariable(expr: Expr, name: string): boolean {
  return expr.kind === "index" && expr.name === name;
}

/** Are there two loads of its reductions of which each is free along an axis that the other is not? */
export function hasRowsAndColumns({ loads }: StoredNode): boolean {
  return loads.some(({ free }) =>
    loads.some(
      (other) =>
        free.some((name) => !other.free.includes(name)) && other.free.some((name) => !free.includes(name)),
    ),
  );
}

/** A tensor of so many elements stays in a cache, wherever it is read. */
export const cached = 2 ** 18;

/**
 * The tensors of a draft of workgroups whose last axis is one of the grid's: a workgroup reads or writes them an element here and
 * there.
 */
function scatteredIn({ members, grid }: Draft): ReadonlySet<ValueName> {
  const found = new Set<ValueName>();
  for (const { node, accesses, names } of members) {
    const isOfGrid = (name: string): boolean => grid.some((axis) => axis.axisOf.get(node.name) === name);
    for (const { tensor, indices } of accesses.values()) {
      const last = indices.at(-1);
      if (last?.kind === "index" && isOfGrid(last.name)) found.add(tensor);
    }
    const last = node.axes.at(-1);
    if (last !== undefined && isOfGrid(last.name)) for (const name of names) found.add(name);
  }
  return found;
}

/** So many invocations of a region have something to do for a node: a long reduction is divided among them. */
export function invocationsFor(
  { points, turns }: Pick<StoredNode, "points" | "turns">,
  regions: number,
): number {
  return (points / regions) * Math.max(1, turns / 32);
}

/** The part of a device's rates that a kernel reaches, with so many regions of each so many invocations that have something to do. */
export function partAtWork(pointwise: boolean, regions: number, busy: number, target: Target): number {
  const invocations = pointwise ? regions * busy : regions * Math.min(target.regionInvocations, busy);
  const workgroups = pointwise ? target.busyWorkgroups : regions;
  return Math.min(1, invocations / target.busyInvocations, workgroups / target.busyWorkgroups);
}

/** The axes of a member's points in a region that are as long as a tile, with their sizes. */
function axesInside({ node }: StoredNode, { grid }: Draft): ReadonlyMap<string, number> {
  const ofGrid = new Set(grid.map((axis) => axis.axisOf.get(node.name)));
  return new Map(longAxes(node).flatMap(({ name, size }) => (ofGrid.has(name) ? [] : [[name, size]])));
}

/** Loads of a member's reductions, of which points share as much as `partOf` says for a load that is free along so many axes. */
function loadsIn(member: StoredNode, draft: Draft, target: Target, partOf: (free: number) => number): number {
  const pointwise = isPointwise(draft);
  const within = pointwise ? null : axesInside(member, draft);
  return member.loads.reduce((total, { count, free }) => {
    // Points of different workgroups share nothing.
    const shared = within === null ? free : free.filter((name) => within.has(name));
    const isUniform = within !== null && shared.length > 0 && shared.length === within.size;
    return total + count * partOf(shared.length) * (isUniform ? target.uniformLoad : 1);
  }, 0);
}

/**
 * Are a contraction's points in a region enough for blocks, which share what they load? Only where the invocations of a region are one
 * vector are they dealt so.
 */
function isInBlocks(member: StoredNode, draft: Draft, target: Target): boolean {
  if (!target.blocksInRegions || !hasRowsAndColumns(member)) return false;
  const within = axesInside(member, draft);
  const side = tile * target.lanes;
  return member.loads.every(
    ({ free }) => free.reduce((points, name) => points * (within.get(name) ?? 1), 1) >= side,
  );
}

/** Elements that each region reads anew: those of large tensors of which all regions read the same. */
function readAnew(
  { node, accesses }: StoredNode,
  draft: Draft,
  sizes: ReadonlyMap<ValueName, number>,
): number {
  const ofGrid = new Set(draft.grid.map((axis) => axis.axisOf.get(node.name)!));
  const parted = new Set<ValueName>();
  for (const { tensor, indices } of accesses.values())
    if ([...indicesIn(indices)].some((name) => ofGrid.has(name))) parted.add(tensor);
  const whole = new Set(
    [...accesses.values()].map(({ tensor }) => tensor).filter((tensor) => !parted.has(tensor)),
  );
  const large = [...whole].map((tensor) => sizes.get(tensor) ?? 0).filter((size) => size > cached);
  return (regionsOf(draft) - 1) * large.reduce((total, size) => total + size, 0);
}

/** Seconds that a draft is estimated to take as one kernel. `isNeeded` says which values are read outside of it. */
export function timeOf(
  draft: Draft,
  sizes: ReadonlyMap<ValueName, number>,
  isNeeded: (value: ValueName) => boolean,
  target: Target,
): number {
  const regions = regionsOf(draft);
  const pointwise = isPointwise(draft);
  const own = new Set(draft.members.flatMap(({ names }) => names));
  const read = new Set<ValueName>();
  const scattered = pointwise ? new Set<ValueName>() : scatteredIn(draft);
  const moved = (tensor: ValueName, size: number): number =>
    size * (scattered.has(tensor) && size > cached ? target.scatter : 1);
  let operations = 0;
  let elements = 0;
  let anew = 0;
  let inside = 0;
  let busy = 0;
  const blocks = pointwise ? [] : draft.members.filter((member) => isInBlocks(member, draft, target));
  for (const member of draft.members) {
    operations += member.operations;
    const isContraction = pointwise && hasRowsAndColumns(member);
    let loads = loadsIn(member, draft, target, (free) => partOfLoads(free, isContraction, target));
    if (blocks.includes(member)) {
      // The more blocks a kernel has, the smaller they are: its text is only so long.
      const inBlocks = loadsIn(member, draft, target, (free) => partOfLoads(free, true, target));
      loads = Math.min(loads, blocks.length * inBlocks);
      anew += readAnew(member, draft, sizes);
    }
    operations += target.loadCost * loads;
    for (const tensor of member.tensors) if (!own.has(tensor)) read.add(tensor);
    for (const name of member.names) {
      if (isNeeded(name)) elements += moved(name, member.elements);
      else if (!pointwise) inside += member.elements;
    }
    busy = Math.max(busy, invocationsFor(member, regions));
  }
  for (const tensor of read) elements += moved(tensor, sizes.get(tensor) ?? 0);
  // What does not fit workgroup memory goes to device memory and back.
  if (4 * (inside / regions) > target.workgroupBytes) elements += 2 * inside;
  const part = partAtWork(pointwise, regions, busy, target);
  const launches = pointwise && regions < target.busyInvocations && busy > 1 ? 2 : 1;
  const work =
    Math.max(operations / target.operations, (4 * elements) / target.bandwidth) +
    (4 * anew) / target.bandwidth;
  return launches * target.launch + work / part;
}
