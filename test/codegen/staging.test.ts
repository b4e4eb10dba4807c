/**
 * Contractions whose operands are staged in workgroup memory, with rests of rows, columns and turns: no races, right by the interpreter of
 * kernels and on the device, valid text.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { vjpGraph } from "../../src/autodiff/differentiate.ts";
import { runProgram } from "../../src/codegen/interpret-program.ts";
import type { Kernel } from "../../src/codegen/kernel.ts";
import { lowerProgram } from "../../src/codegen/lower/program.ts";
import type { StagingShape } from "../../src/codegen/lower/stage.ts";
import { type AdapterShape, kernelShapeFor } from "../../src/codegen/shapes.ts";
import { defaultLimits, verifyKernel } from "../../src/codegen/verify.ts";
import { printWgsl } from "../../src/codegen/wgsl.ts";
import { planGraph } from "../../src/fusion/planner.ts";
import { hardwareTarget } from "../../src/fusion/target.ts";
import type { Graph } from "../../src/ir/ir.ts";
import { parseGraph } from "../../src/ir/parse.ts";
import { differences, oracle } from "../programs/closeness.ts";
import { graphOf, type Inputs, prepared, verified } from "../programs/compile.ts";
import { randomInputs } from "../programs/inputs.ts";
import { randomSource } from "../programs/random-source.ts";
import { deviceOfTests } from "../runtime/device.ts";
import { interpretedResults, problemsOnDevice } from "../runtime/on-device.ts";
import { bindAlone, openDevice, problemsOf } from "./device.ts";
import { randomContraction } from "./random-contractions.ts";

const programs = `
fn product(a: f32[m, k], b: f32[k, n]) -> f32[m, n] = for i, j -> sum[l] a[i, l] * b[l, j]

fn by_columns(a: f32[m, k], b: f32[n, k]) -> f32[m, n] = for i, j -> sum[l] a[i, l] * b[j, l]

fn of_transposed(a: f32[k, m], b: f32[k, n]) -> f32[m, n] = for i, j -> sum[l] a[l, i] * b[l, j]

fn in_batches(w: f32[o, c], x: f32[s, c, n]) -> f32[s, o, n] = for b, r, i -> sum[q] w[r, q] * x[b, q, i]

fn over_maps(w: f32[o, c], x: f32[s, c, h, v]) -> f32[s, o, h, v] =
  for b, r, i, j -> sum[q] w[r, q] * x[b, q, i, j]

fn gradient(g: f32[s, o, n], x: f32[s, c, n]) -> f32[o, c] = for r, q -> sum[b, i] g[b, r, i] * x[b, q, i]

fn convolution(w: f32[o, c, 3, 3], x: f32[s, c, h, v]) -> f32[s, o, h, v] =
  for b, r, i, j -> sum[q, y, z] w[r, q, y, z] * x[b, q, i + y - 1, j + z - 1 | 0.0]

fn strided(w: f32[o, c, 2, 2], x: f32[s, c, 2 * h, 2 * v]) -> f32[s, o, h, v] =
  for b, r, i, j -> sum[q, y, z] w[r, q, y, z] * x[b, q, 2 * i + y, 2 * j + z]

fn overlapping(w: f32[o, c, 3, 3], x: f32[s, c, 2 * h, 2 * v]) -> f32[s, o, h, v] =
  for b, r, i, j -> sum[q, y, z] w[r, q, y, z] * x[b, q, 2 * i + y - 1, 2 * j + z - 1 | 0.0]

fn perceptron(w: f32[o, c], u: f32[o], scale: f32[c], centre: f32[s, n], x: f32[s, c, n]) -> f32[s, o, n] =
  for b, r, i -> tanh(u[r] + sum[q] w[r, q] * max(scale[q] * (x[b, q, i] - centre[b, i]), 0.0))


fn gathered(w: f32[o, c], x: f32[s, c, n], k: idx[n][m]) -> f32[s, o, m] =
  for b, r, i -> sum[q] w[r, q] * x[b, q, k[i]]

fn distances(a: f32[m, k], b: f32[n, k]) -> f32[m, n] = for i, j -> sum[l] (a[i, l] - b[j, l]) ^ 2

fn nearest(a: f32[m, k, c], b: f32[n, k, c]) -> f32[m, n] = for i, j -> max[l, q] a[i, l, q] * b[j, l, q]

fn twice(w: f32[o, c], u: f32[o, c], x: f32[c, n]) -> (f32[o, n], f32[o, n]) {
  let y[r, i] = sum[q] w[r, q] * x[q, i]
  let z[r, i] = sum[q] u[r, q] * x[q, i]
  (y, for r, i -> y[r, i] * z[r, i])
}

fn masked(a: f32[m, k], b: f32[n, k], c: f32[k]) -> f32[m, n] =
  for i, j -> sum[l] (if i < j then a[i, l] * b[j, l] else 0.0) + c[l] * a[i, l] * b[j, l]
`;

const functions: readonly (readonly [string, Readonly<Record<string, number>>])[] = [
  ["product", { m: 24, k: 32, n: 36 }],
  ["product", { m: 12, k: 13, n: 27 }],
  ["by_columns", { m: 16, k: 20, n: 40 }],
  ["by_columns", { m: 9, k: 7, n: 21 }],
  ["of_transposed", { m: 20, k: 18, n: 24 }],
  ["in_batches", { s: 3, o: 12, c: 16, n: 12 }],
  ["in_batches", { s: 2, o: 10, c: 11, n: 15 }],
  ["over_maps", { s: 2, o: 8, c: 12, h: 6, v: 6 }],
  ["over_maps", { s: 3, o: 8, c: 12, h: 5, v: 7 }],
  ["gradient", { s: 3, o: 12, c: 16, n: 10 }],
  ["convolution", { s: 2, o: 8, c: 5, h: 4, v: 8 }],
  ["convolution", { s: 1, o: 8, c: 8, h: 5, v: 7 }],
  ["strided", { s: 2, o: 8, c: 3, h: 4, v: 4 }],
  ["overlapping", { s: 2, o: 8, c: 6, h: 4, v: 5 }],
  ["perceptron", { s: 2, o: 8, c: 12, n: 16 }],
  ["gathered", { s: 2, o: 8, c: 9, n: 7, m: 24 }],
  ["distances", { m: 12, k: 10, n: 20 }],
  ["nearest", { m: 12, k: 6, c: 5, n: 20 }],
  ["twice", { o: 12, c: 24, n: 20 }],
  ["masked", { m: 16, k: 12, n: 16 }],
];

/** A small GPU whose workgroups stage wherever they can. */
function stagingShape(
  lanes: number,
  laneRows: number,
  rows: number,
  staging: Partial<StagingShape>,
): AdapterShape {
  return {
    ...kernelShapeFor("hardware"),
    busyInvocations: 1,
    target: { ...hardwareTarget, busyInvocations: 8, busyWorkgroups: 1 },
    block: {
      lanes,
      laneRows,
      rows,
      columns: 4,
      workgroups: 1,
      laneLoad: 2,
      sharedLoad: 1,
      scatteredLoad: 4,
      staging: { turns: 8, bytes: 16384, leastWorkgroups: 1, load: 0, fill: 0, barrier: 0, ...staging },
    },
  };
}

const shapes: readonly (readonly [string, AdapterShape])[] = [
  ["8 turns, 4 × 4 invocations", stagingShape(4, 4, 4, {})],
  ["5 turns, 2 × 3 invocations", stagingShape(2, 3, 2, { turns: 5 })],
  ["as many turns as fit 1 KiB, 4 × 2 invocations", stagingShape(4, 2, 4, { turns: 64, bytes: 1024 })],
];

const device = deviceOfTests();
let checker: GPUDevice;
beforeAll(async () => {
  checker = await openDevice("null");
});

function kernelsOf(graph: Graph, shape: AdapterShape): readonly Kernel[] {
  return lowerProgram(planGraph(graph, "full", shape.target), shape).program.kernels;
}

function isStaged(kernel: Kernel): boolean {
  return kernel.workgroupArrays.some(({ name }) => name.includes("_tile"));
}

async function problemsOfKernels(graph: Graph, inputs: Inputs, shape: AdapterShape): Promise<string[]> {
  const { program } = lowerProgram(planGraph(graph, "full", shape.target), shape);
  const found = program.kernels.flatMap((kernel) => verifyKernel(kernel, defaultLimits));
  for (const kernel of program.kernels)
    if (kernel.buffers.length <= 8) found.push(...(await problemsOf(checker, bindAlone(kernel))));
  if (found.length > 0) return found;
  const values = runProgram(program, inputs, { precision: "f64", random: randomSource(3).next });
  const results = graph.results.map((name) => values[name]!);
  return differences(results, interpretedResults(graph, inputs), graph.results, oracle);
}

describe.each(shapes)("%s", (_, shape) => {
  it.each(functions)("%s %o", async (name, dims) => {
    const graph = prepared(graphOf(programs, name, dims));
    expect(kernelsOf(graph, shape).some(isStaged)).toBe(true);
    expect(await problemsOfKernels(graph, randomInputs(graph.params, randomSource(7)), shape)).toEqual([]);
  });
});

it("has no barriers in loops that hang on what is read", () => {
  const graph = verified(
    parseGraph(`graph f(%n: idx<17>[4], %w: f32[4, 16, 16, 8], %y: f32[4, 16, 8, 64]) -> (%z) {
  %z: f32[4, 16, 64] = for b<4, i<16, j<64. sum r in 0 .. %n[b], a<8. %w[b, i, r, a] * %y[b, r, a, j]
}`),
  );
  for (const [, shape] of shapes)
    expect(kernelsOf(graph, shape).flatMap((kernel) => verifyKernel(kernel, defaultLimits))).toEqual([]);
});

describe("random contractions", () => {
  const portion = 10;
  it.each(Array.from({ length: 6 }, (_, i) => i * portion))("from seed %i", async (first) => {
    let staged = 0;
    for (let seed = first; seed < first + portion; seed++) {
      const random = randomSource(seed);
      const graph = verified(parseGraph(randomContraction(random)));
      const shape = stagingShape(
        random.choose([1, 2, 4]),
        random.choose([1, 2, 3]),
        random.choose([1, 2, 4]),
        {
          turns: random.choose([1, 2, 3, 4, 8, 16]),
          bytes: random.choose([128, 1024, 16384]),
        },
      );
      if (kernelsOf(graph, shape).some(isStaged)) staged += 1;
      const problems = await problemsOfKernels(graph, randomInputs(graph.params, random), shape);
      expect(problems.map((problem) => `seed ${seed}: ${problem}`)).toEqual([]);
    }
    expect(staged).toBeGreaterThan(portion / 2);
  });
});

describe("on the device", () => {
  it.each(functions)("%s %o and its gradients", { timeout: 60_000 }, async (name, dims) => {
    const [, shape] = shapes[0]!;
    const forward = graphOf(programs, name, dims);
    for (const graph of [prepared(forward), prepared(vjpGraph(forward))]) {
      const inputs = randomInputs(graph.params, randomSource(11));
      expect(await problemsOfKernels(graph, inputs, shape)).toEqual([]);
      expect(await problemsOnDevice(device(), graph, inputs, { fuse: "full", shape })).toEqual([]);
    }
  });
});

describe("the text", () => {
  it("of a product for a large GPU", () => {
    const graph = prepared(graphOf(programs, "product", { m: 1024, k: 1024, n: 1024 }));
    const [kernel] = kernelsOf(graph, kernelShapeFor("discrete"));
    expect(printWgsl(bindAlone(kernel!))).toMatchSnapshot();
  });

  it("of a product of few points is that of its parts, whose sums are another kernel's", () => {
    const graph = prepared(graphOf(programs, "product", { m: 128, k: 1024, n: 128 }));
    expect(kernelsOf(graph, kernelShapeFor("discrete")).map(isStaged)).toEqual([true, false]);
  });

  it("stages nothing where there would be few workgroups, or on a software driver", () => {
    const small = prepared(graphOf(programs, "product", { m: 64, k: 512, n: 64 }));
    const large = prepared(graphOf(programs, "product", { m: 1024, k: 1024, n: 1024 }));
    expect(kernelsOf(small, kernelShapeFor("discrete")).some(isStaged)).toBe(false);
    for (const subgroup of [null, 8])
      expect(kernelsOf(large, kernelShapeFor("software", subgroup)).some(isStaged)).toBe(false);
  });
});
