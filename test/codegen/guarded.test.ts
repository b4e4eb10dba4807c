/** Blocks whose products stand under conditions: a row or a column tests its own, not each pair of them. */
import { describe, expect, it } from "vitest";
import { checkedIn, count, textsOf } from "./checked.ts";
import { blockShape, stagedShape, tallShape } from "./levels.ts";

const channels = 4;

/** A convolution, whose turns along `q` are all written side by side; `condition` says where a product counts. */
const convolution = (
  condition: string,
): string => `graph f(%w: f32[8, ${channels}, 3], %x: f32[${channels}, 16]) -> (%y) {
  %y: f32[8, 16] = for r<8, i<16. sum q<${channels}, t<3. if ${condition} then %w[r, q, t] * %x[q, clamp(i + t - 1, 0, 15)] else 0.0
}`;

// Rows that are tested are as good as any here.
const evenShape = { ...blockShape, block: { ...blockShape.block!, laneLoad: 1 } };
const { rows, columns } = evenShape.block;

describe("conditions in a block", () => {
  it.each([
    ["stand at the columns that they hang on", "0 <= i + t - 1 and i + t - 1 < 16", columns],
    ["stand at the rows that they hang on", "r + t < 6", rows],
    ["stand at the products where they hang on both", "r <= i + t", rows * columns],
  ])("%s", (_, condition, tests) => {
    const text = textsOf(checkedIn(evenShape, convolution(condition)));
    expect(count(text, " then ")).toBe(channels * tests);
  });
});

/** A body over rows r, columns i and turns q of two matrices, and what a row or a turn may have. */
const over = (
  turns: number,
  body: string,
): string => `graph f(%w: f32[8, ${turns}], %x: f32[${turns}, 16], %d: f32[${turns}]) -> (%y) {
  %y: f32[8, 16] = for r<8, i<16. sum q<${turns}. ${body}
}`;

describe.each([
  ["plain", blockShape],
  ["tall", tallShape],
  ["staged", stagedShape],
  ["of a point", { ...blockShape, block: { ...blockShape.block!, rows: 1, columns: 1 } }],
])("a %s block", (_, shape) => {
  it.each([
    [
      "for constants",
      `graph f(%w: f32[8, 6], %x: f32[6, 16], %m: bool[6]) -> (%z) {
  %y: f32[8, 16] = for r<8, i<16. sum q<6. if %m[q] then %w[r, q] * %x[q, i] else 0.0
  %c: f32[8, 16] = for r<8, i<16. sum q<6. if %m[q] then 1.0 else 0.0
  %z: f32[8, 16] = for r<8, i<16. %y[r, i] / max(%c[r, i], 1.0)
}`,
    ],
    [
      "that keeps the other side in range",
      `graph f(%w: f32[8, 10], %x: f32[9]) -> (%y) {
  %y: f32[8, 4] = for r<8, i<4. sum t<10. if r + t < 6 and 2 * i + t >= 3 then %w[r, t] * sin(cos(sin(cos(exp(sin(exp(sin(%x[i + t])))))))) else 0.0
}`,
    ],
    [
      "that keeps a factor of both sides finite",
      over(6, "if i >= 1 then %w[r, q] * %x[q, i] * (f32(r + 1) / f32(i)) else 0.0"),
    ],
    [
      "that keeps the other side finite",
      over(10, "if r + q < 6 then %w[r, q] * (%x[q, i] / f32(q - 6)) else 0.0"),
    ],
    [
      "that keeps the other side finite by data",
      over(
        6,
        "if max(%d[q] * 0.0, 0.0) > abs(%w[r, q]) then %w[r, q] * (%x[q, i] / max(%d[q] * 0.0, 0.0)) else 0.0",
      ),
    ],
    [
      "beside sums inside of the sum",
      `graph f(%w: f32[8, 6], %x: f32[6, 16], %s: f32[6], %n: i32[8], %d: f32[6], %g: f32[5, 16], %b: f32[1]) -> (%y) {
  %v: f32[6, 16] = for q<6, i<16. sum k<4. if %d[k] > 0.0 then %g[k, i] * %x[q, i] else 0.0
  %h: f32[8, 6] = for r<8, q<6. sum k<4. %w[r, k] * %s[q]
  %y: f32[8, 16] = for r<8, i<16. sum q<6. if %n[r] > 0 then %w[r, q] * %x[q, i] * %b[0] * %h[r, q] * %v[q, i] else 0.0
}`,
    ],
  ])("heeds a condition %s", (__, text) => {
    checkedIn(shape, text);
  });
});
