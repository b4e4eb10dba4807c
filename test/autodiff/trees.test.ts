/** Derivatives with respect to structs, lists and tuples; integers beside floats; functions spread over tensors. */
import { describe, expect, it } from "vitest";
import {
  compiled,
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

const linear = `struct Linear[i, o] {
  w: f32[o, i]
  b: f32[o]
}
fn linear(p: Linear[i, o], x: f32[i]) -> f32[o] = for r -> p.b[r] + sum[c] p.w[r, c] * x[c]
`;
const params = { w: matrix([1, 2], [3, 4]), b: vector(5, 6) };

describe("value_and_grad", () => {
  it("gives the value and the gradient", () => {
    expectClose(valuesOf("fn f(x: f32) -> (f32, f32) = value_and_grad(fn (t) -> t ^ 3)(x)", [2]), [
      [8],
      [12],
    ]);
  });

  it("the rest of a tuple comes back beside the value, and sends no gradient", () => {
    const text = `fn loss(x: f32[n], y: f32) -> (f32, f32[n], f32) = (sum[i] x[i] ^ 2 * y, for i -> 10.0 * x[i], y)
    fn f(x: f32[n], y: f32) -> (f32, f32[n], f32, f32[n]) {
      let (value, g) = value_and_grad(loss)(x, y)
      let (l, tens, z) = value
      (l, tens, z, g)
    }`;
    expectClose(valuesOf(text, [vector(1, 2), 3]), [[15], [10, 20], [3], [6, 12]]);
  });

  it("grad of a function with a tuple is the gradient of the first part", () => {
    const text =
      "fn both(x: f32) -> (f32, f32) = (x ^ 2, x ^ 3)\nfn f(x: f32) -> f32 { let (v, g) = value_and_grad(both)(x)\n g }";
    expectClose(valuesOf(text, [3]), [[6]]);
  });

  it("is with respect to the first argument only", () => {
    const text = `${linear}fn loss(p: Linear[i, o], x: f32[i]) -> f32 = sum[r] linear(p, x)[r] ^ 2
    fn f(p: Linear[i, o], x: f32[i]) -> (f32, Linear[i, o]) = value_and_grad(loss)(p, x)`;
    const f = compiled(text, { i: 2, o: 2 });
    // The results of the affine map are 8 and 13.
    expectClose(f.interpret(params, vector(1, 1)).map(numbersOf), [
      [13 * 13 + 8 * 8],
      [16, 16, 26, 26, 16, 26],
    ]);
  });
});

describe("structs, lists and tuples as arguments", () => {
  it("a struct's cotangent is a struct", () => {
    const f = compiled(`${linear}fn f(p: Linear[i, o], x: f32[i]) -> f32[o] = linear(p, x)`, { i: 2, o: 2 });
    const [dp, dx] = f.vjp().interpret(params, vector(7, 8), vector(1, 10)) as [
      { w: never; b: never },
      never,
    ];
    expect(Object.keys(dp)).toEqual(["w", "b"]);
    expectClose([dp.w, dp.b, dx].map(numbersOf), [
      [7, 8, 70, 80],
      [1, 10],
      [31, 42],
    ]);
  });

  it("a list of structs, some of them read twice", () => {
    const text = `${linear}fn f(ps: [Linear[d, d]; l], x: f32[d]) -> f32[d] = linear(ps[0], tanh(linear(ps[1], tanh(linear(ps[0], x)))))`;
    expectDerivatives(text, { dims: { d: 2, l: 3 } });
    const unused = compiled(text, { d: 2, l: 3 }).vjp();
    const zero = { w: matrix([0, 0], [0, 0]), b: vector(0, 0) };
    const [ds] = unused.interpret([params, params, zero], vector(1, 2), vector(1, 1)) as [unknown[]];
    expect(numbersOf(ds[2] as never)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it("a struct in a struct, updated", () => {
    const text = `${linear}struct Pair[d] {
      first: Linear[d, d]
      scale: f32
    }
    fn f(p: Pair[d], x: f32[d]) -> f32[d] {
      let q = Pair { ...p, scale: p.scale ^ 2 }
      for i -> q.scale * linear(q.first, x)[i] * p.scale
    }`;
    expectDerivatives(text, { dims: { d: 2 } });
  });

  it("a tuple as result has a cotangent for each part", () => {
    const text = "fn f(x: f32[n]) -> (f32, f32[n]) = (sum[i] x[i] ^ 2, for i -> 3.0 * x[i])";
    expectClose(gradientsOf(text, [vector(1, 2)], [10, vector(1, 100)]), [[23, 340]]);
    expectClose(tangentsOf(text, [vector(1, 2)], [vector(1, 10)]), [[42], [3, 30]]);
  });
});

describe("integers and booleans", () => {
  it("are no results of a vjp, and take no tangent", () => {
    const f = compiled(
      "fn f(a: idx[n][m], x: f32[n], k: i32, y: f32, c: bool) -> f32[m] = for i -> if c then f32(k) * x[a[i]] else y",
      { n: 3, m: 2 },
    );
    expect(f.vjp().params.map((p) => p.name)).toEqual(["a", "x", "k", "y", "c", "ct"]);
    expect(f.vjp().results.map((r) => r.name)).toEqual(["d_x", "d_y"]);
    expect(f.jvp().params.map((p) => p.name)).toEqual(["a", "x", "k", "y", "c", "t_x", "t_y"]);
    const args = [integers(2, 2), vector(1, 2, 3), 4, 5];
    expectClose(
      f
        .vjp()
        .interpret(...args, true, vector(1, 10))
        .map(numbersOf),
      [[0, 0, 44], [0]],
    );
    expectClose(
      f
        .vjp()
        .interpret(...args, false, vector(1, 10))
        .map(numbersOf),
      [[0, 0, 0], [11]],
    );
  });

  it("nor are they in a struct's cotangent", () => {
    const f = compiled(
      "struct Table {\n rows: f32[3]\n at: idx[3]\n}\nfn f(t: Table, s: f32) -> f32 = s * t.rows[t.at]",
    );
    const [dt, ds] = f.vjp().interpret({ rows: vector(5, 6, 7), at: 1 }, 2, 10) as [object, number];
    expect(Object.keys(dt)).toEqual(["rows"]);
    expectClose([numbersOf(dt as never), [ds]], [[0, 20, 0], [60]]);
  });

  it("an integer result takes no cotangent", () => {
    const f = compiled("fn f(x: f32[n]) -> (idx[n], f32) = (argmax[i] x[i], max[i] x[i])", { n: 3 });
    expect(f.vjp().params.map((p) => p.name)).toEqual(["x", "ct"]);
    expectClose(
      f
        .vjp()
        .interpret(vector(1, 5, 2), 3)
        .map(numbersOf),
      [[0, 3, 0]],
    );
  });

  it("a conversion to an integer and back stops", () => {
    expectClose(gradientsOf("fn f(x: f32) -> f32 = f32(i32(x)) * x", [2.5]), [[2]]);
  });
});

describe("trees", () => {
  it("tree_sum of squares has twice the parameters as gradient", () => {
    const f = compiled(`${linear}fn f(p: Linear[i, o]) -> f32 = tree_sum(fn (x) -> x * x, p)`, {
      i: 2,
      o: 2,
    });
    expectClose(f.vjp().interpret(params, 1).map(numbersOf), [[2, 4, 6, 8, 10, 12]]);
  });

  it("tree_map sends to each leaf its own", () => {
    const text = `${linear}fn f(a: Linear[i, o], b: Linear[i, o], s: f32) -> Linear[i, o] = tree_map(fn (x, y) -> s * x * sin(y), a, b)`;
    expectDerivatives(text, { dims: { i: 2, o: 1 } });
  });

  it("a step of gradient descent through its own gradient", () => {
    const text = `${linear}fn loss(p: Linear[i, o], x: f32[i]) -> f32 = sum[r] sin(linear(p, x)[r]) ^ 2
    fn f(p: Linear[i, o], x: f32[i], rate: f32) -> f32 {
      let g = grad(loss)(p, x)
      loss(tree_map(fn (w, dw) -> w - rate * dw, p, g), x)
    }`;
    expectDerivatives(text, { dims: { i: 2, o: 2 } });
  });

  it("leaves of other ranks, told apart", () => {
    const f = compiled(
      `${linear}fn f(p: Linear[i, o]) -> f32 = tree_sum(fn (x) -> x * x, tree_map(fn (x) -> if rank(x) >= 2 then 3.0 * x else x, p))`,
      { i: 2, o: 2 },
    );
    expectClose(f.vjp().interpret(params, 1).map(numbersOf), [[18, 36, 54, 72, 10, 12]]);
  });
});

describe("scalar functions spread over tensors", () => {
  it.each(["gelu", "relu", "silu", "softplus", "tanh", "sigmoid", "erf", "exp", "abs"])("%s", (name) => {
    expectDerivatives(`fn f(x: f32[n, m]) -> f32[n, m] = ${name}(x)`, { dims: { n: 2, m: 3 } });
    expectDerivatives(`fn f(x: f32[n, m], y: f32[n, m]) -> f32 = sum[i, j] (${name}(x * y) * x)[i, j]`, {
      dims: { n: 2, m: 3 },
    });
  });

  it("exact: gelu'(0) = 1/2, and the mirror law of gelu'", () => {
    const [[zero, plus, minus]] = gradientsOf(
      "fn f(x: f32[n]) -> f32[n] = gelu(x)",
      [vector(0, 0.8, -0.8)],
      [vector(1, 1, 1)],
    ) as [[number, number, number]];
    expectClose([[zero, plus + minus]], [[0.5, 1]], 1e-6);
    expect(plus).toBeGreaterThan(1);
  });

  it("a scalar with a tensor gets the sum", () => {
    expectClose(
      gradientsOf("fn f(s: f32, x: f32[n]) -> f32[n] = s * x + s", [2, vector(3, 4)], [vector(1, 10)]),
      [[54], [2, 20]],
    );
  });
});
