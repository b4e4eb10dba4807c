/** Kernels that do the same are one. */
import { describe, expect, it } from "vitest";
import { lowerProgram } from "../../src/codegen/lower/program.ts";
import { kernelShapeFor } from "../../src/codegen/shapes.ts";
import { cutReduction } from "../../src/fusion/cut.ts";
import { planGraph } from "../../src/fusion/planner.ts";
import { namesFor } from "../../src/ir/names.ts";
import { parseGraph } from "../../src/ir/parse.ts";

const shape = kernelShapeFor("software", 8);

describe("kernels of layers that do the same", () => {
  it("are written once, those of reductions in parts too", () => {
    const layers = parseGraph(`graph f(%x: f32[32, 64]) -> (%s.5, %s.6) {
  %s.5: f32[32] = for i<32. sum k<64. %x[i, k]
  %s.6: f32[32] = for i<32. sum k<64. %x[i, k]
}`);
    const names = namesFor(layers);
    const nodes = layers.nodes.flatMap((node) =>
      node.kind === "comprehension" ? cutReduction(node, [{ axis: 0, parts: 4 }], names) : [],
    );
    const { program } = lowerProgram(planGraph({ ...layers, nodes }, "off", shape.target), shape);
    expect(program.steps).toHaveLength(4);
    expect(program.kernels).toHaveLength(2);
  });
});
