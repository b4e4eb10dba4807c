/**
 * The stored nodes of a block on their way into groups, and its loops, as vertices: who reads what, and who waits for whom.
 *
 *     a ──▶ b ──▶ c        b absorbs a        b ──▶ c        what read values of a reads them of b, what a waited for b waits for
 */
import { definitions, type Node, type ValueName } from "../ir/ir.ts";
import { valuesUsed } from "../ir/traverse.ts";
import type { Again } from "./clone.ts";
import { type Draft, draftOf } from "./draft.ts";
import type { Inlining } from "./inline.ts";
import { inOrder } from "./order.ts";
import type { Overwrites } from "./overwrite.ts";
import type { Merged, Vertex } from "./vertex.ts";

/** What has to wait for more than what it reads. */
export interface Waits {
  /** What is computed again waits for what is named there. */
  readonly repeats: ReadonlyMap<ValueName, Again>;
  /** What overwrites a parameter waits for those who read it. */
  readonly overwrites: Overwrites;
}

/** What gives back more elements than this is not put off by more than so many nodes to share a kernel. */
const patience = { elements: 2 ** 16, nodes: 32 };

type Changing<T> = { -readonly [Key in keyof T]: T[Key] };

/** The vertices of a block. `kept` are values that are read outside of it; `sizes` has the elements of the stored ones. */
export class MergeGraph {
  /** All there have been, in the order of the block. */
  readonly vertices: readonly Vertex[];
  private readonly before = new Map<Vertex, Set<Vertex>>();
  private readonly after = new Map<Vertex, Set<Vertex>>();
  private readonly readers = new Map<ValueName, Set<Vertex>>();
  private readonly homes = new Map<ValueName, Vertex>();

  constructor(
    nodes: readonly Node[],
    inlining: Inlining,
    private readonly kept: ReadonlySet<ValueName>,
    private readonly sizes: ReadonlyMap<ValueName, number>,
    private readonly waits: Waits,
  ) {
    const byName = new Map(inlining.stored.map((member) => [member.node.name, member]));
    const vertices: Changing<Vertex>[] = [];
    const add = (node: Node, item: Merged, reads: ReadonlySet<ValueName>): void => {
      const vertex = { item, reads, alive: true, version: 0, first: 0, last: 0, frees: 0 };
      vertices.push(vertex);
      for (const { name } of definitions(node)) this.homes.set(name, vertex);
    };
    for (const node of nodes) {
      if (node.kind === "loop") add(node, { kind: "loop", loop: node }, valuesUsed(node));
      const member = node.kind === "comprehension" ? byName.get(node.name) : undefined;
      if (member !== undefined) add(node, { kind: "draft", draft: draftOf(member) }, new Set(member.tensors));
    }
    this.vertices = vertices;
    this.findEdges(inlining);
    this.ordered(vertices).forEach((vertex, at) => Object.assign(vertex, { first: at, last: at }));
    for (const [value, by] of this.readers) {
      const last: Changing<Vertex> = [...by].reduce((a, b) => (a.last > b.last ? a : b));
      last.frees += this.passes(value);
    }
  }

  /** What a vertex waits for. */
  sourcesOf(vertex: Vertex): ReadonlySet<Vertex> {
    return this.before.get(vertex)!;
  }

  /** The vertex that makes a value; none where the value is inlined, or comes from outside. */
  homeOf(value: ValueName): Vertex | undefined {
    return this.homes.get(value);
  }

  /** Is a value read outside of some vertices? */
  isReadOutside(...inside: readonly Vertex[]): (value: ValueName) => boolean {
    return (value) =>
      this.kept.has(value) || [...(this.readers.get(value) ?? [])].some((vertex) => !inside.includes(vertex));
  }

  /** Elements that pass from one to the other. */
  passing(producer: Vertex, consumer: Vertex): number {
    if (producer.item.kind === "loop") return 0;
    let size = 0;
    for (const { names } of producer.item.draft.members)
      for (const name of names)
        if (this.readers.get(name)?.has(consumer) === true) size += this.sizes.get(name)!;
    return size;
  }

  /** Does the consumer read nothing of the producer, but overwrite what that one reads? */
  waitsOnly(producer: Vertex, consumer: Vertex): boolean {
    if (consumer.item.kind !== "draft" || this.passing(producer, consumer) > 0) return false;
    const { overwrites } = this.waits;
    return consumer.item.draft.members.some(({ names }) =>
      names.some((name) => this.readers.get(overwrites.get(name) ?? "")?.has(producer) === true),
    );
  }

  /** Is the goal one of some vertices, or do they wait for it, however indirectly? */
  reaches(from: readonly Vertex[], goal: Vertex): boolean {
    const seen = new Set<Vertex>();
    const open = [...from];
    for (let vertex = open.pop(); vertex !== undefined; vertex = open.pop()) {
      if (vertex === goal) return true;
      if (seen.has(vertex)) continue;
      seen.add(vertex);
      open.push(...this.sourcesOf(vertex));
    }
    return false;
  }

  /** Is there a way from one to the other by way of a third? */
  isBypassed(from: Vertex, to: Vertex): boolean {
    return this.reaches(
      [...this.sourcesOf(to)].filter((vertex) => vertex !== from),
      from,
    );
  }

  /** Would what follows a vertex wait long for what comes at `last`, and keep much memory meanwhile, were the vertex to come then? */
  isPutOff(vertex: Vertex, last: number): boolean {
    let held = 0;
    const waiting = new Set([vertex]);
    for (const one of waiting) {
      if (last - one.last <= patience.nodes) continue;
      held += one.frees;
      if (held > patience.elements) return true;
      for (const next of this.after.get(one)!) waiting.add(next);
    }
    return false;
  }

  /** Makes one of two: the draft, at the place of the first of them. */
  absorb(into: Changing<Vertex>, gone: Changing<Vertex>, draft: Draft): void {
    into.item = { kind: "draft", draft };
    into.first = Math.min(into.first, gone.first);
    into.last = Math.max(into.last, gone.last);
    into.frees += gone.frees;
    into.version += 1;
    gone.alive = false;
    for (const { names } of draft.members) for (const name of names) this.homes.set(name, into);
    rewire(into, gone, this.before, this.after);
    rewire(into, gone, this.after, this.before);
    into.reads = new Set(draft.members.flatMap((member) => member.tensors));
    for (const value of into.reads) {
      const set = this.readers.get(value)!;
      set.delete(gone);
      set.add(into);
    }
  }

  /** What is left, in an order that keeps little in memory at once. */
  left(): readonly Merged[] {
    const alive = this.vertices.filter((vertex) => vertex.alive).sort((a, b) => a.last - b.last);
    return this.ordered(alive).map(({ item }) => item);
  }

  private ordered(alive: readonly Vertex[]): readonly Vertex[] {
    const writes = (vertex: Vertex): ValueName[] =>
      vertex.item.kind === "loop"
        ? definitions(vertex.item.loop).map(({ name }) => name)
        : vertex.item.draft.members.flatMap(({ names }) => names.filter(this.isReadOutside(vertex)));
    const steps = alive.map((vertex) => ({ vertex, reads: vertex.reads, writes: writes(vertex) }));
    const stepOf = new Map(steps.map((step) => [step.vertex, step]));
    return inOrder(
      steps,
      ({ vertex }) => new Set([...this.sourcesOf(vertex)].map((source) => stepOf.get(source)!)),
      (value) => this.passes(value),
    ).map(({ vertex }) => vertex);
  }

  /** Elements of a value that is in memory between what makes it and what reads it last; 0 for others. */
  private passes(value: ValueName): number {
    return this.homes.has(value) && !this.kept.has(value) ? (this.sizes.get(value) ?? 0) : 0;
  }

  private findEdges(inlining: Inlining): void {
    for (const vertex of this.vertices) this.after.set(vertex, new Set());
    for (const vertex of this.vertices) {
      const sources = new Set<Vertex>();
      for (const value of vertex.reads) {
        const source = this.homes.get(value);
        if (source !== undefined && source !== vertex) sources.add(source);
        let set = this.readers.get(value);
        if (set === undefined) this.readers.set(value, (set = new Set()));
        set.add(vertex);
      }
      for (const trigger of this.triggersOf(vertex, inlining)) if (trigger !== vertex) sources.add(trigger);
      this.before.set(vertex, sources);
      for (const source of sources) this.after.get(source)!.add(vertex);
    }
    for (const [result, param] of this.waits.overwrites) this.letWait(result, param);
  }

  /** What a vertex waits for though it does not read it, since it is computed again. */
  private triggersOf({ item }: Vertex, { inlined }: Inlining): readonly Vertex[] {
    if (item.kind === "loop") return [];
    const names = item.draft.members.flatMap((member) => member.names);
    const open = new Set(names.flatMap((name) => this.waits.repeats.get(name)?.after ?? []));
    const found: Vertex[] = [];
    for (const name of open) {
      const vertex = this.homes.get(name);
      const inner = inlined.get(name);
      if (vertex !== undefined) found.push(vertex);
      else if (inner !== undefined) for (const value of valuesUsed(inner)) open.add(value);
    }
    return found;
  }

  /** Has what overwrites a parameter wait for those who read it, unless these wait for it. */
  private letWait(result: ValueName, param: ValueName): void {
    const writer = this.homes.get(result);
    const others = [...(this.readers.get(param) ?? [])].filter((reader) => reader !== writer);
    if (writer === undefined || others.length === 0) return;
    const dependent = new Set([writer]);
    for (const vertex of dependent) for (const next of this.after.get(vertex)!) dependent.add(next);
    for (const reader of others) {
      if (dependent.has(reader)) continue;
      this.before.get(writer)!.add(reader);
      this.after.get(reader)!.add(writer);
    }
  }
}

/** What one that is gone had before or after it, another has. */
function rewire(
  into: Vertex,
  gone: Vertex,
  mine: ReadonlyMap<Vertex, Set<Vertex>>,
  theirs: ReadonlyMap<Vertex, Set<Vertex>>,
): void {
  for (const other of mine.get(gone)!) {
    theirs.get(other)!.delete(gone);
    if (other === into) continue;
    theirs.get(other)!.add(into);
    mine.get(into)!.add(other);
  }
  mine.get(into)!.delete(gone);
}
