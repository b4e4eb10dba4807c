/** When a planned block has something computed again to save memory, and what is told of it. */
import { definitions, type Node, type ValueName } from "../ir/ir.ts";
import type { NameSupply } from "../ir/names.ts";
import { liveNodes } from "../ir/rewrite/dead-code.ts";
import { valuesUsed } from "../ir/traverse.ts";
import { type Again, type Cloned, nodesOfSlots } from "./clone.ts";
import { type Draft, timeOf } from "./draft.ts";
import type { Inlining } from "./inline.ts";
import { type Merging, neededOutside } from "./merge.ts";
import { groupOf } from "./phases.ts";
import type { Decision, MemoryChoice } from "./plan.ts";
import { rematerialise, type Slot } from "./rematerialise.ts";
import type { Target } from "./target.ts";

/** The part of a program's time that may be spent on computing again. */
const partOfTime: Readonly<Record<MemoryChoice, number>> = { speed: 0, balanced: 0.04, least: Infinity };

/**
 * What is computed again changes what is joined, and that what is alive: the choice is made twice, the second time with what the first one,
 * which has only this part of the time, has left.
 */
const partAtFirst = 0.8;

interface Around {
  readonly target: Target;
  readonly names: NameSupply;
}

/** Makes the choice for one block. */
export interface Thrift {
  /** The block's nodes with some of them again; null when there is nothing more to gain. */
  spare(
    merging: Merging,
    inlining: Inlining,
    around: Around,
    kept: ReadonlySet<ValueName>,
    sizes: ReadonlyMap<ValueName, number>,
  ): Cloned | null;
}

export function thriftFor(memory: MemoryChoice): Thrift {
  let choices = memory === "speed" ? 0 : 2;
  let seconds: number | null = null;
  return {
    spare(merging, inlining, { target, names }, kept, sizes) {
      if (choices === 0) return null;
      const part = choices === 2 ? partAtFirst : 1;
      choices--;
      const { slots, loops } = slotsOf(merging, inlining, kept, sizes, target);
      seconds ??= partOfTime[memory] * slots.reduce((sum, { time }) => sum + time, 0);
      const { inlined } = inlining;
      const chosen = rematerialise(slots, { sizes, kept, inlined, target, seconds: part * seconds });
      if (chosen === slots) return null;
      for (const { again, time } of chosen) if (again !== null) seconds -= time;
      const { nodes, again } = nodesOfSlots(chosen, loops, inlined, names);
      // What is read late only is not computed early as well.
      return { nodes: liveNodes(nodes, new Set(kept)), again };
    },
  };
}

/** The steps as slots. */
function slotsOf(
  merging: Merging,
  { inlined }: Inlining,
  kept: ReadonlySet<ValueName>,
  sizes: ReadonlyMap<ValueName, number>,
  target: Target,
): { readonly slots: Slot[]; readonly loops: ReadonlyMap<Slot, Node> } {
  const isNeededBy = neededOutside(merging, kept);
  const loops = new Map<Slot, Node>();
  const own = (names: Iterable<ValueName>): Map<ValueName, ValueName> =>
    new Map([...names].map((name) => [name, name]));
  const made = new Set(
    merging.steps.flatMap((step) =>
      step.kind === "loop"
        ? definitions(step.loop).map(({ name }) => name)
        : step.draft.members.flatMap(({ names }) => names),
    ),
  );
  const slots = merging.steps.map((step): Slot => {
    if (step.kind === "loop") {
      const reads = own([...valuesUsed(step.loop)].filter((name) => made.has(name)));
      const writes = own(definitions(step.loop).map(({ name }) => name));
      const slot = { draft: null, reads, writes, inner: 0, time: 0, again: null };
      loops.set(slot, step.loop);
      return slot;
    }
    const { draft } = step;
    const isNeeded = isNeededBy(draft);
    const names = draft.members.flatMap((member) => member.names);
    const inside = new Set(names);
    const read = draft.members.flatMap(({ tensors }) => tensors);
    return {
      draft,
      reads: own(read.filter((name) => made.has(name) && !inside.has(name))),
      writes: own(names.filter(isNeeded)),
      inner: innerElements(draft, inlined, isNeeded, sizes, target),
      time: timeOf(draft, sizes, isNeeded, target),
      again: null,
    };
  });
  return { slots, loops };
}

/** Elements of what only the draft itself reads, but keeps in device memory. */
function innerElements(
  draft: Draft,
  inlined: Inlining["inlined"],
  isNeeded: (value: ValueName) => boolean,
  sizes: ReadonlyMap<ValueName, number>,
  target: Target,
): number {
  let elements = 0;
  for (const [value, placement] of groupOf(draft, inlined, isNeeded, target).placements)
    if (placement === "device" && !isNeeded(value)) elements += sizes.get(value) ?? 0;
  return elements;
}

/** What the plan says of values that are computed again. */
export function repeatDecisions(
  repeats: ReadonlyMap<ValueName, Again>,
  { inlined }: Inlining,
): readonly Decision[] {
  return [...repeats.values()].map(({ name, of, after }) => ({
    producer: of,
    consumer: name,
    fused: false,
    placement: inlined.has(name) ? "inline" : "device",
    reason: `it is computed again${after === null ? "" : ` after ${after}`}, so that it is not kept where most memory is in use`,
  }));
}
