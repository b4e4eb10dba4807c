/** What the checker says of calls. */
import { expect, test } from "vitest";
import { rendered } from "./rendered.ts";

test("E0401: a tensor called like a function", () => {
  const text = rendered(
    "E0401",
    `
    fn first(x: f32[n]) -> f32 = x(0)
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0401]: this is not a function
     ┌─ model.fec:1:30
    1 │ fn first(x: f32[n]) -> f32 = x(0)
      │          ─────────           ─ f32[n], not a function
      │          │
      │          from here
      = help: an element is read with brackets: \`x[0]\`
    "
  `);
});

test("E0401: a missing operator", () => {
  const text = rendered(
    "E0401",
    `
    fn scaled(lr: f32, g: f32[n]) -> f32[n] = lr (g + 1.0)
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0401]: this is not a function
     ┌─ model.fec:1:43
    1 │ fn scaled(lr: f32, g: f32[n]) -> f32[n] = lr (g + 1.0)
      │           ───────                         ── f32, not a function
      │           │
      │           from here
      = help: is an operator missing, as in \`lr * (g + 1.0)\`?
    "
  `);
});

test("E0402: an argument too few", () => {
  const text = rendered(
    "E0402",
    `
    fn lerp(a: f32, b: f32, t: f32) -> f32 = a + t * (b - a)
    fn middle(a: f32, b: f32) -> f32 = lerp(a, b)
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0402]: 3 arguments are expected, 2 given
     ┌─ model.fec:2:36
    1 │ fn lerp(a: f32, b: f32, t: f32) -> f32 = a + t * (b - a)
      │    ──── lerp takes a, b, t
    2 │ fn middle(a: f32, b: f32) -> f32 = lerp(a, b)
      │                                    ────────── 2 given
    "
  `);
});

test("E0402: an argument too many", () => {
  const text = rendered(
    "E0402",
    `
    fn wave(t: f32) -> f32 = sin(t, 2.0)
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0402]: 1 argument is expected, 2 given
     ┌─ model.fec:1:33
    1 │ fn wave(t: f32) -> f32 = sin(t, 2.0)
      │                                 ─── too many
      = help: \`sin(x)\`: The sine of x radians.
    "
  `);
});

test("E0403: a batch given to a function of one example", () => {
  const text = rendered(
    "E0403",
    `
    fn norm(x: f32[d]) -> f32 = sqrt(sum[k] x[k] ^ 2)
    fn norms(batch: f32[b, d]) -> f32[b] = norm(batch)
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0403]: an argument does not fit
     ┌─ model.fec:2:45
    1 │ fn norm(x: f32[d]) -> f32 = sqrt(sum[k] x[k] ^ 2)
      │         ───────── x: f32[d] is expected
    2 │ fn norms(batch: f32[b, d]) -> f32[b] = norm(batch)
      │                                             ───── f32[b, d] here
      = help: call it for each: \`for i -> norm(batch[i])\`
    "
  `);
});

test("E0403: a dimension that does not agree", () => {
  const text = rendered(
    "E0403",
    `
    fn dot(x: f32[d], y: f32[d]) -> f32 = sum[k] x[k] * y[k]
    fn similarity(a: f32[n, c], b: f32[n, e]) -> f32[n] = for i -> dot(a[i], b[i])
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0403]: an argument does not fit
     ┌─ model.fec:2:74
    1 │ fn dot(x: f32[d], y: f32[d]) -> f32 = sum[k] x[k] * y[k]
      │                   ───────── y: f32[d] is expected
    2 │ fn similarity(a: f32[n, c], b: f32[n, e]) -> f32[n] = for i -> dot(a[i], b[i])
      │                                                                          ──── f32[e] here
      = e is not c
    "
  `);
});

test("E0403: an integer given for a float", () => {
  const text = rendered(
    "E0403",
    `
    fn decayed(lr: f32, step: f32) -> f32 = lr / (1.0 + step)
    fn rate(t: i32) -> f32 = decayed(0.1, t)
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0403]: an argument does not fit
     ┌─ model.fec:2:39
    1 │ fn decayed(lr: f32, step: f32) -> f32 = lr / (1.0 + step)
      │                     ───────── step: f32 is expected
    2 │ fn rate(t: i32) -> f32 = decayed(0.1, t)
      │                                       ─ i32 here
      = help: convert it: \`f32(t)\`
    "
  `);
});

test("E0403: a number that is no class", () => {
  const text = rendered(
    "E0403",
    `
    fn logit(logits: f32[c], label: idx[c]) -> f32 = logits[label]
    fn of_tenth(logits: f32[10]) -> f32 = logit(logits, 10)
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0403]: an argument does not fit
     ┌─ model.fec:2:53
    1 │ fn logit(logits: f32[c], label: idx[c]) -> f32 = logits[label]
      │                          ───────────── label: idx[c] is expected
    2 │ fn of_tenth(logits: f32[10]) -> f32 = logit(logits, 10)
      │                                                     ── 10 here
      = 10 is not less than 10
    "
  `);
});

test("E0403: a function of another type", () => {
  const text = rendered(
    "E0403",
    `
    fn integrate(f: fn(f32) -> f32, x: f32[n]) -> f32 = mean[i] f(x[i])
    fn area(x: f32[n]) -> f32 = integrate(fn (t) -> t > 0.5, x)
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0403]: an argument does not fit
     ┌─ model.fec:2:39
    1 │ fn integrate(f: fn(f32) -> f32, x: f32[n]) -> f32 = mean[i] f(x[i])
      │              ───────────────── f: fn(f32) -> f32 is expected
    2 │ fn area(x: f32[n]) -> f32 = integrate(fn (t) -> t > 0.5, x)
      │                                       ───────────────── gives bool
      = fn(f32) -> f32 is expected
    "
  `);
});

test("E0404: dimensions that are not given", () => {
  const text = rendered(
    "E0404",
    `
    fn grid[h, w](scale: f32) -> f32[h, w] = for i, j -> scale * f32(i * w + j)
    fn small(scale: f32) -> f32[2, 2] = grid(scale)
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0404]: dimensions in brackets are missing or too many
     ┌─ model.fec:2:37
    1 │ fn grid[h, w](scale: f32) -> f32[h, w] = for i, j -> scale * f32(i * w + j)
      │    ──── takes [h, w]
    2 │ fn small(scale: f32) -> f32[2, 2] = grid(scale)
      │                                     ──── no dimensions in brackets
      = help: call it as \`grid[h, w](…)\`
    "
  `);
});

test("E0405: functions chosen by a condition", () => {
  const text = rendered(
    "E0405",
    `
    fn activate(x: f32, smooth: bool) -> f32 {
      let f = if smooth then fn (t) -> tanh(t) else 0.0
      f
    }
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0405]: a function is not a value
     ┌─ model.fec:2:26
    2 │   let f = if smooth then fn (t) -> tanh(t) else 0.0
      │                          ───────────────── a function
      = help: call it, or give it to a function that takes one
    "
  `);
});

test("E0405: a derivative that waits for its cotangent", () => {
  const text = rendered(
    "E0405",
    `
    fn square(x: f32) -> f32 = x * x
    fn slope(x: f32) -> f32 = vjp(square)(x)
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0405]: a function is not a value
     ┌─ model.fec:2:27
    2 │ fn slope(x: f32) -> f32 = vjp(square)(x)
      │                           ────────────── a function
      = help: it waits for cotangents or tangents: \`vjp(f)(x)(ct)\`, \`jvp(f)(x)(v)\`
    "
  `);
});

test("E0411: an anonymous function with too few parameters", () => {
  const text = rendered(
    "E0411",
    `
    struct Layer[d] {
      weight: f32[d]
    }

    fn step(p: Layer[d], g: Layer[d]) -> Layer[d] = tree_map(fn (w) -> 0.9 * w, p, g)
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0411]: an anonymous function with other parameters
     ┌─ model.fec:5:58
    5 │ fn step(p: Layer[d], g: Layer[d]) -> Layer[d] = tree_map(fn (w) -> 0.9 * w, p, g)
      │                                                          ───────────────── takes 1
      = it is given 2
      = help: an anonymous function has a parameter for each argument
    "
  `);
});

test("E0412: an anonymous function for scalars and tensors", () => {
  const text = rendered(
    "E0412",
    `
    fn rescaled(x: f32[n]) -> f32[n] {
      let twice = fn (t) -> 2.0 * t
      for i -> twice(x[i]) + twice(x)[i]
    }
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0412]: a function called with two types
     ┌─ model.fec:3:32
    2 │   let twice = fn (t) -> 2.0 * t
      │                   ─ f32 at its first call
    3 │   for i -> twice(x[i]) + twice(x)[i]
      │                                ─ f32[n] here
      = help: an anonymous function has one type; declare a function with \`fn\` to use it with several
    "
  `);
});

test("E0412: a named function for two sizes", () => {
  const text = rendered(
    "E0412",
    `
    fn norm(x: f32[d]) -> f32 = sqrt(sum[k] x[k] ^ 2)
    fn both(x: f32[n], y: f32[m]) -> f32 {
      let size = norm
      size(x) + size(y)
    }
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0412]: a function called with two types
     ┌─ model.fec:4:18
    3 │   let size = norm
      │              ──── takes f32[n] since its first call
    4 │   size(x) + size(y)
      │                  ─ f32[m] here
      = help: a name given by \`let\` has one type; call \`norm\` itself to use it with several
    "
  `);
});

test("E0413: the exponential of an integer", () => {
  const text = rendered(
    "E0413",
    `
    fn weight(step: i32) -> f32 = exp(step)
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0413]: a scalar function can't take this
     ┌─ model.fec:1:35
    1 │ fn weight(step: i32) -> f32 = exp(step)
      │                                   ──── i32 here
      = \`exp\` takes a float
      = help: convert it: \`f32(step)\`
    "
  `);
});

test("E0414: a value where a function is needed", () => {
  const text = rendered(
    "E0414",
    `
    fn loss(w: f32) -> f32 = w * w
    fn slope(w: f32) -> f32 = grad(loss(w))
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0414]: a function is needed here
     ┌─ model.fec:2:32
    2 │ fn slope(w: f32) -> f32 = grad(loss(w))
      │                                ─────── f32, not a function
      = help: name the function, then its arguments: \`grad(loss)(w)\`
    "
  `);
});

test("E0415: a dimension known only when running", () => {
  const text = rendered(
    "E0415",
    `
    fn grid[n](scale: f32) -> f32[n] = for i -> scale * f32(i)
    fn scaled(scale: f32, size: i32) -> f32 = sum[i] grid[size](scale)[i]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0415]: a dimension in brackets is not known
     ┌─ model.fec:2:55
    1 │ fn grid[n](scale: f32) -> f32[n] = for i -> scale * f32(i)
      │    ──── takes n as a dimension
    2 │ fn scaled(scale: f32, size: i32) -> f32 = sum[i] grid[size](scale)[i]
      │                                                       ──── known only when running
      = help: only numbers, constants and dimensions are known when compiling, not \`size\`
    "
  `);
});
