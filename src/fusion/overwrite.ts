/**
 * Results that overwrite parameters: which kernels can write them into the parameter's memory, and what must have run by then.
 *
 *     %m_next = for i. 0.9 * %m[i] + 0.1 * %g[i]        %m_next overwrites %m: each element is read, then written, by one invocation
 *
 * What cannot be written in place is copied there in the end.
 */
import type { Comprehension, Graph, ValueName } from "../ir/ir.ts";
import { valuesUsed } from "../ir/traverse.ts";
import { type Access, namesOf, readsThrough } from "./accesses.ts";
import type { Draft } from "./draft.ts";
import { type Group, nodesOf, type Plan, type PlanStep } from "./plan.ts";

/** A result that is to lie in the memory of a parameter, which it overwrites; both by number. */
export interface Update {
  readonly result: number;
  readonly param: number;
}

/** By its name, the parameter that a result overwrites. */
export type Overwrites = ReadonlyMap<ValueName, ValueName>;

/** Of the updates, those that might be made in place: the parameter as it was is no result, and the result no other. */
export function overwritesOf(graph: Graph, updates: readonly Update[]): Overwrites {
  const uses = new Map<ValueName, number>();
  for (const name of graph.results) uses.set(name, (uses.get(name) ?? 0) + 1);
  const found = new Map<ValueName, ValueName>();
  const taken = new Set<ValueName>();
  for (const { result, param } of updates) {
    const [from, to] = [graph.results[result]!, graph.params[param]!.name];
    if (uses.get(from) !== 1 || uses.has(to) || taken.has(to)) continue;
    taken.add(to);
    found.set(from, to);
  }
  return found;
}

/** The overwriting results of a plan that its kernels write into the memory of their parameters: no later kernel reads those. */
export function inPlaceResults(plan: Plan, overwrites: Overwrites): Overwrites {
  if (overwrites.size === 0) return overwrites;
  const last = new Map<ValueName, number>();
  const madeAt = new Map<ValueName, number>();
  plan.steps.forEach((step, at) => {
    for (const value of usedBy(step)) last.set(value, at);
    if (step.kind !== "group") return;
    for (const { nodes } of step.group.phases)
      for (const name of nodes.flatMap(namesOf)) madeAt.set(name, at);
  });
  const membersAt = new Map<number, readonly Placed[]>();
  const isInPlace = ([result, param]: [ValueName, ValueName]): boolean => {
    const at = madeAt.get(result);
    const step = at === undefined ? undefined : plan.steps[at];
    if (at === undefined || step?.kind !== "group" || (last.get(param) ?? at) > at) return false;
    if (!membersAt.has(at)) membersAt.set(at, placedIn(step.group));
    return mayOverwrite(membersAt.get(at)!, result, param);
  };
  return new Map([...overwrites].filter(isInPlace));
}

/** The results of a draft that it cannot write in place, if kernels of other drafts leave it the parameters. */
export function copiesOf({ members, grid }: Draft, overwrites: Overwrites): ValueName[] {
  if (overwrites.size === 0 || !members.some(({ names }) => names.some((name) => overwrites.has(name))))
    return [];
  const phases: string[] = [];
  const placed = members.map(({ node, accesses }): Placed => {
    const own = new Map(grid.map((axis, g) => [axis.axisOf.get(node.name)!, `grid ${g}`]));
    const inner = node.axes.filter(({ name, size }) => size > 1 && !own.has(name));
    inner.forEach(({ name }, i) => own.set(name, `point ${i}`));
    const phase = inner.map(({ size }) => size).join("x");
    if (!phases.includes(phase)) phases.push(phase);
    return { node, phase, level: phases.indexOf(phase), placeOf: own, accesses: [...accesses.values()] };
  });
  return members.flatMap(({ names }) =>
    names.filter((name) => overwrites.has(name) && !mayOverwrite(placed, name, overwrites.get(name)!)),
  );
}

/** A node of a kernel. Nodes of one phase are computed one after the other at each point, by one invocation. */
interface Placed {
  readonly node: Comprehension;
  readonly phase: string;
  /** There is a barrier between nodes of different levels. */
  readonly level: number;
  /** Which of the point's indices each of its axes is. */
  readonly placeOf: ReadonlyMap<string, string>;
  readonly accesses: readonly Access[];
}

/**
 * A kernel may when every read of the parameter has been made when its element is overwritten: at the same point, by nodes that come no
 * later, as the element belongs to one invocation; or by nodes of an earlier phase, with a barrier between, of the same region.
 */
function mayOverwrite(members: readonly Placed[], result: ValueName, param: ValueName): boolean {
  const at = members.findIndex(({ node }) => namesOf(node).includes(result));
  const writer = members[at]!;
  if (writer.node.keys.length > 0) return false;
  return members.every((member, i) => {
    const reads = member.accesses.filter(({ tensor }) => tensor === param);
    if (reads.length === 0) return true;
    if (i > at) return false;
    const isBefore = member.level < writer.level;
    if (!isBefore && member.phase !== writer.phase) return false;
    return reads.every(({ indices }) =>
      writer.node.axes.every(({ name, size }, axis) => {
        const index = indices[axis]!;
        const place = writer.placeOf.get(name) ?? null;
        if (size === 1 || (isBefore && place?.startsWith("grid") !== true)) return true;
        return index.kind === "index" && member.placeOf.get(index.name) === place;
      }),
    );
  });
}

function placedIn(group: Group): readonly Placed[] {
  let level = 0;
  return group.phases.flatMap(({ nodes, axesOf, afterBarrier }, p) => {
    if (afterBarrier) level += 1;
    return nodes.map((node, n): Placed => {
      const placeOf = new Map((group.gridOf.get(node.name) ?? []).map((axis, g) => [axis, `grid ${g}`]));
      axesOf[n]!.forEach((axis, i) => placeOf.set(axis, `point ${i}`));
      return { node, phase: String(p), level, placeOf, accesses: readsThrough(node, group.inlined).memory };
    });
  });
}

function usedBy(step: PlanStep): Set<ValueName> {
  if (step.kind === "loop")
    return new Set([...valuesUsed(step.loop), ...step.steps.flatMap((s) => [...usedBy(s)])]);
  return new Set(nodesOf(step.group).flatMap((node) => [...valuesUsed(node)]));
}
