/** What counts as a multiply-accumulate. */
import { expect, it } from "vitest";
import { load } from "../src/index.ts";
import { multiplyAccumulates } from "../src/macs.ts";

it.each([
  [
    "a product of matrices",
    "fn f(x: f32[4, 3], y: f32[3, 8]) -> f32[4, 8] = for i, j -> sum[k] x[i, k] * y[k, j]",
    96,
  ],
  [
    "a convolution, its border included",
    "fn f(x: f32[9], w: f32[3]) -> f32[9] =\n  for i -> sum[k] if 0 <= i + k - 1 and i + k - 1 < 9 then x[i + k - 1] * w[k] else 0.0",
    27,
  ],
  ["a sum of squares", "fn f(x: f32[4, 3]) -> f32[4] = for i -> sum[k] x[i, k] * x[i, k]", 0],
  ["a mean", "fn f(x: f32[4, 3]) -> f32[4] = for i -> mean[k] x[i, k]", 0],
  [
    "a weight that the sum does not run over",
    "fn f(x: f32[4, 3], w: f32[4]) -> f32[4] = for i -> sum[k] w[i] * x[i, k]",
    0,
  ],
  ["a map", "fn f(x: f32[4], y: f32[4]) -> f32[4] = for i -> x[i] * y[i]", 0],
])("%s", (_, text, expected) => {
  expect(multiplyAccumulates(load(`${text}\n`).compile("f").graph)).toBe(expected);
});
