/** Every program with expectations, as kernels at every level of fusion, run by the interpreter that finds races. */
import { describe, expect, it } from "vitest";
import {
  blockShape,
  laneShape,
  levels,
  programFor,
  sharingShape,
  smallShape,
  stagedShape,
  tallShape,
} from "./levels.ts";
import { vjpGraph } from "../../src/autodiff/differentiate.ts";
import { runProgram } from "../../src/codegen/interpret-program.ts";
import type { KernelShape } from "../../src/codegen/lower/kernel.ts";
import type { MemoryChoice, Plan } from "../../src/fusion/plan.ts";
import type { Graph } from "../../src/ir/ir.ts";
import type { TensorData } from "../../src/ir/interpret.ts";
import { shuffled } from "../fusion/shuffled.ts";
import { differences, oracle } from "../programs/closeness.ts";
import { type Inputs, prepared } from "../programs/compile.ts";
import { randomSource } from "../programs/random-source.ts";
import { compileCase, suites } from "../programs/suites.ts";

/** How graphs become kernels. */
interface Way {
  readonly title: string;
  readonly level: (typeof levels)[number];
  readonly shape: KernelShape;
  readonly memory?: MemoryChoice;
  readonly layout?: (plan: Plan) => Plan;
}

const ways: readonly Way[] = [
  ...levels.map((level) => ({ title: `--fuse ${level}`, level, shape: smallShape })),
  {
    title: "--fuse full, in the least memory",
    level: "full",
    shape: smallShape,
    memory: "least",
  },
  { title: "--fuse off, in blocks", level: "off", shape: blockShape },
  { title: "--fuse full, in blocks", level: "full", shape: blockShape },
  { title: "--fuse full, in rows of lanes", level: "full", shape: laneShape },
  { title: "--fuse full, with shared reductions", level: "full", shape: sharingShape },
  { title: "--fuse full, in tall blocks", level: "full", shape: tallShape },
  { title: "--fuse full, staged", level: "full", shape: stagedShape },
  { title: "--fuse off, values in any order", level: "off", shape: blockShape, layout: anyOrder(1) },
  { title: "--fuse full, values in any order", level: "full", shape: smallShape, layout: anyOrder(2) },
  {
    title: "--fuse full, values in any order, in rows",
    level: "full",
    shape: laneShape,
    layout: anyOrder(3),
  },
];

function anyOrder(seed: number): (plan: Plan) => Plan {
  return (plan) => shuffled(plan, randomSource(seed));
}

function runKernels(graph: Graph, { level, shape, memory, layout }: Way, inputs: Inputs): TensorData[] {
  const values = runProgram(programFor(graph, level, shape, memory, layout), inputs, { precision: "f64" });
  return graph.results.map((name) => values[name]!);
}

for (const way of ways)
  describe(way.title, () => {
    for (const suite of suites())
      describe(`${suite.name}, of ${suite.file}`, () => {
        for (const of of suite.cases)
          it(of.title, () => {
            const { specialised, inputs, results, derivative } = compileCase(of);
            const { graph } = specialised;
            const simple = prepared(graph);
            expect(differences(runKernels(simple, way, inputs), results, graph.results, oracle)).toEqual([]);
            if (derivative === null) return;
            const vjp = vjpGraph(graph);
            const seeds = vjp.params
              .slice(graph.params.length)
              .map((p, i) => [p.name, derivative.cotangents[i]!]);
            const given = { ...inputs, ...Object.fromEntries(seeds) };
            expect(
              differences(runKernels(prepared(vjp), way, given), derivative.gradients, vjp.results, oracle),
            ).toEqual([]);
          });
      });
  });
