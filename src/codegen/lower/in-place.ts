/** May a result overwrite a parameter where it is computed? */
import type { Group, Plan, PlanStep } from "../../fusion/plan.ts";
import { structuralKey } from "../../ir/affine.ts";
import { index } from "../../ir/build.ts";
import { type Comprehension, definitions, type ValueName } from "../../ir/ir.ts";
import { expressionsOf, postorder, valuesUsed } from "../../ir/traverse.ts";

/**
 * It may when its kernel is the last that reads the parameter, has a single phase, and reads of it only the element that it then
 * overwrites: that element belongs to one invocation. A result or loop that uses the parameter as it was forbids it.
 */
export function updatable(plan: Plan, result: ValueName, param: ValueName): boolean {
  const { graph } = plan;
  if (graph.results.includes(param) || graph.results.filter((name) => name === result).length > 1)
    return false;
  const writer = plan.steps.findIndex((step) => step.kind === "group" && defines(step.group, result));
  const step = plan.steps[writer];
  if (step?.kind !== "group" || step.group.phases.length !== 1) return false;
  if (plan.steps.slice(writer + 1).some((later) => uses(later, param))) return false;
  const nodes = [...step.group.phases.flatMap((phase) => phase.nodes), ...step.group.inlined.values()];
  const own = nodes.find((node) => definitions(node).some(({ name }) => name === result))!;
  if (own.keys.length > 0) return false;
  return nodes.every((node) => readsOnlyOwn(node, own, param));
}

function defines(group: Group, value: ValueName): boolean {
  return group.phases.some((phase) =>
    phase.nodes.some((node) => definitions(node).some(({ name }) => name === value)),
  );
}

function uses(step: PlanStep, value: ValueName): boolean {
  if (step.kind === "loop")
    return valuesUsed(step.loop).has(value) || step.steps.some((inner) => uses(inner, value));
  const nodes = [...step.group.phases.flatMap((phase) => phase.nodes), ...step.group.inlined.values()];
  return nodes.some((node) => valuesUsed(node).has(value));
}

/** Reads of the parameter in a node stand at the node's own axes, which are those of the node that overwrites it. */
function readsOnlyOwn(node: Comprehension, own: Comprehension, param: ValueName): boolean {
  const reads = postorder(...expressionsOf(node)).filter((e) => e.kind === "read" && e.tensor === param);
  if (reads.length === 0) return true;
  // What is inlined is read at the points of its reader only where it has the same axes.
  const isLike =
    node.axes.length === own.axes.length && node.axes.every((axis, i) => axis.size === own.axes[i]!.size);
  return (
    node === own &&
    isLike &&
    reads.every(
      (read) =>
        read.kind === "read" &&
        read.indices.every((at, i) => structuralKey(at) === structuralKey(index(node.axes[i]!.name))),
    )
  );
}
