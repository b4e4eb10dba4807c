/**
 * Which nodes are computed at their reads and never stored.
 *
 *     %s[i, j] is read once, in a sum over j                    inlined: the sum streams it
 *     %n[i] is read at every j, and takes 50 operations         stored: 16 × 50 operations cost more than 12 bytes
 *
 * From the last node to the first: when a node is decided, all its readers are. It is inlined when no element is then computed twice, or
 * when computing it again costs less than writing and reading it.
 */
import { type Comprehension, type Node, sizeOf, type ValueName } from "../ir/ir.ts";
import { costOf } from "../ir/expression-cost.ts";
import { valuesUsed } from "../ir/traverse.ts";
import {
  type Access,
  accessesOf,
  accessesThrough,
  accessKey,
  evaluations,
  freeAxes,
  isDecision,
  loadsOf,
  namesOf,
  pointCount,
  turnsOf,
} from "./accesses.ts";
import type { Decision, FusionLevel } from "./plan.ts";
import type { Target } from "./target.ts";

/** A node that is stored, with all that it reads from memory. */
export interface StoredNode {
  readonly node: Comprehension;
  readonly accesses: ReadonlyMap<string, Access>;
  /** Scalar operations of all its points, those of inlined nodes included. */
  readonly operations: number;
  /** The values that it defines. */
  readonly names: readonly ValueName[];
  /** The values that it reads. */
  readonly tensors: readonly ValueName[];
  /** Elements of each of its values. */
  readonly elements: number;
  /** Points at which it is computed, and turns of its reduction at each. */
  readonly points: number;
  readonly turns: number;
  /** Turns of all loops at a point, those of inlined reductions in its own turns among them. */
  readonly loopTurns: number;
  /** What its reductions load, over all points. */
  readonly loads: readonly Loads[];
}

/** Loads of a reduction, which points that lie side by side along the free axes share. */
export interface Loads {
  readonly count: number;
  readonly free: readonly string[];
}

export interface Inlining {
  /** In the order of the graph. */
  readonly stored: readonly StoredNode[];
  /** By each value that an inlined node defines. */
  readonly inlined: ReadonlyMap<ValueName, Comprehension>;
  /** Inlined nodes whose elements are computed more than once, and the stored nodes that compute them. */
  readonly repeated: readonly { readonly node: Comprehension; readonly readers: readonly Comprehension[] }[];
  readonly decisions: readonly Decision[];
}

/** More reads of one value in one node than this are not followed. */
const mostReads = 24;

interface Reader {
  readonly node: Comprehension;
  readonly accesses: Map<string, Access>;
  operations: number;
}

/** Decides for every comprehension of a block. Values in `kept` are needed by name; nodes named in `wanted` are wanted in memory, for the reason given there. */
export function decideInlining(
  nodes: readonly Node[],
  kept: ReadonlySet<ValueName>,
  wanted: ReadonlyMap<ValueName, string>,
  level: FusionLevel,
  target: Target,
  sizes: ReadonlyMap<ValueName, number>,
): Inlining {
  const needed = new Set(kept);
  for (const node of nodes)
    if (node.kind !== "comprehension") for (const name of valuesUsed(node)) needed.add(name);
  const readers = new Map<ValueName, Set<Reader>>();
  const stored: Reader[] = [];
  const inlined = new Map<ValueName, Comprehension>();
  const repeated: { node: Comprehension; readers: readonly Comprehension[] }[] = [];
  const decisions: Decision[] = [];
  const addAccess = (reader: Reader, access: Access): void => {
    reader.accesses.set(accessKey(access), access);
    let set = readers.get(access.tensor);
    if (set === undefined) readers.set(access.tensor, (set = new Set()));
    set.add(reader);
  };
  const store = (node: Comprehension): void => {
    const reader: Reader = { node, accesses: new Map(), operations: pointCount(node) * costAt(node) };
    for (const access of accessesOf(node)) addAccess(reader, access);
    stored.push(reader);
  };

  for (const node of [...nodes].reverse()) {
    if (node.kind !== "comprehension") continue;
    const names = namesOf(node);
    const at = [...new Set(names.flatMap((name) => [...(readers.get(name) ?? [])]))];
    const uses = at.map((reader) => ({
      reader,
      accesses: [...reader.accesses.values()].filter((access) => names.includes(access.tensor)),
    }));
    const verdict = names.some((name) => needed.has(name))
      ? { inline: false, reason: "it is needed by name", again: 0 }
      : wanted.has(node.name)
        ? { inline: false, reason: wanted.get(node.name)!, again: 0 }
        : judge(node, uses, level, target, sizes);
    for (const { reader } of uses)
      decisions.push({
        producer: node.name,
        consumer: reader.node.name,
        fused: verdict.inline,
        placement: verdict.inline ? "inline" : "device",
        reason: verdict.reason,
      });
    if (!verdict.inline) {
      store(node);
      continue;
    }
    for (const name of names) inlined.set(name, node);
    if (verdict.again > 0) repeated.push({ node, readers: uses.map(({ reader }) => reader.node) });
    for (const { reader, accesses } of uses)
      for (const access of accesses) {
        reader.accesses.delete(accessKey(access));
        reader.operations += evaluations(reader.node, access) * costAt(node);
        for (const inner of accessesThrough(node, access)) addAccess(reader, inner);
      }
    for (const name of names) readers.delete(name);
  }
  return { stored: stored.reverse().map(describe), inlined, repeated, decisions: decisions.reverse() };
}

function describe({ node, accesses, operations }: Reader): StoredNode {
  const turns = turnsOf(node);
  const loopTurns = [...accesses.values()].map(({ loops }) =>
    loops.reduce((product, { extent }) => product * extent, 1),
  );
  return {
    node,
    accesses,
    operations,
    names: namesOf(node),
    tensors: [...new Set([...accesses.values()].map(({ tensor }) => tensor))],
    elements: sizeOf(node.axes.map((axis) => axis.size)),
    points: pointCount(node),
    turns,
    loopTurns: Math.max(turns, ...loopTurns),
    loads: [...accesses.values()]
      .filter((access) => access.isStreamed)
      .map((access) => ({ count: loadsOf(node, access), free: freeAxes(node, access) })),
  };
}

/** Scalar operations of one point of a node. */
export function costAt(node: Comprehension): number {
  const turns = turnsOf(node);
  return node.reduction === null ? costOf(node.body) : turns * (costOf(node.body) + 1);
}

interface Verdict {
  readonly inline: boolean;
  readonly reason: string;
  /** Operations that are then done more often than once. */
  readonly again: number;
}

/** Reductions with more operations than this are not moved into a reader with so few points that it would be at them for long. */
const muchWork = (target: Target): readonly { readonly points: number; readonly operations: number }[] => [
  { points: target.busyInvocations / 4, operations: 10_000_000 },
  { points: 256, operations: 250_000 },
  { points: 32, operations: 1_000 },
];

function judge(
  node: Comprehension,
  uses: readonly { readonly reader: Reader; readonly accesses: readonly Access[] }[],
  level: FusionLevel,
  target: Target,
  sizes: ReadonlyMap<ValueName, number>,
): Verdict {
  const no = (reason: string): Verdict => ({ inline: false, reason, again: 0 });
  if (level === "off") return no("fusion is off");
  if (uses.length === 0) return no("nothing reads it");
  if (node.keys.length > 0) return no("its elements are sums over segments, all made in one pass");
  const readsMany = uses.some(({ accesses }) => accesses.length > mostReads);
  if (readsMany) return no("it is read at too many places of one node");
  if (
    level === "map" &&
    (node.reduction !== null || uses.some(({ reader }) => reader.node.reduction !== null))
  )
    return no("only elementwise nodes are fused at this level");

  const elements = sizeOf(node.axes.map((axis) => axis.size));
  const times = uses.reduce(
    (total, { reader, accesses }) =>
      total + accesses.reduce((sum, access) => sum + evaluations(reader.node, access), 0),
    0,
  );
  const isOnce = times <= elements * 1.001;
  if (isDecision(node) && !(isOnce && uses.length === 1))
    return no("an integer that hangs on floating numbers is computed once and kept");
  if (node.reduction !== null) {
    const work = elements * costAt(node);
    const narrow = uses.find(({ reader }) =>
      muchWork(target).some(
        ({ points, operations }) => pointCount(reader.node) < points && work > operations,
      ),
    );
    if (narrow !== undefined && elements > pointCount(narrow.reader.node))
      return no(`${narrow.reader.node.name} has too few points to share ${round(work)} operations among`);
    const keyed = uses.find(({ reader }) => reader.node.keys.length > 0);
    if (keyed !== undefined) return no(`${keyed.reader.node.name} walks its points in segments`);
  }
  if (isOnce) return { inline: true, reason: "no element is computed twice", again: 0 };
  const again = (times - elements) * costAt(node);
  // Where it is not stored, each reader reads what it is made of; what a reduction reads counts as its operations.
  const sources = node.reduction !== null ? [] : [...new Set(accessesOf(node).map(({ tensor }) => tensor))];
  const read = sources.reduce((total, tensor) => total + Math.min(times, sizes.get(tensor) ?? 0), 0);
  const bytes = 4 * Math.max(0, elements * (1 + uses.length) - read * (uses.length - 1));
  const [computing, moving] = [again / target.operations, bytes / target.bandwidth];
  const numbers = `${round(again)} more operations, ${round(bytes)} bytes of memory traffic`;
  return computing <= moving
    ? { inline: true, reason: `computing it again is cheaper than storing it: ${numbers}`, again }
    : no(`storing it is cheaper than computing it again: ${numbers}`);
}

/** A number short enough to read. */
export function round(n: number): string {
  return n < 1000 ? String(Math.round(n)) : Number(n.toPrecision(2)).toLocaleString("en-US");
}

/** Of the nodes that are computed at their reads, those that some nodes read, by way of others as well. */
export function inlinedUnder(
  nodes: readonly Comprehension[],
  inlined: ReadonlyMap<ValueName, Comprehension>,
): ReadonlyMap<ValueName, Comprehension> {
  const found = new Map<ValueName, Comprehension>();
  const open = [...nodes];
  for (let node = open.pop(); node !== undefined; node = open.pop())
    for (const value of valuesUsed(node)) {
      const inner = inlined.get(value);
      if (inner === undefined || found.has(value)) continue;
      found.set(value, inner);
      open.push(inner);
    }
  return found;
}
