/** The best of elements among which some are not a number: a kernel finds what the graph means, the first of them. */
import { expect, it } from "vitest";
import { runProgram } from "../../src/codegen/interpret-program.ts";
import { tensor } from "../../src/ir/interpret.ts";
import { parseGraph } from "../../src/ir/parse.ts";
import { run, verified } from "../programs/compile.ts";
import { blockShape, laneShape, programFor, smallShape } from "./levels.ts";

const f32 = { scalar: "f32", bound: null } as const;

it.each([
  ["some", [0, 2, NaN, 3, NaN, 1]],
  ["the first", [NaN, 2, 5, 3, 4, 1]],
  ["all", [NaN, NaN, NaN, NaN, NaN, NaN]],
  ["none", [0, 2, 5, 3, 5, 1]],
])("%s are not a number", (_, data) => {
  for (const op of ["argmax", "argmin"]) {
    const graph = verified(
      parseGraph(`graph f(%x: f32[6]) -> (%a, %best) {
  %a: idx<6>[], %best: f32[] = ${op} i<6. %x[i] * 2.0
}`),
    );
    const inputs = { x: tensor(f32, [6], data) };
    const expected = run(graph, inputs);
    for (const shape of [smallShape, blockShape, laneShape]) {
      const values = runProgram(programFor(graph, "full", shape), inputs, { precision: "f64" });
      expect(graph.results.map((name) => [...values[name]!.data])).toEqual(
        expected.map((one) => [...one.data]),
      );
    }
  }
});
