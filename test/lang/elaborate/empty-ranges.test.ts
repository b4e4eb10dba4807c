/** Index variables that have no values for the dimensions given, and ranges that only a loop's surroundings tell. */
import { describe, expect, it } from "vitest";
import { graphOf, prepared, run } from "../../programs/compile.ts";
import { randomInputs } from "../../programs/inputs.ts";
import { randomSource } from "../../programs/random-source.ts";

/** The result of the one function `f`, as numbers; compiled, simplified and run with every read tested. */
function resultOf(text: string, dims: Readonly<Record<string, number>>): number[] {
  const graph = prepared(graphOf(text, "f", dims));
  return [...run(graph, randomInputs(graph.params, randomSource(1)))[0]!.data];
}

describe("inside of an empty sum", () => {
  it("an argmax over an axis that has values is no mistake", () => {
    const text = "fn f(x: f32[a]) -> f32[a] = for i -> sum[j: i + 1 .. a] x[argmax[k: a] x[k] * x[j]]";
    expect(resultOf(text, { a: 1 })).toEqual([0]);
  });

  it("a reduction that is taken out of it keeps its range", () => {
    const text = `fn f(x: f32[a], z: f32[c, c]) -> f32[a] =
  for i -> sum[j: i + 1 .. a] mean[l: c] x[j] * prod[q: a] (0.4 + z[l, l])`;
    expect(resultOf(text, { a: 1, c: 3 })).toEqual([0]);
  });

  it("a padded read that does not mention its variable keeps its padding", () => {
    const text = `fn f(x: f32[a], y: f32[a, b]) -> f32[a, b] =
  for i, j -> sum[r: i + 1 .. a] (for q: 2 -> y[a - i, j | 0.0])[0]`;
    expect(resultOf(text, { a: 1, b: 2 })).toEqual([0, 0]);
  });

  it("so does a read under a condition", () => {
    const text = `fn f(x: f32[a]) -> f32[a] =
  for i -> sum[r: i + 1 .. a] (for q: 2 -> if i >= 1 then x[i - 1] else 0.0)[0]`;
    expect(resultOf(text, { a: 1 })).toEqual([0]);
  });
});

it("a loop knows the ranges of index variables that its values do not depend on", () => {
  const text = `fn f(x: f32[a]) -> f32[a] =
  for j: a -> x[argmax[i: a] fold m = x[0] for t: 300 -> 0.5 * tanh(m) + (if i + 1 < a then x[i + 1] else 0.0)]`;
  expect(resultOf(text, { a: 1 })).toHaveLength(1);
});

it("a condition around a loop does not enter it", () => {
  const text = `fn long(t: f32) -> f32 = fold m = mean[i: 3] t for i: 66 -> 0.5 * tanh(m) + (sum[l: 3] m) / 9.0
fn f(x: f32[4]) -> f32[4] = for i -> if i % 2 == 0 then 0.5 else long(x[0])`;
  expect(resultOf(text, {})).toHaveLength(4);
});

it("a product is in bounds where a condition makes one factor a constant", () => {
  const text = "fn f(z: f32[c, c]) -> f32[3] = for j: 3 -> sum[k: 3] z[k * j, 2 * k - 1 | 0.0]";
  expect(resultOf(text, { c: 2 })).toHaveLength(3);
});
