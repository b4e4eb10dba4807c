/** Programs whose kernels are too long for a driver, each or all together. */
import { describe, expect, it } from "vitest";
import { runProgram } from "../../src/codegen/interpret-program.ts";
import type { Kernel } from "../../src/codegen/kernel.ts";
import type { KernelShape } from "../../src/codegen/lower/kernel.ts";
import { instructionsOf, operationsIn } from "../../src/codegen/lower/length.ts";
import { lowerProgram } from "../../src/codegen/lower/program.ts";
import type { Program } from "../../src/codegen/program.ts";
import { kernelShapeFor } from "../../src/codegen/shapes.ts";
import { cutReduction } from "../../src/fusion/cut.ts";
import type { Plan } from "../../src/fusion/plan.ts";
import { planGraph } from "../../src/fusion/planner.ts";
import { interpret } from "../../src/ir/interpret.ts";
import { namesFor } from "../../src/ir/names.ts";
import { parseGraph } from "../../src/ir/parse.ts";
import { differences } from "../programs/closeness.ts";
import { randomInputs } from "../programs/inputs.ts";
import { randomSource } from "../programs/random-source.ts";

const graph = parseGraph(`graph f(%x: f32[32, 16], %w: f32[16, 48], %v: f32[48, 64]) -> (%y, %z) {
  %y: f32[32, 48] = for i<32, j<48. sum k<16. %x[i, k] * %w[k, j]
  %z: f32[32, 64] = for i<32, j<64. sum k<48. %y[i, k] * %v[k, j]
}`);
const shape = kernelShapeFor("software", 8);
const plan = planGraph(graph, "off", shape.target);

const lowered = (limits: Partial<KernelShape>, of: Plan = plan): Program =>
  lowerProgram(of, { ...shape, ...limits }).program;
/** The plan with another estimate of the time that each of its kernels takes. */
const timed = (secondsOf: (name: string) => number): Plan => ({
  ...plan,
  steps: plan.steps.map((step) =>
    step.kind === "group" ? { ...step, group: { ...step.group, seconds: secondsOf(step.group.name) } } : step,
  ),
});
const total = ({ kernels }: Program): number =>
  kernels.reduce((sum, kernel) => sum + instructionsOf(kernel), 0);

describe("kernels that are too long together", () => {
  const whole = lowered({});
  const [longest, other] = [...whole.kernels].sort((a, b) => instructionsOf(b) - instructionsOf(a));

  it.each([
    ["the longest, where all take as long", () => 1, longest!, other!],
    ["the longest for its time", (name: string) => (name === longest!.name ? 1000 : 1), other!, longest!],
  ] as const)(
    "are written shorter until the driver can keep all, first %s",
    (_, secondsOf, first, second) => {
      const limits = { mostInstructions: total(whole) - 1, shortText: 100 };
      const program = lowered(limits, timed(secondsOf));
      const written = (kernel: Kernel): Kernel => program.kernels.find(({ name }) => name === kernel.name)!;
      expect(total(program)).toBeLessThan(total(whole));
      expect(written(second)).toEqual(second);
      expect(operationsIn(written(first).body)).toBeLessThan(operationsIn(first.body));
    },
  );

  it("stay as they are where they fit", () => {
    const program = lowered({ mostInstructions: total(whole), shortText: 100 });
    expect(program.kernels).toEqual(whole.kernels);
  });

  it("compute the same", () => {
    const inputs = randomInputs(graph.params, randomSource(3));
    const expected = interpret(graph, inputs);
    const values = runProgram(lowered({ mostInstructions: 1, shortText: 1 }), inputs, { precision: "f64" });
    const resultsOf = (of: typeof values): (typeof values)[string][] =>
      graph.results.map((name) => of[name]!);
    expect(differences(resultsOf(values), resultsOf(expected), graph.results)).toEqual([]);
  });
});

describe("kernels of layers that do the same", () => {
  it("are written once, those of reductions in parts too", () => {
    const layers = parseGraph(`graph f(%x: f32[32, 64]) -> (%s.5, %s.6) {
  %s.5: f32[32] = for i<32. sum k<64. %x[i, k]
  %s.6: f32[32] = for i<32. sum k<64. %x[i, k]
}`);
    const names = namesFor(layers);
    const nodes = layers.nodes.flatMap((node) =>
      node.kind === "comprehension" ? cutReduction(node, [{ axis: 0, parts: 4 }], names) : [],
    );
    const { program } = lowerProgram(planGraph({ ...layers, nodes }, "off", shape.target), shape);
    expect(program.steps).toHaveLength(4);
    expect(program.kernels).toHaveLength(2);
  });
});
