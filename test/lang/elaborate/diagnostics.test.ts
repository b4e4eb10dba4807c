/** Mistakes that only the dimensions bring, each with the whole text that a user sees. */
import { describe, expect, it } from "vitest";
import { check, noFiles } from "../../../src/lang/check.ts";
import { findFunction, specialise } from "../../../src/lang/elaborate/specialise.ts";
import { renderDiagnostics } from "../../../src/lang/render.ts";

/** What is said when a function of a program is compiled for dimensions. */
function compiling(text: string, name: string, dims: Record<string, number> = {}, mostNodes = 1000): string {
  const program = check({ name: "model.fec", text }, noFiles);
  expect(renderDiagnostics(program.diagnostics)).toBe("");
  const info = findFunction(program, name);
  if ("code" in info) return renderDiagnostics([info]);
  const result = specialise(info, { dims: new Map(Object.entries(dims)), mostNodes });
  return Array.isArray(result) ? `\n${renderDiagnostics(result)}\n` : "no mistake";
}

describe("compiling for given dimensions", () => {
  it("E0501: a dimension is not given", () => {
    expect(compiling("fn total(x: f32[n]) -> f32 = sum[i] x[i]", "total")).toMatchInlineSnapshot(`
      "
      error[E0501]: a dimension is not given
       ┌─ model.fec:1:17
      1 │ fn total(x: f32[n]) -> f32 = sum[i] x[i]
        │    ─────        ─ n is not given
        │    │
        │    in this function
        = help: give it, \`n=…\`, or an argument whose shape tells it
      "
    `);
  });

  it("E0502: dimensions that could not be compared for all values differ", () => {
    const text =
      "fn halves(x: f32[n], y: f32[m // 2 * 2]) -> f32 = 0.0\nfn both(x: f32[n], y: f32[n // 2 * 2]) -> f32[n] = x + y\n";
    expect(compiling(text.split("\n")[1]!, "both", { n: 5 })).toMatchInlineSnapshot(`
      "
      error[E0502]: shapes do not agree for these dimensions
       ┌─ model.fec:1:52
      1 │ fn both(x: f32[n], y: f32[n // 2 * 2]) -> f32[n] = x + y
        │    ────                                            ─   ─ 2 * (n // 2) here: f32[2 * (n // 2)]
        │    │                                               │
        │    │                                               n here: f32[n]
        │    compiled for this use
        = n is 5, 2 * (n // 2) is 4, with n = 5
        = help: choose dimensions for which both are equal
      "
    `);
    expect(compiling(text.split("\n")[1]!, "both", { n: 6 })).toBe("no mistake");
  });

  it("E0502: the place of the use is shown when it is in another function", () => {
    const text = [
      "fn both(x: f32[n], y: f32[n // 2 * 2]) -> f32[n] = x + y",
      "fn use_it(x: f32[n]) -> f32[n] = both(x, for i: n // 2 * 2 -> 1.0)",
    ].join("\n");
    expect(compiling(text, "use_it", { n: 3 })).toMatchInlineSnapshot(`
      "
      error[E0502]: shapes do not agree for these dimensions
       ┌─ model.fec:1:52
      1 │ fn both(x: f32[n], y: f32[n // 2 * 2]) -> f32[n] = x + y
        │                                                    ─   ─ 2 * (n // 2) here: f32[2 * (n // 2)]
        │                                                    │
        │                                                    n here: f32[n]
      2 │ fn use_it(x: f32[n]) -> f32[n] = both(x, for i: n // 2 * 2 -> 1.0)
        │                                  ───────────────────────────────── compiled for this use
        = n is 3, 2 * (n // 2) is 2, with n = 3
        = help: choose dimensions for which both are equal
      "
    `);
  });

  it("E0503: a read may leave the tensor", () => {
    expect(compiling("fn shifted(x: f32[n], k: i32) -> f32[n] = for i -> x[i + k]", "shifted", { n: 4 }))
      .toMatchInlineSnapshot(`
      "
      error[E0503]: a read may leave the tensor
       ┌─ model.fec:1:52
      1 │ fn shifted(x: f32[n], k: i32) -> f32[n] = for i -> x[i + k]
        │                                                    ──────── index 1 may be anything, the axis has 4
        = help: read with padding, \`x[i + k | 0.0]\`, or guard the read with \`if\`
      "
    `);
    expect(compiling("fn go(x: f32[n], y: f32[m]) -> f32[m] = for i: m -> x[i] + y[i]", "go", { n: 3, m: 5 }))
      .toMatchInlineSnapshot(`
      "
      error[E0503]: a read may leave the tensor
       ┌─ model.fec:1:53
      1 │ fn go(x: f32[n], y: f32[m]) -> f32[m] = for i: m -> x[i] + y[i]
        │                                                     ──── index 1 goes from 0 to 4, the axis has 3
        = help: read with padding, \`x[i | 0.0]\`, or guard the read with \`if\`
      "
    `);
  });

  it("E0503 is not said of a read that its guard protects", () => {
    const text = "fn before(x: f32[n]) -> f32[n] = for i -> if i > 0 then x[i - 1] else 0.0";
    expect(compiling(text, "before", { n: 4 })).toBe("no mistake");
    const nested = "fn sums(x: f32[n, m]) -> f32[n] = for i -> if i > 0 then sum[j] x[i - 1, j] else 0.0";
    expect(compiling(nested, "sums", { n: 4, m: 2 })).toBe("no mistake");
  });

  it("E0504: a division of dimensions is not exact", () => {
    expect(
      compiling(
        "fn heads[h](x: f32[n, c]) -> f32[h, n, c / h] = for e, i, d -> x[i, e * (c / h) + d]",
        "heads",
        { n: 2, c: 10, h: 4 },
      ),
    ).toMatchInlineSnapshot(`
      "
      error[E0504]: a division of dimensions is not exact
       ┌─ model.fec:1:59
      1 │ fn heads[h](x: f32[n, c]) -> f32[h, n, c / h] = for e, i, d -> x[i, e * (c / h) + d]
        │                                                           ─ c / h is no whole number
        = with c = 10, h = 4
        = help: choose dimensions that divide, or round down with \`//\`
      "
    `);
  });

  it("E0505: a dimension is negative", () => {
    expect(compiling("fn inner(x: f32[n]) -> f32[n - 4] = for i -> x[i + 2]", "inner", { n: 3 }))
      .toMatchInlineSnapshot(`
      "
      error[E0505]: a dimension is negative
       ┌─ model.fec:1:41
      1 │ fn inner(x: f32[n]) -> f32[n - 4] = for i -> x[i + 2]
        │                                         ─ n - 4 is -1
        = with n = 3
        = help: choose larger dimensions
      "
    `);
  });

  it("E0507: a tree with other leaves than floats", () => {
    const text = [
      "struct State { weight: f32[3]",
      "  step: i32 }",
      "fn scaled(s: State) -> State = tree_map(fn (x) -> 2.0 * x, s)",
    ].join("\n");
    expect(compiling(text, "scaled")).toMatchInlineSnapshot(`
      "
      error[E0507]: a tree with other leaves than floats
       ┌─ model.fec:3:32
      3 │ fn scaled(s: State) -> State = tree_map(fn (x) -> 2.0 * x, s)
        │                                ────────────────────────────── a leaf of i32
        = help: keep integers and keys outside of the tree
      "
    `);
  });

  it("E0508: past the end of a list, for these dimensions", () => {
    expect(compiling("fn third(xs: [f32[4]; n]) -> f32[4] = xs[2]", "third", { n: 2 }))
      .toMatchInlineSnapshot(`
      "
      error[E0508]: past the end of a list, for these dimensions
       ┌─ model.fec:1:42
      1 │ fn third(xs: [f32[4]; n]) -> f32[4] = xs[2]
        │                                          ─ element 2
        = the list has 2
        = help: elements are numbered from 0
      "
    `);
  });

  it("E0509: a position in an empty range", () => {
    expect(compiling("fn best(x: f32[n]) -> idx[n] = argmax[i] x[i]", "best", { n: 0 }))
      .toMatchInlineSnapshot(`
      "
      error[E0509]: a position in an empty range
       ┌─ model.fec:1:32
      1 │ fn best(x: f32[n]) -> idx[n] = argmax[i] x[i]
        │                                ────────────── i has no values
        = help: choose dimensions of at least 1
      "
    `);
  });

  it("E0510: the program becomes too large", () => {
    const text = "fn deep(xs: [f32[4]; n]) -> f32[4] = fold y = (for i: 4 -> 0.0) for x in xs -> exp(y + x)";
    expect(compiling(text, "deep", { n: 50 }, 20)).toMatchInlineSnapshot(`
      "
      error[E0510]: the program becomes too large
       ┌─ model.fec:1:4
      1 │ fn deep(xs: [f32[4]; n]) -> f32[4] = fold y = (for i: 4 -> 0.0) for x in xs -> exp(y + x)
        │    ──── its calls and folds are written out
        = help: use smaller dimensions for lists, or a \`fold\` that counts
      "
    `);
  });

  it("E0513: an index value outside its range", () => {
    const text = "fn at(x: f32[n], i: idx[n]) -> f32 = x[i]\nfn third(x: f32[n]) -> f32 = at(x, 2)";
    expect(compiling(text, "third", { n: 2 })).toMatchInlineSnapshot(`
      "
      error[E0513]: an index value outside its range
       ┌─ model.fec:2:36
      1 │ fn at(x: f32[n], i: idx[n]) -> f32 = x[i]
        │                  ───────── i: idx[n] is expected
      2 │ fn third(x: f32[n]) -> f32 = at(x, 2)
        │    ─────                           ─ 2 here
        │    │
        │    compiled for this use
        = with n = 2
        = help: positions are counted from 0
      "
    `);
    expect(compiling(text, "third", { n: 3 })).toBe("no mistake");
  });

  it("E0511: no such function", () => {
    expect(compiling("fn cluster(x: f32[n]) -> f32[n] = x", "clustr")).toMatchInlineSnapshot(`
      "error[E0511]: no function \`clustr\`
       ┌─ model.fec:1:4
      1 │ fn cluster(x: f32[n]) -> f32[n] = x
        │    ─────── this one?
        = help: did you mean \`cluster\`?"
    `);
  });

  it("E0512: a function that can't be compiled by itself", () => {
    const text = "fn twice(f: fn(f32[n]) -> f32[n], x: f32[n]) -> f32[n] = f(f(x))";
    expect(compiling(text, "twice", { n: 2 })).toMatchInlineSnapshot(`
      "
      error[E0512]: this function can't be compiled by itself
       ┌─ model.fec:1:10
      1 │ fn twice(f: fn(f32[n]) -> f32[n], x: f32[n]) -> f32[n] = f(f(x))
        │          ─────────────────────── fn(f32[n]) -> f32[n] here
        = help: call it from another function, and compile that one
      "
    `);
    expect(compiling("fn doubled(p: T) -> T = tree_map(fn (x) -> 2.0 * x, p)", "doubled"))
      .toMatchInlineSnapshot(`
      "
      error[E0512]: this function can't be compiled by itself
       ┌─ model.fec:1:12
      1 │ fn doubled(p: T) -> T = tree_map(fn (x) -> 2.0 * x, p)
        │            ──── T may be any struct
        = help: call it from a function whose parameters are known, or give an argument
      "
    `);
  });
});
