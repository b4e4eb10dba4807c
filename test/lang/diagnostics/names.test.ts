/** What the checker says of names and modules. */
import { expect, test } from "vitest";
import { rendered } from "./rendered.ts";

test("E0301: a misspelt parameter", () => {
  const text = rendered(
    "E0301",
    `
    fn scaled(weight: f32[n], x: f32[n]) -> f32[n] = for i -> wieght[i] * x[i]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0301]: nothing is called \`wieght\` here
     ┌─ model.fec:1:59
    1 │ fn scaled(weight: f32[n], x: f32[n]) -> f32[n] = for i -> wieght[i] * x[i]
      │           ──────────────                                  ────── not found
      │           │
      │           \`weight\` is declared here
      = help: did you mean \`weight\`?
    "
  `);
});

test("E0301: never the function itself, which may not be called", () => {
  expect(rendered("E0301", "fn pw(x: f32) -> f32 = pv(x)")).not.toContain("did you mean");
});

test("E0305: neither name is reported again", () => {
  const program = `
    use nn.{Linaer, linear}
    fn f(p: Linear[i, o], x: f32[i]) -> f32[o] = linear(p, x)
    fn g(p: Linaer[i, o], x: f32[i]) -> f32[o] = linear(p, x)
  `;
  expect(rendered("E0305", program)).toContain("did you mean `Linear`?");
});

test.each([
  ["float[n]", "f32"],
  ["f64", "f32"],
  ["int", "i32"],
])("E0302: %s, a type of other languages", (foreign, ours) => {
  expect(rendered("E0302", `fn f(x: ${foreign}) -> i32 = 1`)).toContain(`help: write \`${ours}\``);
});

test("E0301: a function of the standard library without `use`", () => {
  const text = rendered(
    "E0301",
    `
    fn probabilities(x: f32[n]) -> f32[n] = softmax(x)
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0301]: nothing is called \`softmax\` here
     ┌─ model.fec:1:41
    1 │ fn probabilities(x: f32[n]) -> f32[n] = softmax(x)
      │                                         ─────── not found
      = help: it is in the standard library: \`use softmax.{softmax}\`
    "
  `);
});

test("E0302: a misspelt struct", () => {
  const text = rendered(
    "E0302",
    `
    struct Linear[i, o] {
      weight: f32[o, i]
    }

    fn linear(p: Linaer[i, o], x: f32[i]) -> f32[o] = for r -> sum[c] x[c]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0302]: unknown type
     ┌─ model.fec:5:14
    1 │ struct Linear[i, o] {
      │        ────── \`Linear\` is declared here
      ···
    5 │ fn linear(p: Linaer[i, o], x: f32[i]) -> f32[o] = for r -> sum[c] x[c]
      │              ────── not a type
      = help: did you mean \`Linear\`?
    "
  `);
});

test("E0302: a struct of the standard library without `use`", () => {
  const text = rendered(
    "E0302",
    `
    struct Head[d] {
      norm: LayerNorm[d]
    }
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0302]: unknown type
     ┌─ model.fec:2:9
    2 │   norm: LayerNorm[d]
      │         ───────── not a type
      = help: it is in the standard library: \`use norm.{LayerNorm}\`
    "
  `);
});

test("E0303: two functions of one name", () => {
  const text = rendered(
    "E0303",
    `
    fn square(x: f32) -> f32 = x * x
    fn cube(x: f32) -> f32 = x * x * x
    fn square(x: f32[n]) -> f32[n] = x * x
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0303]: declared twice
     ┌─ model.fec:3:4
    1 │ fn square(x: f32) -> f32 = x * x
      │    ────── first here
      ···
    3 │ fn square(x: f32[n]) -> f32[n] = x * x
      │    ────── again here
      = help: give one of them another name
    "
  `);
});

test("E0304: a module that is nearly there", () => {
  const text = rendered(
    "E0304",
    `
    use sofmax.{softmax}
    fn probabilities(x: f32[n]) -> f32[n] = softmax(x)
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0304]: no such module
     ┌─ model.fec:1:5
    1 │ use sofmax.{softmax}
      │     ────── not in the standard library
      = help: did you mean \`softmax\`?
    "
  `);
});

test("E0304: a file that is not there", () => {
  const text = rendered(
    "E0304",
    `
    use ./blocks.{Block}
    fn width(b: Block[d]) -> i32 = d
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0304]: no such module
     ┌─ model.fec:1:5
    1 │ use ./blocks.{Block}
      │     ──────── no such file
      = help: the path is relative to this file, without \`.fec\`
    "
  `);
});

test("E0305: a name that the file does not declare", () => {
  const files = {
    "./blocks": `struct Block[d] { weight: f32[d] }`,
  };
  const text = rendered(
    "E0305",
    `
    use ./blocks.{Bloc}
    fn first(b: Bloc[d]) -> f32 = b.weight[0]
  `,
    files,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0305]: the module does not declare this
     ┌─ model.fec:1:15
    1 │ use ./blocks.{Bloc}
      │               ──── not in blocks.fec
     ┌─ blocks.fec:1:8
    1 │ struct Block[d] { weight: f32[d] }
      │        ───── \`Block\` is declared here
      = help: did you mean \`Block\`?
    "
  `);
});

test("E0306: files in a circle", () => {
  const files = {
    "./blocks": `use ./heads.{size}
      struct Block[d] { weight: f32[d] }`,
    "./heads": `use ./blocks.{Block}
      const size = 3
      fn weight(b: Block[d]) -> f32[d] = b.weight`,
  };
  const text = rendered(
    "E0306",
    `
    use ./blocks.{Block}
    fn first(b: Block[3]) -> f32 = b.weight[0]
  `,
    files,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0306]: files use each other in a circle
     ┌─ heads.fec:1:5
    1 │ use ./blocks.{Block}
      │     ──────── blocks.fec → heads.fec → blocks.fec
      = help: move what both need into a third file
    "
  `);
});

test("E0307: a parameter named twice", () => {
  const text = rendered(
    "E0307",
    `
    fn distance(x: f32[d], x: f32[d]) -> f32 = sum[k] (x[k] - x[k]) ^ 2
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0307]: one name for two things
     ┌─ model.fec:1:24
    1 │ fn distance(x: f32[d], x: f32[d]) -> f32 = sum[k] (x[k] - x[k]) ^ 2
      │             ─          ─ again here
      │             │
      │             first here
      = help: give it another name
    "
  `);
});

test("E0307: a pattern with one name for two parts", () => {
  const text = rendered(
    "E0307",
    `
    fn product(p: (f32, f32)) -> f32 {
      let (a, a) = p
      a * a
    }
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0307]: one name for two things
     ┌─ model.fec:2:11
    2 │   let (a, a) = p
      │        ─  ─ again here
      │        │
      │        first here
      = help: give it another name, or \`_\` if it is not needed
    "
  `);
});

test("E0320: an index named twice", () => {
  const text = rendered(
    "E0320",
    `
    fn outer(x: f32[n], y: f32[n]) -> f32[n, n] = for i, i -> x[i] * y[i]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0320]: an index named twice
     ┌─ model.fec:1:54
    1 │ fn outer(x: f32[n], y: f32[n]) -> f32[n, n] = for i, i -> x[i] * y[i]
      │                                                   ─  ─ again here
      │                                                   │
      │                                                   first here
      = help: give the second one another name
    "
  `);
});

test("E0322: a struct as a value", () => {
  const text = rendered(
    "E0322",
    `
    struct State[d] {
      center: f32[d]
      seen: i32
    }

    fn initial(x: f32[d]) = State
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0322]: a struct is not a value
     ┌─ model.fec:6:25
    1 │ struct State[d] {
      │        ───── declared here
      ···
    6 │ fn initial(x: f32[d]) = State
      │                         ───── State is a struct
      = help: to make one, write \`State { center: …, seen: … }\`
    "
  `);
});
