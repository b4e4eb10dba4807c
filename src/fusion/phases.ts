/**
 * A draft as a group: its nodes in phases, and a place for every value.
 *
 *     a[i] = argmax …            level 0, points i                     → workgroup (n of them fit)
 *     w[i] = f(a_best[i])        level 0, the same points: a_best is in a register
 *     s[j, k] = sum at a[i] …    level 1, after a barrier: it reads what other invocations made
 *
 * A node shares a phase with what it reads when it reads it at its own point. Otherwise it comes a level later. What is not read until
 * a later phase, and there at its own point, is computed there, so that both share what they load.
 */
import { type Comprehension, sizeOf, typeOf, type ValueName } from "../ir/ir.ts";
import { type Access, namesOf, pointAxes, pointCount } from "./accesses.ts";
import { type Points, pointsOfReader } from "./columns.ts";
import { type Draft, isPointwise, regionsOf } from "./draft.ts";
import { inlinedUnder, type StoredNode } from "./inline.ts";
import type { Group, Phase, Placement } from "./plan.ts";
import { bytesToShare, lanesOfPoint } from "./shared.ts";
import type { Target } from "./target.ts";

/** A group of which it is not known yet how long it takes, nor how its values lie in memory. */
type GroupAsDrafted = Omit<Group, "seconds" | "orders">;

/** The group of a draft. `isNeeded` says which values are read outside of it. */
export function groupOf(
  draft: Draft,
  inlined: ReadonlyMap<ValueName, Comprehension>,
  isNeeded: (value: ValueName) => boolean,
  target: Target,
): GroupAsDrafted {
  const nodes = draft.members.map((member) => member.node);
  const name = nameOf(nodes, isNeeded);
  const under = inlinedUnder(nodes, inlined);
  const own = new Map([...inlined].filter(([value]) => under.has(value)));
  const lanes = lanesOfPoint(draft, inlined, target);
  return (isPointwise(draft) && lanes === null) || isKeyed(draft)
    ? byInvocations(name, draft, own, isNeeded)
    : byWorkgroups(name, draft, own, isNeeded, lanes, target);
}

/** A segment sum by itself: its points are dealt over all invocations. */
function isKeyed(draft: Draft): boolean {
  return !isPointwise(draft) && draft.members.length === 1;
}

/** Named after what leaves it last. */
function nameOf(nodes: readonly Comprehension[], isNeeded: (value: ValueName) => boolean): string {
  return (nodes.findLast((node) => namesOf(node).some(isNeeded)) ?? nodes.at(-1)!).name;
}

function byInvocations(
  name: string,
  draft: Draft,
  inlined: ReadonlyMap<ValueName, Comprehension>,
  isNeeded: (value: ValueName) => boolean,
): GroupAsDrafted {
  const last = draft.members.at(-1)!.node;
  // Neighbouring invocations write neighbouring elements of the last node.
  const grid = [...draft.grid].sort((a, b) => position(last, a.axisOf) - position(last, b.axisOf));
  const nodes = draft.members.map((member) => member.node);
  const placements = new Map(
    nodes.flatMap((node) =>
      namesOf(node).map((value): [ValueName, Placement] => [value, isNeeded(value) ? "device" : "register"]),
    ),
  );
  const phase: Phase = {
    nodes,
    axes: grid.map((axis) => axis.size),
    axesOf: nodes.map((node) => grid.map((axis) => axis.axisOf.get(node.name)!)),
    columnsOf: nodes.map(() => []),
    afterBarrier: false,
  };
  return {
    name,
    grid: [],
    owner: "invocation",
    lanes: null,
    sharesTurns: false,
    phases: [phase],
    gridOf: new Map(),
    inlined,
    placements,
  };
}

function position(node: Comprehension, axisOf: ReadonlyMap<ValueName, string>): number {
  return node.axes.findIndex((axis) => axis.name === axisOf.get(node.name));
}

interface Placed {
  readonly member: StoredNode;
  level: number;
  readonly at: Points;
}

/** Nodes of one level and the same points share a phase. */
function phaseOf({ level, at }: Placed): string {
  return `${level} ${at.axes.map(({ size }) => size).join("x")}`;
}

function byWorkgroups(
  name: string,
  draft: Draft,
  inlined: ReadonlyMap<ValueName, Comprehension>,
  isNeeded: (value: ValueName) => boolean,
  lanes: number | null,
  target: Target,
): GroupAsDrafted {
  const gridOf = new Map(
    draft.members.map(
      ({ node }) => [node.name, draft.grid.map((axis) => axis.axisOf.get(node.name)!)] as const,
    ),
  );
  const { order, placed } =
    (target.exchanges ? placeNodes(draft, gridOf, true) : null) ?? placeNodes(draft, gridOf, false)!;
  const keys = [...new Set(order.map(phaseOf))].sort(
    (a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10),
  );
  let level = 0;
  const phases = keys.map((key): Phase => {
    const inside = order.filter((place) => phaseOf(place) === key);
    const afterBarrier = inside[0]!.level > level;
    level = inside[0]!.level;
    return {
      nodes: inside.map((place) => place.member.node),
      axes: inside[0]!.at.axes.map((axis) => axis.size),
      axesOf: inside.map(({ at }) => at.axes.map((axis) => axis.name)),
      columnsOf: inside.map(({ member, at }) => (member.node.keys.length > 0 ? [] : at.columns)),
      afterBarrier,
    };
  });
  return {
    name,
    grid: draft.grid.map((axis) => axis.size),
    owner: "workgroup",
    lanes,
    sharesTurns: target.sharesTurns,
    phases,
    gridOf,
    inlined,
    placements: placeValues(order, placed, gridOf, isNeeded, bytesForValues(draft, inlined, target)),
  };
}

/** The nodes at their points, in the phases of their levels; null where a column would not be computed in the phase of its segment sum. */
function placeNodes(
  { members }: Draft,
  gridOf: ReadonlyMap<ValueName, readonly string[]>,
  hasColumns: boolean,
): { readonly order: readonly Placed[]; readonly placed: ReadonlyMap<ValueName, Placed> } | null {
  const placed = new Map<ValueName, Placed>();
  const order: Placed[] = [];
  const sourceOf = (value: ValueName): { node: Comprehension; at: Points } | undefined => {
    const source = placed.get(value);
    return source === undefined ? undefined : { node: source.member.node, at: source.at };
  };
  for (const member of members) {
    const { node } = member;
    const axes = pointAxes(node).filter((axis) => !gridOf.get(node.name)!.includes(axis.name));
    const at = hasColumns ? pointsOfReader(member, axes, sourceOf) : { axes, columns: [] };
    let level = 0;
    for (const access of member.accesses.values()) {
      const source = placed.get(access.tensor);
      if (source !== undefined)
        level = Math.max(level, isAtOwnPoint(access, source, at) ? source.level : source.level + 1);
    }
    const place: Placed = { member, level, at };
    order.push(place);
    for (const value of namesOf(node)) placed.set(value, place);
  }
  computeLate(order, placed);
  const isComplete = order.every(
    (place) =>
      place.at.columns.length === 0 ||
      place.member.node.keys.length > 0 ||
      [...place.member.accesses.values()].some(({ tensor }) => {
        const source = placed.get(tensor);
        return (
          source !== undefined && source.member.node.keys.length > 0 && phaseOf(source) === phaseOf(place)
        );
      }),
  );
  return isComplete ? { order, placed } : null;
}

/** Does the access read, within the region, the element at the reader's own point? */
function isAtOwnPoint(access: Access, { member, at }: Placed, own: Points): boolean {
  const { node } = member;
  if (node.keys.length > 0 && at.columns.length === 0) return false;
  const isSame = (axes: Points["axes"], others: Points["axes"]): boolean =>
    axes.length === others.length &&
    axes.every((axis, i) => {
      const index = access.indices[node.axes.findIndex(({ name }) => name === axis.name)]!;
      return axis.size === others[i]!.size && index.kind === "index" && index.name === others[i]!.name;
    });
  return isSame(at.axes, own.axes) && isSame(at.columns, own.columns);
}

/**
 * Moves nodes to the phase in which they are read first, where that is later and all reads in it are at their own points. Not where what they
 * read would have to leave its register for it.
 */
function computeLate(order: readonly Placed[], placed: ReadonlyMap<ValueName, Placed>): void {
  const readers = new Map<Placed, { readonly reader: Placed; readonly isAtPoint: boolean }[]>();
  for (const reader of order)
    for (const access of reader.member.accesses.values()) {
      const source = placed.get(access.tensor);
      if (source === undefined || source === reader) continue;
      const found = readers.get(source) ?? [];
      readers.set(source, found);
      found.push({ reader, isAtPoint: isAtOwnPoint(access, source, reader.at) });
    }
  for (const place of [...order].reverse()) {
    const own = readers.get(place) ?? [];
    const first = Math.min(...own.map(({ reader }) => reader.level));
    if (own.length === 0 || !own.every(({ reader, isAtPoint }) => isAtPoint || reader.level > first))
      continue;
    const keepsRegisters = [...place.member.accesses.values()].every(({ tensor }) => {
      const source = placed.get(tensor);
      if (source === undefined || source.level < place.level) return true;
      const others = readers.get(source)!.filter(({ reader }) => reader !== place);
      return others.length === 0 || others.some(({ reader }) => reader.level > source.level);
    });
    if (keepsRegisters) place.level = first;
  }
}

/** What workgroup memory has for values: all but what invocations share reductions through. */
function bytesForValues(
  draft: Draft,
  inlined: ReadonlyMap<ValueName, Comprehension>,
  target: Target,
): number {
  if (!target.sharesTurns) return target.workgroupBytes;
  const nodes = new Set([...draft.members.map(({ node }) => node), ...inlined.values()]);
  const shared = [...nodes].filter(
    (node) => node.reduction !== null && node.keys.length === 0 && pointCount(node) <= regionsOf(draft),
  );
  const types = new Set(shared.map(({ body }) => typeOf(body)));
  return Math.max(0, target.workgroupBytes - types.size * bytesToShare(target));
}

function placeValues(
  order: readonly Placed[],
  placed: ReadonlyMap<ValueName, Placed>,
  gridOf: ReadonlyMap<ValueName, readonly string[]>,
  isNeeded: (value: ValueName) => boolean,
  bytes: number,
): Map<ValueName, Placement> {
  const isRead = new Set<ValueName>();
  const acrossPhases = new Set<ValueName>();
  for (const place of order)
    for (const { tensor } of place.member.accesses.values()) {
      isRead.add(tensor);
      if (placed.has(tensor) && phaseOf(placed.get(tensor)!) !== phaseOf(place)) acrossPhases.add(tensor);
    }
  const placements = new Map<ValueName, Placement>();
  const candidates: { value: ValueName; bytes: number }[] = [];
  for (const { member } of order) {
    const { node } = member;
    const inner = node.axes.filter((axis) => !gridOf.get(node.name)!.includes(axis.name));
    for (const value of namesOf(node)) {
      if (isNeeded(value)) placements.set(value, "device");
      else if (!acrossPhases.has(value) && (node.keys.length === 0 || isRead.has(value)))
        placements.set(value, "register");
      else candidates.push({ value, bytes: 4 * sizeOf(inner.map((axis) => axis.size)) });
    }
  }
  // The small ones first: they are read most often for their size.
  let free = bytes;
  for (const { value, bytes: needed } of candidates.sort((a, b) => a.bytes - b.bytes)) {
    const fits = needed <= free;
    if (fits) free -= needed;
    placements.set(value, fits ? "workgroup" : "device");
  }
  return placements;
}
