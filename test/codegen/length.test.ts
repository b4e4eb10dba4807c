/** Programs whose kernels are too long for a driver, each or all together. */
import { describe, expect, it } from "vitest";
import { runProgram } from "../../src/codegen/interpret-program.ts";
import type { KernelShape } from "../../src/codegen/lower/kernel.ts";
import { instructionsOf, operationsIn } from "../../src/codegen/lower/length.ts";
import { lowerProgram } from "../../src/codegen/lower/program.ts";
import type { Program } from "../../src/codegen/program.ts";
import { kernelShapeFor } from "../../src/codegen/shapes.ts";
import { planGraph } from "../../src/fusion/planner.ts";
import { interpret } from "../../src/ir/interpret.ts";
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

const lowered = (limits: Partial<KernelShape>): Program =>
  lowerProgram(plan, { ...shape, ...limits }).program;
const total = ({ kernels }: Program): number =>
  kernels.reduce((sum, kernel) => sum + instructionsOf(kernel), 0);

describe("kernels that are too long together", () => {
  const whole = lowered({});
  const [longest, other] = [...whole.kernels].sort((a, b) => instructionsOf(b) - instructionsOf(a));
  const nameOf = longest!.name;

  it("are written shorter, the longest first, until the driver can keep all", () => {
    const program = lowered({ mostInstructions: total(whole) - 1, shortText: 100 });
    expect(total(program)).toBeLessThan(total(whole));
    expect(program.kernels.find(({ name }) => name === other!.name)).toEqual(other);
    const shorter = program.kernels.find(({ name }) => name === nameOf)!;
    expect(operationsIn(shorter.body)).toBeLessThan(operationsIn(longest!.body));
  });

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
