/** Segment sums that stay in registers for whoever reads them at their own elements, and loops written out over what is a run in memory. */
import { describe, expect, it } from "vitest";
import { runProgram } from "../../src/codegen/interpret-program.ts";
import type { Kernel } from "../../src/codegen/kernel.ts";
import { printKernel } from "../../src/codegen/print.ts";
import { lowerProgram } from "../../src/codegen/lower/program.ts";
import { kernelShapeFor } from "../../src/codegen/shapes.ts";
import { contains } from "../../src/codegen/traverse.ts";
import { defaultLimits, verifyKernel } from "../../src/codegen/verify.ts";
import { planGraph } from "../../src/fusion/planner.ts";
import { differences, oracle } from "../programs/closeness.ts";
import { graphOf, prepared, run } from "../programs/compile.ts";
import { randomInputs } from "../programs/inputs.ts";
import { randomSource } from "../programs/random-source.ts";
import { groupsOf } from "./plans.ts";

const text = `
fn pick(x: f32[d, n], c: f32[o]) -> idx[o][n] = for i -> argmax[j] c[j] * x[0, i]

fn pooled(x: f32[b, d, n], v: f32[b, d, n], c: f32[o]) -> f32[b, d, n] = for g -> {
  let a = pick(x[g], c)
  let size[j] = count[i] a[i] == j
  let s = for j: o, k: d ->
    (v[g, k, 2 * j | 0.0] + sum[i] if a[i] == j then v[g, k, i] else 0.0) / (1.0 + f32(size[j]))
  for k, i -> s[a[i], k]
}

fn elsewhere(x: f32[b, d, n], v: f32[b, d, n], c: f32[o]) -> f32[b, d, n] = for g -> {
  let a = pick(x[g], c)
  let s = for j: o, k: d -> sum[i] if a[i] == j then v[g, k, i] else 0.0
  let t = for j: o, k: d -> s[j, k] + s[a[j], k]
  for k, i -> t[a[i], k]
}

fn only_sums(x: f32[b, d, n], v: f32[b, d, n], c: f32[o]) -> f32[b, o] = for g -> {
  let a = pick(x[g], c)
  let s = for j: o -> sum[i] if a[i] == j then v[g, 0, i] else 0.0
  for j -> s[j] / (1.0 + s[j] * s[j])
}
`;

const shape = kernelShapeFor("software", 8);

function compiled(name: string, dims: Readonly<Record<string, number>>, longestText = shape.longestText) {
  const graph = prepared(graphOf(text, name, dims));
  const plan = planGraph(graph, "full", { ...shape.target, launch: 1, nodes: 100 });
  const { program } = lowerProgram(plan, { ...shape, ...(longestText === undefined ? {} : { longestText }) });
  const problems = program.kernels.flatMap((kernel) => verifyKernel(kernel, defaultLimits));
  const inputs = randomInputs(graph.params, randomSource(3));
  const values = runProgram(program, inputs, { precision: "f64", random: randomSource(4).next });
  const results = graph.results.map((result) => values[result]!);
  problems.push(...differences(results, run(graph, inputs), graph.results, oracle));
  return { groups: groupsOf(plan), kernels: program.kernels, problems };
}

const columnsIn = ({ groups }: ReturnType<typeof compiled>): number =>
  groups
    .flatMap(({ phases }) => phases.flatMap(({ columnsOf }) => columnsOf))
    .filter(({ length }) => length > 0).length;

const loadsFours = ({ body }: Kernel): boolean =>
  contains(body, (statement) => statement.kind === "loads" && statement.array === "v");

describe("columns of segment sums", () => {
  const sizes = [
    { b: 3, d: 32, n: 49, o: 4 },
    { b: 2, d: 9, n: 10, o: 3 },
    { b: 2, d: 16, n: 40, o: 8 },
  ];
  it.each(sizes)("stay in registers: %o", (dims) => {
    const one = compiled("pooled", dims);
    expect(one.problems).toEqual([]);
    expect(columnsIn(one)).toBe(1);
    const sums = one.groups.flatMap(({ phases, placements }) =>
      phases.flatMap(({ nodes }) =>
        nodes
          .filter(({ keys, axes }) => keys.length > 0 && axes.length === 3)
          .map(({ name }) => placements.get(name)),
      ),
    );
    expect(sums).toEqual(["register"]);
  });

  it.each(sizes)("lie in memory where the text would be too long: %o", (dims) => {
    const one = compiled("pooled", dims, 200);
    expect(one.problems).toEqual([]);
    expect(columnsIn(one)).toBe(1);
    const arrays = one.kernels.flatMap(({ workgroupArrays }) => workgroupArrays.map(({ length }) => length));
    expect(arrays.filter((length) => length === dims.o * dims.d)).toHaveLength(2);
  });

  it("lie in memory where they are long, or are read at other elements too", () => {
    const long = compiled("pooled", { b: 2, d: 8, n: 20, o: 9 });
    const other = compiled("elsewhere", { b: 2, d: 16, n: 20, o: 4 });
    for (const one of [long, other]) {
      expect(one.problems).toEqual([]);
      expect(columnsIn(one)).toBe(0);
    }
  });

  it("are shared by the lanes where there is one", () => {
    const one = compiled("only_sums", { b: 3, d: 2, n: 49, o: 4 });
    expect(one.problems).toEqual([]);
    expect(columnsIn(one)).toBe(0);
  });
});

describe("loops over runs in memory", () => {
  it("are written out, and load by fours", () => {
    const one = compiled("pooled", { b: 3, d: 32, n: 49, o: 4 });
    expect(one.kernels.some(loadsFours)).toBe(true);
  });

  it("stay loops where a point's own turns are fours, or the text would be too long", () => {
    const short = compiled("pooled", { b: 3, d: 32, n: 49, o: 4 }, 1000);
    expect(short.problems).toEqual([]);
    const loops = ({ kernels }: typeof short): number =>
      kernels.reduce((sum, kernel) => sum + (printKernel(kernel).match(/\bfor\b/g)?.length ?? 0), 0);
    expect(loops(short)).toBeGreaterThan(loops(compiled("pooled", { b: 3, d: 32, n: 49, o: 4 })));
  });
});
