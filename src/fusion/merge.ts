/**
 * Joins stored nodes into groups, along the values that pass between them, the largest first, as long as each step saves time.
 *
 * Legal is what leaves the groups in an order (no path leaves a group and returns) and has a grid on which everything inside is read at
 * its own point: `join` keeps only such axes. What it costs is the estimate of `timeOf`: fewer grid points keep fewer invocations busy.
 */
import type { Node, ValueName } from "../ir/ir.ts";
import { valuesUsed } from "../ir/traverse.ts";
import { type Draft, isPointwise, join, regionsOf, timeOf } from "./draft.ts";
import type { Inlining } from "./inline.ts";
import { MergeGraph, type Waits } from "./merge-graph.ts";
import { copiesOf } from "./overwrite.ts";
import type { Decision } from "./plan.ts";
import { joinSiblings } from "./siblings.ts";
import type { Target } from "./target.ts";
import type { Judgement, Merged, Vertex } from "./vertex.ts";

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

/** Joins the stored nodes of a block. `kept` are values that are read outside of it. */
export function mergeNodes(
  nodes: readonly Node[],
  inlining: Inlining,
  kept: ReadonlySet<ValueName>,
  sizes: ReadonlyMap<ValueName, number>,
  isOn: boolean,
  target: Target,
  waits: Waits,
): Merging {
  const graph = new MergeGraph(nodes, inlining, kept, sizes, waits);
  if (!isOn) return { steps: graph.left(), decisions: [] };
  const { overwrites } = waits;
  const times = new Map<Draft, number>();
  const timeAlone = (vertex: Vertex, draft: Draft): number => {
    let time = times.get(draft);
    if (time === undefined)
      times.set(draft, (time = timeOf(draft, sizes, graph.isReadOutside(vertex), target)));
    return time;
  };
  const { decisions, refusals } = joinReaders(graph, { sizes, target, overwrites, timeAlone });
  joinSiblings(graph, { sizes, target, overwrites, timeAlone });
  for (const [pair, reason] of refusals) {
    const [producer, consumer] = pair.split(" ") as [string, string];
    if (graph.homeOf(producer) !== graph.homeOf(consumer))
      decisions.push({ producer, consumer, fused: false, placement: "device", reason });
  }
  return { steps: graph.left(), decisions };
}

/**
 * Pairs that were kept apart, as they were then: until one of the two grows, nothing that speaks for or against joining them changes but
 * what lies between them.
 */
class KeptApart {
  private readonly pairs = new Map<
    Vertex,
    Map<Vertex, { readonly versions: string; readonly forGrid: boolean }>
  >();

  /** Keeps two apart; `forGrid`, only as long as grids are kept. Returns false: they are not joined. */
  keep(producer: Vertex, consumer: Vertex, forGrid = false): false {
    let mine = this.pairs.get(producer);
    if (mine === undefined) this.pairs.set(producer, (mine = new Map()));
    mine.set(consumer, { versions: versionsOf(producer, consumer), forGrid });
    return false;
  }

  has(producer: Vertex, consumer: Vertex, keepsGrid: boolean): boolean {
    const last = this.pairs.get(producer)?.get(consumer);
    return last?.versions === versionsOf(producer, consumer) && (keepsGrid || !last.forGrid);
  }
}

function versionsOf(a: Vertex, b: Vertex): string {
  return `${a.version} ${b.version}`;
}

/** Joins what reads with what is read, as often as it saves time: the joins, and why pairs were last kept apart. */
function joinReaders(
  graph: MergeGraph,
  judgement: Judgement,
): { readonly decisions: Decision[]; readonly refusals: ReadonlyMap<string, string> } {
  const { target, timeAlone } = judgement;
  const decisions: Decision[] = [];
  const refusals = new Map<string, string>();
  const apart = new KeptApart();
  const attempt = (producer: Vertex, consumer: Vertex, keepsGrid: boolean): boolean => {
    if (producer.item.kind !== "draft" || consumer.item.kind !== "draft") return false;
    const [a, b] = [producer.item.draft, consumer.item.draft];
    if (apart.has(producer, consumer, keepsGrid)) return false;
    const refuse = (reason: string): boolean => {
      refusals.set(`${a.members.at(-1)!.node.name} ${b.members[0]!.node.name}`, reason);
      return apart.keep(producer, consumer);
    };
    if (a.members.length + b.members.length > target.nodes)
      return refuse(`a kernel holds ${target.nodes} nodes at most`);
    const isNeeded = graph.isReadOutside(producer, consumer);
    const { draft: joined, time } = overBestGrid(join(a, b), isNeeded, judgement);
    const losesGrid = joined.grid.length === 0 && a.grid.length + b.grid.length > 0;
    if (keepsGrid && losesGrid) return apart.keep(producer, consumer, true);
    // What only waits for it is no reason to give up the grid.
    if (!isPointwise(joined) && graph.waitsOnly(producer, consumer)) return apart.keep(producer, consumer);
    const [copyA, copyB, copyBoth] = [a, b, joined].map((draft) => copying(draft, judgement));
    const together = time + copyBoth!;
    const separately = timeAlone(producer, a) + timeAlone(consumer, b) + copyA! + copyB!;
    const numbers = `${micros(together)} as one, ${micros(separately)} as two, by estimate; ${regionsOf(joined)} regions`;
    if (together >= separately) return refuse(numbers);
    if (graph.isPutOff(producer, consumer.last))
      return refuse("memory that others give back would be kept for long");
    if (graph.isBypassed(producer, consumer)) return refuse("another kernel lies between them");
    decisions.push(...joinsOf(a, b, numbers));
    graph.absorb(consumer, producer, joined);
    return true;
  };

  // What would give up its grid to join another without one may yet join another that keeps it: these come first.
  let keepsGrid = true;
  for (let isOpen = true; isOpen;) {
    let changed = false;
    const edges = graph.vertices
      .filter((vertex) => vertex.alive)
      .flatMap((consumer) =>
        [...graph.sourcesOf(consumer)].map((producer) => ({
          producer,
          consumer,
          size: graph.passing(producer, consumer),
        })),
      )
      .sort((x, y) => y.size - x.size);
    for (const { producer, consumer } of edges)
      if (producer.alive && consumer.alive && attempt(producer, consumer, keepsGrid)) changed = true;
    isOpen = changed || keepsGrid;
    keepsGrid &&= changed;
  }
  return { decisions, refusals };
}

/** The values of one that the other reads, which are joined for this reason. */
function joinsOf(a: Draft, b: Draft, reason: string): Decision[] {
  return a.members.flatMap(({ node, names }) =>
    b.members
      .filter(({ tensors }) => tensors.some((tensor) => names.includes(tensor)))
      .map((member): Decision => {
        return { producer: node.name, consumer: member.node.name, fused: true, placement: "device", reason };
      }),
  );
}

/** Larger regions are fewer: they must take less than this part of the time. */
const worthLarger = 0.8;

/**
 * The draft over its own grid, or over one axis less: points of one workgroup share what they load. For attention, a workgroup a head
 * instead of one a row. The last axis first, along which most lies together in memory.
 */
function overBestGrid(
  draft: Draft,
  isNeeded: (value: ValueName) => boolean,
  { sizes, target }: Judgement,
): { readonly draft: Draft; readonly time: number } {
  const fewer = isPointwise(draft)
    ? []
    : draft.grid.map((axis) => ({ ...draft, grid: draft.grid.filter((other) => other !== axis) })).reverse();
  return [draft, ...fewer]
    .map((one) => ({ draft: one, time: timeOf(one, sizes, isNeeded, target) }))
    .reduce((best, one) => (one.time < worthLarger * best.time ? one : best));
}

/** Seconds that copies of a draft's results to the parameters that they overwrite take. */
function copying(draft: Draft, { overwrites, sizes, target }: Judgement): number {
  return copiesOf(draft, overwrites).reduce(
    (time, name) => time + target.launch + (8 * sizes.get(name)!) / target.bandwidth,
    0,
  );
}

function micros(seconds: number): string {
  return `${(seconds * 1e6).toFixed(1)} µs`;
}
