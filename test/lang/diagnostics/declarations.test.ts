/** What the checker says of structs, constants and signatures. */
import { expect, test } from "vitest";
import { rendered } from "./rendered.ts";

test("E0308: a struct without its parameters", () => {
  const text = rendered(
    "E0308",
    `
    struct Linear[i, o] {
      weight: f32[o, i]
    }

    struct Mlp[i, h, o] {
      fc1: Linear[i, h]
      fc2: Linear
    }
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0308]: the wrong number of arguments to a type
     ┌─ model.fec:7:8
    1 │ struct Linear[i, o] {
      │        ────── takes 2: [i, o]
      ···
    7 │   fc2: Linear
      │        ────── 0 given
      = help: write \`Linear[i, o]\`
    "
  `);
});

test("E0309: a dimension that comes from nowhere", () => {
  const text = rendered(
    "E0309",
    `
    struct Linear[i, o] {
      weight: f32[o, i]
      bias: f32[out]
    }
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0309]: unknown dimension
     ┌─ model.fec:3:13
    3 │   bias: f32[out]
      │             ─── not a dimension here
      = help: add it to the struct: \`struct Linear[i, o, out]\`
    "
  `);
});

test("E0309: a dimension of a result only", () => {
  const text = rendered(
    "E0309",
    `
    fn doubled(x: f32[n]) -> f32[m] = for i -> x[i // 2]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0309]: unknown dimension
     ┌─ model.fec:1:30
    1 │ fn doubled(x: f32[n]) -> f32[m] = for i -> x[i // 2]
      │                              ─ not a dimension here
      = help: let the caller give it: \`fn doubled[m](…)\`
    "
  `);
});

test("E0310: recursion", () => {
  const text = rendered(
    "E0310",
    `
    fn factorial(n: i32) -> i32 = if n == 0 then 1 else n * factorial(n - 1)
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0310]: functions call each other in a circle
     ┌─ model.fec:1:57
    1 │ fn factorial(n: i32) -> i32 = if n == 0 then 1 else n * factorial(n - 1)
      │    ─────────                                            ───────── factorial → factorial
      │    │
      │    declared here
      = help: calls are inlined, so none may lead back to itself; repeat with \`fold\`
    "
  `);
});

test("E0311: a struct inside itself", () => {
  const text = rendered(
    "E0311",
    `
    struct Node[d] {
      value: f32[d]
      children: [Node[d]; 2]
    }
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0311]: a struct contains itself
     ┌─ model.fec:3:3
    1 │ struct Node[d] {
      │        ──── \`Node\` would contain itself
      ···
    3 │   children: [Node[d]; 2]
      │   ────────────────────── this makes it endless
      = help: declare a struct for each level
    "
  `);
});

test("E0312: a misspelt distribution", () => {
  const text = rendered(
    "E0312",
    `
    struct Linear[i, o] {
      weight: f32[o, i] ~ trunc_norm(0.02)
    }
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0312]: unknown distribution
     ┌─ model.fec:2:23
    2 │   weight: f32[o, i] ~ trunc_norm(0.02)
      │                       ────────── not a distribution
      = help: did you mean \`trunc_normal\`?
    "
  `);
});

test("E0313: a distribution without its number", () => {
  const text = rendered(
    "E0313",
    `
    struct Embedding[n, d] {
      weight: f32[n, d] ~ normal
    }
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0313]: the wrong number of arguments to a distribution
     ┌─ model.fec:2:21
    2 │   weight: f32[n, d] ~ normal
      │                     ──────── 0 given
      = \`normal\` takes 1 number
      = help: as in \`~ normal(0.02)\`
    "
  `);
});

test("E0314: integers that are drawn", () => {
  const text = rendered(
    "E0314",
    `
    struct Counter[n] {
      seen: i32[n] ~ ones
    }
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0314]: this field is not drawn
     ┌─ model.fec:2:16
    2 │   seen: i32[n] ~ ones
      │                ────── the field is i32[n]
      = help: only floats are drawn; integers and booleans begin as \`zeros\`
    "
  `);
});

test("E0315: a constant that is computed from a tensor function", () => {
  const text = rendered(
    "E0315",
    `
    const scale = sqrt(2.0)
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0315]: not a constant
     ┌─ model.fec:1:15
    1 │ const scale = sqrt(2.0)
      │       ─────   ───────── not a constant
      │       │
      │       of this constant
      = help: a constant is made of numbers and other constants, with \`+ - * / // % ^\`
    "
  `);
});

test("E0315: a constant that is declared later", () => {
  const text = rendered(
    "E0315",
    `
    const size = 2 * heads
    const heads = 8
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0315]: not a constant
     ┌─ model.fec:1:18
    1 │ const size = 2 * heads
      │                  ───── has no value yet
    2 │ const heads = 8
      │       ───── declared here
      = help: a constant is made of numbers and of constants above it
    "
  `);
});

test("E0315: a distribution with an unknown number", () => {
  const text = rendered(
    "E0315",
    `
    struct Linear[i, o] {
      weight: f32[o, i] ~ normal(std)
    }
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0315]: not a constant
     ┌─ model.fec:2:30
    2 │   weight: f32[o, i] ~ normal(std)
      │                              ─── not a constant
      = help: a distribution takes numbers, constants and the struct's dimensions
    "
  `);
});

test("E0318: a type for a dimension", () => {
  const text = rendered(
    "E0318",
    `
    struct Linear[i, o] {
      weight: f32[o, i]
    }

    fn use_it(p: Linear[f32[3], 2]) -> f32 = p.weight[0, 0]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0318]: a type where a dimension belongs, or the reverse
     ┌─ model.fec:5:21
    5 │ fn use_it(p: Linear[f32[3], 2]) -> f32 = p.weight[0, 0]
      │                     ────── a type
      = help: this is a dimension: a number, a constant, or a lower-case name
    "
  `);
});

test("E0321: a fraction as a dimension", () => {
  const text = rendered(
    "E0321",
    `
    const rate = 0.5
    fn half(x: f32[rate]) -> f32 = x[0]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0321]: a dimension is not a whole number
     ┌─ model.fec:2:16
    1 │ const rate = 0.5
      │       ──── declared here
    2 │ fn half(x: f32[rate]) -> f32 = x[0]
      │                ──── rate is 0.5
      = help: a dimension is a natural number
    "
  `);
});

test("E0321: a negative dimension", () => {
  const text = rendered(
    "E0321",
    `
    fn border(x: f32[3 - 4]) -> f32 = sum[i] x[i]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0321]: a dimension is not a whole number
     ┌─ model.fec:1:18
    1 │ fn border(x: f32[3 - 4]) -> f32 = sum[i] x[i]
      │                  ───── this is -1
      = help: a dimension is at least 0
    "
  `);
});
