/** Blocks whose products stand under conditions: a row or a column tests its own, not each pair of them. */
import { describe, expect, it } from "vitest";
import { checkedIn, count, textsOf } from "./checked.ts";
import { blockShape } from "./levels.ts";

const channels = 4;

/** A convolution, whose turns along `q` are all written side by side; `condition` says where a product counts. */
const convolution = (
  condition: string,
): string => `graph f(%w: f32[8, ${channels}, 3], %x: f32[${channels}, 16]) -> (%y) {
  %y: f32[8, 16] = for r<8, i<16. sum q<${channels}, t<3. if ${condition} then %w[r, q, t] * %x[q, clamp(i + t - 1, 0, 15)] else 0.0
}`;

const { rows, columns } = blockShape.block!;

describe("conditions in a block", () => {
  it.each([
    ["stand at the columns that they hang on", "0 <= i + t - 1 and i + t - 1 < 16", columns],
    ["stand at the rows that they hang on", "r + t < 6", rows],
    ["stand at the products where they hang on both", "r <= i + t", rows * columns],
  ])("%s", (_, condition, tests) => {
    const text = textsOf(checkedIn(blockShape, convolution(condition)));
    expect(count(text, " then ")).toBe(channels * tests);
  });
});
