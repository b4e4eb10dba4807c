/**
 * Prints a plan as text for people: kernels with their phases and where each value lives, then why it is so.
 *
 *     kernel cluster over 8 × 4 workgroups
 *       phase 0: m_part.1[3, 4] → workgroup
 *       barrier
 *       phase 1: a.2[3] → device, dot.1 inlined
 */
import { definitions, type ValueName } from "../ir/ir.ts";
import type { Decision, Group, Phase, Plan, PlanStep, Reordering } from "./plan.ts";
import { verdictsOf } from "./verdicts.ts";

/** The text of a plan. */
export function printPlan(plan: Plan): string {
  const { steps } = plan;
  const decisions = verdictsOf(plan);
  const kernels = steps.map((step) => printStep(step, "")).join("\n");
  const reasons = decisions.map(printDecision).join("");
  const orders = plan.reorderings.map(printReordering).join("");
  return [
    kernels,
    ...(orders === "" ? [] : [`orders\n${orders}`]),
    ...(reasons === "" ? [] : [`decisions\n${reasons}`]),
  ].join("\n");
}

/** The text of one kernel's group. */
export function printGroup(group: Group, indent = ""): string {
  const inlined = [...new Set([...group.inlined.values()].map(({ name }) => name))];
  const lines = [
    `kernel ${group.name} ${gridOf(group)}`,
    ...group.phases.flatMap((phase, number) => [
      ...(phase.afterBarrier ? ["  barrier"] : []),
      `  phase ${number}${pointsOf(phase)}`,
      ...phase.nodes.flatMap((node) =>
        definitions(node).map(
          ({ name, shape }) =>
            `    ${name}[${shape.join(", ")}] → ${placementOf(group, name)}${orderIn(group, name)}`,
        ),
      ),
    ]),
    ...(inlined.length === 0 ? [] : wrapped("  inlined: ", inlined)),
  ];
  return lines.map((line) => `${indent}${line}\n`).join("");
}

function printStep(step: PlanStep, indent: string): string {
  if (step.kind === "group") return printGroup(step.group, indent);
  const inner = step.steps.map((s) => printStep(s, `${indent}  `)).join("\n");
  return `${indent}loop ${step.loop.index}<${step.loop.count}\n${inner}`;
}

function gridOf({ owner, grid }: Group): string {
  if (owner === "invocation") return "over points, dealt to invocations";
  return grid.length === 0 ? "over 1 workgroup" : `over ${grid.join(" × ")} workgroups`;
}

function pointsOf({ axes }: Phase): string {
  return axes.length === 0 ? ", one point" : `, ${axes.join(" × ")} points`;
}

function placementOf(group: Group, name: ValueName): string {
  return group.placements.get(name) ?? "nowhere: it is not read";
}

function orderIn({ orders }: Group, name: ValueName): string {
  const order = orders.get(name);
  return order === undefined ? "" : `, by axes ${order.join(", ")}`;
}

function printReordering({ value, order, before, after }: Reordering): string {
  const times = `${microseconds(after)} in the kernels that touch it, ${microseconds(before)} before, by estimate`;
  return `  ${value} by axes ${order.join(", ")}: ${times}\n`;
}

function microseconds(seconds: number): string {
  return `${Number((1e6 * seconds).toPrecision(3))} µs`;
}

function printDecision({ producer, consumer, fused, placement, reason }: Decision): string {
  return `  ${producer} ${fused ? "with" : "apart from"} ${consumer} (${placement}): ${reason}\n`;
}

/** A list in lines of at most 100 characters. */
function wrapped(head: string, items: readonly string[]): string[] {
  const lines: string[] = [];
  let line = head;
  items.forEach((item, i) => {
    const text = i === items.length - 1 ? item : `${item}, `;
    if (line.length + text.length > 100 && line.trim() !== "") {
      lines.push(line.trimEnd());
      line = " ".repeat(head.length);
    }
    line += text;
  });
  return [...lines, line];
}
