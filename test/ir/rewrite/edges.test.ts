/** Ranges that may be empty, integers, and guards: where a rewrite that is right in general would be wrong. */
import { describe, expect, it } from "vitest";
import { load, type Tensor, tensor, type Value } from "../../../src/index.ts";

const vector = (...data: number[]): Tensor => tensor([data.length], data);
const numbers = (value: Value): number[] =>
  typeof value === "number" ? [value] : Array.from((value as Tensor).data);

/** A function `f`, its graph verified after every stage. */
function compiled(text: string, dims: Record<string, number> = {}) {
  const module = load(text, { verify: true });
  expect(module.diagnostics).toEqual([]);
  return module.compile("f", { dims });
}

describe("a maximum over a range that may be empty", () => {
  const text = "fn f(x: f32[3], c: f32) -> f32[3] = for i -> max[j: 0 .. i] c * x[j]";

  it("has no gradient where it is empty", () => {
    const gradients = compiled(text)
      .vjp()
      .interpret(vector(5, 6, 7), 2, vector(1, 1, 1));
    expect(gradients.map(numbers)).toEqual([[2, 2, 0], [11]]);
    const [tangent] = compiled(text)
      .jvp()
      .interpret(vector(5, 6, 7), 2, vector(0, 0, 0), 1);
    expect(numbers(tangent!)).toEqual([0, 5, 6]);
  });

  it("reads nothing outside, whatever the dimensions", () => {
    const none = compiled("fn f(x: f32[n], c: f32) -> f32 = max[j] c * x[j]", { n: 0 }).vjp();
    expect(none.interpret(tensor([0], []), 2, 1).map(numbers)).toEqual([[], [0]]);
    const shifted = "fn f(x: f32[n], c: f32) -> f32[n] = for i -> max[j: 1 .. i + 1] c * x[j - 1]";
    const gradients = compiled(shifted, { n: 3 })
      .vjp()
      .interpret(vector(5, 4, 7), 2, vector(1, 1, 1));
    expect(gradients.map(numbers)).toEqual([[4, 0, 0], [10]]);
  });

  it("has a position, 0, whose value is not the maximum", () => {
    const at = "fn f(x: f32[3]) -> f32[3] {\n  let p[i] = argmax[j: 0 .. i] x[j]\n  for i -> x[p[i]]\n}";
    expect(numbers(compiled(at).interpret(vector(5, 6, 7))[0]!)).toEqual([5, 5, 6]);
  });
});

describe("other edges", () => {
  it("an integer read at its own argmax still indexes", () => {
    const text =
      "fn f(a: idx[5][3, 4], z: f32[5]) -> f32[3] {\n  let p[i] = argmax[j] a[i, j]\n  for i -> z[a[i, p[i]]]\n}";
    const a = tensor([3, 4], [0, 1, 4, 2, 3, 3, 0, 1, 2, 0, 0, 1], "i32");
    expect(numbers(compiled(text).interpret(a, vector(10, 11, 12, 13, 14))[0]!)).toEqual([14, 13, 12]);
  });

  it.each([
    "for u: 8, k: 8 -> sum[i] if u + k < 5 then x[k] * y[i] else 0.0",
    "for u: 8, k: 8 -> if u + k < 5 then (sum[i] x[k] * y[i]) else 0.0",
  ])("a guard keeps protecting a read when the sum loses an axis: %s", (body) => {
    const f = compiled(`fn f(x: f32[5], y: f32[3]) -> f32[8, 8] = ${body}`);
    const [result] = f.interpret(vector(1, 2, 3, 4, 5), vector(1, 1, 1));
    const expected = Array.from({ length: 64 }, (_, at) => {
      const [u, k] = [Math.floor(at / 8), at % 8];
      return u + k < 5 ? 3 * (k + 1) : 0;
    });
    expect(numbers(result!)).toEqual(expected);
  });

  it("a range that is always empty gives sums of nothing", () => {
    const text =
      "fn f(x: f32[8, 3], a: idx[8][8]) -> f32[3] {\n  let d[i] = sum[k] exp(x[i, k])\n" +
      "  for i: 3 -> sum[j: 0 .. i - 5] d[a[j + 0 | 0]]\n}";
    const a = tensor([8], Array<number>(8).fill(0), "i32");
    const [result] = compiled(text).interpret(tensor([8, 3], Array<number>(24).fill(1)), a);
    expect(numbers(result!)).toEqual([0, 0, 0]);
  });
});
