/** What `init` draws: each distribution by its moments and bounds, and streams that are independent. */
import { describe, expect, it } from "vitest";
import { load, type Tensor, type Value } from "../../src/index.ts";

/** The tensor of a struct of one field, with this distribution. */
function drawn(distribution: string, options: { n?: number; seed?: number; type?: string } = {}): number[] {
  const { n = 20_000, seed = 5, type = "f32[n]" } = options;
  const module = load(`const half = 0.5\nstruct S[n] { x: ${type} ~ ${distribution} }\n`);
  expect(module.diagnostics).toEqual([]);
  const { x } = module.init("S", { dims: { n }, seed }) as { x: Tensor };
  return [...x.data];
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
}

const deviation = (numbers: readonly number[]): number =>
  Math.sqrt(mean(numbers.map((x) => x * x)) - mean(numbers) ** 2);

describe("distributions", () => {
  it("zeros, ones, constants and constant expressions", () => {
    expect(drawn("zeros", { n: 2 })).toEqual([0, 0]);
    expect(drawn("ones", { n: 2 })).toEqual([1, 1]);
    expect(drawn("constant(-half * n + 2.0 ^ 3.0)", { n: 4 })).toEqual([6, 6, 6, 6]);
    expect(drawn("zeros", { n: 2, type: "i32[n]" })).toEqual([0, 0]);
  });

  it("uniform(lo, hi) fills its range", () => {
    const x = drawn("uniform(-1.0, 3.0)");
    expect(Math.min(...x)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...x)).toBeLessThan(3);
    expect(mean(x)).toBeCloseTo(1, 1);
    expect(deviation(x)).toBeCloseTo(4 / Math.sqrt(12), 1);
  });

  it("normal(std)", () => {
    const x = drawn("normal(0.1)");
    expect(mean(x)).toBeCloseTo(0, 2);
    expect(deviation(x)).toBeCloseTo(0.1, 2);
  });

  it("kaiming_uniform(fan) is within ±1/√fan", () => {
    const x = drawn("kaiming_uniform(4 * n)", { n: 2500 });
    expect(Math.max(...x.map(Math.abs))).toBeLessThanOrEqual(0.01);
    expect(deviation(x)).toBeCloseTo(0.01 / Math.sqrt(3), 3);
  });

  it("trunc_normal(std) with a small std is a normal one: the cut is at ±2", () => {
    expect(drawn("trunc_normal(0.02)")).toEqual(drawn("normal(0.02)"));
  });

  it("trunc_normal(std) with a large std is cut at ±2", () => {
    const x = drawn("trunc_normal(1.5)");
    expect(Math.max(...x.map(Math.abs))).toBeLessThanOrEqual(2);
    // Φ(2/3) = 0.747507, Φ(4/3) = 0.908789: P(|x| < 1) = (2 Φ(2/3) - 1) / (2 Φ(4/3) - 1).
    expect(mean(x.map((v) => Number(Math.abs(v) < 1)))).toBeCloseTo(0.495015 / 0.817578, 1);
    expect(mean(x)).toBeCloseTo(0, 1);
  });

  it("gives floats that are singles", () => {
    const x = drawn("normal(0.1)", { n: 100 });
    expect(x).toEqual(x.map(Math.fround));
  });
});

describe("streams", () => {
  it("begin alike however many numbers are drawn", () => {
    expect(drawn("normal(1.0)", { n: 70_000 }).slice(0, 5)).toEqual(drawn("normal(1.0)", { n: 5 }));
  });

  it("do not repeat beyond a block", () => {
    const x = drawn("normal(1.0)", { n: 140_000 });
    expect(new Set(x).size).toBeGreaterThan(135_000);
  });

  it("differ by seed, also beyond 32 bits", () => {
    const [a, b, c] = [1, 2, 2 ** 32 + 1].map((seed) => drawn("normal(1.0)", { n: 4, seed }));
    expect(a).not.toEqual(b);
    expect(a).not.toEqual(c);
  });

  it("stay the same when a field is added", () => {
    const init = (fields: string): Record<string, Value> =>
      load(`struct S {\n${fields}\n}\n`).init("S") as Record<string, Value>;
    const before = init("a: f32[3] ~ normal(1.0)");
    const after = init("b: f32[3] ~ normal(1.0)\na: f32[3] ~ normal(1.0)");
    expect(after["a"]).toEqual(before["a"]);
    expect(after["b"]).not.toEqual(before["a"]);
  });

  it("of a type parameter follow the field that holds it", () => {
    const source = `
      struct Pair[n] { a: f32[n] ~ ones  b: f32[n] ~ normal(1.0) }
      struct State[T] { m: T ~ zeros  p: T }
      fn f(s: State[Pair[n]]) -> f32[n] = s.m.a
    `.replace(/ {2}(b|p):/g, "\n$1:");
    const s = load(source)
      .compile("f", { dims: { n: 2 } })
      .init("s") as Record<string, Record<string, Tensor>>;
    expect([...s["m"]!["b"]!.data]).toEqual([0, 0]);
    expect([...s["p"]!["a"]!.data]).toEqual([1, 1]);
    expect([...s["p"]!["b"]!.data]).not.toEqual([0, 0]);
  });
});
