/**
 * What came of the planner's decisions: one verdict for each producer and consumer, as the plan has it in the end.
 *
 *     a, sum: "storing it is cheaper" (not inlined), then "10.1 µs as one" (joined)     →  fused, in workgroup memory, both reasons
 */
import type { ValueName } from "../ir/ir.ts";
import { type Decision, type Group, nodesOf, type Placement, type Plan, type PlanStep } from "./plan.ts";

/** One decision for each pair, in the order in which the pairs were first looked at. */
export function verdictsOf({ steps, decisions }: Plan): readonly Decision[] {
  const groups = steps.flatMap(groupsOf).map((group) => ({ group, nodes: namesIn(group) }));
  const pairs = new Map<string, Decision[]>();
  for (const decision of decisions) {
    const key = JSON.stringify([decision.producer, decision.consumer]);
    pairs.set(key, [...(pairs.get(key) ?? []), decision]);
  }
  return [...pairs.values()].map((all) => {
    const { producer, consumer } = all[0]!;
    const shared = groups.filter(({ nodes }) => nodes.has(producer) && nodes.has(consumer));
    const placement = placementOf(
      groups.map(({ group }) => group),
      shared[0]?.group ?? null,
      producer,
    );
    const reasons = [...new Set(all.map(({ reason }) => reason))];
    return { producer, consumer, fused: shared.length > 0, placement, reason: reasons.join("; ") };
  });
}

function groupsOf(step: PlanStep): readonly Group[] {
  return step.kind === "group" ? [step.group] : step.steps.flatMap(groupsOf);
}

/** The names of the nodes that a group computes. */
function namesIn(group: Group): ReadonlySet<ValueName> {
  return new Set(nodesOf(group).map(({ name }) => name));
}

/** Where the consumer finds the value: in the kernel that both share, else in the memory of the one that made it. */
function placementOf(groups: readonly Group[], shared: Group | null, producer: ValueName): Placement {
  if (shared !== null) return shared.placements.get(producer) ?? "inline";
  const maker = groups.find(({ placements }) => placements.has(producer));
  return maker?.placements.get(producer) ?? "inline";
}
