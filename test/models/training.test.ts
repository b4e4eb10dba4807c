/** Steps of training as programs, held to PyTorch's. */
import { describe, expect, test } from "vitest";
import { runProgram } from "../../src/codegen/interpret-program.ts";
import { lowerProgram } from "../../src/codegen/lower/program.ts";
import { kernelShapeFor } from "../../src/codegen/shapes.ts";
import { verifyKernel } from "../../src/codegen/verify.ts";
import { planGraph } from "../../src/fusion/planner.ts";
import { simplify } from "../../src/ir/rewrite/simplify.ts";
import { trainingStep } from "../../src/training-step.ts";
import { differences } from "../programs/closeness.ts";
import { run, verified } from "../programs/compile.ts";
import { weightsOf } from "./models.ts";
import { disagreements, expected, firstInputs, microStep } from "./training-steps.ts";

describe("a step of fec_micro", () => {
  const step = trainingStep(microStep());
  const graph = verified(simplify(step.graph));

  test("three of them agree with PyTorch, in all parameters and moments", async () => {
    expect(await disagreements(step, (inputs) => run(graph, inputs), 1e-9)).toEqual([]);
  });

  test("as kernels that stage their operands wherever they can", () => {
    const usual = kernelShapeFor("discrete");
    const staging = { ...usual.block!.staging!, leastWorkgroups: 1, barrier: 0 };
    const shape = { ...usual, block: { ...usual.block!, lanes: 4, laneRows: 4, workgroups: 1, staging } };
    const { program } = lowerProgram(planGraph(graph, "full", shape.target, "balanced"), shape);
    const limits = { invocations: 256, workgroupBytes: shape.target.workgroupBytes, workgroups: 65535 };
    expect(program.kernels.flatMap((kernel) => verifyKernel(kernel, limits))).toEqual([]);
    const inputs = firstInputs(step);
    const values = runProgram(program, inputs, { precision: "f64" });
    const found = graph.results.map((name) => values[name]!);
    expect(differences(found, run(graph, inputs), graph.results)).toEqual([]);
  });

  test("returns parameters without a gradient and their moments as they came, and nothing else", () => {
    const names = weightsOf(step).map(({ name }) => name);
    const params = graph.params.map((p) => p.name);
    const returned = [0, 1, 2].map((tree) =>
      names.filter((_, i) => {
        const at = i + tree * names.length;
        return graph.results[at] === params[at];
      }),
    );
    const skipped = names.filter((name) => expected.parameters[name]!.moments === null);
    expect(skipped).toEqual(
      ["network.1", "network.3", "network.5"].flatMap((p) => [`${p}.conv_f.weight`, `${p}.conv_f.bias`]),
    );
    expect(returned).toEqual([skipped, skipped, skipped]);
  });
});
