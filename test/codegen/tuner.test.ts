/** Every shape that the tuner may choose computes the same: run by the interpreter that finds races, held to the oracle. */
import { describe, expect, it } from "vitest";
import { vjpGraph } from "../../src/autodiff/differentiate.ts";
import { runProgram } from "../../src/codegen/interpret-program.ts";
import { kernelsToShape, lowerProgram } from "../../src/codegen/lower/program.ts";
import type { KernelShape } from "../../src/codegen/lower/kernel.ts";
import { type AdapterShape, kernelShapeFor } from "../../src/codegen/shapes.ts";
import {
  choiceKey,
  isChoice,
  type ShapeChoice,
  tuningDirections,
  withChoice,
} from "../../src/codegen/tuner.ts";
import { verifyKernel } from "../../src/codegen/verify.ts";
import { planGraph } from "../../src/fusion/planner.ts";
import type { Graph } from "../../src/ir/ir.ts";
import { differences, oracle } from "../programs/closeness.ts";
import { graphOf, type Inputs, prepared } from "../programs/compile.ts";
import { randomInputs } from "../programs/inputs.ts";
import { randomSource } from "../programs/random-source.ts";
import { interpretedResults } from "../runtime/on-device.ts";

const programs = `
fn product(a: f32[m, k], b: f32[k, n]) -> f32[m, n] = for i, j -> sum[l] a[i, l] * b[l, j]

fn softmax(x: f32[m, n]) -> f32[m, n] {
  let e[i, j] = exp(x[i, j] - max[k] x[i, k])
  for i, j -> e[i, j] / sum[k] e[i, k]
}

fn nearest(x: f32[g, m, d], c: f32[g, k, d]) -> f32[g, k, d] {
  let s[b, i, j] = sum[l] x[b, i, l] * c[b, j, l]
  let a[b, i] = argmax[j] s[b, i, j]
  for b, j, l -> sum[i] (if a[b, i] == j then x[b, i, l] else 0.0)
}
`;

const adapters: readonly (readonly [string, AdapterShape])[] = [
  ["software, subgroups of 4", kernelShapeFor("software", 4)],
  ["software", kernelShapeFor("software")],
  ["a GPU", kernelShapeFor("hardware")],
];

const functions: readonly (readonly [string, Readonly<Record<string, number>>])[] = [
  ["product", { m: 24, k: 9, n: 36 }],
  ["softmax", { m: 5, n: 21 }],
  ["nearest", { g: 3, m: 10, k: 4, d: 6 }],
];

/** All choices that are tried from the kind's own shape, and each two directions' together. */
function choicesFor(plan: ReturnType<typeof planGraph>, shape: KernelShape): ShapeChoice[] {
  const found = new Map<string, ShapeChoice>();
  for (const { group } of kernelsToShape(plan)) {
    const directions = tuningDirections(group, shape);
    for (const [i, direction] of directions.entries()) {
      const next = directions[i + 1]?.[0] ?? {};
      for (const choice of direction)
        for (const one of [choice, { ...choice, ...next }]) found.set(JSON.stringify(one), one);
    }
  }
  return [...found.values()];
}

function problemsWith(graph: Graph, inputs: Inputs, shape: AdapterShape): string[] {
  const plan = planGraph(graph, "full", shape.target);
  const expected = interpretedResults(graph, inputs);
  const seen = new Set<string>();
  const problems = choicesFor(plan, shape).flatMap((choice) => {
    expect(isChoice(choice)).toBe(true);
    const { program } = lowerProgram(plan, withChoice(shape, choice));
    const key = program.kernels.map(choiceKey).join("\n");
    if (seen.has(key)) return [];
    seen.add(key);
    const limits = { invocations: 2048, workgroupBytes: 2 ** 20, workgroups: 65535 };
    const invalid = program.kernels.flatMap((kernel) => verifyKernel(kernel, limits));
    const values = runProgram(program, inputs, { precision: "f64" });
    const found = graph.results.map((name) => values[name]!);
    const wrong = [...invalid, ...differences(found, expected, graph.results, oracle)];
    return wrong.map((problem) => `${JSON.stringify(choice)}: ${problem}`);
  });
  // The choices are not all the same kernel.
  expect(seen.size).toBeGreaterThan(3);
  return problems;
}

describe.each(adapters)("for %s", (_, shape) => {
  it.each(functions)("every candidate of %s is right, and of its vjp", (name, dims) => {
    const graph = graphOf(programs, name, dims);
    for (const one of [prepared(graph), prepared(vjpGraph(graph))])
      expect(problemsWith(one, randomInputs(one.params, randomSource(7)), shape)).toEqual([]);
  });
});

describe("choices", () => {
  it.each<[string, unknown, boolean]>([
    ["none", {}, true],
    ["numbers of a shape", { rows: 4, blocks: 0, regionInvocations: 16 }, true],
    ["a name that there is not", { row: 4 }, false],
    ["a part", { rows: 1.5 }, false],
    ["nothing of something", { rows: 0 }, false],
    ["more than any adapter has", { invocations: 4096 }, false],
    ["a text", { rows: "4" }, false],
    ["a list", [4], false],
    ["null", null, false],
  ])("of %s", (_, value, isOne) => {
    expect(isChoice(value)).toBe(isOne);
  });

  it("are applied where the kernel is the one that was measured", () => {
    const graph = graphOf(programs, "softmax", { m: 5, n: 21 });
    const shape = kernelShapeFor("software");
    const plan = planGraph(prepared(graph), "full", shape.target);
    const own = lowerProgram(plan, shape).program.kernels[0]!;
    const choose = (text: string): ShapeChoice | null =>
      text === choiceKey(own) ? { regionInvocations: 2 } : null;
    expect(lowerProgram(plan, shape, [], { find: choose }).program.kernels[0]!.invocations).toBe(2);
    expect(lowerProgram(plan, shape, [], { find: () => null }).program.kernels[0]).toEqual(own);
  });
});
