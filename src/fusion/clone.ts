/**
 * A program's slots, some of which compute again what others computed, as nodes: those get nodes of their own.
 *
 *     slot 9 again: %h of slot 1; slot 10 reads it      ⟶      %h_again = (the body of %h)      %d_h reads %h_again
 *
 * What is inlined into a slot that reads another version, or computes something again, is copied with it.
 */
import type { Comprehension, Node, ValueName } from "../ir/ir.ts";
import { baseName, type NameSupply } from "../ir/names.ts";
import { renameNodes } from "../ir/rename.ts";
import { valuesUsed } from "../ir/traverse.ts";
import { namesOf } from "./accesses.ts";
import type { Slot } from "./rematerialise.ts";

/** A node that computes again what another computed. */
export interface Again {
  readonly name: ValueName;
  readonly of: ValueName;
  /** It is computed once this is there, and not before. */
  readonly after: ValueName | null;
  /** Is it a reduction that was in memory? Computed at its reads it could be much slower. */
  readonly isReduction: boolean;
}

export interface Cloned {
  readonly nodes: readonly Node[];
  readonly again: readonly Again[];
}

/** The nodes of slots in their order. `loops` has the loop of each slot without a draft. */
export function nodesOfSlots(
  slots: readonly Slot[],
  loops: ReadonlyMap<Slot, Node>,
  inlined: ReadonlyMap<ValueName, Comprehension>,
  names: NameSupply,
): Cloned {
  const nodes: Node[] = [];
  const again: Again[] = [];
  /** What each version is called in the end. */
  const called = new Map<ValueName, ValueName>();
  const triggers = triggersOf(slots);
  /** Copies of inlined nodes, by what they are copied from and what they read. */
  const copies = new Map<string, ReadonlyMap<ValueName, ValueName>>();
  const written = new Set<Comprehension>();

  slots.forEach((slot, at) => {
    if (slot.draft === null) {
      nodes.push(loops.get(slot)!);
      return;
    }
    const renamed = new Map<ValueName, ValueName>();
    for (const [name, version] of slot.reads) {
      const final = called.get(version) ?? version;
      if (final !== name) renamed.set(name, final);
    }
    const isCopy = slot.again !== null;
    const trigger = triggers.get(at);
    const after = trigger === undefined ? null : (called.get(trigger) ?? trigger);
    const add = (node: Comprehension, copied: ReadonlyMap<ValueName, ValueName>): void => {
      nodes.push(...renameNodes([node], new Map([...renamed, ...copied])));
      for (const [of, name] of copied)
        if (isCopy) again.push({ name, of, after, isReduction: node.reduction !== null && !inlined.has(of) });
    };
    const copyOf = (node: Comprehension, hint: string): Map<ValueName, ValueName> =>
      new Map(namesOf(node).map((name) => [name, names.fresh(`${baseName(name)}_${hint}`)]));
    /** Writes the inlined nodes under a node; those that differ in this slot as copies, whose names are noted in `renamed`. */
    const writeInlined = (node: Comprehension): void => {
      for (const value of valuesUsed(node)) {
        const inner = inlined.get(value);
        if (inner === undefined || renamed.has(value)) continue;
        writeInlined(inner);
        const differing = [...valuesUsed(inner)].filter((name) => renamed.has(name));
        if (!isCopy && differing.length === 0) {
          if (!written.has(inner)) nodes.push(inner);
          written.add(inner);
          continue;
        }
        const key = JSON.stringify([
          inner.name,
          isCopy ? at : null,
          differing.map((name) => renamed.get(name)),
        ]);
        let copy = copies.get(key);
        if (copy === undefined) {
          copies.set(key, (copy = copyOf(inner, isCopy ? "again" : "late")));
          add(inner, copy);
        }
        for (const [name, copied] of copy) renamed.set(name, copied);
      }
    };
    for (const { node } of slot.draft.members) {
      writeInlined(node);
      const own = isCopy ? copyOf(node, "again") : new Map<ValueName, ValueName>();
      add(node, own);
      for (const [name, copied] of own) renamed.set(name, copied);
      for (const name of namesOf(node)) {
        const version = slot.writes.get(name);
        if (version !== undefined) called.set(version, own.get(name) ?? name);
      }
    }
  });
  return { nodes, again };
}

/** For each slot that computes something again, the value that its first reader waits for. */
function triggersOf(slots: readonly Slot[]): ReadonlyMap<number, ValueName> {
  const made = new Map<ValueName, number>();
  slots.forEach(({ writes }, at) => [...writes.values()].forEach((version) => made.set(version, at)));
  const triggers = new Map<number, ValueName>();
  for (let at = slots.length - 1; at >= 0; at--) {
    const slot = slots[at]!;
    if (slot.again === null) continue;
    const [version] = slot.writes.values();
    const reader = slots.findIndex(({ reads }) => [...reads.values()].includes(version!));
    if (reader < 0) continue;
    if (slots[reader]!.again !== null) {
      const after = triggers.get(reader);
      if (after !== undefined) triggers.set(at, after);
      continue;
    }
    const firsts = [...slots[reader]!.reads.values()].filter((one) => (made.get(one) ?? at) < at);
    const latest = firsts.sort((a, b) => made.get(b)! - made.get(a)!)[0];
    if (latest !== undefined) triggers.set(at, latest);
  }
  return triggers;
}
