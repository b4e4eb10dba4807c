/** Results that overwrite parameters: one kernel for all that is carried for a weight, nothing copied, and the right numbers. */
import { describe, expect, test } from "vitest";
import { runProgram } from "../../src/codegen/interpret-program.ts";
import { lowerProgram } from "../../src/codegen/lower/program.ts";
import type { KernelShape } from "../../src/codegen/lower/kernel.ts";
import { kernelShapeFor } from "../../src/codegen/shapes.ts";
import type { Update } from "../../src/fusion/overwrite.ts";
import { planGraph } from "../../src/fusion/planner.ts";
import { hardwareTarget, softwareTarget, type Target } from "../../src/fusion/target.ts";
import type { Graph } from "../../src/ir/ir.ts";
import { parseGraph } from "../../src/ir/parse.ts";
import { blockShape, laneShape, levels, sharingShape, smallShape } from "../codegen/levels.ts";
import { differences } from "../programs/closeness.ts";
import { run, verified } from "../programs/compile.ts";
import { randomInputs } from "../programs/inputs.ts";
import { randomSource } from "../programs/random-source.ts";
import { graphOf, groupsOf } from "./plans.ts";

/** Two products, a gain and a bias, trained by AdamW. The second weight is read by the gradient of the first as well. */
const text = `
use optim.{Moments, adamw}
struct Net[d] { first: f32[d, d, 1, 1], gain: f32[d], bias: f32[d], second: f32[d, d] }
fn loss(p: Net[d], x: f32[n, d]) -> f32 {
  let h[i, k] = tanh(p.bias[k] + p.gain[k] * (sum[l] p.first[k, l, 0, 0] * x[i, l]))
  let y[i, k] = sum[l] p.second[k, l] * h[i, l]
  mean[i, k] y[i, k] ^ 2
}
fn step(p: Net[d], s: Moments[Net[d]], x: f32[n, d], step: i32, lr: f32) -> (Net[d], Moments[Net[d]]) =
  adamw(p, grad(loss)(p, x), s, step, lr, 0.9, 0.999, 1e-8, 0.05, true)`;

/** Every tensor of the parameters and of the moments is overwritten by its next value. */
const updates: readonly Update[] = Array.from({ length: 12 }, (_, i) => ({ result: i, param: i }));

describe("a step of training", () => {
  const large = graphOf(text, "step", { n: 4096, d: 64 });

  test.each([
    ["a GPU", hardwareTarget],
    ["a CPU", softwareTarget],
  ])("updates a weight and its moments in one kernel, in place: %s", (_, target) => {
    const plan = planGraph(large, "full", target, "balanced", updates);
    const { program } = lowerProgram(plan, smallShape, updates);
    expect(program.steps.filter(({ kind }) => kind === "copy")).toEqual([]);
    const kernelOf = (result: number): number =>
      groupsOf(plan).findIndex(({ placements }) => placements.has(large.results[result]!));
    for (const weight of [0, 1, 2, 3])
      expect([weight + 4, weight + 8].map(kernelOf)).toEqual([kernelOf(weight), kernelOf(weight)]);
  });

  const shapes = { smallShape, blockShape, laneShape, sharingShape };
  const small = graphOf(text, "step", { n: 12, d: 6 });
  test.each(levels.flatMap((level) => Object.keys(shapes).map((shape) => [level, shape] as const)))(
    "gives the numbers of the interpreter: %s, %s",
    (level, shape) => {
      expect(wrongResults(small, updates, level, shapes[shape as keyof typeof shapes])).toEqual([]);
    },
  );
});

describe("no other invocation reads what is overwritten", () => {
  const shapes = {
    "a GPU": kernelShapeFor("hardware"),
    "a large GPU": kernelShapeFor("discrete"),
    "a CPU": kernelShapeFor("software"),
    "a CPU that runs subgroups as vectors": kernelShapeFor("software", 8),
  };
  const programs = {
    "a product": `{
      let s[i, j] = 0.9 * m[i, j] + (sum[l] g[i, l] * x[l, j])
      (for i, j -> w[i, j] - 0.1 * s[i, j], s) }`,
    "a product of what is overwritten": `{
      let s[i, j] = sum[l] tanh(m[i, j] - g[i, l]) * x[l, j]
      (for i, j -> w[i, j] - s[i, j], s) }`,
    "each by itself": `{
      let s[i, j] = 0.9 * m[i, j] + g[i, 0] * x[0, j]
      (for i, j -> w[i, j] - 0.1 * s[i, j], s) }`,
  };
  const sizes = [
    { r: 20, c: 19, k: 11 },
    { r: 12, c: 34, k: 9 },
    { r: 13, c: 13, k: 8 },
  ];
  const cases = Object.keys(shapes).flatMap((device) =>
    Object.keys(programs).map((program) => [device, program] as const),
  );
  test.each(cases)("at the edges of blocks, tiles and rows: %s, %s", (device, program) => {
    const body = programs[program as keyof typeof programs];
    for (const dims of sizes) {
      const graph = graphOf(
        `fn f(w: f32[r, c], m: f32[r, c], g: f32[r, k], x: f32[k, c]) -> (f32[r, c], f32[r, c]) = ${body}`,
        "f",
        dims,
      );
      const both = [0, 1].map((i) => ({ result: i, param: i }));
      expect(wrongResults(graph, both, "full", shapes[device as keyof typeof shapes])).toEqual([]);
    }
  });

  // The place is the same in a whole workgroup, of which one invocation overwrites what all read afterwards.
  test.each(Object.entries(shapes))(
    "of one place of a region, and all read what is there then: %s",
    (_, shape) => {
      const graph = graphOf(
        `fn f(p: f32[b], x: f32[b, n]) -> (f32[b], f32[b, n]) {
        let q[i] = p[i] * (sum[j] x[i, j])
        (q, for i, j -> x[i, j] * q[i]) }`,
        "f",
        { b: 6, n: 100 },
      );
      expect(wrongResults(graph, [{ result: 0, param: 0 }], "full", shape)).toEqual([]);
    },
  );
});

describe("what keeps the parameter as it was", () => {
  test.each([
    ["another element is read", "for i -> p[i] + p[n - 1 - i]"],
    ["all elements are read", "for i -> p[i] + (sum[j] p[j])"],
    ["it is read through another tensor", "{ let q[i] = p[n - 1 - i] * 2.0\n for i -> q[i] + p[i] }"],
  ])("%s", (_, body) => {
    const graph = graphOf(`fn f(p: f32[n]) -> f32[n] = ${body}`, "f", { n: 12 });
    for (const level of levels)
      expect(wrongResults(graph, [{ result: 0, param: 0 }], level, smallShape)).toEqual([]);
  });

  test("two that exchange their values", () => {
    const graph = graphOf(
      "fn f(p: f32[n], q: f32[n]) -> (f32[n], f32[n]) = (for i -> 2.0 * q[i], for i -> 3.0 * p[i] + q[i])",
      "f",
      { n: 12 },
    );
    const both = [0, 1].map((i) => ({ result: i, param: i }));
    for (const level of levels) expect(wrongResults(graph, both, level, smallShape)).toEqual([]);
  });
});

describe("what a reduction reads and its result overwrites", () => {
  const training = (body: string): string => `graph f(%p: f32[7], %x: f32[7, 90]) -> (%next) {
    %g: f32[7] = for i<7. sum k<90. ${body}
    %next: f32[7] = for i<7. %p[i] - 0.1 * %g[i]
  }`;
  test.each(["exp(%p[i] * %x[i, k])", "%x[i, k] * %x[i, k]"])("%s", (body) => {
    const graph = verified(parseGraph(training(body)));
    for (const shape of [smallShape, laneShape, sharingShape])
      expect(wrongResults(graph, [{ result: 0, param: 0 }], "full", shape)).toEqual([]);
  });

  test("is read before it is overwritten by all who compute a short reduction, too", () => {
    const graph = verified(
      parseGraph(`graph f(%p: f32[7], %x: f32[7, 90], %s: f32[7, 8]) -> (%next) {
        %g: f32[7] = for i<7. sum k<90. exp(%x[i, k])
        %h: f32[7] = for i<7. sum k<8. if %s[i, k] > 0.0 then exp(tanh(%s[i, k] * %p[i])) * %g[i] else 0.0
        %next: f32[7] = for i<7. %p[i] - 0.1 * %g[i] - %h[i]
      }`),
    );
    for (const shape of [laneShape, sharingShape, kernelShapeFor("discrete")])
      expect(wrongResults(graph, [{ result: 0, param: 0 }], "full", shape)).toEqual([]);
  });

  test("is shared by a workgroup's invocations nevertheless, and so is the next one's", () => {
    const graph = verified(
      parseGraph(`graph f(%p: f32[7], %q: f32[7], %x: f32[7, 90]) -> (%next, %later) {
        %g: f32[7] = for i<7. sum k<90. exp(%p[i] * %x[i, k])
        %next: f32[7] = for i<7. %p[i] - 0.1 * %g[i]
        %h: f32[7] = for i<7. sum k<90. %x[i, k] * %q[i]
        %later: f32[7] = for i<7. %q[i] - 0.1 * %h[i]
      }`),
    );
    const both = [0, 1].map((i) => ({ result: i, param: i }));
    const plan = planGraph(graph, "full", sharingShape.target, "balanced", both);
    const { kernels } = lowerProgram(plan, sharingShape, both).program;
    expect(kernels.map(({ workgroups, invocations }) => [workgroups, invocations])).toEqual([[7, 16]]);
    expect(kernels[0]!.workgroupArrays.map(({ length }) => length)).toEqual([16, 4]);
    expect(wrongResults(graph, both, "full", sharingShape)).toEqual([]);
  });
});

/** How the results of a program differ from those of the graph, in double precision. */
function wrongResults(
  graph: Graph,
  given: readonly Update[],
  level: (typeof levels)[number],
  shape: KernelShape & { readonly target?: Target },
): readonly unknown[] {
  const inputs = randomInputs(graph.params, randomSource(3), ({ name }) =>
    name.startsWith("s.v") ? [0, 1] : name === "step" ? [0, 9] : undefined,
  );
  const plan = planGraph(graph, level, shape.target ?? hardwareTarget, "balanced", given);
  const { program } = lowerProgram(plan, shape, given);
  const values = runProgram(program, inputs, { precision: "f64", random: randomSource(4).next });
  const names = graph.results.map((_, i) => program.outputs[i]!);
  return differences(
    names.map((name) => values[name]!),
    run(graph, inputs),
    graph.results,
  );
}
