/** Derivatives of derivatives, under for, and through what stops them. */
import { describe, expect, it } from "vitest";
import {
  compiled,
  compiledFor,
  expectClose,
  expectDerivatives,
  gradientsOf,
  isStructuralZero,
  matrix,
  numbersOf,
  tangentsOf,
  valuesOf,
  vector,
} from "./derivatives.ts";

const wavy = "fn wavy(x: f32[n]) -> f32 = sum[i] sin(x[i]) * x[n - 1 - i] ^ 2 * (sum[j] exp(0.3 * x[j]))";

describe("derivatives of derivatives", () => {
  it("grad of grad of grad: the third derivative of x⁵", () => {
    const cube = "fn f(x: f32) -> f32 = grad(grad(grad(fn (t) -> t ^ 5)))(x)";
    expectClose(valuesOf(cube, [2]), [[240]]);
    expectClose(gradientsOf(cube, [2]), [[240]]);
    expectClose(gradientsOf(cube, [3]), [[360]]);
  });

  it.each([
    ["sin", Math.cos(0.4), -Math.sin(0.4)],
    ["exp", Math.exp(0.4), Math.exp(0.4)],
    ["log", 1 / 0.4, -1 / 0.16],
  ])("first and second of %s", (name, first, second) => {
    expectClose(valuesOf(`fn f(x: f32) -> f32 = grad(fn (t) -> ${name}(t))(x)`, [0.4]), [[first]]);
    expectClose(valuesOf(`fn f(x: f32) -> f32 = grad(grad(fn (t) -> ${name}(t)))(x)`, [0.4]), [[second]]);
  });

  it("a Hessian times a vector, by jvp of grad: exact, symmetric, as differences have it", () => {
    const quadratic =
      "fn f(x: f32[n], v: f32[n]) -> f32[n] = jvp(grad(fn (y) -> y[0] ^ 2 * y[1] + y[1] * y[2]))(x)(v)";
    expectClose(valuesOf(quadratic, [vector(3, 5, 7), vector(1, 10, 100)]), [[10 + 60, 6 + 100, 10]]);
    const text = `${wavy}\nfn f(x: f32[n], v: f32[n]) -> f32[n] = jvp(grad(wavy))(x)(v)`;
    const [x, u, v] = [vector(0.3, -0.8, 1.1), vector(1, 0.5, -2), vector(-0.4, 3, 0.7)];
    const dot = (a: readonly number[], b: readonly number[]): number =>
      a.reduce((s, y, i) => s + y * b[i]!, 0);
    const [[hu], [hv]] = [valuesOf(text, [x, u]), valuesOf(text, [x, v])];
    expect(Math.abs(dot([...v.data], hu!))).toBeGreaterThan(0.1);
    expectClose([[dot([...v.data], hu!)]], [[dot([...u.data], hv!)]]);
    // J of the gradient is the Hessian: this compares it with differences of the gradient.
    expectDerivatives(`${wavy}\nfn f(x: f32[n]) -> f32[n] = grad(wavy)(x)`, { dims: { n: 3 } });
    expectClose([hv!], tangentsOf(`${wavy}\nfn f(x: f32[n]) -> f32[n] = grad(wavy)(x)`, [x], [v]));
  });

  it("grad of jvp is the same product", () => {
    const [x, v] = [vector(0.3, -0.8, 1.1), vector(1, 0.5, -2)];
    const forward = `${wavy}\nfn f(x: f32[n], v: f32[n]) -> f32[n] = jvp(grad(wavy))(x)(v)`;
    const backward = `${wavy}\nfn f(x: f32[n], v: f32[n]) -> f32[n] = grad(fn (y) -> jvp(wavy)(y)(v))(x)`;
    expectClose(valuesOf(forward, [x, v]), valuesOf(backward, [x, v]));
  });

  it("vjp of vjp, from outside", () => {
    const twice = compiled("fn f(x: f32) -> f32 = x ^ 3").vjp().vjp();
    expect(twice.params.length).toBe(3);
    expectClose([twice.interpret(2, 5, 7) as number[]], [[7 * 5 * 12, 7 * 12]]);
  });

  it("jvp of jvp, from outside", () => {
    const twice = compiled("fn f(x: f32) -> f32 = x ^ 3").jvp().jvp();
    // (x, t_x, tangent of x, tangent of t_x): 6 x t s + 3 x² r
    expectClose([twice.interpret(2, 5, 7, 11) as number[]], [[12 * 35 + 12 * 11]]);
  });

  it("vjp of jvp and jvp of vjp, from outside", () => {
    const f = compiled("fn f(x: f32) -> f32 = x ^ 3");
    expectClose([f.jvp().vjp().interpret(2, 5, 7) as number[]], [[12 * 35, 12 * 7]]);
    expectClose([f.vjp().jvp().interpret(2, 5, 7, 11) as number[]], [[12 * 35 + 12 * 11]]);
  });

  it("vjp of vjp, in the language", () => {
    const text =
      "fn f(x: f32[n], a: f32[n], b: f32[n]) -> f32[n] = vjp(fn (y) -> vjp(fn (z) -> for i -> z[i] ^ 3 * z[0])(y)(a))(x)(b)";
    expectDerivatives(text, { dims: { n: 2 } });
  });

  it.each([
    ["a product with zeros", "prod[i] y[i]", [0, 2, 0, 3]],
    ["a maximum", "(max[i] y[i]) ^ 3 + y[0] * (min[i] y[i]) ^ 2", [0.2, 1.1, -0.4, 0.7]],
    ["a softmax", "log(sum[i] exp(y[i])) * y[1]", [0.2, 1.1, -0.4, 0.7]],
    ["a condition", "sum[i] if y[i] > 0.0 then sqrt(y[i]) * y[0] else y[i] ^ 3", [0.2, 1.1, -0.4, 0.7]],
    ["a padded read", "sum[i] y[i] ^ 2 * y[i + 1 | y[0] ^ 2]", [0.2, 1.1, -0.4, 0.7]],
  ])("second derivatives through %s", (_, body, x) => {
    expectDerivatives(`fn f(x: f32[n]) -> f32[n] = grad(fn (y) -> ${body})(x)`, {
      dims: { n: 4 },
      args: { x: vector(...x) },
    });
  });
});

describe("gradients for each example", () => {
  const loss = "fn loss(w: f32[d], x: f32[d], y: f32) -> f32 = (tanh(sum[k] w[k] * x[k]) - y) ^ 2";
  const [w, x, y] = [vector(0.4, -0.9), matrix([1, 2], [-0.5, 0.3], [0.7, 0.7]), vector(1, 0, -1)];

  it("are those of each row", () => {
    const all = valuesOf(
      `${loss}\nfn f(w: f32[d], x: f32[n, d], y: f32[n]) -> f32[n, d] = for i -> grad(loss)(w, x[i], y[i])`,
      [w, x, y],
    );
    const rows = [0, 1, 2].flatMap(
      (i) =>
        gradientsOf(`${loss}\nfn f(w: f32[d], x: f32[d], y: f32) -> f32 = loss(w, x, y)`, [
          w,
          vector(x.data[2 * i]!, x.data[2 * i + 1]!),
          y.data[i]!,
        ])[0]!,
    );
    expectClose(all, [rows]);
    expect(rows.every((g) => Math.abs(g) > 1e-3)).toBe(true);
  });

  it("add up to the gradient of the sum", () => {
    const sum = valuesOf(
      `${loss}\nfn f(w: f32[d], x: f32[n, d], y: f32[n]) -> f32[d] = { let g = for i -> grad(loss)(w, x[i], y[i])\n for k -> sum[i] g[i, k] }`,
      [w, x, y],
    );
    const whole = gradientsOf(
      `${loss}\nfn f(w: f32[d], x: f32[n, d], y: f32[n]) -> f32 = sum[i] loss(w, x[i], y[i])`,
      [w, x, y],
    );
    expectClose(sum, [whole[0]!]);
  });

  it("differentiate again", () => {
    expectDerivatives(
      `${loss}\nfn f(w: f32[d], x: f32[n, d], y: f32[n]) -> f32[n, d] = for i -> grad(loss)(w, x[i], y[i])`,
      { dims: { n: 2, d: 2 } },
    );
  });

  it("with respect to what depends on the example, under two indices", () => {
    const text =
      "fn f(x: f32[n], y: f32[m]) -> f32[n, m] = for i, j -> grad(fn (t) -> sin(t * y[j]) * t)(x[i] * y[j])";
    expectDerivatives(text, { dims: { n: 2, m: 3 } });
    const at = 0.5 * 0.7;
    expectClose(valuesOf(text, [vector(0.5), vector(0.7)]), [
      [Math.cos(at * 0.7) * 0.7 * at + Math.sin(at * 0.7)],
    ]);
  });

  it("inside a sum", () => {
    expectDerivatives("fn f(x: f32[n]) -> f32 = sum[i] grad(fn (t) -> t ^ 3 * x[0])(x[i])", {
      dims: { n: 3 },
    });
    expectClose(
      valuesOf("fn f(x: f32[n]) -> f32 = sum[i] grad(fn (t) -> t ^ 3 * x[0])(x[i])", [vector(2, 1)]),
      [[3 * 2 * (4 + 1)]],
    );
  });

  it("a jvp for each example", () => {
    const text = "fn f(x: f32[n]) -> f32[n] = for i -> jvp(fn (a, b) -> a ^ 2 * b)(x[i], x[0])(1.0, x[i])";
    expectClose(valuesOf(text, [vector(2, 3)]), [[2 * 2 * 2 + 8, 2 * 3 * 2 + 27]]);
  });
});

describe("stop_gradient", () => {
  it("is a constant, forward and backward", () => {
    const text = "fn f(x: f32, y: f32) -> f32 = stop_gradient(x * y) * x";
    expectClose(valuesOf(text, [3, 5]), [[45]]);
    expectClose(gradientsOf(text, [3, 5]), [[15], [0]]);
    expectClose(tangentsOf(text, [3, 5], [1, 1]), [[15]]);
  });

  it("of a tensor, and of a maximum", () => {
    const text = "fn f(x: f32[n]) -> f32 = sum[i] exp(x[i] - stop_gradient(max[j] x[j]))";
    expectClose(gradientsOf(text, [vector(1, 2)]), [[Math.exp(-1), 1]]);
    expectClose(gradientsOf("fn f(x: f32[n]) -> f32 = sum[i] stop_gradient(x)[i] * x[i]", [vector(3, 4)]), [
      [3, 4],
    ]);
  });

  it("stops the second derivative only, where only the gradient is stopped", () => {
    const text = "fn f(x: f32) -> f32 = stop_gradient(grad(fn (t) -> t ^ 3)(x)) * x";
    expectClose(gradientsOf(text, [2]), [[12]]);
  });
});

describe("gradients that are zero everywhere", () => {
  it.each([
    ["an argument not used", "fn f(x: f32[n], y: f32[n]) -> f32 = sum[i] x[i]"],
    ["a floor", "fn f(x: f32[n], y: f32[n]) -> f32 = sum[i] x[i] * floor(y[i])"],
    ["a comparison", "fn f(x: f32[n], y: f32[n]) -> f32 = sum[i] if y[i] > 0.0 then x[i] else 0.0"],
    ["a stopped gradient", "fn f(x: f32[n], y: f32[n]) -> f32 = sum[i] x[i] * stop_gradient(y[i])"],
    ["an index", "fn f(x: f32[n], y: f32[n]) -> f32 = x[argmin[i] y[i]]"],
  ])("are a constant in the IR: %s", (_, text) => {
    const vjp = compiled(text, { n: 3 }).vjp();
    const [dx, dy] = vjp.graph.results;
    expect([isStructuralZero(vjp, dx!), isStructuralZero(vjp, dy!)]).toEqual([false, true]);
    const found = compiledFor(text, [vector(1, 2, 3), vector(1, -1, 2)])
      .vjp()
      .interpret(vector(1, 2, 3), vector(1, -1, 2), 1);
    expect(numbersOf(found[1]!)).toEqual([0, 0, 0]);
  });
});
