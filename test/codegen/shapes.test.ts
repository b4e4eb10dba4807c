/** Which kinds of adapters want what. */
import { expect, it } from "vitest";
import { kernelShapeOf, portableKernelTarget } from "../../src/kernel-text.ts";

const shapeOf = (vendor: string, kind: "hardware" | "software"): ReturnType<typeof kernelShapeOf> =>
  kernelShapeOf({ ...portableKernelTarget, vendor, kind });

it("operands are staged where workgroup memory is nearer than the cache: not on Apple's GPUs and on processors", () => {
  const staged = [shapeOf("nvidia", "hardware"), shapeOf("amd", "hardware")];
  const others = [shapeOf("apple", "hardware"), shapeOf("mesa", "software")];
  for (const { block, target } of staged) {
    expect(block?.staging).toBeDefined();
    expect(target.stagedLoad).toBeLessThan(1);
  }
  for (const { block, target } of others) {
    expect(block?.staging).toBeUndefined();
    expect(target.stagedLoad).toBe(1);
  }
});
