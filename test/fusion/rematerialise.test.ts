/** What is computed again to save memory: the same numbers in less memory, never a decision, and the plan says so. */
import { describe, expect, test } from "vitest";
import { runProgram } from "../../src/codegen/interpret-program.ts";
import type { MemoryChoice, Plan } from "../../src/fusion/plan.ts";
import { planGraph } from "../../src/fusion/planner.ts";
import { hardwareTarget } from "../../src/fusion/target.ts";
import { verdictsOf } from "../../src/fusion/verdicts.ts";
import { lowerProgram } from "../../src/codegen/lower/program.ts";
import { portableKernelTarget } from "../../src/kernel-text.ts";
import { type Graph, isFloat } from "../../src/ir/ir.ts";
import { verifyGraph } from "../../src/ir/verify.ts";
import { planMemory } from "../../src/runtime/memory-plan.ts";
import { smallShape } from "../codegen/levels.ts";
import { differences } from "../programs/closeness.ts";
import { run } from "../programs/compile.ts";
import { randomInputs } from "../programs/inputs.ts";
import { randomSource } from "../programs/random-source.ts";
import { graphOf, nodesOf } from "./plans.ts";

const choices: readonly MemoryChoice[] = ["speed", "balanced", "least"];

/** Large enough that kernels are worth their launch. */
const chain = `
fn layer(w: f32[d, d], x: f32[n, d]) -> f32[n, d] = for i, k -> tanh(sum[l] w[k, l] * x[i, l])
fn loss(ws: [f32[d, d]; t], x: f32[n, d]) -> f32 {
  let y = fold y = x for w in ws -> layer(w, y)
  mean[i, k] y[i, k] ^ 2
}
fn slope(ws: [f32[d, d]; t], x: f32[n, d]) -> [f32[d, d]; t] = grad(loss)(ws, x)`;

/** Layers whose points choose one of their columns: what is chosen hangs on floating numbers. */
const choosing = `
fn layer(w: f32[d, d], x: f32[n, d]) -> f32[n, d] {
  let y[i, k] = tanh(sum[l] w[k, l] * x[i, l])
  let best = for i -> argmax[k] y[i, k]
  for i, k -> y[i, k] * y[i, best[i]]
}
fn loss(ws: [f32[d, d]; t], x: f32[n, d]) -> f32 {
  let y = fold y = x for w in ws -> layer(w, y)
  mean[i, k] y[i, k] ^ 2
}
fn slope(ws: [f32[d, d]; t], x: f32[n, d]) -> [f32[d, d]; t] = grad(loss)(ws, x)`;

/** Kernels of their own for all contractions. */
const target = { ...hardwareTarget, nodes: 3 };

function planFor(graph: Graph, memory: MemoryChoice): Plan {
  return planGraph(graph, "full", target, memory);
}

function liveBytes(plan: Plan): number {
  return planMemory(lowerProgram(plan, smallShape).program, portableKernelTarget.limits).liveBytes;
}

describe.each([
  ["a chain of layers", chain],
  ["layers that choose", choosing],
])("%s", (_, text) => {
  const large = graphOf(text, "slope", { n: 4096, d: 64, t: 12 });

  test("needs less memory the more it is worth", () => {
    const [speed, balanced, least] = choices.map((memory) => liveBytes(planFor(large, memory)));
    expect(balanced).toBeLessThanOrEqual(speed!);
    expect(least).toBeLessThan(0.6 * speed!);
  });

  test("is a valid graph, with a reason for what is computed again", () => {
    const plan = planFor(large, "least");
    expect(verifyGraph(plan.graph)).toEqual([]);
    const again = verdictsOf(plan).filter(({ reason }) => reason.includes("it is computed again after"));
    expect(again.length).toBeGreaterThan(0);
  });

  test("decides nothing twice", () => {
    const names = nodesOf(planFor(large, "least")).filter(({ element }) => !isFloat(element.scalar));
    expect(names.filter(({ name }) => /_(again|late)/.test(name))).toEqual([]);
  });

  test.each(choices)("gives the same numbers: %s", (memory) => {
    const graph = graphOf(text, "slope", { n: 16, d: 8, t: 8 });
    const inputs = randomInputs(graph.params, randomSource(3));
    const { program } = lowerProgram(planFor(graph, memory), smallShape);
    const values = runProgram(program, inputs, { precision: "f64", random: randomSource(4).next });
    const results = graph.results.map((name) => values[name]!);
    expect(differences(results, run(graph, inputs), graph.results)).toEqual([]);
  });
});
