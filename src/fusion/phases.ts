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
import { type Comprehension, sizeOf, type ValueName } from "../ir/ir.ts";
import { type Access, namesOf, pointAxes } from "./accesses.ts";
import { type Draft, isPointwise } from "./draft.ts";
import { inlinedUnder, type StoredNode } from "./inline.ts";
import type { Group, Phase, Placement } from "./plan.ts";
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
  return isPointwise(draft) || draft.members.length === 1
    ? byInvocations(name, draft, own, isNeeded)
    : byWorkgroups(name, draft, own, isNeeded, target);
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
    afterBarrier: false,
  };
  return { name, grid: [], owner: "invocation", phases: [phase], gridOf: new Map(), inlined, placements };
}

function position(node: Comprehension, axisOf: ReadonlyMap<ValueName, string>): number {
  return node.axes.findIndex((axis) => axis.name === axisOf.get(node.name));
}

interface Placed {
  readonly member: StoredNode;
  level: number;
  readonly axes: readonly { readonly name: string; readonly size: number }[];
  /** The sizes of its axes. */
  readonly points: string;
}

/** Nodes of one level and the same points share a phase. */
function phaseOf({ level, points }: Placed): string {
  return `${level} ${points}`;
}

function byWorkgroups(
  name: string,
  draft: Draft,
  inlined: ReadonlyMap<ValueName, Comprehension>,
  isNeeded: (value: ValueName) => boolean,
  target: Target,
): GroupAsDrafted {
  const gridOf = new Map(
    draft.members.map(
      ({ node }) => [node.name, draft.grid.map((axis) => axis.axisOf.get(node.name)!)] as const,
    ),
  );
  const placed = new Map<ValueName, Placed>();
  const order: Placed[] = [];
  for (const member of draft.members) {
    const { node } = member;
    const axes = pointAxes(node).filter((axis) => !gridOf.get(node.name)!.includes(axis.name));
    const points = axes.map((axis) => axis.size).join("x");
    let level = 0;
    for (const access of member.accesses.values()) {
      const source = placed.get(access.tensor);
      if (source !== undefined)
        level = Math.max(level, isAtOwnPoint(access, source, axes) ? source.level : source.level + 1);
    }
    const place: Placed = { member, level, axes, points };
    order.push(place);
    for (const value of namesOf(node)) placed.set(value, place);
  }

  computeLate(order, placed);
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
      axes: inside[0]!.axes.map((axis) => axis.size),
      axesOf: inside.map((place) => place.axes.map((axis) => axis.name)),
      afterBarrier,
    };
  });
  return {
    name,
    grid: draft.grid.map((axis) => axis.size),
    owner: "workgroup",
    phases,
    gridOf,
    inlined,
    placements: placeValues(order, placed, gridOf, isNeeded, target),
  };
}

/** Does the access read, within the region, the element at the reader's own point? */
function isAtOwnPoint(access: Access, source: Placed, axes: Placed["axes"]): boolean {
  const { node } = source.member;
  if (node.keys.length > 0 || source.axes.length !== axes.length) return false;
  return source.axes.every((axis, i) => {
    const index = access.indices[node.axes.findIndex((own) => own.name === axis.name)]!;
    return axis.size === axes[i]!.size && index.kind === "index" && index.name === axes[i]!.name;
  });
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
      found.push({ reader, isAtPoint: isAtOwnPoint(access, source, reader.axes) });
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

function placeValues(
  order: readonly Placed[],
  placed: ReadonlyMap<ValueName, Placed>,
  gridOf: ReadonlyMap<ValueName, readonly string[]>,
  isNeeded: (value: ValueName) => boolean,
  target: Target,
): Map<ValueName, Placement> {
  const acrossPhases = new Set<ValueName>();
  for (const place of order)
    for (const { tensor } of place.member.accesses.values())
      if (placed.has(tensor) && phaseOf(placed.get(tensor)!) !== phaseOf(place)) acrossPhases.add(tensor);
  const placements = new Map<ValueName, Placement>();
  const candidates: { value: ValueName; bytes: number }[] = [];
  for (const { member } of order) {
    const { node } = member;
    const inner = node.axes.filter((axis) => !gridOf.get(node.name)!.includes(axis.name));
    for (const value of namesOf(node)) {
      if (isNeeded(value)) placements.set(value, "device");
      else if (!acrossPhases.has(value) && node.keys.length === 0) placements.set(value, "register");
      else candidates.push({ value, bytes: 4 * sizeOf(inner.map((axis) => axis.size)) });
    }
  }
  // The small ones first: they are read most often for their size.
  let free = target.workgroupBytes;
  for (const { value, bytes } of candidates.sort((a, b) => a.bytes - b.bytes)) {
    const fits = bytes <= free;
    if (fits) free -= bytes;
    placements.set(value, fits ? "workgroup" : "device");
  }
  return placements;
}
