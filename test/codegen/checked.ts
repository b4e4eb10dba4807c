/** Graphs as programs of kernels that have been held to what the graph means, and what their texts say. */
import { expect } from "vitest";
import { runProgram } from "../../src/codegen/interpret-program.ts";
import { printKernel } from "../../src/codegen/print.ts";
import type { Program } from "../../src/codegen/program.ts";
import type { Graph } from "../../src/ir/ir.ts";
import { parseGraph } from "../../src/ir/parse.ts";
import { differences } from "../programs/closeness.ts";
import { run, verified } from "../programs/compile.ts";
import { randomInputs } from "../programs/inputs.ts";
import { randomSource } from "../programs/random-source.ts";
import { programFor } from "./levels.ts";

/** The program of a graph in a shape, of which the interpreter has found that it gives what the graph means, without races. */
export function checkedIn(shape: Parameters<typeof programFor>[2], text: string): Program {
  return checkedGraph(shape, verified(parseGraph(text)));
}

/** The same of a graph, whose values may be laid out otherwise. */
export function checkedGraph(
  shape: Parameters<typeof programFor>[2],
  graph: Graph,
  layout?: Parameters<typeof programFor>[4],
): Program {
  const inputs = randomInputs(graph.params, randomSource(5));
  const program = programFor(graph, "full", shape, "speed", layout);
  const values = runProgram(program, inputs, { precision: "f64", random: randomSource(6).next });
  const results = graph.results.map((name) => values[name]!);
  expect(differences(results, run(graph, inputs), graph.results)).toEqual([]);
  return program;
}

/** All kernels of a program, printed. */
export const textsOf = ({ kernels }: Program): string => kernels.map(printKernel).join("\n");

/** How often a part occurs in a text. */
export const count = (text: string, part: string): number => text.split(part).length - 1;

/** A softmax of rows: two reductions of one result each, and what is made of them. */
export const softmax = (n: number): string => `graph f(%x: f32[6, ${n}]) -> (%y) {
  %top: f32[6] = for i<6. max k<${n}. %x[i, k]
  %e: f32[6, ${n}] = for i<6, k<${n}. exp(%x[i, k] - %top[i])
  %total: f32[6] = for i<6. sum k<${n}. %e[i, k]
  %y: f32[6, ${n}] = for i<6, k<${n}. %e[i, k] / %total[i]
}`;
