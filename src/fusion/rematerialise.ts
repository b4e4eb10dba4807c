/**
 * What is computed again rather than kept: memory at its highest, bought with time.
 *
 *     h = W x    y = f(h)    …    d_h = g(h)          h is in memory all the way to the backward pass
 *     h = W x    y = f(h)    …    h' = W x    d_h = g(h')
 *
 * A walk over kernels in the order in which they run, after T. Chen et al., "Training deep nets with sublinear memory cost"
 * (arXiv 1604.06174), by the greedy choice of XLA's rematerialisation: where most is alive, the value that waits there and gives back most
 * for the time that computing it again takes. Its sources are kept, or computed again as well. It knows nothing of forward and backward.
 */
import type { ValueName } from "../ir/ir.ts";
import type { Draft } from "./draft.ts";
import { timeOf } from "./draft.ts";
import { isDecision } from "./accesses.ts";
import { inlinedUnder, type Inlining, type StoredNode } from "./inline.ts";
import type { Target } from "./target.ts";

/** A kernel or a loop at its place in a program's order. A value that is computed again has several versions. */
export interface Slot {
  /** What it computes; null for a loop. */
  readonly draft: Draft | null;
  /** By their names in the graph, the versions that it reads, and those that it leaves in memory. */
  readonly reads: ReadonlyMap<ValueName, ValueName>;
  readonly writes: ReadonlyMap<ValueName, ValueName>;
  /** Elements that are in memory only while it runs. */
  readonly inner: number;
  /** Seconds, by estimate. */
  readonly time: number;
  /** Of a slot that computes something again: the version that its own stands for. */
  readonly again: ValueName | null;
}

/** What the choice depends on. */
export interface Circumstances {
  readonly sizes: ReadonlyMap<ValueName, number>;
  /** Values that are needed by name: their memory is given. */
  readonly kept: ReadonlySet<ValueName>;
  readonly inlined: Inlining["inlined"];
  readonly target: Target;
  /** Seconds that may be spent. */
  readonly seconds: number;
}

/** When versions are made and last read, and what is alive at each slot. */
interface Profile {
  readonly made: ReadonlyMap<ValueName, number>;
  readonly last: ReadonlyMap<ValueName, number>;
  /** The versions of each value, in order. */
  readonly versions: ReadonlyMap<ValueName, readonly ValueName[]>;
  readonly elements: readonly number[];
  readonly peak: number;
}

/** A value smaller than this part of what is alive is not computed again. */
const leastPart = 1 / 512;

/** A source smaller than this part of what is computed from it is kept. */
const keptPart = 1 / 8;

/** Sources of sources are computed again to this depth. */
const deepest = 8;

/** The search ends after so many choices that don't lower the peak. */
const patience = 32;

/** The elements in memory where most are alive. */
export function peakOf(slots: readonly Slot[], around: Circumstances): number {
  return Math.max(0, ...profileOf(slots, around).elements);
}

/** The slots with those among them that compute again what then need not be kept; the same slots when nothing is worth it. */
export function rematerialise(slots: readonly Slot[], around: Circumstances): readonly Slot[] {
  let now = slots;
  let best = { slots, peak: peakOf(slots, around) };
  let spent = 0;
  let number = 0;
  const newVersion = (name: ValueName): ValueName => `${name} again ${number++}`;
  for (let idle = 0; idle < patience; idle++) {
    const choice = bestAt(now, around, around.seconds - spent, newVersion);
    if (choice === null) break;
    now = withChoice(now, choice);
    spent += choice.time;
    const peak = peakOf(now, around);
    if (peak >= best.peak) continue;
    best = { slots: now, peak };
    idle = 0;
  }
  return withoutNeedless(best.slots, best.peak, around);
}

function profileOf(slots: readonly Slot[], around: Circumstances): Profile {
  const made = new Map<ValueName, number>();
  const last = new Map<ValueName, number>();
  const versions = new Map<ValueName, ValueName[]>();
  slots.forEach(({ reads, writes }, at) => {
    for (const [name, version] of writes) {
      made.set(version, at);
      last.set(version, at);
      const mine = versions.get(name);
      if (mine === undefined) versions.set(name, [version]);
      else mine.push(version);
    }
    for (const version of reads.values()) last.set(version, at);
  });
  const change = Array.from({ length: slots.length + 1 }, () => 0);
  for (const [name, all] of versions) {
    const size = around.kept.has(name) ? 0 : (around.sizes.get(name) ?? 0);
    for (const version of all) {
      change[made.get(version)!]! += size;
      change[last.get(version)! + 1]! -= size;
    }
  }
  let alive = 0;
  const elements = slots.map(({ inner }, at) => (alive += change[at]!) + inner);
  return { made, last, versions, elements, peak: elements.indexOf(Math.max(...elements)) };
}

/** Slots that compute a version again, before the slot at `at`, and what that gives. */
interface Choice {
  readonly version: ValueName;
  readonly at: number;
  readonly slots: readonly Slot[];
  readonly time: number;
}

/** Of what waits at the peak, the value that gives back most for its time. */
function bestAt(
  slots: readonly Slot[],
  around: Circumstances,
  seconds: number,
  newVersion: (name: ValueName) => ValueName,
): Choice | null {
  const profile = profileOf(slots, around);
  const { peak, elements, made } = profile;
  if (peak < 0) return null;
  const least = elements[peak]! * leastPart;
  const home = homesOf(slots);
  const nextRead = new Map<ValueName, number>();
  for (let at = slots.length - 1; at > peak; at--)
    for (const version of slots[at]!.reads.values()) nextRead.set(version, at);
  const busy = new Set(slots[peak]!.reads.values());
  let best: (Choice & { readonly score: number }) | null = null;
  for (const [version, at] of nextRead) {
    const from = made.get(version);
    if (from === undefined || from >= peak || busy.has(version)) continue;
    const name = [...slots[from]!.writes].find(([, one]) => one === version)![0];
    const size = around.sizes.get(name) ?? 0;
    if (size < least || around.kept.has(name)) continue;
    if (slots.slice(at).some((slot) => slot.draft === null && slot.reads.get(name) === version)) continue;
    if (triggerOf(slots[at]!, version, made) < peak) continue;
    const chain = chainFor(name, version, at, { profile, home, around, newVersion }, 0);
    if (chain === null || chain.time > seconds || size - chain.extra < least) continue;
    const score = (size - chain.extra) / chain.time;
    if (best === null || score > best.score)
      best = { version, at, slots: chain.slots, time: chain.time, score };
  }
  return best;
}

/** The place of the latest slot, but for one version, that makes what a slot reads; -1 if it reads nothing that is made. */
function triggerOf(slot: Slot, but: ValueName, made: ReadonlyMap<ValueName, number>): number {
  return Math.max(
    -1,
    ...[...slot.reads.values()].map((version) => (version === but ? -1 : (made.get(version) ?? -1))),
  );
}

/** The slots that first make each value. */
function homesOf(slots: readonly Slot[]): ReadonlyMap<ValueName, Slot> {
  const home = new Map<ValueName, Slot>();
  for (const slot of slots)
    if (slot.again === null) for (const name of slot.writes.keys()) home.set(name, slot);
  return home;
}

interface Search {
  readonly profile: Profile;
  readonly home: ReadonlyMap<ValueName, Slot>;
  readonly around: Circumstances;
  readonly newVersion: (name: ValueName) => ValueName;
}

/** Slots that compute `name` again before the slot at `at`; `extra` are elements that are then alive at the peak beside those of today. */
function chainFor(
  name: ValueName,
  version: ValueName,
  at: number,
  search: Search,
  depth: number,
): { readonly slots: Slot[]; readonly time: number; readonly extra: number } | null {
  const { around, profile, home } = search;
  const own = home.get(name);
  if (own?.draft == null || depth > deepest) return null;
  const members = membersFor(name, own, around.inlined);
  if (members === null) return null;
  const slots: Slot[] = [];
  const reads = new Map<ValueName, ValueName>();
  let time = 0;
  let extra = 0;
  const inside = new Set(members.flatMap(({ names }) => names));
  for (const source of new Set(members.flatMap(({ tensors }) => tensors))) {
    if (inside.has(source)) continue;
    const there = versionBefore(source, at, search);
    if (there === null || around.kept.has(source) || profile.last.get(there)! >= profile.peak) {
      if (there !== null || home.has(source)) reads.set(source, there ?? source);
      continue;
    }
    const size = around.sizes.get(source) ?? 0;
    const again =
      size < keptPart * (around.sizes.get(name) ?? 0) ? null : chainFor(source, there, at, search, depth + 1);
    if (again === null) {
      reads.set(source, there);
      extra += size;
      continue;
    }
    slots.push(...again.slots);
    time += again.time;
    extra += again.extra;
    reads.set(source, again.slots.at(-1)!.writes.get(source)!);
  }
  const draft = { members, grid: own.draft.grid };
  const mine = timeOf(draft, around.sizes, (value) => value === name, around.target);
  const writes = new Map([[name, search.newVersion(name)]]);
  slots.push({ draft, reads, writes, inner: 0, time: mine, again: version });
  return { slots, time: time + mine, extra };
}

/** The latest version of a value that is made before a place; null for what no slot makes. */
function versionBefore(name: ValueName, at: number, { profile }: Search): ValueName | null {
  return profile.versions.get(name)?.findLast((version) => profile.made.get(version)! < at) ?? null;
}

/** The nodes of a slot that a value takes, from what the slot leaves or finds in memory; null where one of them decides something. */
function membersFor(
  name: ValueName,
  { draft, writes }: Slot,
  inlined: Inlining["inlined"],
): StoredNode[] | null {
  const needed = new Set<ValueName>([name]);
  const members: StoredNode[] = [];
  for (const member of [...draft!.members].reverse()) {
    if (!member.names.some((one) => needed.has(one))) continue;
    if (decides(member, inlined)) return null;
    members.push(member);
    for (const tensor of member.tensors) if (!writes.has(tensor)) needed.add(tensor);
  }
  return members.reverse();
}

/** An integer or a truth that hangs on floating numbers is computed once and kept. */
function decides({ node }: StoredNode, inlined: Inlining["inlined"]): boolean {
  return [node, ...inlinedUnder([node], inlined).values()].some(isDecision);
}

function withChoice(slots: readonly Slot[], { version, at, slots: chain }: Choice): Slot[] {
  const [[name, fresh]] = [...chain.at(-1)!.writes] as [[ValueName, ValueName]];
  const later = slots
    .slice(at)
    .map((slot) =>
      slot.reads.get(name) === version ? { ...slot, reads: new Map(slot.reads).set(name, fresh) } : slot,
    );
  return [...slots.slice(0, at), ...chain, ...later];
}

/** Without what can be kept after all: the dearest are tried first. */
function withoutNeedless(slots: readonly Slot[], peak: number, around: Circumstances): readonly Slot[] {
  let now = slots;
  const dearest = slots.filter(({ again }) => again !== null).sort((a, b) => b.time - a.time);
  for (const { writes } of dearest) {
    const [[name, version]] = [...writes] as [[ValueName, ValueName]];
    // What it stands for may have gone itself.
    const slot = now.find((other) => other.writes.get(name) === version)!;
    const without = now
      .filter((other) => [...other.writes.values()][0] !== version)
      .map((other) =>
        other.reads.get(name) === version
          ? { ...other, reads: new Map(other.reads).set(name, slot.again!) }
          : other,
      )
      .map((other) => (other.again === version ? { ...other, again: slot.again } : other));
    if (peakOf(without, around) <= peak) now = without;
  }
  return now;
}
