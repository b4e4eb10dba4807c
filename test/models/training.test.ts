/** Steps of training as programs, held to PyTorch's. */
import { describe, expect, test } from "vitest";
import { simplify } from "../../src/ir/rewrite/simplify.ts";
import { trainingStep } from "../../src/training-step.ts";
import { run, verified } from "../programs/compile.ts";
import { weightsOf } from "./models.ts";
import { disagreements, expected, microStep } from "./training-steps.ts";

describe("a step of fec_micro", () => {
  const step = trainingStep(microStep());
  const graph = verified(simplify(step.graph));

  test("three of them agree with PyTorch, in all parameters and moments", async () => {
    expect(await disagreements(step, (inputs) => run(graph, inputs), 1e-9)).toEqual([]);
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
