/** What the checker says of derivatives and trees. */
import { expect, test } from "vitest";
import { rendered } from "./rendered.ts";

test("E0234: a tree of integers", () => {
  const text = rendered(
    "E0234",
    `
    fn doubled(counts: i32[n]) -> i32[n] = tree_map(fn (c) -> c + c, counts)
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0234]: this is not a tree of tensors
     ┌─ model.fec:1:66
    1 │ fn doubled(counts: i32[n]) -> i32[n] = tree_map(fn (c) -> c + c, counts)
      │                                                                  ────── i32[n] here
      = help: a tree is a struct, a list or a tuple of float tensors
    "
  `);
});

test("E0234: trees of two types", () => {
  const text = rendered(
    "E0234",
    `
    struct Linear[i, o] {
      weight: f32[o, i]
    }

    fn step(p: Linear[i, o], g: Linear[o, i]) -> Linear[i, o] = tree_map(fn (w, d) -> w - d, p, g)
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0234]: this is not a tree of tensors
     ┌─ model.fec:5:93
    5 │ fn step(p: Linear[i, o], g: Linear[o, i]) -> Linear[i, o] = tree_map(fn (w, d) -> w - d, p, g)
      │                                                                                          ─  ─ Linear[o, i] here
      │                                                                                          │
      │                                                                                          Linear[i, o] here
      = o is not i
      = help: all trees have one type
    "
  `);
});

test("E0235: an index into a leaf", () => {
  const text = rendered(
    "E0235",
    `
    struct Linear[i, o] {
      weight: f32[o, i]
    }

    fn norm(p: Linear[i, o]) -> f32 = tree_sum(fn (w) -> sum[r, c] w[r, c] ^ 2, p)
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0235]: a leaf's axes are not known
     ┌─ model.fec:5:64
    5 │ fn norm(p: Linear[i, o]) -> f32 = tree_sum(fn (w) -> sum[r, c] w[r, c] ^ 2, p)
      │                                                                ─────── the number of axes differs from tensor to tensor
      = help: inside \`tree_map\` and \`tree_sum\` use elementwise operations
    "
  `);
});

test("E0245: a leaf function that compares", () => {
  const text = rendered(
    "E0245",
    `
    struct Linear[i, o] {
      weight: f32[o, i]
    }

    fn signs(p: Linear[i, o]) -> Linear[i, o] = tree_map(fn (w) -> w > 0.0, p)
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0245]: not a function of a leaf
     ┌─ model.fec:5:54
    5 │ fn signs(p: Linear[i, o]) -> Linear[i, o] = tree_map(fn (w) -> w > 0.0, p)
      │                                                      ───────────────── gives bool[…]
      = help: for each tensor it gives a float tensor of the same shape, or a float
    "
  `);
});

test("E0406: the gradient of a vector", () => {
  const text = rendered(
    "E0406",
    `
    fn linear(w: f32[o, i], x: f32[i]) -> f32[o] = for r -> sum[c] w[r, c] * x[c]
    fn slope(w: f32[o, i], x: f32[i]) = grad(linear)(w, x)
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0406]: only a scalar has a gradient
     ┌─ model.fec:2:37
    1 │ fn linear(w: f32[o, i], x: f32[i]) -> f32[o] = for r -> sum[c] w[r, c] * x[c]
      │    ────── this function
    2 │ fn slope(w: f32[o, i], x: f32[i]) = grad(linear)(w, x)
      │                                     ────────────────── the function gives f32[o]
      = help: \`grad\` needs a scalar: reduce it with \`sum\` or \`mean\`, or use \`vjp\`
    "
  `);
});

test("E0407: a gradient with respect to a class", () => {
  const text = rendered(
    "E0407",
    `
    fn loss(label: idx[c], logits: f32[c]) -> f32 = -logits[label]
    fn slope(label: idx[c], logits: f32[c]) = grad(loss)(label, logits)
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0407]: nothing to differentiate with respect to
     ┌─ model.fec:2:54
    1 │ fn loss(label: idx[c], logits: f32[c]) -> f32 = -logits[label]
      │    ──── this function
    2 │ fn slope(label: idx[c], logits: f32[c]) = grad(loss)(label, logits)
      │                                                      ───── idx[c] here
      = help: the first argument is what is differentiated with respect to; put the parameters first
    "
  `);
});

test("E0407: a rule for a function of integers", () => {
  const text = rendered(
    "E0407",
    `
    fn double(i: i32) -> i32 = 2 * i
      vjp (i, ct) -> ct
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0407]: nothing to differentiate with respect to
     ┌─ model.fec:2:3
    1 │ fn double(i: i32) -> i32 = 2 * i
      │    ────── this function
    2 │   vjp (i, ct) -> ct
      │   ───────────────── the result is i32
      = help: integers and booleans carry no gradient; leave the rule out
    "
  `);
});

test("E0409: a rule without a cotangent", () => {
  const text = rendered(
    "E0409",
    `
    fn safe_sqrt(x: f32) -> f32 = sqrt(max(x, 0.0))
      vjp (x) -> 0.5 / sqrt(max(x, 1e-12))
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0409]: a derivative with other parameters
     ┌─ model.fec:2:3
    1 │ fn safe_sqrt(x: f32) -> f32 = sqrt(max(x, 0.0))
      │    ───────── 1 parameter, and 1 for the cotangents of f32
    2 │   vjp (x) -> 0.5 / sqrt(max(x, 1e-12))
      │   ──────────────────────────────────── 1 name
      = help: write \`vjp (x, ct) -> …\`
    "
  `);
});
