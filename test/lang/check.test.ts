/** What the checker finds of right programs, of several mistakes, and of programs in several files. */
import { describe, expect, test } from "vitest";
import { check, noFiles } from "../../src/lang/check.ts";
import { positionOf } from "../../src/lang/source.ts";
import { showType } from "../../src/lang/types.ts";
import { showDim } from "../../src/lang/dims.ts";
import { stdSources } from "../../src/std/sources.ts";
import { dedent, loaderOf } from "./diagnostics/rendered.ts";

/** The result types of a program's functions; or the codes and lines of its mistakes. */
function resultsOf(program: string, files: Readonly<Record<string, string>> = {}): string[] {
  const { main, diagnostics } = check({ name: "model.fec", text: dedent(program) }, loaderOf(files));
  if (diagnostics.length > 0) {
    return diagnostics.map((d) => {
      const { file, start } = d.primary.span;
      return `${d.code} ${file.name === "model.fec" ? "" : `${file.name} `}line ${positionOf(file, start).line}`;
    });
  }
  return [...main.exports.values()].flatMap((top) => {
    return top.kind === "function" ? [`${top.name}: ${showType(top.result!)}`] : [];
  });
}

const shared = dedent(`
  struct Linear[i, o] {
    weight: f32[o, i] ~ trunc_normal(0.02)
    bias: f32[o] ~ zeros
  }
  struct Pair[T] {
    first: T
    second: T
  }
  const classes = 10
  fn dot(x: f32[d], y: f32[d]) -> f32 = sum[k] x[k] * y[k]
  fn linear(p: Linear[i, o], x: f32[i]) -> f32[o] = for r -> p.bias[r] + sum[c] p.weight[r, c] * x[c]
  fn pooled[m](x: f32[n]) -> f32[m] = for i: m -> mean[j: i * n // m .. (i + 1) * n // m] x[j]
  fn apply(f: fn(f32[n]) -> f32[m], x: f32[n]) -> f32[m] = f(x)
  fn swapped(p: Pair[T]) -> Pair[T] = Pair { first: p.second, second: p.first }
  fn squares(x: f32[n]) = sum[i] x[i] ^ 2
`);

test.each([
  ["an unknown operator", "fn f(x: f32, y: f32) -> f32 = if x && y then x else y", "E0101"],
  ["a product of matrices", "fn f(x: f32[n, m], w: f32[m, k]) -> f32[n, k] = x @ w", "E0123"],
  ["a condition behind a sum", "fn f(x: f32[n]) -> i32 = sum[i] x[i] if x[i] > 0.0", "E0123"],
  ["a struct without its name", "fn f(p: f32) -> f32 = { ...p, w: 1.0 }", "E0127"],
])("%s has no further consequences", (_, program, code) => {
  expect(resultsOf(program)).toEqual([`${code} line 1`]);
});

/** `fn f` of each program after the declarations above, and the type of its result. */
const inferred: readonly (readonly [idea: string, program: string, result: string])[] = [
  ["a tensor by its indices", "fn f(x: f32[n], y: f32[m]) = for i, j -> x[i] * y[j]", "f32[n, m]"],
  ["axes in front of a tensor body", "fn f(x: f32[n, d]) = for k: 3, i -> x[i]", "f32[3, n, d]"],
  ["a tuple of tensors", "fn f(x: f32[n]) = for i -> (x[i], i, x[i] > 0.0)", "(f32[n], idx[n][n], bool[n])"],
  ["a partial read", "fn f(x: f32[n, c, h]) = for i -> x[i, 0]", "f32[n, h]"],
  ["a reduction of tensors", "fn f(x: f32[n, d]) = sum[i] x[i]", "f32[d]"],
  ["a reduction whose body has axes", "fn f(x: f32[n, d]) = max[i] for k -> x[i, k] * 2", "f32[d]"],
  ["a position", "fn f(x: f32[n, d]) = for i -> argmax[k] x[i, k]", "idx[d][n]"],
  ["a count", "fn f(x: f32[n]) = count[i] x[i] > 0.0", "i32"],
  [
    "an index that a comparison ranges",
    "fn f(a: idx[o][n]) { let size[j] = count[i] a[i] == j\n size }",
    "i32[o]",
  ],
  [
    "an index whose range comes later",
    "fn f(x: f32[n]) { let y[i] = f32(i)\n for i -> y[i] * x[i] }",
    "f32[n]",
  ],
  ["an index that the result ranges", "fn f(x: f32) -> f32[4, 5] = for i, j -> x * f32(i + j)", "f32[4, 5]"],
  ["dimensions as integers", "fn f(x: f32[n, m]) = n * m + 1", "i32"],
  ["a dimension and a constant", "fn f(x: f32[n]) = for i: n + classes -> x[i | 0.0]", "f32[n + 10]"],
  ["written bounds", "fn f(x: f32[n]) = for i: 1 .. n + 2 -> x[i - 1 | 0.0]", "f32[n + 1]"],
  ["an integer literal beside floats", "fn f(x: f32[n]) = 2 * x + 1", "f32[n]"],
  ["a literal of half precision", "fn f(x: f16[n]) = 2 * x + 1.5", "f16[n]"],
  ["a literal of u32", "fn f(x: u32) = x * 4294967295", "u32"],
  ["literals alone", "fn f(x: f32) = (3, 3.0, 1 / 2, -2147483648)", "(i32, f32, f32, i32)"],
  ["an index with an integer", "fn f(x: f32[n], c: bool) = for i: n -> if c then i else 7", "i32[n]"],
  ["two bounds meet in i32", "fn f(a: idx[n], b: idx[m], c: bool) = if c then a else b", "i32"],
  ["arithmetic of an index", "fn f(x: f32[n]) = for i: n -> 2 * i", "i32[n]"],
  ["elementwise functions", "fn f(x: f32[n, m]) = gelu(exp(x) + max(x, 0.0))", "f32[n, m]"],
  ["elementwise comparison", "fn f(x: f32[n], y: f32[n]) = x < y and x > 0.0", "bool[n]"],
  ["conversion of a tensor", "fn f(x: bool[n]) = f32(x)", "f32[n]"],
  ["an exact quotient", "fn f(x: f32[2 * n]) = for i: 2 * n / 2 -> x[2 * i]", "f32[n]"],
  [
    "halves of an argument",
    "fn half(x: f32[2 * n]) -> f32[n] = for i -> x[2 * i]\n fn f(x: f32[2 * m]) = half(x)",
    "f32[m]",
  ],
  [
    "halves, to be checked later",
    "fn half(x: f32[2 * n]) -> f32[n] = for i -> x[2 * i]\n fn f(x: f32[m]) = half(x)",
    "f32[m / 2]",
  ],
  ["a call", "fn f(p: Linear[i, o], x: f32[b, i]) = for n -> linear(p, x[n])", "f32[b, o]"],
  ["dimensions in brackets", "fn f(x: f32[n]) = pooled[2 * classes](x)", "f32[20]"],
  ["a function as an argument", "fn f(x: f32[n]) = apply(pooled[3], x)", "f32[3]"],
  [
    "an anonymous function as an argument",
    "fn f(x: f32[n]) = apply(fn (v) -> for i -> 2.0 * v[i], x)",
    "f32[n]",
  ],
  ["a function with a name", "fn f(x: f32[n]) { let g = squares\n g(x) + g(x) }", "f32"],
  ["a derivative with a name", "fn f(x: f32[n]) { let g = grad(squares)\n g(x) }", "f32[n]"],
  [
    "a generic function at two types",
    "fn f(p: Pair[f32], q: Pair[idx[n]]) = (swapped(p), swapped(q))",
    "(Pair[f32], Pair[idx[n]])",
  ],
  [
    "a generic struct literal",
    "fn f(x: f32[n]) = swapped(Pair { first: x, second: 2.0 * x }).first",
    "f32[n]",
  ],
  ["a struct update", "fn f(p: Linear[i, o]) = Linear { ...p, bias: for r -> 0.0 }", "Linear[i, o]"],
  ["a list", "fn f(p: Linear[d, d], q: Linear[d, d]) = [p, q]", "[Linear[d, d]; 2]"],
  ["an element of a list", "fn f(ps: [Linear[d, d]; 3]) = ps[2].bias", "f32[d]"],
  [
    "a fold over a list",
    "fn f(ps: [Linear[d, d]; l], x: f32[d]) = fold y = x for p in ps -> linear(p, y)",
    "f32[d]",
  ],
  ["a fold with a tuple", "fn f(x: f32) = fold (a, b) = (0, x) for t: 5 -> (a + 1, b * x)", "(i32, f32)"],
  [
    "a gradient of structs",
    "fn f(p: Linear[i, o], x: f32[i]) = grad(fn (q) -> sum[r] linear(q, x)[r])(p)",
    "Linear[i, o]",
  ],
  [
    "a value with more beside it",
    "fn g(x: f32[n]) = (squares(x), x)\n fn f(x: f32[n]) = value_and_grad(g)(x)",
    "((f32, f32[n]), f32[n])",
  ],
  [
    "cotangents of the floats",
    "fn g(x: f32[n], i: idx[n], y: f32) = x[i] * y\n fn f(x: f32[n]) = vjp(g)(x, 0, 2.0)(1.0)",
    "(f32[n], f32)",
  ],
  ["a tangent of a gradient", "fn f(x: f32[n], v: f32[n]) = jvp(grad(squares))(x)(v)", "f32[n]"],
  ["a gradient of a gradient", "fn f(x: f32) = grad(grad(fn (t) -> t * t * t))(x)", "f32"],
  [
    "trees",
    "fn f(p: Linear[i, o]) = tree_sum(fn (w) -> w * w, tree_map(fn (w, v) -> w - 0.1 * v, p, p))",
    "f32",
  ],
  ["random numbers", "fn f(k: key) = for i: 4 -> normal(split(k, i))", "f32[4]"],
  ["keys", "fn f(k: key[n]) = for i -> uniform(k[i])", "f32[n]"],
  ["a number as an idx", "fn f(w: f32[n, d], x: idx[7]) = (w[0], if true then x else 3)", "(f32[d], i32)"],
  ["an unused part", "fn f(x: f32) { let (_, _, y) = (1, 2, x)\n y }", "f32"],
  ["shadowing", "fn f(x: f32[n]) { let x = squares(x)\n let x = (x, x)\n x }", "(f32, f32)"],
];

describe("results of right programs", () => {
  test.each(inferred)("%s", (_, program, result) => {
    expect(resultsOf(`${shared}${program}`).at(-1)).toBe(`f: ${result}`);
  });

  test("a rule may call its own function", () => {
    const program = `
      fn safe_norm(x: f32[d]) = sqrt(sum[k] x[k]^2)
        vjp (x, ct) -> (for k -> ct * x[k] / max(safe_norm(x), 1e-12))
    `;
    expect(resultsOf(program)).toEqual(["safe_norm: f32"]);
  });

  test("functions stand in any order", () => {
    expect(resultsOf("fn f(x: f32[n]) = g(x)\nfn g(x: f32[n]) = h(x[0])\nfn h(x: f32) = x > 0.0")).toEqual([
      "f: bool",
      "g: bool",
      "h: bool",
    ]);
  });

  test("names of the prelude may be declared anew", () => {
    expect(resultsOf("fn relu(x: f32) -> f32 = max(0.1 * x, x)\nfn f(x: f32) = relu(x)").at(-1)).toBe(
      "f: f32",
    );
  });
});

test("the standard library has no mistakes", () => {
  for (const [name, text] of Object.entries(stdSources)) {
    expect(check({ name: `${name}.fec`, text }, noFiles).diagnostics).toEqual([]);
  }
});

test("equations that depend on the dimensions are kept as conditions", () => {
  const program = "fn f(x: f32[n // 2], y: f32[n // 3], z: f32[n]) = for i -> x[i] + y[i]\n";
  const { main, diagnostics } = check({ name: "model.fec", text: program }, noFiles);
  const f = main.exports.get("f");
  expect(diagnostics).toEqual([]);
  expect(
    f?.kind === "function" && f.body!.conditions.map((c) => [showDim(c.left), showDim(c.right)]),
  ).toEqual([["n // 3", "n // 2"]]);
});

describe("mistakes", () => {
  test("several are reported in the order of the text", () => {
    const program = `
      struct Norm[c] {
        weight: f32[d]
      }
      fn third(x: f32[n]) -> f32[m] = x
      fn second(x: f32[n]) = first(x, x)
      fn first(x: f32[n]) -> f32 = sum[i] x[i] + y
      fn last(x: f32[n]) = x[0.5]
    `;
    expect(resultsOf(program)).toEqual([
      "E0309 line 2",
      "E0309 line 4",
      "E0402 line 5",
      "E0301 line 6",
      "E0209 line 7",
    ]);
  });

  test("one mistake gives one diagnostic", () => {
    // What follows from an unknown name, a wrong call, a broken signature or a syntax error is not said.
    const programs = [
      "fn f(x: f32[n]) { let y = nothing(x)\n let (a, b) = y\n a[0] + b.c + nothing }",
      "fn g(x: f32) -> f32 = x\nfn f(x: f32[n]) = for i -> g(x)[i] + 1.0",
      "fn f(p: Missing[a], n: i32) -> f32[b] = for i -> p.weight[i]\nfn h(x: f32) = f(x, 1)",
      "fn g(x: f32[) = x\nfn f(x: f32) = g(x) + g(2.0 * x)",
      "use nowhere.{Block, run}\nfn f(p: Block, x: f32) = run(p, x).weight[0]",
      "const c = 1 / 0\nfn f(x: f32[c]) = x[0] + c",
    ];
    for (const program of programs) expect(resultsOf(program), program).toHaveLength(1);
  });

  test("half a program does not stop the checker", () => {
    const text = `${shared}fn f(p: Linear[i, o], x: f32[b, i]) = for n -> vjp(linear)(p, x[n])(for r -> 1.0)\n`;
    for (let end = 0; end < text.length; end += 3) {
      expect(() => check({ name: "model.fec", text: text.slice(0, end) }, noFiles)).not.toThrow();
    }
  });
});

describe("size", () => {
  test("long chains of calls and circles need no deep stack", () => {
    const chain = (length: number, last: string): string =>
      Array.from(
        { length },
        (_, i) => `fn g${i}_(x: f32[n]) = ${i === length - 1 ? last : `g${i + 1}_(x)`}\n`,
      ).join("");
    expect(resultsOf(chain(2000, "x")).at(-1)).toBe("g1999_: f32[n]");
    expect(resultsOf(chain(2000, "g0_(x)"))).toHaveLength(1);
  });

  test("a long sum is checked, a longer one refused", () => {
    const sum = (terms: number): string => `fn f(x: f32[n]) = ${Array(terms).fill("x").join(" + ")}`;
    expect(resultsOf(sum(500))).toEqual(["f: f32[n]"]);
    expect(resultsOf(sum(5000))).toEqual(["E0124 line 1"]);
  });

  test("types that share their parts are not written out", () => {
    const lets = Array.from({ length: 40 }, (_, i) => `let a${i + 1} = (a${i}, a${i})\n`).join("");
    expect(resultsOf(`fn f(a0: f32) {\n${lets} a40 }`)[0]).toContain("…");
  });
});

describe("modules", () => {
  const blocks = `
    struct Block[d] {
      weight: f32[d]
    }
    fn run(p: Block[d], x: f32[d]) -> f32 = sum[k] p.weight[k] * x[k]
  `;

  test("names of a file beside this one", () => {
    const program = "use ./blocks.{Block, run}\nfn f(p: Block[d]) = run(p, p.weight)";
    expect(resultsOf(program, { "./blocks": blocks })).toEqual(["f: f32"]);
  });

  test("only what a file declares itself can be used", () => {
    const files = { "./blocks": blocks, "./models": "use ./blocks.{Block}\nfn size(p: Block[d]) = d" };
    expect(resultsOf("use ./models.{size, Block}\nfn f(p: Block[d]) = size(p)", files)).toEqual([
      "E0305 line 1",
    ]);
  });

  test("mistakes in other files come after those of this one", () => {
    const files = { "./blocks": `${dedent(blocks)}fn wrong(x: f32[n]) -> f32 = x\n` };
    const program = "use ./blocks.{run}\nfn f(x: f32) = run(x, x)";
    expect(resultsOf(program, files)).toEqual(["E0403 line 2", "E0403 line 2", "E0232 blocks.fec line 5"]);
  });

  test("a circle is reported once", () => {
    const files = { "./a": "use ./b.{g}\nfn f(x: f32) = g(x)", "./b": "use ./a.{f}\nfn g(x: f32) = f(x)" };
    expect(resultsOf("use ./a.{f}\nfn h(x: f32) = f(x)", files)).toEqual(["E0306 b.fec line 1"]);
  });

  test("the same declaration may come twice, different ones may not", () => {
    const files = { "./blocks": blocks, "./others": "fn run(x: f32) = x" };
    expect(resultsOf("use ./blocks.{run}\nuse ./blocks.{run, Block}", files)).toEqual([]);
    expect(resultsOf("use ./blocks.{run}\nuse ./others.{run}", files)).toEqual(["E0303 line 2"]);
  });
});
