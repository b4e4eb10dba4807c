/** Derivatives of the reducers: exact values where ties and zeros decide, differences elsewhere. */
import { describe, expect, it } from "vitest";
import {
  compiled,
  expectClose,
  expectDerivatives,
  gradientsOf,
  isStructuralZero,
  matrix,
  numbersOf,
  tangentsOf,
  vector,
} from "./derivatives.ts";

const tensors = (reducer: string): string =>
  `fn f(x: f32[n, m]) -> f32[n] = for i -> ${reducer}[k] sin(x[i, k]) * x[i, k]`;

describe("each reducer agrees with differences", () => {
  it.each(["sum", "prod", "max", "min", "mean"])("%s", (reducer) => {
    expectDerivatives(tensors(reducer), { dims: { n: 3, m: 4 }, range: [0.3, 1.4] });
  });

  it.each(["sum", "prod", "max", "min", "mean"])("%s over two axes at once", (reducer) => {
    expectDerivatives(`fn f(x: f32[n, m], y: f32[m]) -> f32 = ${reducer}[i, k] x[i, k] * exp(y[k])`, {
      dims: { n: 3, m: 2 },
      range: [0.4, 1.3],
    });
  });

  it.each([
    ["a sum of products", "sum[i] prod[k] x[i, k]"],
    ["a product of sums", "prod[i] sum[k] x[i, k] ^ 2"],
    ["a maximum of means", "max[i] mean[k] sin(x[i, k])"],
    ["a product of maxima", "prod[i] max[k] x[i, k]"],
    ["a mean of minima of sums with an outer factor", "mean[i] min[k] x[i, k] * (sum[j] x[j, k])"],
    ["a logarithm of a sum of exponentials", "log(sum[i, k] exp(x[i, k] - (max[a, b] x[a, b])))"],
  ])("nested: %s", (_, body) => {
    expectDerivatives(`fn f(x: f32[n, m]) -> f32 = ${body}`, { dims: { n: 3, m: 4 } });
  });
});

describe("prod", () => {
  const text = "fn f(x: f32[n]) -> f32 = prod[i] x[i]";

  it("with no zero gives the products of the others", () => {
    expectClose(gradientsOf(text, [vector(2, 3, -4)], [10]), [[-120, -80, 60]]);
  });

  it("with one zero gives a gradient to the zero alone", () => {
    expectClose(gradientsOf(text, [vector(2, 0, 3, 5)], [1]), [[0, 30, 0, 0]]);
    expectClose(tangentsOf(text, [vector(2, 0, 3, 5)], [vector(1, 2, 1, 1)]), [[60]]);
  });

  it("with two zeros gives none", () => {
    expectClose(gradientsOf(text, [vector(2, 0, 3, 0)], [1]), [[0, 0, 0, 0]]);
    expectClose(tangentsOf(text, [vector(2, 0, 3, 0)], [vector(1, 1, 1, 1)]), [[0]]);
  });

  it("with two zeros has a second derivative between the two", () => {
    const hessian = "fn f(x: f32[n], v: f32[n]) -> f32[n] = jvp(grad(fn (y) -> prod[i] y[i]))(x)(v)";
    const f = compiled(hessian, { n: 4 });
    expectClose(f.interpret(vector(2, 0, 3, 0), vector(0, 1, 0, 0)).map(numbersOf), [[0, 0, 0, 6]]);
  });

  it("over two axes with a zero", () => {
    expectClose(
      gradientsOf("fn f(x: f32[n, m]) -> f32 = prod[i, j] x[i, j]", [matrix([2, 3], [0, 7])], [1]),
      [[0, 0, 42, 0]],
    );
  });

  it("of no factors gives nothing", () => {
    expectClose(gradientsOf("fn f(x: f32[n]) -> f32 = prod[i: 0 .. 0] x[0]", [vector(4)], [1]), [[0]]);
  });
});

describe("ties of max and min go to the first", () => {
  it.each([
    ["max", [1, 5, 5, 2, 5], [0, 3, 0, 0, 0]],
    ["min", [4, 1, 2, 1, 1], [0, 3, 0, 0, 0]],
    ["max", [7, 7, 7], [3, 0, 0]],
    ["min", [7, 7, 7], [3, 0, 0]],
  ])("%s of %j", (reducer, x, expected) => {
    expectClose(gradientsOf(`fn f(x: f32[n]) -> f32 = ${reducer}[i] x[i]`, [vector(...x)], [3]), [expected]);
  });

  it.each(["max", "min"])("%s forward: the tangent is that of the first", (reducer) => {
    expectClose(
      tangentsOf(`fn f(x: f32[n]) -> f32 = ${reducer}[i] x[i]`, [vector(2, 2, 2)], [vector(10, 20, 30)]),
      [[10]],
    );
  });

  it.each([
    [
      "max[i, j] x[i, j]",
      [
        [0, 1, 4],
        [4, 4, 0],
      ],
      [0, 0, 1, 0, 0, 0],
    ],
    [
      "max[j, i] x[i, j]",
      [
        [0, 1, 4],
        [4, 4, 0],
      ],
      [0, 0, 0, 1, 0, 0],
    ],
    [
      "min[i, j] x[i, j]",
      [
        [9, 8, 7],
        [3, 3, 3],
      ],
      [0, 0, 0, 1, 0, 0],
    ],
  ])("over several axes, the first in the order of the indices: %s", (body, rows, expected) => {
    expectClose(gradientsOf(`fn f(x: f32[n, m]) -> f32 = ${body}`, [matrix(...rows)], [1]), [expected]);
  });

  it("each row has its own first", () => {
    const text = "fn f(x: f32[n, m]) -> f32[n] = for i -> max[j] x[i, j]";
    expectClose(gradientsOf(text, [matrix([1, 2, 2], [3, 3, 1], [0, 0, 0])], [vector(1, 2, 3)]), [
      [0, 1, 0, 2, 0, 0, 3, 0, 0],
    ]);
  });

  it("max and min of two values likewise", () => {
    expectClose(gradientsOf("fn f(a: f32, b: f32) -> f32 = max(a, b)", [2, 2], [1]), [[1], [0]]);
    expectClose(gradientsOf("fn f(a: f32, b: f32) -> f32 = min(a, b)", [2, 2], [1]), [[1], [0]]);
    expectClose(gradientsOf("fn f(a: f32, b: f32) -> f32 = max(a, b)", [1, 2], [1]), [[0], [1]]);
  });
});

describe("reducers that carry no gradient", () => {
  it.each([
    ["any", "if any[i] x[i] > 0.5 then 2.0 else 1.0"],
    ["all", "if all[i] x[i] > 0.5 then 2.0 else 1.0"],
    ["count", "f32(count[i] x[i] > 0.5)"],
    ["argmax", "f32(argmax[i] x[i])"],
    ["argmin", "f32(argmin[i] x[i])"],
  ])("%s: a zero, and the compiler knows it", (_, body) => {
    const f = compiled(`fn f(x: f32[n]) -> f32 = ${body}`, { n: 4 });
    const vjp = f.vjp();
    expect(isStructuralZero(vjp, vjp.graph.results[0]!), f.print("vjp")).toBe(true);
  });

  it("they choose what does carry one", () => {
    const text = "fn f(x: f32[n], y: f32) -> f32 = if any[i] x[i] > 0.5 then y ^ 2 else y";
    expectClose(gradientsOf(text, [vector(0, 1), 3]), [[0, 0], [6]]);
    expectClose(gradientsOf(text, [vector(0, 0), 3]), [[0, 0], [1]]);
  });

  it("a count scales a gradient", () => {
    const text = "fn f(x: f32[n], y: f32) -> f32 = f32(count[i] x[i] > 0.5) * y";
    expectClose(gradientsOf(text, [vector(1, 0, 2), 3]), [[0, 0, 0], [2]]);
  });

  it("a read at an argmax carries it, to the first of several", () => {
    const text = "fn f(x: f32[n], y: f32[n]) -> f32 = x[argmax[i] x[i]] * y[argmax[k] x[k]]";
    expectClose(gradientsOf(text, [vector(1, 4, 4), vector(5, 6, 7)]), [
      [0, 6, 0],
      [0, 4, 0],
    ]);
    expectDerivatives(text, { dims: { n: 5 } });
  });
});

describe("empty ranges", () => {
  it("a sum and a maximum over nothing send nothing", () => {
    const sum = "fn f(x: f32[n]) -> f32[n] = for i -> sum[j: 0 .. i] x[j]";
    expectClose(gradientsOf(sum, [vector(1, 2, 3)], [vector(100, 10, 1)]), [[11, 1, 0]]);
    const top = "fn f(x: f32[n]) -> f32[n] = for i -> max(0.0, max[j: 0 .. i] x[j])";
    expectClose(gradientsOf(top, [vector(1, 2, 3)], [vector(100, 10, 1)]), [[10, 1, 0]]);
  });
});
