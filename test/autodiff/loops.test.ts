/** Derivatives of folds: written out, and as loops (of many turns). */
import { describe, expect, it } from "vitest";
import {
  compiled,
  expectClose,
  expectDerivatives,
  gradientsOf,
  matrix,
  numbersOf,
  vector,
} from "./derivatives.ts";

/** A loop stays one, forward and backward. */
function expectLoops(text: string, dims: Record<string, number>): void {
  const f = compiled(text, dims);
  expect(
    f.graph.nodes.some((n) => n.kind === "loop"),
    "forward",
  ).toBe(true);
  expect(
    f.vjp().graph.nodes.some((n) => n.kind === "loop"),
    "backward",
  ).toBe(true);
}

describe("a fold of few turns and of many", () => {
  it.each([
    ["a scalar", "fn f[turns](a: f32) -> f32 = fold x = a for t: turns -> x + 0.02 * sin(x)"],
    [
      "a tensor",
      "fn f[turns](x: f32[3]) -> f32[3] = fold h = x for t: turns -> for i -> h[i] + 0.02 * sin(h[2 - i])",
    ],
    [
      "that captures a value",
      "fn f[turns](x: f32[3], w: f32[3, 3]) -> f32[3] = fold h = x for t: turns -> for i -> h[i] + 0.01 * tanh(sum[k] w[i, k] * h[k])",
    ],
    [
      "that captures what is computed",
      "fn f[turns](x: f32, y: f32) -> f32 {\n let z = x * y\n fold h = x for t: turns -> h + 0.01 * (z - h ^ 2)\n}",
    ],
    [
      "that uses the turn",
      "fn f[turns](a: f32) -> f32 = fold x = a for t: turns -> x + a * sin(f32(t) * a) / (1.0 + f32(t))",
    ],
    [
      "of a pair",
      "fn f[turns](a: f32, b: f32) -> (f32, f32) = fold (x, v) = (a, b) for t: turns -> (x + 0.01 * v, v - 0.01 * sin(x))",
    ],
    ["from a constant", "fn f[turns](a: f32) -> f32 = fold s = 0.0 for t: turns -> 0.9 * s + a ^ 2"],
    [
      "with a condition",
      "fn f[turns](a: f32) -> f32 = fold x = a for t: turns -> if t % 3 == 0 then 0.99 * x else x + 0.01 * cos(x)",
    ],
    [
      "with a range of its own",
      "fn f[turns](x: f32[4]) -> f32 = fold s = 1.0 for t: turns -> s + 0.01 * x[t % 4] * s * s / (1.0 + s ^ 2)",
    ],
  ])("%s", (_, text) => {
    expectDerivatives(text, { dims: { turns: 3 } });
    expectDerivatives(text, { dims: { turns: 300 } });
    expectLoops(text, { turns: 300 });
  });

  it("of one turn, and of none", () => {
    const text = "fn f[turns](a: f32) -> f32 = fold x = a for t: turns -> x ^ 2";
    expectClose(gradientsOf(text, [3], [1], { turns: 1 }), [[6]]);
    expectClose(gradientsOf(text, [3], [1], { turns: 0 }), [[1]]);
  });

  it("exact: 300 turns of x → x a", () => {
    const text = "fn f[turns](x: f32, a: f32) -> f32 = fold y = x for t: turns -> y * a";
    expectClose(gradientsOf(text, [2, 1.01], [1], { turns: 300 }), [[1.01 ** 300], [600 * 1.01 ** 299]]);
  });

  it("exact: the turn chooses what is read, and every turn adds", () => {
    const text = "fn f[turns](x: f32[turns]) -> f32 = fold s = 0.0 for t: turns -> s + f32(t) * x[t]";
    const [gradient] = gradientsOf(text, [vector(...Array.from({ length: 300 }, () => 0))], [2], {
      turns: 300,
    });
    expect(gradient).toEqual(Array.from({ length: 300 }, (_, t) => 2 * t));
  });

  it("exact: turns that begin elsewhere than at 0", () => {
    const text = "fn f[hi](a: f32) -> f32 = fold s = 0.0 for t: 10 .. hi -> s + f32(t) * a";
    expectClose(gradientsOf(text, [1], [1], { hi: 12 }), [[21]]);
    expectClose(gradientsOf(text, [1], [1], { hi: 400 }), [[(400 * 399) / 2 - 45]]);
  });
});

it("a fold whose turns are large expressions is a loop from fewer turns on", () => {
  const loops = (body: string): boolean =>
    compiled(`fn f(x: f32, a: f32) -> f32 = fold y = x for t: 66 -> ${body}`).graph.nodes.some(
      (node) => node.kind === "loop",
    );
  expect(loops("0.5 * tanh(y) + a")).toBe(false);
  expect(loops("0.5 * tanh(y) + sin(y * a) * cos(y - a) / (1.0 + exp(y + a)) - sqrt(2.0 + y * y)")).toBe(
    true,
  );
});

describe("loops and indices", () => {
  it("under for: one loop for all", () => {
    const text =
      "fn f[turns](x: f32[n], a: f32) -> f32[n] = for i -> fold y = x[i] for t: turns -> y + 0.01 * sin(a * y + x[i])";
    expectDerivatives(text, { dims: { n: 3, turns: 300 } });
    expectLoops(text, { n: 3, turns: 300 });
  });

  it("under for, over rows", () => {
    const text = `fn f[turns](x: f32[n, d], w: f32[d, d]) -> f32[n, d] =
      for i -> fold h = x[i] for t: turns -> for k -> h[k] + 0.01 * (sum[l] w[k, l] * tanh(h[l]))`;
    expectDerivatives(text, { dims: { n: 2, d: 2, turns: 300 } });
  });

  it("a loop in a loop", () => {
    const text = `fn f(x: f32, y: f32) -> f32 = fold a = x for t: 280 ->
      a + 0.001 * (fold b = y for s: 270 -> b + 0.01 * (a - b) * cos(b + 0.01 * f32(t - s)))`;
    expectDerivatives(text);
  });

  it("a loop whose result is reduced and read", () => {
    const text = `fn f(x: f32[n]) -> f32 {
      let h = fold h = x for t: 300 -> for i -> h[i] + 0.01 * h[n - 1 - i]
      sum[i] h[i] ^ 2 * (max[j] h[j])
    }`;
    expectDerivatives(text, { dims: { n: 3 } });
  });

  it("a nearest centre chosen in each turn, as in k-means", () => {
    const text = `fn f[turns](x: f32[n, d], start: f32[k, d]) -> f32[k, d] = fold c = start for t: turns -> {
      let a[i] = argmin[j] sum[q] (x[i, q] - c[j, q]) ^ 2
      let size[j] = f32(count[i] a[i] == j)
      for j, q -> 0.995 * c[j, q] + 0.005 * (c[j, q] + sum[i] if a[i] == j then x[i, q] else 0.0) / (1.0 + size[j])
    }`;
    const args = {
      x: matrix([0, 0.1], [0.2, -0.3], [2.1, 2], [1.7, 2.4], [0.1, 0.4]),
      start: matrix([-0.2, 0.3], [2.2, 1.8]),
    };
    expectDerivatives(text, { dims: { n: 5, d: 2, k: 2, turns: 3 }, args });
    expectDerivatives(text, { dims: { n: 5, d: 2, k: 2, turns: 300 }, args });
    expectLoops(text, { n: 5, d: 2, k: 2, turns: 300 });
  });

  it("an integer carried beside a float", () => {
    const text = `fn f[turns](x: f32[3]) -> f32 {
      let (s, p) = fold (s, p) = (0.0, 0) for t: turns -> (0.99 * s + x[(p + t) % 3] ^ 2, (p + 2) % 3)
      s
    }`;
    expectDerivatives(text, { dims: { turns: 4 } });
    expectDerivatives(text, { dims: { turns: 300 } });
  });

  it("a maximum in each turn", () => {
    expectDerivatives(
      "fn f(x: f32[n]) -> f32[n] = fold h = x for t: 300 -> for i -> 0.99 * h[i] + 0.01 * (max[j] h[j]) * h[i]",
      { dims: { n: 3 } },
    );
  });
});

describe("derivatives inside of loops and of them", () => {
  it("gradient descent: a gradient in each turn, differentiated", () => {
    const text = `fn loss(w: f32[n], a: f32[n]) -> f32 = sum[i] (w[i] ^ 2 - a[i]) ^ 2
    fn f[turns](w: f32[n], a: f32[n]) -> f32[n] = fold v = w for t: turns -> v - 0.001 * grad(loss)(v, a)`;
    expectDerivatives(text, { dims: { n: 2, turns: 3 } });
    expectDerivatives(text, { dims: { n: 2, turns: 300 } });
  });

  it("the second derivative of a loop", () => {
    const text = `fn walk(a: f32, b: f32) -> f32 = fold x = a for t: 300 -> x + 0.01 * sin(b * x)
    fn f(a: f32, b: f32) -> f32 = grad(walk)(a, b)`;
    expectDerivatives(text);
  });

  it("exact: the second derivative of 300 turns of x → x a", () => {
    const text = `fn power(a: f32) -> f32 = fold y = 1.0 for t: 300 -> y * a
    fn f(a: f32) -> f32 = grad(grad(power))(a)`;
    expectClose([compiled(text).interpret(1.01) as number[]], [[300 * 299 * 1.01 ** 298]]);
  });

  it("a gradient for each example of a loop", () => {
    const text = `fn walk(w: f32, x: f32) -> f32 = fold y = x for t: 300 -> y + 0.01 * sin(w * y)
    fn f(w: f32, x: f32[n]) -> f32[n] = for i -> grad(walk)(w, x[i])`;
    const one = text
      .replace("f32[n] = for i -> grad(walk)(w, x[i])", "f32 = grad(walk)(w, x)")
      .replace("x: f32[n]) -> f32 ", "x: f32) -> f32 ");
    const rows = [0.3, -0.7].map((x) => compiled(one).interpret(0.8, x) as number[]);
    expectClose(compiled(text, { n: 2 }).interpret(0.8, vector(0.3, -0.7)).map(numbersOf), [rows.flat()]);
    expectDerivatives(text, { dims: { n: 2 } });
  });
});

describe("folds over lists", () => {
  it("of tensors", () => {
    expectDerivatives(
      "fn f(xs: [f32[n]; l], a: f32[n]) -> f32[n] = fold s = a for x in xs -> for i -> s[i] * x[i] + sin(s[n - 1 - i])",
      { dims: { n: 2, l: 3 } },
    );
  });

  it("exact: each item has a gradient of its own", () => {
    const text = "fn f(xs: [f32; l]) -> f32 = fold p = 1.0 for x in xs -> p * x";
    expectClose(compiled(text, { l: 3 }).vjp().interpret([2, 3, 5], 1) as number[][], [[15, 10, 6]]);
  });

  it("of structs: layers", () => {
    const text = `struct Linear[d] {
      w: f32[d, d]
      b: f32[d]
    }
    fn f(layers: [Linear[d]; l], x: f32[d]) -> f32[d] = fold h = x for p in layers -> for i -> tanh(p.b[i] + sum[k] p.w[i, k] * h[k])`;
    expectDerivatives(text, { dims: { d: 2, l: 3 } });
  });
});
