/** `--reassociate`: sums commute with linear maps, where that is cheaper. */
import { describe, expect, it } from "vitest";
import { load, tensor, type Tensor } from "../../../src/index.ts";
import { operationCount } from "../../../src/ir/cost.ts";
import { verifyGraph } from "../../../src/ir/verify.ts";

const wave = (shape: number[], phase: number): Tensor =>
  tensor(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(1.7 * i + phase)),
  );

const positions = (n: number, o: number): Tensor =>
  tensor(
    [n],
    Array.from({ length: n }, (_, i) => (i * 7) % o),
    "i32",
  );

/** A function compiled plainly and with the option: the operations of each, and the largest difference of their results. */
function compare(text: string, name: string, dims: Record<string, number>, args: Tensor[]) {
  const module = load(text);
  expect(module.diagnostics).toEqual([]);
  const plain = module.compile(name, { dims });
  const moved = module.compile(name, { dims, reassociate: true });
  expect(verifyGraph(moved.graph)).toEqual([]);
  const [a] = plain.interpret(...args) as [Tensor];
  const [b] = moved.interpret(...args) as [Tensor];
  const difference = Math.max(...Array.from(a.data, (x, i) => Math.abs(x - b.data[i]!)));
  return {
    before: operationCount(plain.graph),
    after: operationCount(moved.graph),
    difference,
    text: moved.print("ir"),
  };
}

describe("a sum over the results of a linear map", () => {
  it("is taken before it: aggregation and a 1×1 convolution with its bias", () => {
    const text = `
      fn mix(w: f32[k, c], b: f32[k], x: f32[c, n], a: idx[o][n]) -> f32[o, k] {
        let v[q, i] = b[q] + sum[r] w[q, r] * x[r, i]
        for j, q -> sum[i] if a[i] == j then v[q, i] else 0.0
      }`;
    const args = [wave([32, 16], 0), wave([32], 1), wave([16, 49], 2), positions(49, 4)];
    const { before, after, difference, text: ir } = compare(text, "mix", { k: 32, c: 16, n: 49, o: 4 }, args);
    expect(difference).toBeLessThan(1e-12);
    expect(after).toBeLessThan(before / 8);
    // Nothing of the map is computed for each of the 49 points.
    expect(ir).not.toContain("f32[32, 49]");
  });

  it("is taken before it: pooling", () => {
    const text = `
      fn pooled(w: f32[k, c], x: f32[c, h, h]) -> f32[k, 2, 2] {
        let v[q, i, j] = sum[r] w[q, r] * x[r, i, j]
        for q, i: 2, j: 2 -> mean[y: i*h//2 .. (i+1)*h//2, z: j*h//2 .. (j+1)*h//2] v[q, y, z]
      }`;
    const { before, after, difference } = compare(text, "pooled", { k: 8, c: 6, h: 8 }, [
      wave([8, 6], 0),
      wave([6, 8, 8], 1),
    ]);
    expect(difference).toBeLessThan(1e-12);
    expect(after).toBeLessThan(before / 4);
  });

  it("stays where it is when the map's results are needed anyway", () => {
    const text = `
      fn both(w: f32[k, c], x: f32[c, n]) -> (f32[k, n], f32[k]) {
        let v[q, i] = sum[r] w[q, r] * x[r, i]
        (v, for q -> mean[i] v[q, i])
      }`;
    const { before, after } = compare(text, "both", { k: 32, c: 16, n: 20 }, [
      wave([32, 16], 0),
      wave([16, 20], 1),
    ]);
    expect(after).toBe(before);
  });

  it("stays where it is when the weights depend on the map's channel", () => {
    const text = `
      fn weighted(w: f32[k, c], x: f32[c, n], s: f32[k, n]) -> f32[k] {
        let v[q, i] = sum[r] w[q, r] * x[r, i]
        for q -> sum[i] s[q, i] * v[q, i]
      }`;
    const args = [wave([8, 6], 0), wave([6, 9], 1), wave([8, 9], 2)];
    const { before, after } = compare(text, "weighted", { k: 8, c: 6, n: 9 }, args);
    expect(after).toBe(before);
  });
});
