/** Derivatives that functions bring along. The rules here are wrong on purpose where that shows which one is used. */
import { describe, expect, it } from "vitest";
import {
  compiled,
  compiledFor,
  expectClose,
  expectDerivatives,
  gradientsOf,
  integers,
  matrix,
  numbersOf,
  tangentsOf,
  valuesOf,
  vector,
} from "./derivatives.ts";

// Its own derivative would be 2 x.
const seven = "fn square(x: f32) -> f32 = x ^ 2\n  vjp (x, ct) -> 7.0 * ct\n";

describe("a rule is used instead of the derivative of the body", () => {
  it("as the entry point", () => {
    const text = "fn f(x: f32) -> f32 = x ^ 2\n  vjp (x, ct) -> 7.0 * ct";
    expectClose(valuesOf(text, [3]), [[9]]);
    expectClose(gradientsOf(text, [3], [10]), [[70]]);
    expectClose(tangentsOf(text, [3], [10]), [[70]]);
  });

  it("by those who call it", () => {
    const text = `${seven}fn f(x: f32) -> f32 = 3.0 * square(x + 1.0) * x`;
    expectClose(valuesOf(text, [2]), [[54]]);
    expectClose(gradientsOf(text, [2]), [[3 * 9 + 3 * 7 * 2]]);
    expectClose(tangentsOf(text, [2], [10]), [[690]]);
  });

  it("by grad, and by value_and_grad beside the true value", () => {
    expectClose(valuesOf(`${seven}fn f(x: f32) -> f32 = grad(square)(x)`, [3]), [[7]]);
    expectClose(valuesOf(`${seven}fn f(x: f32) -> (f32, f32) = value_and_grad(square)(x)`, [3]), [[9], [7]]);
  });

  it("under for, and mapped", () => {
    const ct = [vector(1, 10)];
    expectClose(
      gradientsOf(`${seven}fn f(x: f32[n]) -> f32[n] = for i -> square(x[i])`, [vector(2, 3)], ct),
      [[7, 70]],
    );
    expectClose(tangentsOf(`${seven}fn f(x: f32[n]) -> f32[n] = for i -> square(x[i])`, [vector(2, 3)], ct), [
      [7, 70],
    ]);
    expectClose(valuesOf(`${seven}fn f(x: f32[n]) -> f32[n] = for i -> grad(square)(x[i])`, [vector(2, 3)]), [
      [7, 7],
    ]);
  });

  it("under for, reading an index from outside", () => {
    const text =
      "fn scaled(x: f32, s: f32) -> f32 = x * s\n  vjp (x, s, ct) -> (ct * s * 100.0, ct * x)\n" +
      "fn f(x: f32[n], s: f32[m]) -> f32[n, m] = for i, j -> scaled(x[i], s[j])";
    expectClose(gradientsOf(text, [vector(2, 3), vector(5, 7)], [matrix([1, 0], [0, 1])]), [
      [500, 700],
      [2, 3],
    ]);
  });

  it("in a fold of few turns and of many", () => {
    const text = `${seven}fn f[turns](x: f32) -> f32 = fold y = x for t: turns -> 0.1 * square(y) + y`;
    expectClose(gradientsOf(text, [0.1], [1], { turns: 2 }), [[1.7 ** 2]]);
    const many = `${seven}fn f(x: f32) -> f32 = fold y = x for t: 300 -> 0.001 * square(y) + 0.99 * y`;
    expectClose(gradientsOf(many, [0.1]), [[0.997 ** 300]]);
    expectClose(tangentsOf(many, [0.1], [1]), [[0.997 ** 300]]);
    expect(compiled(many).graph.nodes.some((n) => n.kind === "loop")).toBe(true);
  });

  it("of two calls each has its own", () => {
    expectClose(
      gradientsOf(`${seven}fn f(x: f32, y: f32) -> f32 = square(x) + 2.0 * square(y) + square(x)`, [1, 1]),
      [[14], [14]],
    );
  });

  it("but not the one of a function that it calls, in its own rule's place", () => {
    const text = `${seven}fn outer(x: f32) -> f32 = square(x)\n  vjp (x, ct) -> 11.0 * ct\nfn f(x: f32) -> f32 = outer(x)`;
    expectClose(gradientsOf(text, [3]), [[11]]);
  });
});

describe("arguments and results of rules", () => {
  it("a tensor, by the function itself: a norm without NaN", () => {
    const text =
      "fn f(x: f32[d]) -> f32 = sqrt(sum[k] x[k] ^ 2)\n  vjp (x, ct) -> for k -> ct * x[k] / max(f(x), 1e-12)";
    expectClose(
      gradientsOf(
        text.replaceAll(" f(", " norm(").replace("max(f(", "max(norm(") +
          "\nfn f(x: f32[d]) -> f32 = norm(x)",
        [vector(3, 4)],
        [10],
      ),
      [[6, 8]],
    );
    expectClose(gradientsOf(text, [vector(0, 0)]), [[0, 0]]);
    expectClose(tangentsOf(text, [vector(3, 4)], [vector(1, 1)]), [[1.4]]);
    expectDerivatives(text, { dims: { d: 3 } });
  });

  it("a struct", () => {
    const text = `struct Affine[d] {
      w: f32[d]
      b: f32
    }
    fn apply(p: Affine[d], x: f32[d]) -> f32 = p.b + sum[k] p.w[k] * x[k]
      vjp (p, x, ct) -> (Affine { w: (for k -> 2.0 * ct * x[k]), b: 3.0 * ct }, for k -> 5.0 * ct * p.w[k])
    fn f(p: Affine[d], x: f32[d]) -> f32 = apply(p, x)`;
    const f = compiled(text, { d: 2 });
    const args = [{ w: vector(1, 2), b: 3 }, vector(10, 20)];
    expectClose(f.interpret(...args).map(numbersOf), [[53]]);
    expect(f.vjp().results.map((r) => r.name)).toEqual(["d_p", "d_x"]);
    expectClose(
      f
        .vjp()
        .interpret(...args, 1)
        .map(numbersOf),
      [
        [20, 40, 3],
        [5, 10],
      ],
    );
    const tangent = f
      .jvp()
      .interpret(...args, { w: vector(1, 0), b: 100 }, vector(0, 1))
      .map(numbersOf);
    expectClose(tangent, [[2 * 10 + 3 * 100 + 5 * 2]]);
  });

  it("an integer has none", () => {
    const text =
      "fn pick(x: f32[n], i: idx[n]) -> f32 = x[i]\n  vjp (x, i, ct) -> for k -> if k == i then 4.0 * ct else 0.0\n" +
      "fn f(x: f32[n], a: idx[n][m]) -> f32[m] = for j -> pick(x, a[j])";
    expectClose(gradientsOf(text, [vector(1, 2, 3), integers(2, 0, 2)], [vector(1, 10, 100)], { n: 3 }), [
      [40, 0, 404],
    ]);
  });

  it("two results, one of which is not used", () => {
    const text = "fn both(x: f32) -> (f32, f32) = (x, x ^ 2)\n  vjp (x, a, b) -> 10.0 * a + 100.0 * b\n";
    expectClose(
      gradientsOf(
        `${text}fn f(x: f32) -> f32 = both(x)`.replace("= both(x)", "{\n let (p, q) = both(x)\n q\n}"),
        [3],
      ),
      [[100]],
    );
    expectClose(gradientsOf(`${text}fn f(x: f32) -> (f32, f32) = both(x)`, [3], [1, 2]), [[210]]);
    expectClose(tangentsOf(`${text}fn f(x: f32) -> (f32, f32) = both(x)`, [3], [1]), [[10], [100]]);
  });

  it("a tensor to a tensor: its tangent is the transpose of the rule", () => {
    // The rule is that of 2 x, shifted by one: not symmetric.
    const text = "fn f(x: f32[n]) -> f32[n] = x\n  vjp (x, ct) -> for k -> 2.0 * ct[k + 1 | 0.0]";
    expectClose(gradientsOf(text, [vector(0, 0, 0)], [vector(1, 10, 100)]), [[20, 200, 0]]);
    expectClose(tangentsOf(text, [vector(0, 0, 0)], [vector(1, 10, 100)]), [[0, 2, 20]]);
  });
});

describe("rules differentiated again", () => {
  it("the second derivative is that of the rule", () => {
    // A rule of 5 x² has the derivative 10 x.
    const text =
      "fn odd(x: f32) -> f32 = x ^ 2\n  vjp (x, ct) -> ct * 5.0 * x ^ 2\nfn f(x: f32) -> f32 = grad(grad(odd))(x)";
    expectClose(valuesOf(text, [3]), [[30]]);
    const mixed = text.replace("grad(grad(odd))(x)", "jvp(grad(odd))(x)(1.0)");
    expectClose(valuesOf(mixed, [3]), [[30]]);
  });

  it("a rule that is right agrees with differences, to the second order", () => {
    const text = `fn lse(x: f32[n]) -> f32 = log(sum[i] exp(x[i]))
      vjp (x, ct) -> { let l = lse(x)
        for k -> ct * exp(x[k] - l) }
    fn f(x: f32[n]) -> f32[n] = grad(lse)(x)`;
    expectDerivatives(text, { dims: { n: 3 } });
    const f = compiledFor(text, [vector(0, Math.log(3))]);
    expectClose(f.interpret(vector(0, Math.log(3))).map(numbersOf), [[0.25, 0.75]]);
  });
});
