/** Conditions that keep reads inside their tensors stay around them, whatever becomes of the sum. */
import { describe, expect, it } from "vitest";
import { graphOf } from "../../programs/compile.ts";
import { differentiated, gradientProblems } from "../../programs/gradients.ts";
import { randomInputs } from "../../programs/inputs.ts";
import { randomSource } from "../../programs/random-source.ts";

/** Compiles `f`, takes its derivatives with every graph verified, and holds them to differences. */
function expectDerivatives(text: string, dims: Readonly<Record<string, number>>): void {
  const graph = graphOf(text, "f", dims);
  const random = randomSource(7);
  const inputs = randomInputs(graph.params, random);
  for (const simplified of [false, true])
    expect(gradientProblems(differentiated(graph, simplified), inputs, random)).toEqual([]);
}

describe("in the gradient of", () => {
  it("a read by a division, whose quotient may lie beyond", () =>
    expectDerivatives("fn f(x: f32[w]) -> f32[3] = for j: 3 -> x[j * w // 3]", { w: 4 }));

  it("a padded read at the place of a minimum: the key of a segment sum has a condition of its own", () =>
    expectDerivatives(
      "fn f(w: f32[3, b, c]) -> f32[4, b] = for i: 4, j: b -> min[k: c] w[j - 1, k // 2, k + i - 1 | 0.0]",
      { b: 3, c: 3 },
    ));

  it("a read under conditions, one of which reads by data", () =>
    expectDerivatives(
      "fn f(x: f32[a], y: f32[a]) -> f32[a] = for i -> sum[k: a] if x[i] < y[k] then (if k + 1 < a then x[k + 1] else 0.0) else y[i]",
      { a: 3 },
    ));

  it("a loop that chooses its place by its turn", () =>
    expectDerivatives(
      `fn f(u: f32[c], t: idx[3][c]) -> f32[2, c] =
  fold m = (for i: 2, j: c -> u[j]) for i: 69 -> for j: 2, k: c ->
    0.6 * m[j, k] + 0.2 * (sum[l: 3] if t[k] == l then (if i == k then m[j // 2, l] else u[k]) else 0.0)`,
      { c: 4 },
    ));

  it("a loop that reads at a clamped place, which an equation then puts in the place of an index", () =>
    expectDerivatives(
      `fn f(z: f32, place: f32) -> f32[2, 2] = fold m = (for i: 2, j: 2 -> 0.5) for i: 66 -> for j: 2, k: 2 ->
    0.4 * m[j, k] + 0.2 * (for q: 2 -> m[i + q - 1, j | 0.0] * z + z)[clamp(i32(3.0 * place), 0, 1)]`,
      {},
    ));

  it("a padded read at the place of a maximum, which may be where the padding is", () =>
    expectDerivatives(
      "fn f(x: f32[a], s: f32[2, c]) -> f32[2] = for i: 2 -> max[j: a] sum[k: c] sin(s[i, k] * x[j - 1 | 0.5])",
      { a: 4, c: 3 },
    ));

  it("values chosen by an index that may be none of theirs", () =>
    expectDerivatives(
      `fn f(u: f32[c], x: f32[a], g: idx[b][a]) -> f32 =
  sum[j: a] prod[k: c] if g[j] == k then 1.5 + sin(u[k] * x[j]) else 0.5`,
      { a: 2, b: 4, c: 3 },
    ));

  it("a power whose base is read where a condition on a place of data allows it", () =>
    expectDerivatives(
      `fn f(y: f32[c], z: f32[c], x: f32[a]) -> f32[a] =
  for i -> min[j: a] sum[k: c] if j < k then (1.5 + sin(x[i] * y[k - 1])) ^ tanh(z[k]) else 0.5`,
      { a: 3, c: 3 },
    ));

  it("a read at a product of indices, of which an equation replaces one", () =>
    expectDerivatives(
      "fn f(w: f32[3, b]) -> f32[2, 3] = for i: 2, j: 3 -> sum[k: b] sin(w[2 * k + j - 1, j * i | 0.0])",
      { b: 4 },
    ));

  it("a read at every second place, counted down", () =>
    expectDerivatives("fn f(x: f32[a]) -> f32[2 * a] = for i -> sin(x[3 - 2 * i | 0.0])", { a: 4 }));

  it("a gather from outside of a loop whose variable has the name of one that is summed over", () =>
    expectDerivatives(
      `fn f(w: f32[d, c], p: f32[c], h: idx[d]) -> f32[c] = {
  let m[j] = argmin[k: c] w[j, k]
  fold x = p for k: 66 -> for i -> 0.5 * tanh(x[i]) + 0.2 * p[m[h]]
}`,
      { c: 3, d: 140 },
    ));
});

it("an axis that only a read's condition mentions stays with it", () =>
  expectDerivatives(
    "fn f(z: f32[c, c], x: f32[a]) -> f32[a] = for i -> max[k: 3] min[l: 3] mean[q: 4] z[2 * i + l - 1, k + l - 1 | x[i]]",
    { a: 4, c: 1 },
  ));

it("an axis that a condition makes a constant stays with the read that it guards", () =>
  expectDerivatives(
    "fn f(z: f32[c, c], w: f32) -> f32[8] = for i: 8 -> max[k: 3] min[l: 3] (1.5 + sin(mean[q: 4] z[2 * i + l - 1, k + l - 1 | 0.0])) ^ w",
    { c: 1 },
  ));

it("conditions on a place speak of it as the read that they guard does", () =>
  expectDerivatives(
    "fn f(y: f32[4, b]) -> f32 = min[i: 4] min[j: 4, k: 4] max[l: 4] f32(2 * l + k - 1) * y[i - 1, 2 * j + k - 1 | 0.0]",
    { b: 2 },
  ));

it("index variables of loops around are not taken for new axes", () => {
  const text = `fn long(t: f32) -> f32 = fold m = t for i: 300 -> 0.5 * tanh(m) + 0.1 * t
fn slope(t: f32) -> f32 = grad(long)(t)
fn f(x: f32[a]) -> f32 = sum[i: a] x[i] * grad(slope)(x[i])`;
  expectDerivatives(text, { a: 1 });
});
