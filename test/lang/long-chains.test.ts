/** Chains in which each value is chosen by the one before: paths through them are more than can be gone, and nobody goes them all. */
import { describe, expect, it } from "vitest";
import { runProgram } from "../../src/codegen/interpret-program.ts";
import { kernelShapeFor } from "../../src/codegen/shapes.ts";
import { vjpGraph } from "../../src/autodiff/differentiate.ts";
import { interpret, type TensorData } from "../../src/ir/interpret.ts";
import type { Graph } from "../../src/ir/ir.ts";
import { checkedGraph, count, textsOf } from "../codegen/checked.ts";
import { programFor } from "../codegen/levels.ts";
import { differences } from "../programs/closeness.ts";
import { graphOf, prepared } from "../programs/compile.ts";
import { randomInputs } from "../programs/inputs.ts";
import { randomSource } from "../programs/random-source.ts";

const programs = `
fn steps[t](k: i32) -> i32 = fold s = k for u: t -> if s > 5 then s - 3 else s + 1

fn collatz[t](k: i32[n]) -> i32[n] =
  for i -> fold s = k[i] for u: t -> if s % 2 == 0 then s // 2 else 3 * s + 1

fn search[t](x: f32[n], q: f32[m]) -> i32[m] = for i -> {
  let (lo, hi) = fold (lo, hi) = (0, n) for u: t -> {
    let mid = clamp((lo + hi) // 2, 0, n - 1)
    if x[mid] < q[i] then (mid + 1, hi) else (lo, mid)
  }
  lo
}

fn leaky[t](x: f32[n]) -> f32[n] = fold s = x for k: t -> for i -> if s[i] > 0.0 then s[i] else 0.1 * s[i]

fn layers[t](x: f32[n], w: f32) -> f32[n] =
  for i -> fold s = x[i] for k: t -> (if s > 0.0 then s * w else 0.1 * s) + 0.3

fn waves[t](x: f32[n], w: f32) -> f32[n] =
  for i -> fold s = x[i] for k: t -> if s > 0.5 then sin(s * w) else cos(s) + w

fn descent[t](x: f32[n]) -> f32[n] = fold s = x for k: t -> for i -> {
  let g = sin(s[i])
  if g > 0.5 then s[i] - 0.1 else s[i] - 0.1 * g
}
`;

const shape = kernelShapeFor("software", 8);

it.each([
  ["steps", { t: 40 }],
  ["collatz", { t: 24, n: 7 }],
  ["search", { t: 16, n: 100, m: 7 }],
  ["leaky", { t: 40, n: 7 }],
  ["descent", { t: 40, n: 7 }],
])("%s %o is compiled", (name, dims) => {
  const graph = prepared(graphOf(programs, name, dims));
  expect(checkedGraph(shape, graph).kernels.length).toBeGreaterThan(0);
});

it("the derivative of one is compiled", () => {
  const graph = prepared(vjpGraph(graphOf(programs, "leaky", { t: 40, n: 7 })));
  expect(checkedGraph(shape, graph).kernels.length).toBeGreaterThan(0);
});

describe.each(["layers", "waves"])("the derivative of %s", (name) => {
  const derivative = (t: number): Graph => prepared(vjpGraph(graphOf(programs, name, { t, n: 7 })));

  it("has what sides of its choices share written once", () => {
    const [short, long] = [5, 10].map((t) => count(textsOf(checkedGraph(shape, derivative(t))), "\n"));
    // Each side with a copy of its own: twenty times as much for twice the turns.
    expect(long!).toBeLessThan(5 * short!);
  });

  it("is what the interpreter makes of it", () => {
    const graph = derivative(16);
    const inputs = randomInputs(graph.params, randomSource(5));
    const found = runProgram(programFor(graph, "full", shape), inputs, { precision: "f64" });
    const wanted = interpret(graph, inputs);
    const all = (values: Readonly<Record<string, TensorData>>): TensorData[] =>
      graph.results.map((result) => values[result]!);
    expect(differences(all(found), all(wanted), graph.results)).toEqual([]);
  });
});
