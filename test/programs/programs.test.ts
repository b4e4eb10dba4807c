/** Every program with expectations, from its text to its results and gradients. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { differences, oracle } from "./closeness.ts";
import { compileFunction, loadProgram, prepared, run, unsimplified } from "./compile.ts";
import { functionUses } from "./function-uses.ts";
import { differentiated, gradientProblems } from "./gradients.ts";
import { randomInputs } from "./inputs.ts";
import { randomSource, seedOf } from "./random-source.ts";
import { compileCase, programFiles, root, suites } from "./suites.ts";
import { differentiate, vjpGraph } from "../../src/autodiff/differentiate.ts";
import type { Graph } from "../../src/ir/ir.ts";
import { parseGraph } from "../../src/ir/parse.ts";
import { printGraph } from "../../src/ir/print.ts";
import { simplify } from "../../src/ir/rewrite/simplify.ts";
import { format } from "../../src/lang/format.ts";

/** Printing, parsing and printing again gives the same text. */
function expectRoundTrip(graph: Graph): void {
  const text = printGraph(graph);
  expect(printGraph(parseGraph(text))).toBe(text);
}

for (const suite of suites()) {
  describe(`${suite.name}, of ${suite.file}`, () => {
    for (const of of suite.cases)
      it(of.title, () => {
        const { specialised, inputs, results, derivative } = compileCase(of);
        const { graph } = specialised;
        expectRoundTrip(graph);
        const plain = unsimplified(graph);
        const simple = prepared(graph);
        expectRoundTrip(simple);
        expect(
          differences(run(plain, inputs), results, graph.results, oracle),
          "without simplification",
        ).toEqual([]);
        expect(differences(run(simple, inputs), results, graph.results, oracle)).toEqual([]);
        if (derivative === null) return;
        const vjp = vjpGraph(graph);
        const seeds = vjp.params
          .slice(graph.params.length)
          .map((p, i) => [p.name, derivative.cotangents[i]!]);
        const given = { ...inputs, ...Object.fromEntries(seeds) };
        expect(
          differences(run(unsimplified(vjp), given), derivative.gradients, vjp.results, oracle),
          "without simplification",
        ).toEqual([]);
        const backward = prepared(vjp);
        expectRoundTrip(backward);
        expect(differences(run(backward, given), derivative.gradients, vjp.results, oracle)).toEqual([]);
      });
  });
}

describe("derivatives agree with central differences, and vjp with jvp", () => {
  for (const { title, file, name, dims, types, rangeOf } of functionUses())
    it(title, () => {
      const { graph } = compileFunction(loadProgram(`${root}${file}`), name, { dims, types });
      const random = randomSource(seedOf(name));
      expect(
        gradientProblems(differentiated(graph), randomInputs(graph.params, random, rangeOf), random),
      ).toEqual([]);
    });
});

describe("formatting changes nothing the second time", () => {
  it.each(programFiles())("%s", (file) => {
    const once = format({ name: file, text: readFileSync(`${root}${file}`, "utf8") }).text;
    expect(format({ name: file, text: once }).text).toBe(once);
  });
});

it("simplification keeps a graph that has nothing to take away", () => {
  const graph = parseGraph("graph g(%x: f32[2]) -> (%y) { %y: f32[2] = for i<2. exp(%x[i]) }");
  expect(printGraph(simplify(differentiate(graph)))).toBe(printGraph(graph));
});
