/** Graphs at the corners of lowering, each the smallest that random programs have found: as kernels they give what they mean. */
import { beforeAll, describe, expect, it } from "vitest";
import { runProgram } from "../../src/codegen/interpret-program.ts";
import { lowerProgram } from "../../src/codegen/lower/program.ts";
import { defaultLimits, verifyKernel } from "../../src/codegen/verify.ts";
import { planGraph } from "../../src/fusion/planner.ts";
import { hardwareTarget, type Target } from "../../src/fusion/target.ts";
import { parseGraph } from "../../src/ir/parse.ts";
import { differences } from "../programs/closeness.ts";
import { run, verified } from "../programs/compile.ts";
import { randomInputs } from "../programs/inputs.ts";
import { randomSource } from "../programs/random-source.ts";
import { bindAlone, openDevice, problemsOf } from "./device.ts";
import { levels } from "./levels.ts";

let device: GPUDevice;
beforeAll(async () => {
  device = await openDevice("null");
});

const shapes = [
  { invocations: 1, regionInvocations: 1, busyInvocations: 1 },
  { invocations: 8, regionInvocations: 16, busyInvocations: 64 },
] as const;

/** Devices where everything fuses, and where it does so without workgroup memory. */
const targets: readonly Target[] = [
  { ...hardwareTarget, launch: 1 },
  { ...hardwareTarget, launch: 1, workgroupBytes: 0 },
];

/** What is wrong with the kernels of a graph for random inputs, at every level, shape and target; with their texts too. */
async function problems(text: string): Promise<string[]> {
  const graph = verified(parseGraph(text));
  const inputs = randomInputs(graph.params, randomSource(5));
  const expected = run(graph, inputs);
  const found: string[] = [];
  for (const level of levels)
    for (const shape of shapes)
      for (const target of targets) {
        const { program } = lowerProgram(planGraph(graph, level, target), shape);
        const invalid = program.kernels.flatMap((kernel) => verifyKernel(kernel, defaultLimits));
        if (invalid.length > 0) return invalid;
        for (const kernel of program.kernels) found.push(...(await problemsOf(device, bindAlone(kernel))));
        const values = runProgram(program, inputs, { precision: "f64", random: randomSource(6).next });
        const results = graph.results.map((name) => values[name]!);
        found.push(...differences(results, expected, graph.results));
      }
  return found;
}

describe("a kernel", () => {
  it("joins nodes of which one has an axis of one point that the other has not", async () => {
    expect(
      await problems(`graph f(%x: f32[1, 4]) -> (%a, %b) {
  %a: f32[4] = for j<4. sum k<4. %x[0, k] * %x[0, j]
  %b: f32[1, 4] = for i<1, j<4. tanh(%a[j]) + %x[i, j]
}`),
    ).toEqual([]);
  });

  it("leaves out what has no elements, though the workgroup is to keep it", async () => {
    expect(
      await problems(`graph f(%x: f32[8, 6], %v: f32[8, 6, 0], %a: idx<4>[8, 6]) -> (%y) {
  %g: f32[8, 4, 0] = for b<8, j<4, k<0. sum i<6 at j = %a[b, i]. %v[b, i, k]
  %s: f32[8, 6] = for b<8, i<6. sum k<0. %g[b, %a[b, i], k] * %v[b, i, k]
  %y: f32[8, 6] = for b<8, i<6. %x[b, i] + %s[b, i]
}`),
    ).toEqual([]);
  });

  it("walks each point of a segment sum over its own range", async () => {
    expect(
      await problems(`graph f(%x: f32[8], %y: f32[4], %a: idx<2>[8]) -> (%r) {
  %s: f32[4, 2] = for i<4, j<2. sum k in 2 * i .. min(2 * i + 2, 8) at j = %a[k]. %x[k]
  %t: f32[4] = for i<4. sum k<8. %x[k] * %y[i]
  %r: f32[4, 2] = for i<4, j<2. %s[3 - i, j] * %t[3 - i]
}`),
    ).toEqual([]);
  });

  it("adds nothing where a key is outside of its axis, known or not", async () => {
    expect(
      await problems(`graph f(%x: f32[4]) -> (%s) {
  %s: f32[3] = for j<3. sum k<4 at j = 2 * k - 2. %x[k]
}`),
    ).toEqual([]);
  });

  it("reads nothing outside of a tensor where an unrolled turn does not come to", async () => {
    expect(
      await problems(`graph f(%x: f32[4], %g: idx<2>[4]) -> (%s) {
  %s: f32[] = sum k<4. if %g[k] == k then tanh(tanh(tanh(%x[3 - 2 * k]))) else 0.5
}`),
    ).toEqual([]);
  });

  it("reads nothing outside of a tensor before a loop that has no turn", async () => {
    expect(
      await problems(`graph f(%z: f32[4, 4]) -> (%s) {
  %s: f32[4] = for i<4. sum j in i + 1 .. 4. if 3 * i < 4 then %z[i + 1, 3 * i] else 1.0
}`),
    ).toEqual([]);
  });

  it("reads nothing outside of a tensor for a point beside those that a condition lets in", async () => {
    expect(
      await problems(`graph f(%x: f32[2, 40]) -> (%s) {
  %a: f32[2] = for i<2. sum j<40. %x[i, j]
  %s: f32[4] = for k<4. sum l<3. if l < 2 then %a[l] else %x[0, k]
}`),
    ).toEqual([]);
  });

  it("tells a loop's variable from an axis of the same name further out", async () => {
    expect(
      await problems(`graph f(%x: f32[3, 3], %y: f32[3, 2]) -> (%c) {
  %a: idx<3>[3] = for i<3. argmin k<3. %x[i, k]
  %b: f32[] = sum i<3. %y[%a[i], 0]
  %c: f32[3, 2] = for i<3, j<2. %y[i, j] + %b
}`),
    ).toEqual([]);
  });

  it("gives every local a name of its own, whatever the program's names look like", async () => {
    expect(
      await problems(`graph f(%d_1: f32[4], %d.1_1: f32[4], %d: f32[4]) -> (%d_2, %d.2) {
  %d_2: f32[4] = for i<4. sum k<4. %d_1[k] * %d.1_1[i]
  %d_2_1: f32[4] = for i<4. sum k<4. %d_2[k] * %d[i]
  %d.2: f32[4] = for i<4. sum k<4. %d_2_1[k] * %d_2[i]
}`),
    ).toEqual([]);
  });
});
