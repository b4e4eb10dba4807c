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
import { invocationsFor, partAtWork } from "./work.ts";

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

/** What is loaded a smaller part of the times of what is loaded most makes no contraction: a bias that is added in every turn. */
const leastTimes = 1 / 8;

/** Are there two loads of its reductions of which each is free along an axis that the other is not? */
export function hasRowsAndColumns(member: StoredNode): boolean {
  const most = Math.max(0, ...member.loads.map(({ count }) => count));
  const loads = member.loads.filter(({ count }) => count >= leastTimes * most);
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

/**
 * Elements that all regions together read of others' tensors: an element that several regions read comes anew for each, from a cache that
 * all workgroups share.
 */
function readByRegions(draft: Draft, sizes: ReadonlyMap<ValueName, number>): number {
  const regions = regionsOf(draft);
  const own = new Set(draft.members.flatMap(({ names }) => names));
  const read = new Map<ValueName, number>();
  for (const { node, accesses } of draft.members)
    for (const { tensor, indices } of accesses.values()) {
      if (own.has(tensor)) continue;
      const used = indicesIn(indices);
      const parts = draft.grid.reduce(
        (product, { size, axisOf }) => product * (used.has(axisOf.get(node.name)!) ? size : 1),
        1,
      );
      read.set(tensor, Math.max(read.get(tensor) ?? 0, ((sizes.get(tensor) ?? 0) * regions) / parts));
    }
  return [...read.values()].reduce((sum, elements) => sum + elements, 0);
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
  const members = draft.members.filter(({ points }) => points > 0);
  if (members.length === 0) return target.launch;
  const own = new Set(draft.members.flatMap(({ names }) => names));
  const read = new Set<ValueName>();
  const scattered = pointwise ? new Set<ValueName>() : scatteredIn(draft);
  const moved = (tensor: ValueName, size: number): number =>
    size * (scattered.has(tensor) && size > cached ? target.scatter : 1);
  const busy = Math.max(...members.map((member) => invocationsFor(member, regions, target)));
  const lanesOf = (member: StoredNode): number =>
    target.isVector ? busy : invocationsFor(member, regions, target, member.loopTurns);
  const partOf = (lanes: number): number => partAtWork(pointwise, regions, lanes, target, busy);
  let operations = 0;
  let elements = 0;
  let anew = 0;
  let inside = 0;
  const blocks = pointwise ? [] : members.filter((member) => isInBlocks(member, draft, target));
  for (const member of members) {
    const isContraction = pointwise && hasRowsAndColumns(member);
    let loads = loadsIn(member, draft, target, (free) => partOfLoads(free, isContraction, target));
    if (blocks.includes(member)) {
      // The more blocks a kernel has, the smaller they are: its text is only so long.
      const inBlocks = loadsIn(member, draft, target, (free) => partOfLoads(free, true, target));
      loads = Math.min(loads, blocks.length * inBlocks);
      anew += readAnew(member, draft, sizes);
    }
    // One node after the other, each with the invocations that it has something to do for.
    operations += (member.operations + target.loadCost * loads) / partOf(lanesOf(member));
    for (const tensor of member.tensors) if (!own.has(tensor)) read.add(tensor);
    for (const name of member.names) {
      if (isNeeded(name)) elements += moved(name, member.elements);
      else if (!pointwise) inside += member.elements;
    }
  }
  for (const tensor of read) elements += moved(tensor, sizes.get(tensor) ?? 0);
  // What does not fit workgroup memory goes to device memory and back.
  if (4 * (inside / regions) > target.workgroupBytes) elements += 2 * inside;
  const launches = pointwise && regions < target.busyInvocations && busy > 1 ? 2 : 1;
  const bytes = 4 / (target.bandwidth * partOf(busy));
  const hasCache = !pointwise && target.cacheSpeed < Infinity;
  const cachedBytes = hasCache ? (bytes / target.cacheSpeed) * readByRegions(draft, sizes) : 0;
  const work = Math.max(operations / target.operations, bytes * elements, cachedBytes) + bytes * anew;
  return launches * target.launch + work;
}
