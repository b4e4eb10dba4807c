/** `--reassociate`: sums commute with linear maps, where that is cheaper. */
import { describe, expect, it } from "vitest";
import { load, tensor, type Tensor, type Value } from "../../../src/index.ts";
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

function numbersOf(value: Value): number[] {
  if (Array.isArray(value)) return value.flatMap(numbersOf);
  return typeof value === "number" ? [value] : Array.from((value as Tensor).data, Number);
}

/** A function compiled plainly and with the option: the operations of each, and the largest difference of their results. */
function compare(text: string, name: string, dims: Record<string, number>, args: Tensor[]) {
  const module = load(text);
  expect(module.diagnostics).toEqual([]);
  const plain = module.compile(name, { dims });
  const moved = module.compile(name, { dims, reassociate: true });
  expect(verifyGraph(moved.graph)).toEqual([]);
  const [a, b] = [plain, moved].map((c) => c.interpret(...args).flatMap(numbersOf));
  expect(b!.length).toBe(a!.length);
  const difference = Math.max(...a!.map((x, i) => Math.abs(x - b![i]!)));
  return {
    before: operationCount(plain.graph),
    after: operationCount(moved.graph),
    difference,
    text: moved.print("ir"),
  };
}

type Comparison = ReturnType<typeof compare>;

/** Fewer than one of so many operations are left, and the results are the same but for roundings. */
function expectSaved({ before, after, difference }: Comparison, times: number, roundings = 1e-12): void {
  expect(difference).toBeLessThan(roundings);
  expect(after).toBeLessThan(before / times);
}

/** The option changes nothing. */
function expectLeft({ before, after, difference }: Comparison): void {
  expect(difference).toBe(0);
  expect(after).toBe(before);
}

describe("a sum over the results of a linear map", () => {
  it("is taken before it: aggregation and a 1×1 convolution with its bias", () => {
    const text = `
      fn mix(w: f32[k, c], b: f32[k], x: f32[c, n], a: idx[o][n]) -> f32[o, k] {
        let v[q, i] = b[q] + sum[r] w[q, r] * x[r, i]
        for j, q -> sum[i] if a[i] == j then v[q, i] else 0.0
      }`;
    const args = [wave([32, 16], 0), wave([32], 1), wave([16, 49], 2), positions(49, 4)];
    const compared = compare(text, "mix", { k: 32, c: 16, n: 49, o: 4 }, args);
    expectSaved(compared, 8);
    // Nothing of the map is computed for each of the 49 points.
    expect(compared.text).not.toContain("f32[32, 49]");
  });

  it("is taken before it: pooling", () => {
    const text = `
      fn pooled(w: f32[k, c], x: f32[c, h, h]) -> f32[k, 2, 2] {
        let v[q, i, j] = sum[r] w[q, r] * x[r, i, j]
        for q, i: 2, j: 2 -> mean[y: i*h//2 .. (i+1)*h//2, z: j*h//2 .. (j+1)*h//2] v[q, y, z]
      }`;
    expectSaved(compare(text, "pooled", { k: 8, c: 6, h: 8 }, [wave([8, 6], 0), wave([6, 8, 8], 1)]), 4);
  });

  it("is taken before it: a mean over points, with a bias, a residual and a scale of the map", () => {
    const text = `
      fn pooled[s](w: f32[c, k], b: f32[k], g: f32[k], x: f32[e * s, c], y: f32[e * s, k]) -> f32[e, k] {
        let v[n, r] = y[n, r] + b[r] - g[r] * sum[q] x[n, q] * w[q, r]
        for i: e, r -> mean[j: s] v[i * s + j, r]
      }`;
    const args = [wave([6, 8], 0), wave([8], 1), wave([8], 2), wave([21, 6], 3), wave([21, 8], 4)];
    const compared = compare(text, "pooled", { c: 6, k: 8, e: 3, s: 7 }, args);
    expectSaved(compared, 3);
    expect(compared.text).not.toContain("f32[21, 8] =");
  });

  it("stays where it is for a maximum", () => {
    const text = `
      fn pooled[s](w: f32[c, k], b: f32[k], x: f32[e * s, c]) -> f32[e, k] {
        let v[n, r] = b[r] + sum[q] x[n, q] * w[q, r]
        for i: e, r -> max[j: s] v[i * s + j, r]
      }`;
    const args = [wave([6, 8], 0), wave([8], 1), wave([21, 6], 3)];
    expectLeft(compare(text, "pooled", { c: 6, k: 8, e: 3, s: 7 }, args));
  });

  it("stays where it is when the map's results are needed anyway", () => {
    const text = `
      fn both(w: f32[k, c], x: f32[c, n]) -> (f32[k, n], f32[k]) {
        let v[q, i] = sum[r] w[q, r] * x[r, i]
        (v, for q -> mean[i] v[q, i])
      }`;
    expectLeft(compare(text, "both", { k: 32, c: 16, n: 20 }, [wave([32, 16], 0), wave([16, 20], 1)]));
  });

  it("stays where it is when the weights depend on the map's channel", () => {
    const text = `
      fn weighted(w: f32[k, c], x: f32[c, n], s: f32[k, n]) -> f32[k] {
        let v[q, i] = sum[r] w[q, r] * x[r, i]
        for q -> sum[i] s[q, i] * v[q, i]
      }`;
    const args = [wave([8, 6], 0), wave([6, 9], 1), wave([8, 9], 2)];
    expectLeft(compare(text, "weighted", { k: 8, c: 6, n: 9 }, args));
  });
});

describe("a product of products", () => {
  const product = (extra: string): string => `
    fn f(a: f32[n, c], w: f32[c, k], b: f32[k], z: f32[k, m]) -> (f32[n, m]${extra === "" ? "" : ", f32"}) {
      let y[i, q] = b[q] + sum[r] a[i, r] * w[r, q]
      let d[i, j] = sum[q] y[i, q] * z[q, j]
      (d${extra})
    }`;
  const dims = { n: 40, c: 4, k: 32, m: 30 };
  const args = [wave([40, 4], 0), wave([4, 32], 1), wave([32], 2), wave([32, 30], 3)];

  it("takes the cheaper one first, with the bias by itself", () => {
    const compared = compare(product(""), "f", dims, args);
    expectSaved(compared, 4);
    expect(compared.text).not.toContain("f32[40, 32] =");
  });

  it("takes the cheaper one first although the other is needed beside it, by a sum that must not move", () => {
    const compared = compare(product(", sum[i, q] y[i, q] * y[i, q]"), "f", dims, args);
    expectSaved(compared, 2.5, 1e-10);
    expect(compared.text).toContain("f32[40, 32] =");
  });

  it("stays where it is when it is the cheaper order already", () => {
    const wide = { n: 4, c: 40, k: 3, m: 30 };
    const others = [wave([4, 40], 0), wave([40, 3], 1), wave([3], 2), wave([3, 30], 3)];
    expectLeft(compare(product(""), "f", wide, others));
  });
});

describe("the mean over windows of a linear map", () => {
  it("counts the points of a bias instead of summing it at each", () => {
    const text = `
      fn pooled(w: f32[k, c], b: f32[k], x: f32[c, 2 * h, 2 * h]) -> f32[k, h, h] {
        let v[q, i, j] = b[q] + sum[r] w[q, r] * x[r, i, j]
        for q, i: h, j: h -> mean[y: 2 * i .. 2 * i + 2, z: 2 * j .. 2 * j + 2] v[q, y, z]
      }`;
    const compared = compare(text, "pooled", { k: 8, c: 4, h: 5 }, [
      wave([8, 4], 0),
      wave([8], 1),
      wave([4, 10, 10], 2),
    ]);
    expectSaved(compared, 2);
    expect(compared.text).not.toMatch(/sum .*\. 1\.0/);
  });
});

describe("the argmax of a product", () => {
  const [n, m, k] = [9, 5, 6];
  const args = [wave([n, k], 0), wave([m, k], 1), wave([n], 2)];
  const program = (body: string, results = "a"): string => `
    fn f(x: f32[n, k], c: f32[m, k], s: f32[n]) {
      let dot[i, j] = sum[q] x[i, q] * c[j, q]
      let long[i] = max(sqrt(sum[q] x[i, q] * x[i, q]), 1e-12)
      let wide[j] = max(sqrt(sum[q] c[j, q] * c[j, q]), 1e-12)
      let a[i] = ${body}
      ${results}
    }`;

  it.each([
    ["a divisor", "argmax[j] dot[i, j] / (long[i] * wide[j])"],
    ["a divisor of a divisor", "argmin[j] 2.0 * dot[i, j] / wide[j] / long[i]"],
    ["a factor", "argmax[j] long[i] * dot[i, j]"],
  ])("needs no positive factor that all candidates have: %s", (_, body) => {
    const compared = compare(program(body), "f", { n, m, k }, args);
    expect(compared.difference).toBe(0);
    expect(compared.after).toBeLessThan(compared.before);
    expect(compared.text).not.toContain("%long");
    expect(compared.text).not.toContain("f32[9] =");
  });

  it.each([
    ["of which the sign is not known", program("argmax[j] dot[i, j] * s[i]")],
    ["that are not the same for all", program("argmax[j] dot[i, j] * wide[j]")],
    [
      "where the largest product is wanted too",
      program("argmax[j] dot[i, j] / long[i]", "(a, for i -> max[j] dot[i, j] / long[i])"),
    ],
  ])("keeps factors %s", (_, text) => {
    expectLeft(compare(text, "f", { n, m, k }, args));
  });
});

describe("a sum of products of which some factors know an axis in part", () => {
  const [e, s, q, r] = [3, 4, 6, 8];
  const whole = { e, s, q, r };
  const [d, x] = [wave([e, r], 0), wave([e * s, q], 1)];

  const program = (value: string): string => `
    fn f[s](d: f32[e, r], x: f32[e * s, q]) -> f32[r, q] = for k, l -> ${value}`;

  it.each([
    ["by its quotient", "d[n // s, k] * x[n, l]"],
    ["by its remainder", "d[n % e, k] * x[n, l]"],
    ["by a quotient of a multiple", "d[(2 * n + 1) // (2 * s), k] * x[n, l]"],
    ["with a sign and a constant", "-(d[n // s, k] * (x[n, l] / 2.0))"],
    ["beside a square", "x[n, l] * d[n // s, k] * x[n, l]"],
  ])("is factored: %s", (_, body) => {
    expectSaved(compare(program(`sum[n: e * s] ${body}`), "f", whole, [d, x]), 2);
  });

  it("is factored where the axes are two already, whatever range the inner one has", () => {
    const text = `
      fn f(d: f32[e, r], x: f32[e, s, q]) -> f32[r, q] =
        for k, l -> sum[i, j: 0 .. i + 1] d[i, k] * x[i, j, l]`;
    const args = [d, wave([e, s, q], 1)];
    expectSaved(compare(text, "f", whole, args), 1.5);
  });

  it("is left when the range of the other axis depends on the one that would be taken first", () => {
    const text = `
      fn f(d: f32[s, r], x: f32[e, s, q]) -> f32[r, q] =
        for k, l -> sum[i, j: 0 .. i + 1] d[j, k] * x[i, j, l]`;
    expectLeft(compare(text, "f", whole, [wave([s, r], 0), wave([e, s, q], 1)]));
  });

  it.each([
    ["the divisor does not divide the extent", "sum[n: e * s] d[n // 5, k] * x[n, l]"],
    ["the axis is used otherwise too", "sum[n: e * s] d[(n // s + n) % e, k] * x[n, l]"],
    ["it is a maximum", "max[n: e * s] d[n // s, k] * x[n, l]"],
  ])("is left when %s", (_, sum) => {
    expectLeft(compare(program(sum), "f", whole, [d, x]));
  });

  it("is factored with keys that know the axis by its quotient, and left with keys that know all of it", () => {
    const keyed = (axis: string, at: string): string => `
      fn f[s](d: f32[e, r], x: f32[e * s, q], a: idx[o][${axis}]) -> f32[o, r, q] =
        for j, k, l -> sum[n: e * s] if a[${at}] == j then d[n // s, k] * x[n, l] else 0.0`;
    const dims = { ...whole, o: 2 };
    expectSaved(compare(keyed("e", "n // s"), "f", dims, [d, x, positions(e, 2)]), 2);
    expectLeft(compare(keyed("e * s", "n"), "f", dims, [d, x, positions(e * s, 2)]));
  });
});

describe("a mean over points and its gradient", () => {
  const text = `
    fn loss[s](w: f32[h, c], b: f32[c], x: f32[e * s, c], u: f32[c, h], y: f32[e, c]) -> f32 {
      let v[n, q] = tanh(sum[r] x[n, r] * u[r, q])
      let z[n, r] = x[n, r] + b[r] + sum[q] v[n, q] * w[q, r]
      let pool = for i: e, r -> mean[j: s] z[i * s + j, r]
      sum[i, r] (pool[i, r] - y[i, r]) ^ 2
    }
    fn step[s](w: f32[h, c], b: f32[c], x: f32[e * s, c], u: f32[c, h], y: f32[e, c]) -> (f32, f32[h, c]) {
      let (l, dw) = value_and_grad(fn (p) -> loss[s](p, b, x, u, y))(w)
      (l, dw)
    }`;

  it("sum the points of the hidden layer once, for both", () => {
    const [e, s, c, h] = [5, 6, 7, 16];
    const args = [wave([h, c], 0), wave([c], 1), wave([e * s, c], 2), wave([c, h], 3), wave([e, c], 4)];
    const compared = compare(text, "step", { e, s, c, h }, args);
    // The products of the hidden layer itself stay.
    expectSaved(compared, 1.5, 1e-10);
    const readers = compared.text.split("\n").filter((line) => /sum .*%v\.1\[/.test(line));
    expect(readers).toHaveLength(1);
  });
});
