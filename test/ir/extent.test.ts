/** Reductions that are equally long everywhere. */
import { describe, expect, it } from "vitest";
import { constantExtent } from "../../src/ir/extent.ts";
import type { Comprehension } from "../../src/ir/ir.ts";
import { parseGraph } from "../../src/ir/parse.ts";
import { contextsOf } from "../../src/ir/ranges.ts";

/** The turns of the first reduction axis of a node over i below `size`. */
function extentOf(range: string, size: number): number | null {
  const graph = parseGraph(
    `graph g(%x: f32[64]) -> (%y) {\n  %y: f32[${size}] = for i<${size}. sum k in ${range}. %x[k]\n}\n`,
  );
  const node = graph.nodes[0] as Comprehension;
  return constantExtent(node.reduction!.axes[0]!, contextsOf(node)[0]!);
}

describe("the turns of a reduction", () => {
  it.each([
    ["0 .. 7", 4, 7],
    ["14 * i .. 14 * i + 14", 4, 14],
    ["(7 * i) // 2 .. (7 * (i + 1) + 1) // 2", 2, 4],
    ["i .. 9", 3, null],
    ["(5 * i) // 2 .. (5 * (i + 1)) // 2", 2, null],
  ])("of k: %s, for i below %i, are %s", (range, size, turns) => {
    expect(extentOf(range, size)).toBe(turns);
  });
});
