/** Derivatives of reads, whatever the index is, and of the conditions that guard them. */
import { describe, expect, it } from "vitest";
import type { Value } from "../../src/index.ts";
import {
  compiledFor,
  expectClose,
  expectDerivatives,
  gradientsOf,
  integers,
  matrix,
  numbersOf,
  tangentsOf,
  vector,
} from "./derivatives.ts";

describe("gathers", () => {
  const text = "fn f(x: f32[n], a: idx[n][m]) -> f32[m] = for i -> x[a[i]]";

  it("an index that repeats adds up", () => {
    const args = [vector(1, 2, 3, 4), integers(2, 0, 2, 2, 3)];
    expectClose(gradientsOf(text, args, [vector(1, 10, 100, 1000, 10000)], { n: 4 }), [[10, 0, 1101, 10000]]);
    expectClose(tangentsOf(text, args, [vector(5, 6, 7, 8)], { n: 4 }), [[7, 5, 7, 7, 8]]);
  });

  it("rows of a matrix", () => {
    expectDerivatives(
      "fn f(x: f32[n, d], a: idx[n][m]) -> f32[m, d] = for i, k -> exp(x[a[i], k]) * x[a[i], 0]",
      { dims: { n: 3, d: 2, m: 5 } },
    );
  });

  it("through two indices", () => {
    const twice = "fn f(x: f32[n], a: idx[n][m], b: idx[m][k]) -> f32[k] = for i -> x[a[b[i]]]";
    expectClose(
      gradientsOf(twice, [vector(1, 2, 3), integers(2, 0), integers(1, 1, 0)], [vector(1, 10, 100)], {
        n: 3,
        m: 2,
      }),
      [[11, 0, 100]],
    );
  });

  it("a sum by segments is the other way round", () => {
    const segments =
      "fn f(x: f32[n], a: idx[o][n]) -> f32[o] = for j -> sum[i] if a[i] == j then x[i] else 0.0";
    expectClose(gradientsOf(segments, [vector(1, 2, 3), integers(1, 1, 0)], [vector(10, 20)], { o: 2 }), [
      [20, 20, 10],
    ]);
  });
});

describe("indices that are arithmetic", () => {
  it.each([
    ["a diagonal", "fn f(x: f32[n, n]) -> f32[n] = for i -> x[i, i] ^ 2", { n: 3 }],
    [
      "a trace beside the transpose",
      "fn f(x: f32[n, n]) -> f32 = sum[i, j] x[i, j] * x[j, i] * x[i, i]",
      { n: 3 },
    ],
    ["a stride", "fn f(x: f32[2 * n + 1]) -> f32[n] = for i -> exp(x[2 * i + 1])", { n: 3 }],
    [
      "a strided window",
      "fn f(w: f32[3], x: f32[2 * n + 1]) -> f32[n] = for i -> sum[k] w[k] * x[2 * i + k]",
      { n: 3 },
    ],
    [
      "a dilated window",
      "fn f(w: f32[3], x: f32[n + 4]) -> f32[n] = for i -> sum[k] w[k] * x[i + 2 * k]",
      { n: 3 },
    ],
    ["twice as many", "fn f(x: f32[n]) -> f32[2 * n] = for i -> x[i // 2] ^ 3", { n: 3 }],
    ["repeated in turn", "fn f(x: f32[n]) -> f32[3 * n] = for i -> x[i % n] * f32(i)", { n: 3 }],
    ["reversed", "fn f(x: f32[n]) -> f32[n] = for i -> x[n - 1 - i] * x[i] ^ 2", { n: 4 }],
    ["flattened", "fn f(x: f32[n, m]) -> f32[n * m] = for i -> sin(x[i // m, i % m])", { n: 2, m: 3 }],
    ["unflattened", "fn f[n, m](x: f32[n * m]) -> f32[m, n] = for j, i -> sin(x[i * m + j])", { n: 2, m: 3 }],
  ] as [string, string, Record<string, number>][])("%s", (_, text, dims) => {
    expectDerivatives(text, { dims });
  });

  it("a reversal sends each cotangent to its mirror", () => {
    expectClose(
      gradientsOf("fn f(x: f32[n]) -> f32[n] = for i -> x[n - 1 - i]", [vector(0, 0, 0)], [vector(1, 2, 3)]),
      [[3, 2, 1]],
    );
  });

  it("doubling adds up pairs, an odd last one alone", () => {
    const text = "fn f(x: f32[n]) -> f32[2 * n - 1] = for i -> x[i // 2]";
    expectClose(gradientsOf(text, [vector(0, 0, 0)], [vector(1, 2, 3, 4, 5)]), [[3, 7, 5]]);
  });

  it("a remainder adds up what is congruent", () => {
    const text = "fn f(x: f32[n]) -> f32[2 * n + 1] = for i -> x[i % n]";
    expectClose(gradientsOf(text, [vector(0, 0)], [vector(1, 2, 4, 8, 16)]), [[21, 10]]);
  });
});

describe("padded reads", () => {
  it("what is outside sends nothing", () => {
    const text = "fn f(x: f32[n]) -> f32[n] = for i -> x[i - 1 | 0.0] + x[i + 1 | 0.0]";
    expectClose(gradientsOf(text, [vector(0, 0, 0)], [vector(1, 10, 100)]), [[10, 101, 10]]);
  });

  it("a convolution with stride and padding, in two axes", () => {
    const text = `fn f(w: f32[3, 3], x: f32[2 * n, 2 * n]) -> f32[n, n] =
      for i, j -> sum[a, b] w[a, b] * x[2 * i + a - 1, 2 * j + b - 1 | 0.0]`;
    expectDerivatives(text, { dims: { n: 2 } });
  });

  it("the value outside has a gradient too", () => {
    const text = "fn f(x: f32[n], p: f32) -> f32[n] = for i -> x[i + 2 | p ^ 2]";
    expectClose(gradientsOf(text, [vector(1, 2, 3), 5], [vector(1, 10, 100)]), [[0, 0, 1], [1100]]);
    expectDerivatives(text, { dims: { n: 4 } });
  });

  it("the value outside may be of the tensor itself", () => {
    const text = "fn f(x: f32[n]) -> f32[n] = for i -> x[i + 1 | x[0]]";
    expectClose(gradientsOf(text, [vector(1, 2, 3)], [vector(1, 10, 100)]), [[100, 1, 10]]);
  });

  it("an index from data", () => {
    const text = "fn f(x: f32[n], a: i32[m]) -> f32[m] = for i -> x[a[i] | 0.0]";
    expectClose(gradientsOf(text, [vector(1, 2), integers(-1, 1, 5, 1)], [vector(1, 10, 100, 1000)]), [
      [0, 1010],
    ]);
  });
});

describe("bounds that depend on outer indices", () => {
  it.each([
    ["a triangle", "fn f(x: f32[n]) -> f32[n] = for i -> sum[j: 0 .. i + 1] x[j] * x[i]", { n: 4 }],
    ["the other triangle", "fn f(x: f32[n]) -> f32[n] = for i -> sum[j: i .. n] x[j] ^ 2 * x[i]", { n: 4 }],
    ["products along a triangle", "fn f(x: f32[n]) -> f32[n] = for i -> prod[j: 0 .. i + 1] x[j]", { n: 4 }],
    ["running maxima", "fn f(x: f32[n]) -> f32[n] = for i -> max[j: 0 .. i + 1] x[j]", { n: 5 }],
    [
      "overlapping windows",
      "fn f(x: f32[n]) -> f32[3] = for i -> mean[j: i * n // 3 .. ((i + 1) * n + 2) // 3] x[j] ^ 2",
      { n: 7 },
    ],
    [
      "a band of a matrix",
      "fn f(x: f32[n, n]) -> f32[n] = for i -> sum[j: max(i - 1, 0) .. min(i + 2, n)] x[i, j] * x[j, i]",
      { n: 4 },
    ],
  ] as [string, string, Record<string, number>][])("%s", (_, text, dims) => {
    expectDerivatives(text, { dims });
  });

  it("what two windows share gets from both", () => {
    const text = "fn f(x: f32[n]) -> f32[2] = for i -> sum[j: i * n // 2 .. ((i + 1) * n + 1) // 2] x[j]";
    expectClose(gradientsOf(text, [vector(0, 0, 0)], [vector(1, 10)]), [[1, 11, 10]]);
  });
});

describe("conditions", () => {
  it("a guarded read sends only where it is chosen", () => {
    const text = "fn f(x: f32[n]) -> f32[n] = for i -> if i == 0 then 0.0 else x[i] * x[i - 1]";
    expectClose(gradientsOf(text, [vector(2, 3, 5)], [vector(100, 10, 1)]), [[30, 25, 3]]);
    expectDerivatives(text, { dims: { n: 4 } });
  });

  it("guards that nest", () => {
    const text = `fn f(x: f32[n, n]) -> f32[n, n] = for i, j ->
      if i > 0 and j > 0 then x[i - 1, j - 1] ^ 2 else if i > 0 then x[i - 1, j] else 3.0 * x[i, j]`;
    expectDerivatives(text, { dims: { n: 3 } });
  });

  it.each([
    ["in place", "fn f(s: f32) -> f32 = if s > 0.0 then sqrt(s) else 0.0", [0], [0]],
    ["in place, chosen", "fn f(s: f32) -> f32 = if s > 0.0 then sqrt(s) else 0.0", [4], [0.25]],
    [
      "the root in a let",
      "fn f(s: f32) -> f32 {\n let r = sqrt(s)\n if s > 0.0 then r else 0.0\n}",
      [0],
      [0],
    ],
    [
      "the root in a let inside the branch",
      "fn f(s: f32) -> f32 = if s > 0.0 then { let r = sqrt(s)\n r * r * r } else 0.0",
      [0],
      [0],
    ],
    ["a logarithm", "fn f(s: f32) -> f32 = if s > 0.0 then s * log(s) else 0.0", [0], [0]],
    ["a quotient", "fn f(s: f32) -> f32 = if s != 0.0 then 1.0 / s else 0.0", [0], [0]],
  ] as [string, string, number[], number[]][])(
    "a slope not chosen is not NaN: %s",
    (_, text, args, expected) => {
      expectClose(gradientsOf(text, args), [expected]);
      expectClose(tangentsOf(text, args, [1]), [expected]);
    },
  );

  it.each([
    ["in place", "for i -> if x[i] > 0.0 then sqrt(x[i]) else 0.0"],
    ["in a let under for", "for i -> { let r = sqrt(x[i])\n if x[i] > 0.0 then r else 0.0 }"],
    [
      "in a let after a sum",
      "for i -> { let s = sum[k: 0 .. 1] x[i + k] \n let r = sqrt(s)\n if s > 0.0 then r else 0.0 }",
    ],
  ])("a slope not chosen is not NaN under for: %s", (_, body) => {
    const text = `fn f(x: f32[n]) -> f32[n] = ${body}`;
    expectClose(
      gradientsOf(text, [vector(0, 4, 1, 16)], [vector(1, 1, 1, 1)]).map((g) => g.slice(0, 1)),
      [[0]],
    );
  });

  it("a norm that is guarded, over rows of which one is zero", () => {
    const text = `fn f(x: f32[n, d]) -> f32[n] = for i -> {
      let s = sum[k] x[i, k] ^ 2
      if s > 0.0 then sqrt(s) else 0.0
    }`;
    const f = compiledFor(text, [matrix([0, 0], [3, 4])]);
    expectClose(
      f
        .vjp()
        .interpret(matrix([0, 0], [3, 4]), vector(1, 10))
        .map(numbersOf),
      [[0, 0, 6, 8]],
    );
    expectClose(
      f
        .jvp()
        .interpret(matrix([0, 0], [3, 4]), matrix([1, 1], [1, 1]))
        .map(numbersOf),
      [[0, 1.4]],
    );
  });

  it.each([
    ["a sum of roots", "fn f(x: f32[n]) -> f32 = if x[0] > 0.0 then sum[k] sqrt(x[k]) else 0.0", 1],
    [
      "a sum of quotients",
      "fn f(x: f32[n]) -> f32 = { let s = sum[k] x[k] ^ 2\n if s > 0.0 then sum[k] x[k] / s else 0.0 }",
      1,
    ],
    [
      "a tensor",
      "fn f(x: f32[n]) -> f32[n] = if x[0] > 0.0 then (for k -> sqrt(x[k])) else zeros_like(x)",
      vector(1, 1),
    ],
  ] as [string, string, Value][])("a reduction or tensor in the branch not chosen: %s", (_, text, ct) => {
    // It is a node of its own, computed also where it is not chosen: the condition has gone into its body.
    expectClose(gradientsOf(text, [vector(0, 0)], [ct]), [[0, 0]]);
  });

  it.each([
    ["in place", "{ let s = sum[k] x[k] ^ 2\n if s > 0.0 then sqrt(s) else 0.0 }"],
    ["in a let", "{ let s = sum[k] x[k] ^ 2\n let r = sqrt(s)\n if s > 0.0 then r else 0.0 }"],
    ["by a function", "{ let r = root(sum[k] x[k] ^ 2)\n if r > 0.0 then r else 0.0 }"],
  ])("a guarded root of a sum: %s", (_, body) => {
    const text = `fn root(s: f32) -> f32 = sqrt(s)\nfn f(x: f32[n]) -> f32 = ${body}`;
    expectClose(gradientsOf(text, [vector(0, 0)]), [[0, 0]]);
    expectClose(gradientsOf(text, [vector(3, 4)]), [[0.6, 0.8]]);
  });

  it("a tensor computed before the condition is not guarded by it", () => {
    const text =
      "fn f(x: f32[n]) -> f32[n] = { let r[i] = sqrt(x[i])\n for i -> if x[i] > 0.0 then r[i] else 0.0 }";
    expect(gradientsOf(text, [vector(0, 4)], [vector(1, 1)])).toEqual([[NaN, 0.25]]);
  });

  it("without a guard the slope at zero is not invented", () => {
    expect(gradientsOf("fn f(s: f32) -> f32 = sqrt(s)", [0])).toEqual([[Infinity]]);
  });

  it("relu'(0) = 0, abs'(0) = 0, and beside it", () => {
    const ct = [vector(1, 1, 1)];
    expectClose(gradientsOf("fn f(x: f32[n]) -> f32[n] = relu(x)", [vector(-1, 0, 2)], ct), [[0, 0, 1]]);
    expectClose(gradientsOf("fn f(x: f32[n]) -> f32[n] = abs(x)", [vector(-1, 0, 2)], ct), [[-1, 0, 1]]);
  });
});
