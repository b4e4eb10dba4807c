/** In which order intermediates lie in memory: chosen by the kernels that touch them, and of no consequence for what they compute. */
import { describe, expect, it } from "vitest";
import { runProgram } from "../../src/codegen/interpret-program.ts";
import type { Kernel } from "../../src/codegen/kernel.ts";
import type { KernelShape } from "../../src/codegen/lower/kernel.ts";
import { lowerProgram } from "../../src/codegen/lower/program.ts";
import { printKernel } from "../../src/codegen/print.ts";
import { kernelShapeFor } from "../../src/codegen/shapes.ts";
import { groupsOf, movableValues } from "../../src/fusion/orders.ts";
import type { LayoutChoice, Plan } from "../../src/fusion/plan.ts";
import { planGraph } from "../../src/fusion/planner.ts";
import { printPlan } from "../../src/fusion/print.ts";
import { softwareTarget } from "../../src/fusion/target.ts";
import { interpret } from "../../src/ir/interpret.ts";
import type { Graph } from "../../src/ir/ir.ts";
import { parseGraph } from "../../src/ir/parse.ts";
import { differences } from "../programs/closeness.ts";
import { randomInputs } from "../programs/inputs.ts";
import { randomSource } from "../programs/random-source.ts";
import { linesTogether } from "./lines.ts";
import { graphOf } from "./plans.ts";
import { shuffled } from "./shuffled.ts";

const shape = kernelShapeFor("hardware");

/** Kernels that load from where values lie, not by tiles of a workgroup's memory, which turn them over. */
function withoutStaging(whole: KernelShape): KernelShape {
  const { block, ...others } = whole;
  if (block === undefined) return whole;
  const { staging, ...plain } = block;
  expect(staging).toBeDefined();
  return { ...others, block: plain };
}

/** Both operands of the second product are read along their rows: whichever axis the lanes lie along, one of them is gathered. */
const product = `
fn product(x: f32[n, i], v: f32[i, r], w: f32[q, r]) -> f32[n, q] {
  let g = for a, b -> tanh(sum[k] x[a, k] * v[k, b])
  for a, c -> sum[b] g[a, b] * w[c, b]
}`;

const large = graphOf(product, "product", { n: 1024, i: 64, r: 512, q: 512 });

function planned(graph: Graph, layout: LayoutChoice = "chosen"): Plan {
  return planGraph(graph, "full", shape.target, "speed", [], layout);
}

function kernelOf(plan: Plan, name: string): Kernel {
  return lowerProgram(plan, withoutStaging(shape)).program.kernels.find((kernel) => kernel.name === name)!;
}

/** The values whose order is chosen, with that order. */
function ordersOf(graph: Graph): Record<string, readonly number[]> {
  return Object.fromEntries(planned(graph).reorderings.map(({ value, order }) => [value, order]));
}

describe("an intermediate whose reader gathers it", () => {
  it("is stored by the axis that the reader's lanes step along", () => {
    const { reorderings, steps } = planned(large);
    const [g] = movableValues(planned(large));
    expect(reorderings).toEqual([
      {
        value: g!.name,
        order: [1, 0],
        before: expect.any(Number) as number,
        after: expect.any(Number) as number,
      },
    ]);
    expect(reorderings[0]!.after).toBeLessThan(0.8 * reorderings[0]!.before);
    for (const { orders } of groupsOf(steps)) expect([...orders.values()]).toEqual([[1, 0]]);
  });

  it("is loaded by fours that lie side by side, where each lane loaded from a line of its own", () => {
    const [before, after] = [planned(large, "row-major"), planned(large)].map((plan) =>
      kernelOf(plan, "product"),
    );
    expect(printKernel(after!)).toMatch(/let at = a \+ b \* 1024\n.* = device g\[at \.\.\]/);
    // Lanes share what is a row of one operand; the other was a line each, for 16 columns.
    expect([linesTogether(before!, "g"), linesTogether(before!, "w")]).toEqual([2, 16]);
    expect([linesTogether(after!, "g"), linesTogether(after!, "w")]).toEqual([4, 2]);
  });

  it("stays row-major where that is asked for, and without fusion", () => {
    expect(planned(large, "row-major").reorderings).toEqual([]);
    expect(planGraph(large, "off", shape.target).reorderings).toEqual([]);
  });

  it("is stored by the columns that a lane of a processor loads by fours", () => {
    const plan = planGraph(large, "full", softwareTarget);
    expect(plan.reorderings.map(({ order }) => order)).toEqual([[1, 0]]);
    const { kernels } = lowerProgram(plan, kernelShapeFor("software", 8)).program;
    const reader = printKernel(kernels.find(({ name }) => name === "product")!);
    expect(reader).toMatch(/let \(.*\) = device g\[/);
    expect(reader).not.toMatch(/= device g\[[^.]*\]\n/);
  });

  it("is stored so that a map of odd rows is loaded by fours across them", () => {
    const text = `
fn perceptron(x: f32[b, h, v, i], w: f32[j, i], u: f32[q, j]) -> f32[b, h, v, q] {
  let y = for n, a, c, k -> tanh(sum[l] x[n, a, c, l] * w[k, l])
  for n, a, c, k -> sum[l] y[n, a, c, l] * u[k, l]
}`;
    const graph = graphOf(text, "perceptron", { b: 8, h: 14, v: 14, i: 64, j: 256, q: 64 });
    const plan = planGraph(graph, "full", softwareTarget);
    expect(plan.reorderings.map(({ order }) => order)).toEqual([[3, 0, 1, 2]]);
    const { kernels } = lowerProgram(plan, kernelShapeFor("software", 8)).program;
    const reader = printKernel(kernels.find(({ name }) => name === "perceptron")!);
    expect(reader).toMatch(/let \(.*\) = device y\[/);
  });
});

it("says so in the plan", () => {
  const text = printPlan(planned(large));
  expect(text).toContain("    g.1[1024, 512] → device, by axes 1, 0\n");
  expect(text).toMatch(/\norders\n {2}g\.1 by axes 1, 0: \S+ µs in the kernels that touch it, \S+ µs before/);
  expect(printPlan(planned(large, "row-major"))).not.toContain("by axes");
});

describe("what is read as it lies", () => {
  it("is left alone", () => {
    const text = `
fn rows(x: f32[n, i], v: f32[i, r], w: f32[r, q]) -> f32[n, q] {
  let g = for a, b -> tanh(sum[k] x[a, k] * v[k, b])
  for a, c -> sum[b] g[a, b] * w[b, c]
}`;
    expect(ordersOf(graphOf(text, "rows", { n: 1024, i: 64, r: 512, q: 512 }))).toEqual({});
  });
});

describe("what others than kernels see", () => {
  const movable = (graph: Graph): string[] => movableValues(planGraph(graph, "off")).map(({ name }) => name);

  it("is row-major: parameters and results", () => {
    const text = product
      .replace("-> f32[n, q]", "-> (f32[n, q], f32[n, r])")
      .replace(/for a, c.*/, "($&, g)");
    const graph = graphOf(text, "product", { n: 1024, i: 64, r: 512, q: 512 });
    for (const name of [...graph.results, ...graph.params.map((param) => param.name)])
      expect(movable(graph)).not.toContain(name);
    expect(ordersOf(graph)).toEqual({});
  });

  it("is row-major: what loops carry and stack, which is copied", () => {
    const graph = parseGraph(`graph f(%x: f32[64, 64]) -> (%y, %s) {
  %a: f32[64, 64] = for i<64, j<64. sum k<64. %x[i, k] * %x[k, j]
  %y: f32[64, 64], %s: f32[40, 64, 64] = loop t<40 carry (%c = %a -> %n) stack (%n) {
    %m: f32[64, 64] = for i<64, j<64. sum k<64. %c[i, k] * %x[k, j]
    %n: f32[64, 64] = for i<64, j<64. sum k<64. %m[j, k] * %m[i, k]
  }
}`);
    expect(movable(graph)).toEqual(["m"]);
  });
});

describe("kernels compute the same, in whatever order values lie", () => {
  const graph = graphOf(product, "product", { n: 64, i: 4, r: 64, q: 60 });
  const inputs = randomInputs(graph.params, randomSource(1));
  const expected = interpret(graph, inputs);
  const expectEqual = (values: ReturnType<typeof runProgram>): void =>
    expect(
      differences(
        graph.results.map((name) => values[name]!),
        graph.results.map((name) => expected[name]!),
        graph.results,
      ),
    ).toEqual([]);

  it.each([1, 2, 3, 4])("shuffled by seed %i", (seed) => {
    const plan = shuffled(planGraph(graph, "off", shape.target), randomSource(seed));
    const { program } = lowerProgram(plan, shape);
    const values = runProgram(program, inputs, { precision: "f64", random: randomSource(seed).next });
    expectEqual(values);
  });

  it("chosen for a device on which loads are dear", () => {
    const target = { ...shape.target, launch: 0, loadCost: 100, busyInvocations: 1, busyWorkgroups: 1 };
    const plan = planGraph(graph, "full", target);
    expect(plan.reorderings).not.toEqual([]);
    const values = runProgram(lowerProgram(plan, withoutStaging(shape)).program, inputs, {
      precision: "f64",
    });
    expectEqual(values);
  });
});
