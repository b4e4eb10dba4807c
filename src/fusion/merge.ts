/**
 * Joins stored nodes into groups, along the values that pass between them, the largest first, as long as each step saves time.
 *
 * Legal is what leaves the groups in an order (no path leaves a group and returns) and has a grid on which everything inside is read at
 * its own point: `join` keeps only such axes. What it costs is the estimate of `timeOf`: fewer grid points keep fewer invocations busy.
 */
import type { Loop, Node, ValueName } from "../ir/ir.ts";
import { definitions } from "../ir/ir.ts";
import { valuesUsed } from "../ir/traverse.ts";
import type { Again } from "./clone.ts";
import { type Draft, draftOf, isPointwise, join, regionsOf, timeOf } from "./draft.ts";
import type { Inlining } from "./inline.ts";
import { inOrder } from "./order.ts";
import { copiesOf, type Overwrites } from "./overwrite.ts";
import type { Decision } from "./plan.ts";
import { joinSiblings } from "./siblings.ts";
import type { Target } from "./target.ts";
import { type Merged, reaches, type Vertex } from "./vertex.ts";

export interface Merging {
  readonly steps: readonly Merged[];
  readonly decisions: readonly Decision[];
}

/** Which values of a draft are read outside of it, by others of the block or by those to whom `kept` values are known. */
export function neededOutside(
  merging: Merging,
  kept: ReadonlySet<ValueName>,
): (draft: Draft) => (value: ValueName) => boolean {
  const readers = readersOf(merging);
  return (draft) => (value) =>
    kept.has(value) || [...(readers.get(value) ?? [])].some((reader) => reader !== draft);
}

/** The drafts, or loops, that read each value. */
function readersOf({ steps }: Merging): Map<ValueName, Set<Draft | Node>> {
  const readers = new Map<ValueName, Set<Draft | Node>>();
  const add = (value: ValueName, reader: Draft | Node): void => {
    const set = readers.get(value);
    if (set === undefined) readers.set(value, new Set([reader]));
    else set.add(reader);
  };
  for (const step of steps) {
    if (step.kind === "loop") for (const value of valuesUsed(step.loop)) add(value, step.loop);
    else
      for (const { accesses } of step.draft.members)
        for (const { tensor } of accesses.values()) add(tensor, step.draft);
  }
  return readers;
}

/** Larger regions are fewer: they must take less than this part of the time. */
const worthLarger = 0.8;

/** What gives back more elements than this is not put off by more than so many nodes to share a kernel. */
const patience = { elements: 2 ** 16, nodes: 32 };

/** What has to wait for more than what it reads. */
export interface Waits {
  /** What is computed again waits for what is named there. */
  readonly repeats: ReadonlyMap<ValueName, Again>;
  /** What overwrites a parameter waits for those who read it. */
  readonly overwrites: Overwrites;
}

/** Joins the stored nodes of a block. `kept` are values that are read outside of it. */
export function mergeNodes(
  nodes: readonly Node[],
  inlining: Inlining,
  kept: ReadonlySet<ValueName>,
  sizes: ReadonlyMap<ValueName, number>,
  isOn: boolean,
  target: Target,
  { repeats, overwrites }: Waits,
): Merging {
  const decisions: Decision[] = [];
  const byName = new Map(inlining.stored.map((member) => [member.node.name, member]));
  const vertices: Vertex[] = [];
  const definedBy = new Map<ValueName, Vertex>();
  nodes.forEach((node) => {
    const member = node.kind === "comprehension" ? byName.get(node.name) : undefined;
    if (member === undefined && node.kind !== "loop") return;
    const item: Merged =
      member !== undefined ? { kind: "draft", draft: draftOf(member) } : { kind: "loop", loop: node as Loop };
    const reads = member === undefined ? valuesUsed(node) : new Set(member.tensors);
    const vertex: Vertex = { item, first: 0, last: 0, frees: 0, alive: true, version: 0, reads };
    vertices.push(vertex);
    for (const { name } of definitions(node)) definedBy.set(name, vertex);
  });

  const before = new Map<Vertex, Set<Vertex>>();
  const after = new Map<Vertex, Set<Vertex>>(vertices.map((vertex) => [vertex, new Set()]));
  const readers = new Map<ValueName, Set<Vertex>>();
  /** What a vertex waits for though it does not read it. */
  const triggersOf = ({ item }: Vertex): Vertex[] => {
    if (item.kind === "loop") return [];
    const names = item.draft.members.flatMap((member) => member.names);
    const open = new Set(names.flatMap((name) => repeats.get(name)?.after ?? []));
    const found: Vertex[] = [];
    for (const name of open) {
      const vertex = definedBy.get(name);
      const inner = inlining.inlined.get(name);
      if (vertex !== undefined) found.push(vertex);
      else if (inner !== undefined) for (const value of valuesUsed(inner)) open.add(value);
    }
    return found;
  };
  for (const vertex of vertices) {
    const sources = new Set<Vertex>();
    for (const value of vertex.reads) {
      const source = definedBy.get(value);
      if (source !== undefined && source !== vertex) sources.add(source);
      let set = readers.get(value);
      if (set === undefined) readers.set(value, (set = new Set()));
      set.add(vertex);
    }
    for (const trigger of triggersOf(vertex)) if (trigger !== vertex) sources.add(trigger);
    before.set(vertex, sources);
    for (const source of sources) after.get(source)!.add(vertex);
  }
  for (const [result, param] of overwrites) {
    const writer = definedBy.get(result);
    const others = [...(readers.get(param) ?? [])].filter((reader) => reader !== writer);
    if (writer === undefined || others.length === 0) continue;
    const dependent = new Set([writer]);
    for (const vertex of dependent) for (const next of after.get(vertex)!) dependent.add(next);
    for (const reader of others) {
      if (dependent.has(reader)) continue;
      before.get(writer)!.add(reader);
      after.get(reader)!.add(writer);
    }
  }
  /** Does it read nothing of the other, but overwrites what that one reads? */
  const waitsOnly = (producer: Vertex, consumer: Vertex): boolean =>
    consumer.item.kind === "draft" &&
    consumer.item.draft.members.some(({ names }) =>
      names.some((name) => readers.get(overwrites.get(name) ?? "")?.has(producer) === true),
    );
  /** Seconds that copies of a draft's results to the parameters that they overwrite take. */
  const copying = (draft: Draft): number =>
    copiesOf(draft, overwrites).reduce(
      (time, name) => time + target.launch + (8 * sizes.get(name)!) / target.bandwidth,
      0,
    );

  /** The vertices that are alive, in an order that keeps little in memory at once. */
  const inOrderOf = (alive: readonly Vertex[]): Vertex[] => {
    const writes = (vertex: Vertex): ValueName[] =>
      vertex.item.kind === "loop"
        ? definitions(vertex.item.loop).map(({ name }) => name)
        : vertex.item.draft.members.flatMap(({ names }) => names.filter(isReadOutside(vertex)));
    const steps = alive.map((vertex) => ({ vertex, reads: vertex.reads, writes: writes(vertex) }));
    const stepOf = new Map(steps.map((step) => [step.vertex, step]));
    return inOrder(
      steps,
      ({ vertex }) => new Set([...before.get(vertex)!].map((source) => stepOf.get(source)!)),
      passes,
    ).map(({ vertex }) => vertex);
  };
  /** Elements of a value that is in memory between what makes it and what reads it last; 0 for others. */
  const passes = (value: ValueName): number =>
    definedBy.has(value) && !kept.has(value) ? (sizes.get(value) ?? 0) : 0;
  const isReadOutside =
    (...inside: readonly Vertex[]) =>
    (value: ValueName): boolean =>
      kept.has(value) || [...(readers.get(value) ?? [])].some((vertex) => !inside.includes(vertex));
  inOrderOf(vertices).forEach((vertex, at) => Object.assign(vertex, { first: at, last: at }));
  for (const [value, by] of readers) {
    const last = [...by].reduce((a, b) => (a.last > b.last ? a : b));
    last.frees += passes(value);
  }
  /** Would what follows a vertex wait long for what comes at `last`, and keep much memory meanwhile, were the vertex to come then? */
  const isPutOff = (vertex: Vertex, last: number): boolean => {
    let held = 0;
    const waiting = new Set([vertex]);
    for (const one of waiting) {
      if (last - one.last <= patience.nodes) continue;
      held += one.frees;
      if (held > patience.elements) return true;
      for (const next of after.get(one)!) waiting.add(next);
    }
    return false;
  };

  /** Is there a way from one to the other by way of a third? */
  const isBypassed = (from: Vertex, to: Vertex): boolean =>
    reaches(
      [...before.get(to)!].filter((vertex) => vertex !== from),
      from,
      before,
    );
  const times = new Map<Vertex, number>();
  const timeAlone = (vertex: Vertex, draft: Draft): number => {
    let time = times.get(vertex);
    if (time === undefined) times.set(vertex, (time = timeOf(draft, sizes, isReadOutside(vertex), target)));
    return time;
  };
  const absorb = (into: Vertex, gone: Vertex, draft: Draft): void => {
    into.item = { kind: "draft", draft };
    into.first = Math.min(into.first, gone.first);
    into.last = Math.max(into.last, gone.last);
    into.frees += gone.frees;
    into.version += 1;
    gone.alive = false;
    for (const member of draft.members) for (const name of member.names) definedBy.set(name, into);
    const rewire = (
      mine: ReadonlyMap<Vertex, Set<Vertex>>,
      theirs: ReadonlyMap<Vertex, Set<Vertex>>,
    ): void => {
      for (const other of mine.get(gone)!) {
        theirs.get(other)!.delete(gone);
        if (other === into) continue;
        theirs.get(other)!.add(into);
        mine.get(into)!.add(other);
      }
      mine.get(into)!.delete(gone);
    };
    rewire(before, after);
    rewire(after, before);
    into.reads = new Set(draft.members.flatMap((member) => member.tensors));
    for (const value of into.reads) {
      const set = readers.get(value)!;
      set.delete(gone);
      set.add(into);
    }
    times.delete(into);
  };

  /**
   * The draft over its own grid, or over one axis less: points of one workgroup share what they load. For attention, a workgroup a head
   * instead of one a row.
   */
  const bestOf = (draft: Draft, isNeeded: (value: ValueName) => boolean): { draft: Draft; time: number } => {
    const fewer = isPointwise(draft)
      ? []
      : draft.grid.map((axis) => ({ ...draft, grid: draft.grid.filter((other) => other !== axis) }));
    return [draft, ...fewer]
      .map((one) => ({ draft: one, time: timeOf(one, sizes, isNeeded, target) }))
      .reduce((best, one) => (one.time < worthLarger * best.time ? one : best));
  };

  /** Why the two were last kept apart. */
  const refusals = new Map<string, string>();
  const tried = new Map<Vertex, Map<Vertex, string>>();
  const attempt = (producer: Vertex, consumer: Vertex, keepsGrid: boolean): boolean => {
    if (producer.item.kind !== "draft" || consumer.item.kind !== "draft") return false;
    const [a, b] = [producer.item.draft, consumer.item.draft];
    const versions = `${producer.version} ${consumer.version}`;
    if (tried.get(producer)?.get(consumer) === versions) return false;
    const refuse = (reason: string): boolean => {
      refusals.set(`${a.members.at(-1)!.node.name} ${b.members[0]!.node.name}`, reason);
      let mine = tried.get(producer);
      if (mine === undefined) tried.set(producer, (mine = new Map()));
      mine.set(consumer, versions);
      return false;
    };
    if (a.members.length + b.members.length > target.nodes)
      return refuse(`a kernel holds ${target.nodes} nodes at most`);
    const { draft: joined, time } = bestOf(join(a, b), isReadOutside(producer, consumer));
    if (keepsGrid && joined.grid.length === 0 && a.grid.length + b.grid.length > 0) return false;
    // What only waits for it is no reason to give up the grid.
    if (passing(producer, consumer) === 0 && waitsOnly(producer, consumer) && !isPointwise(joined))
      return false;
    const together = time + copying(joined);
    const apart = timeAlone(producer, a) + timeAlone(consumer, b) + copying(a) + copying(b);
    const numbers = `${micros(together)} as one, ${micros(apart)} as two, by estimate; ${regionsOf(joined)} regions`;
    if (together >= apart) return refuse(numbers);
    if (isPutOff(producer, consumer.last))
      return refuse("memory that others give back would be kept for long");
    if (isBypassed(producer, consumer)) return refuse("another kernel lies between them");
    for (const { node, names } of a.members)
      for (const member of b.members)
        if (member.tensors.some((tensor) => names.includes(tensor)))
          decisions.push({
            producer: node.name,
            consumer: member.node.name,
            fused: true,
            placement: "device",
            reason: numbers,
          });
    absorb(consumer, producer, joined);
    return true;
  };

  // What would give up its grid to join another without one may yet join another that keeps it: these come first.
  let keepsGrid = true;
  for (let isOpen = isOn; isOpen;) {
    let changed = false;
    const edges = vertices
      .filter((vertex) => vertex.alive)
      .flatMap((consumer) =>
        [...before.get(consumer)!].map((producer) => ({
          producer,
          consumer,
          size: passing(producer, consumer),
        })),
      )
      .sort((x, y) => y.size - x.size);
    for (const { producer, consumer } of edges) {
      if (producer.alive && consumer.alive && attempt(producer, consumer, keepsGrid)) changed = true;
    }
    isOpen = changed || keepsGrid;
    keepsGrid &&= changed;
  }

  function passing(producer: Vertex, consumer: Vertex): number {
    if (producer.item.kind === "loop") return 0;
    let size = 0;
    for (const { names } of producer.item.draft.members)
      for (const name of names) if (readers.get(name)?.has(consumer) === true) size += sizes.get(name)!;
    return size;
  }

  if (isOn) joinSiblings(vertices, before, absorb, isPutOff, target, sizes, timeAlone, overwrites);
  for (const [pair, reason] of refusals) {
    const [producer, consumer] = pair.split(" ") as [string, string];
    if (definedBy.get(producer) !== definedBy.get(consumer))
      decisions.push({ producer, consumer, fused: false, placement: "device", reason });
  }
  return {
    steps: inOrderOf(vertices.filter((vertex) => vertex.alive).sort((a, b) => a.last - b.last)).map(
      ({ item }) => item,
    ),
    decisions,
  };
}

function micros(seconds: number): string {
  return `${(seconds * 1e6).toFixed(1)} µs`;
}
