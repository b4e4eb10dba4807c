/**
 * Contractions of which a workgroup owns a region with what is made of them: in blocks, with rests of rows and columns; no races, right by
 * the interpreter of kernels.
 */
import { describe, expect, it } from "vitest";
import { runProgram } from "../../src/codegen/interpret-program.ts";
import type { Kernel } from "../../src/codegen/kernel.ts";
import type { KernelShape } from "../../src/codegen/lower/kernel.ts";
import { lowerProgram } from "../../src/codegen/lower/program.ts";
import { kernelShapeFor } from "../../src/codegen/shapes.ts";
import { contains } from "../../src/codegen/traverse.ts";
import { defaultLimits, verifyKernel } from "../../src/codegen/verify.ts";
import { planGraph } from "../../src/fusion/planner.ts";
import { hardwareTarget, softwareTarget, type Target } from "../../src/fusion/target.ts";
import type { Graph } from "../../src/ir/ir.ts";
import { parseGraph } from "../../src/ir/parse.ts";
import { differences, oracle } from "../programs/closeness.ts";
import { graphOf, prepared, run, verified } from "../programs/compile.ts";
import { randomInputs } from "../programs/inputs.ts";
import { randomSource } from "../programs/random-source.ts";
import { randomContraction } from "./random-contractions.ts";

/** Whatever can share a kernel does: a launch takes a second. */
const joining: Pick<Target, "launch" | "nodes"> = { launch: 1, nodes: 100 };

type Shape = KernelShape & { readonly target: Target };

/** As on a driver whose subgroups run as vectors, with a region in blocks of eight lanes. */
function vectorShape(rows: number, columns: number, longestText = Infinity): Shape {
  const { block, ...shape } = kernelShapeFor("software", 8);
  return {
    ...shape,
    longestText,
    block: { ...block!, rows, columns },
    target: { ...softwareTarget, ...joining, exchanges: true },
  };
}

/** As on a GPU, whose regions are dealt in tiles. */
const gpuShape: Shape = { ...kernelShapeFor("hardware"), target: { ...hardwareTarget, ...joining } };

const isInBlocks = ({ body }: Kernel): boolean =>
  contains(body, (statement) => statement.kind === "for" && statement.index.startsWith("block"));

function kernelsOf(graph: Graph, shape: Shape): readonly Kernel[] {
  return lowerProgram(planGraph(graph, "full", shape.target), shape).program.kernels;
}

function problemsOf(graph: Graph, shape: Shape, seed: number): readonly string[] {
  const { program } = lowerProgram(planGraph(graph, "full", shape.target), shape);
  const found = program.kernels.flatMap((kernel) => verifyKernel(kernel, defaultLimits));
  if (found.length > 0) return found;
  const inputs = randomInputs(graph.params, randomSource(seed));
  const values = runProgram(program, inputs, { precision: "f64", random: randomSource(seed + 1).next });
  const results = graph.results.map((name) => values[name]!);
  return differences(results, run(graph, inputs), graph.results, oracle);
}

const programs = `
fn centred(y: f32[s, o, n]) -> f32[s, o, n] = for b -> {
  let mu = mean[r, i] y[b, r, i]
  for r, i -> y[b, r, i] - mu
}

fn in_batches(w: f32[o, c], x: f32[s, c, n]) -> f32[s, o, n] =
  centred(for b, r, i -> sum[q] w[r, q] * x[b, q, i])

fn residual(w: f32[o, c], u: f32[o], x: f32[s, c, n], y: f32[s, o, n]) -> f32[s, o, n] =
  centred(for b, r, i -> y[b, r, i] + tanh(u[r] + sum[q] w[r, q] * x[b, q, i]))

fn over_maps(w: f32[o, c], x: f32[s, c, h, v]) -> f32[s, o, h, v] {
  let y[b, r, i, j] = sum[q] w[r, q] * x[b, q, i, j]
  for b -> {
    let mu = mean[r, i, j] y[b, r, i, j]
    for r, i, j -> y[b, r, i, j] - mu
  }
}

fn by_columns(w: f32[o, c], x: f32[s, n, c]) -> f32[s, o, n] =
  centred(for b, r, i -> sum[q] w[r, q] * x[b, i, q])

fn convolution(w: f32[o, c, 3], x: f32[s, c, n]) -> f32[s, o, n] =
  centred(for b, r, i -> sum[q, z] w[r, q, z] * x[b, q, i + z - 1 | 0.0])
`;

const functions: readonly (readonly [string, Readonly<Record<string, number>>])[] = [
  ["in_batches", { s: 3, o: 16, c: 16, n: 64 }],
  ["in_batches", { s: 2, o: 20, c: 11, n: 49 }],
  ["in_batches", { s: 1, o: 26, c: 5, n: 35 }],
  ["in_batches", { s: 2, o: 32, c: 8, n: 28 }],
  ["residual", { s: 2, o: 20, c: 12, n: 100 }],
  ["over_maps", { s: 2, o: 22, c: 6, h: 7, v: 7 }],
  ["over_maps", { s: 2, o: 24, c: 5, h: 5, v: 8 }],
  ["by_columns", { s: 2, o: 24, c: 10, n: 33 }],
  ["convolution", { s: 2, o: 18, c: 5, n: 41 }],
];

const shapes: readonly (readonly [string, Shape])[] = [
  ["16 rows × 4 columns", vectorShape(16, 4)],
  ["5 rows × 2 columns", vectorShape(5, 2)],
  ["16 rows × 4 columns, of short text", vectorShape(16, 4, 300)],
];

describe.each(shapes)("blocks in a region, %s", (_, shape) => {
  it.each(functions)("%s %o", (name, dims) => {
    const graph = prepared(graphOf(programs, name, dims));
    const kernels = kernelsOf(graph, shape);
    expect(kernels).toHaveLength(1);
    expect(kernels.some(isInBlocks)).toBe(true);
    expect(problemsOf(graph, shape, 7)).toEqual([]);
  });
});

describe("tiles in a region, as on a GPU", () => {
  it.each(functions)("%s %o", (name, dims) => {
    const graph = prepared(graphOf(programs, name, dims));
    expect(kernelsOf(graph, gpuShape)).toHaveLength(1);
    expect(problemsOf(graph, gpuShape, 7)).toEqual([]);
  });
});

/** The text of a graph whose result is the distance from the mean of what another has, over all axes but the outer ones. */
function centred(text: string): string {
  const [, sizes, axes] = /%y: f32\[(.*?)\] = for (.*?)\. /.exec(text)!;
  const all = axes!.split(", ");
  const names = all.map((axis) => axis.split("<")[0]!);
  const outer = all.filter((axis) => axis.startsWith("b"));
  const kept = names.filter((name) => name.startsWith("b"));
  const shape = outer.map((axis) => axis.split("<")[1]!).join(", ");
  const inner = all.filter((axis) => !axis.startsWith("b"));
  const over = outer.length === 0 ? "" : `for ${outer.join(", ")}. `;
  return text.replace("-> (%y)", "-> (%z)").replace(
    /\}\s*$/,
    `  %mu: f32[${shape}] = ${over}sum ${inner.join(", ")}. %y[${names.join(", ")}]
  %z: f32[${sizes}] = for ${axes}. %y[${names.join(", ")}] - %mu[${kept.join(", ")}]
}`,
  );
}

describe("random contractions and the distances from their means", () => {
  const portion = 10;
  it.each(Array.from({ length: 6 }, (_, i) => i * portion))("from seed %i", (first) => {
    let inBlocks = 0;
    for (let seed = first; seed < first + portion; seed++) {
      const random = randomSource(seed);
      const graph = verified(parseGraph(centred(randomContraction(random))));
      const shape = vectorShape(random.choose([2, 4, 16]), random.choose([1, 2, 4]));
      if (kernelsOf(graph, shape).some(isInBlocks)) inBlocks += 1;
      expect(problemsOf(graph, shape, seed).map((problem) => `seed ${seed}: ${problem}`)).toEqual([]);
      expect(problemsOf(graph, gpuShape, seed).map((problem) => `seed ${seed}: ${problem}`)).toEqual([]);
    }
    expect(inBlocks).toBeGreaterThan(0);
  });
});
