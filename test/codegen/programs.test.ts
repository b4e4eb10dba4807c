/** Every program with expectations, as kernels at every level of fusion, run by the interpreter that finds races. */
import { describe, expect, it } from "vitest";
import { levels, programFor } from "./levels.ts";
import { vjpGraph } from "../../src/autodiff/differentiate.ts";
import { runProgram } from "../../src/codegen/interpret-program.ts";
import type { Graph } from "../../src/ir/ir.ts";
import type { TensorData } from "../../src/ir/interpret.ts";
import { differences, oracle } from "../programs/closeness.ts";
import { type Inputs, prepared } from "../programs/compile.ts";
import { compileCase, suites } from "../programs/suites.ts";

function runKernels(graph: Graph, level: (typeof levels)[number], inputs: Inputs): TensorData[] {
  const values = runProgram(programFor(graph, level), inputs, { precision: "f64" });
  return graph.results.map((name) => values[name]!);
}

for (const level of levels)
  describe(`--fuse ${level}`, () => {
    for (const suite of suites())
      describe(`${suite.name}, of ${suite.file}`, () => {
        for (const of of suite.cases)
          it(of.title, () => {
            const { specialised, inputs, results, derivative } = compileCase(of);
            const { graph } = specialised;
            const simple = prepared(graph);
            expect(differences(runKernels(simple, level, inputs), results, graph.results, oracle)).toEqual(
              [],
            );
            if (derivative === null) return;
            const vjp = vjpGraph(graph);
            const seeds = vjp.params
              .slice(graph.params.length)
              .map((p, i) => [p.name, derivative.cotangents[i]!]);
            const given = { ...inputs, ...Object.fromEntries(seeds) };
            expect(
              differences(runKernels(prepared(vjp), level, given), derivative.gradients, vjp.results, oracle),
            ).toEqual([]);
          });
      });
  });
