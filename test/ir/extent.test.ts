/** How long reductions are: where they are equally long everywhere, and on average. */
import { describe, expect, it } from "vitest";
import { constantExtent, meanExtent } from "../../src/ir/extent.ts";
import type { Comprehension, ReductionAxis } from "../../src/ir/ir.ts";
import { parseGraph } from "../../src/ir/parse.ts";
import { contextsOf, type RangeContext } from "../../src/ir/ranges.ts";

/** The first reduction axis of a node over i below `size`, and what is known there. */
function axisOf(range: string, size: number): readonly [ReductionAxis, RangeContext] {
  const graph = parseGraph(
    `graph g(%x: f32[64]) -> (%y) {\n  %y: f32[${size}] = for i<${size}. sum k in ${range}. %x[k]\n}\n`,
  );
  const node = graph.nodes[0] as Comprehension;
  return [node.reduction!.axes[0]!, contextsOf(node)[0]!];
}

describe("the turns of a reduction", () => {
  it.each([
    ["0 .. 7", 4, 7],
    ["14 * i .. 14 * i + 14", 4, 14],
    ["(7 * i) // 2 .. (7 * (i + 1) + 1) // 2", 2, 4],
    ["i .. 9", 3, null],
    ["(5 * i) // 2 .. (5 * (i + 1)) // 2", 2, null],
  ])("of k: %s, for i below %i, are %s", (range, size, turns) => {
    expect(constantExtent(...axisOf(range, size))).toBe(turns);
  });

  it.each([
    ["0 .. 7", 4, 7],
    ["i .. 9", 3, 8],
    ["i // 2 .. min((i + 1) // 2 + 1, 28)", 56, 1.5],
    ["max(i - 3, 0) .. min(i + 3, 16)", 16, 4.5],
    ["i .. i", 4, 0],
  ])("of k: %s, for i below %i, are %f on average", (range, size, turns) => {
    expect(meanExtent(...axisOf(range, size))).toBe(turns);
  });
});
