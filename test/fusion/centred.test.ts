/** Variances whose parts are made with those of their means: what is cut so, and what it comes to. */
import { describe, expect, it } from "vitest";
import { runProgram } from "../../src/codegen/interpret-program.ts";
import { kernelShapeFor } from "../../src/codegen/shapes.ts";
import { sumsOfMeans } from "../../src/fusion/centred.ts";
import type { Cut } from "../../src/fusion/cut.ts";
import { planGraph } from "../../src/fusion/planner.ts";
import { discreteTarget } from "../../src/fusion/target.ts";
import type { Graph } from "../../src/ir/ir.ts";
import { parseGraph } from "../../src/ir/parse.ts";
import { checkedGraph } from "../codegen/checked.ts";
import { programFor } from "../codegen/levels.ts";
import { run, verified } from "../programs/compile.ts";
import { randomInputs } from "../programs/inputs.ts";
import { randomSource } from "../programs/random-source.ts";
import { groupsOf, nodesOf } from "./plans.ts";

const shape = kernelShapeFor("discrete", 32);

/** The sum of something, and the sum of squared differences from a centre; both long, of few points. */
const spread = (
  sum: string,
  square: string,
  channels = 8,
  centre = `%m: f32[2] = for s<2. %t[s] / ${3136 * channels}.0`,
): Graph =>
  verified(
    parseGraph(`graph f(%x: f32[2, ${channels}, 3136], %y: f32[2, ${channels}, 3136]) -> (%m, %v) {
      %t: f32[2] = for s<2. sum q<${channels}, i<3136. ${sum}
      ${centre}
      %v: f32[2] = for s<2. sum q<${channels}, i<3136. ${square}
    }`),
  );

const variance = spread("%x[s, q, i]", "(%x[s, q, i] - %m[s]) ^ 2.0");

/** Which sums the others are centred by, if all nodes of the first point are cut alike. */
function centredIn(
  graph: Graph,
  cutsOf: (name: string) => readonly Cut[] = () => [{ axis: 0, parts: 4 }],
): string[] {
  return [...sumsOfMeans(graph.nodes, cutsOf)].map(([name, sum]) => `${name} by ${sum.name}`);
}

describe("sums of squared differences", () => {
  it("are centred by the sums of the same values", () => {
    expect(centredIn(variance)).toEqual(["v by t"]);
    const mapped = "exp(%x[s, q, i]) * %y[s, q, i]";
    const difference = `(${mapped} - 2.0 * %m[s])`;
    expect(centredIn(spread(mapped, `${difference} * ${difference}`))).toEqual(["v by t"]);
  });

  it("are not where the values are others, or more, or the centre does not wait for the sum", () => {
    expect(centredIn(spread("%y[s, q, i]", "(%x[s, q, i] - %m[s]) ^ 2.0"))).toEqual([]);
    expect(centredIn(spread("%x[1 - s, q, i]", "(%x[s, q, i] - %m[s]) ^ 2.0"))).toEqual([]);
    expect(centredIn(spread("%x[s, q, i]", "(%x[s, q, i] - %m[s] * f32(q)) ^ 2.0"))).toEqual([]);
    expect(centredIn(spread("%x[s, q, i]", "(%x[s, q, i] - %m[s]) ^ 3.0"))).toEqual([]);
    const elsewhere = "%m: f32[2] = for s<2. %y[s, 0, 0]";
    expect(centredIn(spread("%x[s, q, i]", "(%x[s, q, i] - %m[s]) ^ 2.0", 8, elsewhere))).toEqual([]);
  });

  it("are not where each part is a turn, as with a prime number of them", () => {
    expect(centredIn(variance, () => [0, 1].map((axis) => ({ axis, parts: [8, 3136][axis]! })))).toEqual([]);
    for (const n of [37, 53, 61])
      checkedGraph(
        shape,
        verified(
          parseGraph(`graph f(%x: f32[${n}]) -> (%v) {
            %t: f32[] = sum i<${n}. %x[i]
            %m: f32[] = %t / ${n}.0
            %v: f32[] = sum i<${n}. (%x[i] - %m) ^ 2.0
          }`),
        ),
      );
  });

  it("are not where they go into other parts, or stay whole", () => {
    const uneven = (name: string): Cut[] => [{ axis: name === "t" ? 0 : 1, parts: 4 }];
    expect(centredIn(variance, uneven)).toEqual([]);
    expect([...sumsOfMeans(variance.nodes, (name) => (name === "t" ? uneven(name) : undefined))]).toEqual([]);
  });
});

describe("a variance on a GPU", () => {
  it("has one kernel for the parts of both sums, and one for what they come to", () => {
    const graph = spread("%x[s, q, i]", "(%x[s, q, i] - %m[s]) ^ 2.0", 256);
    const plan = planGraph(graph, "full", discreteTarget);
    expect(nodesOf(plan).map(({ name }) => name)).toEqual(["t_part", "t", "m", "v_part", "v"]);
    expect(groupsOf(plan)).toHaveLength(2);
  });

  it("is what it is by definition", () => {
    checkedGraph(shape, variance);
    checkedGraph(shape, spread("exp(%x[s, q, i])", "(exp(%x[s, q, i]) - 3.0 * %m[s]) ^ 2.0"));
  });

  it("stays exact in single precision where the mean is large beside it", () => {
    const inputs = randomInputs(variance.params, randomSource(3));
    for (const { data } of Object.values(inputs)) for (const i of data.keys()) data[i] = 4096 + data[i]!;
    const values = runProgram(programFor(variance, "full", shape), inputs, { precision: "f32" });
    const expected = run(variance, inputs)[variance.results.indexOf("v")]!;
    for (const s of [0, 1]) expect(values["v"]!.data[s]! / expected.data[s]!).toBeCloseTo(1, 4);
  });
});
