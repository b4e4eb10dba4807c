/** Which functions treat the rows of a batch each by itself. */
import { expect, it } from "vitest";
import { load } from "../src/index.ts";

const functions = {
  "reads its own row": "fn f(x: f32[b, n]) -> f32[b] = for i -> sum[k] x[i, k]",
  "reads its own row through others":
    "fn f(x: f32[b, n]) -> f32[b] {\n  let y[i] = max[k] x[i, k]\n  for i -> y[i] ^ 2.0\n}",
  "reads a table by what its row says": "fn f(t: f32[m], a: idx[m][b]) -> f32[b] = for i -> t[a[i]]",
  "depends on its position": "fn f(x: f32[b, n]) -> f32[b] = for i -> x[i, 0] + f32(i)",
  "reads another row": "fn f(x: f32[b, n]) -> f32[b] = for i -> x[b - 1 - i, 0]",
  "sums over rows": "fn f(x: f32[b, n]) -> f32[n] = for k -> sum[i] x[i, k]",
  "knows how many rows there are": "fn f(x: f32[b, n]) -> f32[b] = for i -> x[i, 0] / f32(b)",
  "knows it after rounding": "fn f(x: f32[b, n]) -> f32[b] = for i -> x[i, 0] / f32(b // 4)",
  "has rows that are not first": "fn f(x: f32[n, b]) -> f32[n, b] = for k, i -> x[k, i]",
  "is a gradient": "fn f(x: f32[b, n]) -> f32[b, n] = grad(fn (y) -> sum[i, k] y[i, k] ^ 2.0)(x)",
} as const;

const agree: ReadonlySet<string> = new Set([
  "reads its own row",
  "reads its own row through others",
  "reads a table by what its row says",
  "depends on its position",
]);

it.each(Object.entries(functions))("a function that %s", (what, text) => {
  const dims = { b: 8, n: 3, m: 5 };
  const module = load(`${text}\n`);
  const known = module.functions[0]!.dims;
  const own = Object.fromEntries(Object.entries(dims).filter(([name]) => known.includes(name)));
  const compiled = module.compile("f", { dims: own });
  expect(compiled.hasRowsOf("b", 5)).toBe(agree.has(what));
});

it("is decided for each size: a rounding may hide what the number of rows changes", () => {
  const compiled = load(`${functions["knows it after rounding"]}\n`).compile("f", { dims: { b: 9, n: 3 } });
  expect(compiled.hasRowsOf("b", 8)).toBe(true);
  expect(compiled.hasRowsOf("b", 7)).toBe(false);
});
