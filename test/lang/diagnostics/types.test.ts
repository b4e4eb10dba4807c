/** What the checker says of types that do not agree. */
import { expect, test } from "vitest";
import { rendered } from "./rendered.ts";

test("E0201: a struct update from another struct", () => {
  const text = rendered(
    "E0201",
    `
    struct Linear[i, o] {
      weight: f32[o, i]
      bias: f32[o]
    }

    fn without_bias(p: Linear[i, o], q: Linear[i, m]) -> Linear[i, o] =
      Linear { ...q, bias: for r -> 0.0 * p.bias[r] }
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0201]: types do not agree
     ┌─ model.fec:7:15
    7 │   Linear { ...q, bias: for r -> 0.0 * p.bias[r] }
      │               ─ Linear[i, m] here
      = the other fields of a Linear[i, o] are taken from it
      = m is not o
      = help: \`...\` takes fields from a value of the same type
    "
  `);
});

test("E0201: a rule that gives the cotangent of something else", () => {
  const text = rendered(
    "E0201",
    `
    fn norm(x: f32[d]) -> f32 = sqrt(sum[k] x[k] ^ 2)
      vjp (x, ct) -> ct / norm(x)
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0201]: types do not agree
     ┌─ model.fec:2:18
    1 │ fn norm(x: f32[d]) -> f32 = sqrt(sum[k] x[k] ^ 2)
      │    ──── this function
    2 │   vjp (x, ct) -> ct / norm(x)
      │                  ──────────── f32 here
      = the rule gives the cotangents of the floating parameters: f32[d]
    "
  `);
});

test("E0202: a bias added to a batch", () => {
  const text = rendered(
    "E0202",
    `
    fn shifted(x: f32[n, d], bias: f32[d]) -> f32[n, d] = x + bias
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0202]: tensors of different rank do not combine
     ┌─ model.fec:1:57
    1 │ fn shifted(x: f32[n, d], bias: f32[d]) -> f32[n, d] = x + bias
      │                                                       ─ ─ ──── f32[d]
      │                                                       │ │
      │                                                       │ no axes are added here
      │                                                       f32[n, d]
      = help: write the indices: \`for i, j -> x[i, j] + bias[j]\`
    "
  `);
});

test("E0205: booleans in arithmetic, negated", () => {
  const text = rendered(
    "E0205",
    `
    fn opposite(c: bool) -> bool = -c
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0205]: operand of the wrong kind
     ┌─ model.fec:1:33
    1 │ fn opposite(c: bool) -> bool = -c
      │                                 ─ bool here
      = help: \`-\` takes a number; for the opposite of a boolean write \`not\`
    "
  `);
});

test("E0205: a struct in arithmetic", () => {
  const text = rendered(
    "E0205",
    `
    struct Point[d] {
      at: f32[d]
    }

    fn moved(p: Point[d], v: Point[d], dt: f32) -> Point[d] = p + dt * v.at
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0205]: operand of the wrong kind
     ┌─ model.fec:5:59
    5 │ fn moved(p: Point[d], v: Point[d], dt: f32) -> Point[d] = p + dt * v.at
      │                                                           ─ ─ \`+\` takes scalars and tensors
      │                                                           │
      │                                                           Point[d] here
      = help: for every tensor of a struct, write \`tree_map(fn (a, b) -> …, x, y)\`
    "
  `);
});

test("E0206: an integer times a float", () => {
  const text = rendered(
    "E0206",
    `
    fn average(x: f32[n]) -> f32 = (sum[i] x[i]) / n
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0206]: numbers of different types
     ┌─ model.fec:1:46
    1 │ fn average(x: f32[n]) -> f32 = (sum[i] x[i]) / n
      │                                ───────────── ─ ─ i32
      │                                │             │
      │                                │             \`/\` needs two of one type
      │                                f32
      = help: convert: \`f32(n)\`
    "
  `);
});

test("E0206: a boolean summed as a number", () => {
  const text = rendered(
    "E0206",
    `
    fn penalty(x: f32) -> f32 = x + (x > 1.0)
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0206]: numbers of different types
     ┌─ model.fec:1:31
    1 │ fn penalty(x: f32) -> f32 = x + (x > 1.0)
      │                             ─ ─ ───────── bool
      │                             │ │
      │                             │ \`+\` needs two of one type
      │                             f32
      = help: a boolean is no number: convert, as in \`f32(x > 1.0)\`, or choose with \`if\`
    "
  `);
});

test("E0207: a number as a condition", () => {
  const text = rendered(
    "E0207",
    `
    fn positive_part(x: f32, keep: i32) -> f32 = if keep then x else 0.0
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0207]: a condition is not a boolean
     ┌─ model.fec:1:49
    1 │ fn positive_part(x: f32, keep: i32) -> f32 = if keep then x else 0.0
      │                                                 ──── i32 here
      = help: compare it, as in \`keep != 0\`
    "
  `);
});

test("E0207: a tensor of booleans as a condition", () => {
  const text = rendered(
    "E0207",
    `
    fn rectified(x: f32[n]) -> f32[n] = if x > 0.0 then x else 0.0 * x
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0207]: a condition is not a boolean
     ┌─ model.fec:1:40
    1 │ fn rectified(x: f32[n]) -> f32[n] = if x > 0.0 then x else 0.0 * x
      │                                        ─────── bool[n] here
      = help: choose element by element: \`for i -> if c[i] then … else …\`
    "
  `);
});

test("E0212: padding of another type", () => {
  const text = rendered(
    "E0212",
    `
    fn shifted(label: i32[n]) -> i32[n] = for i: n -> label[i - 1 | 0.5]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0212]: padding of another type
     ┌─ model.fec:1:65
    1 │ fn shifted(label: i32[n]) -> i32[n] = for i: n -> label[i - 1 | 0.5]
      │                                                   ─────         ─── a number here
      │                                                   │
      │                                                   elements are i32
      = help: the value behind \`|\` has the type of an element
    "
  `);
});

test("E0213: a struct read with brackets", () => {
  const text = rendered(
    "E0213",
    `
    struct Linear[i, o] {
      weight: f32[o, i]
    }

    fn row(p: Linear[i, o]) -> f32[i] = for k -> p[0, k]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0213]: this can't be indexed
     ┌─ model.fec:5:46
    5 │ fn row(p: Linear[i, o]) -> f32[i] = for k -> p[0, k]
      │                                              ─ Linear[i, o], not a tensor
      = help: name the field that is meant: \`p.weight[i]\`
    "
  `);
});

test("E0214: a field that is nearly there", () => {
  const text = rendered(
    "E0214",
    `
    struct Linear[i, o] {
      weight: f32[o, i]
      bias: f32[o]
    }

    fn linear(p: Linear[i, o], x: f32[i]) -> f32[o] =
      for r -> p.bais[r] + sum[c] p.weight[r, c] * x[c]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0214]: no such field
     ┌─ model.fec:7:14
    3 │   bias: f32[o]
      │   ──────────── this one?
      ···
    7 │   for r -> p.bais[r] + sum[c] p.weight[r, c] * x[c]
      │              ──── not a field of Linear
      = help: did you mean \`bias\`?
    "
  `);
});

test("E0215: a field of a tensor", () => {
  const text = rendered(
    "E0215",
    `
    fn width(x: f32[n, d]) -> i32 = x.shape
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0215]: this has no fields
     ┌─ model.fec:1:33
    1 │ fn width(x: f32[n, d]) -> i32 = x.shape
      │                                 ─ ───── the field
      │                                 │
      │                                 f32[n, d], not a struct
      = help: only structs have fields; a function may use its dimensions by name: \`n\`, \`d\`
    "
  `);
});

test("E0216: booleans summed", () => {
  const text = rendered(
    "E0216",
    `
    fn correct(guess: idx[c][n], label: idx[c][n]) -> i32 = sum[i] guess[i] == label[i]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0216]: a reduction over values of the wrong kind
     ┌─ model.fec:1:64
    1 │ fn correct(guess: idx[c][n], label: idx[c][n]) -> i32 = sum[i] guess[i] == label[i]
      │                                                         ────── ──────────────────── bool here
      │                                                         │
      │                                                         reduces numbers
      = help: to count, write \`count[…]\`
    "
  `);
});

test("E0216: the mean of integers", () => {
  const text = rendered(
    "E0216",
    `
    fn mean_age(age: i32[n]) -> f32 = mean[i] age[i]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0216]: a reduction over values of the wrong kind
     ┌─ model.fec:1:43
    1 │ fn mean_age(age: i32[n]) -> f32 = mean[i] age[i]
      │                                   ─────── ────── i32 here
      │                                   │
      │                                   a mean is a float
      = help: convert the body with \`f32(…)\`
    "
  `);
});

test("E0217: an integer beside a float", () => {
  const text = rendered(
    "E0217",
    `
    fn clipped(x: f32, i: i32) -> f32 = if x > 1.0 then x else i
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0217]: the sides of an \`if\` differ in type
     ┌─ model.fec:1:60
    1 │ fn clipped(x: f32, i: i32) -> f32 = if x > 1.0 then x else i
      │                                                     ─      ─ i32 here
      │                                                     │
      │                                                     f32 here
      = help: convert it: \`f32(i)\`
    "
  `);
});

test("E0218: an accumulator that changes its type", () => {
  const text = rendered(
    "E0218",
    `
    fn norm(x: f32[n, d]) -> f32 = fold s = 0.0 for t: n -> s + x[t]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0218]: a fold changes its type
     ┌─ model.fec:1:57
    1 │ fn norm(x: f32[n, d]) -> f32 = fold s = 0.0 for t: n -> s + x[t]
      │                                         ───             ──────── f32[d] after a turn
      │                                         │
      │                                         f32 at the start
      = help: every turn gives a value of the type that the fold began with
    "
  `);
});

test("E0219: a fold over a tensor", () => {
  const text = rendered(
    "E0219",
    `
    fn total(x: f32[n]) -> f32 = fold s = 0.0 for v in x -> s + v
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0219]: a fold over something that is no list
     ┌─ model.fec:1:52
    1 │ fn total(x: f32[n]) -> f32 = fold s = 0.0 for v in x -> s + v
      │                                               ─    ─ f32[n], not a list
      │                                               │
      │                                               one element each turn
      = help: to go through an axis, count: \`for v: n -> …\` and index with it
    "
  `);
});

test("E0220: a pattern of another size", () => {
  const text = rendered(
    "E0220",
    `
    fn minmax(x: f32[n]) -> (f32, f32) = (min[i] x[i], max[i] x[i])

    fn spread(x: f32[n]) -> f32 {
      let (low, middle, high) = minmax(x)
      high - low
    }
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0220]: a tuple of another size
     ┌─ model.fec:4:7
    4 │   let (low, middle, high) = minmax(x)
      │       ───────────────────   ───────── (f32, f32), 2 parts
      │       │
      │       3 names
      = help: give each part a name; \`_\` for one that is not needed
    "
  `);
});

test("E0221: a struct literal without a field", () => {
  const text = rendered(
    "E0221",
    `
    struct Norm[c] {
      weight: f32[c]
      bias: f32[c]
    }

    fn plain(w: f32[c]) -> Norm[c] = Norm { weight: w }
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0221]: fields are missing
     ┌─ model.fec:6:34
    3 │   bias: f32[c]
      │   ──────────── declared here
      ···
    6 │ fn plain(w: f32[c]) -> Norm[c] = Norm { weight: w }
      │                                  ──── without \`bias\`
      = help: give every field, or take the others from a value: \`Norm { ...p, weight: w }\`
    "
  `);
});

test("E0222: a field of another shape", () => {
  const text = rendered(
    "E0222",
    `
    struct Linear[i, o] {
      weight: f32[o, i]
      bias: f32[o]
    }

    fn layer(w: f32[o, i], x: f32[i]) -> Linear[i, o] = Linear { weight: w, bias: x }
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0222]: a field of another type
     ┌─ model.fec:6:79
    3 │   bias: f32[o]
      │   ──────────── f32[o] is declared
      ···
    6 │ fn layer(w: f32[o, i], x: f32[i]) -> Linear[i, o] = Linear { weight: w, bias: x }
      │                                                                               ─ f32[i] here
      = i is not o
    "
  `);
});

test("E0223: a field given twice", () => {
  const text = rendered(
    "E0223",
    `
    struct Norm[c] {
      weight: f32[c]
      bias: f32[c]
    }

    fn plain(w: f32[c]) -> Norm[c] = Norm { weight: w, bias: w, weight: w }
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0223]: a field given twice
     ┌─ model.fec:6:61
    6 │ fn plain(w: f32[c]) -> Norm[c] = Norm { weight: w, bias: w, weight: w }
      │                                         ──────              ────── again here
      │                                         │
      │                                         first here
      = help: leave one of them out
    "
  `);
});

test("E0226: a quotient of integers", () => {
  const text = rendered(
    "E0226",
    `
    fn halves(points: i32) -> i32 = points / 2
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0226]: \`/\` between integers
     ┌─ model.fec:1:40
    1 │ fn halves(points: i32) -> i32 = points / 2
      │                                 ────── ─ between integers
      │                                 │
      │                                 an integer
      = help: \`//\` rounds down; for a fraction, convert: \`f32(points) / f32(2)\`
    "
  `);
});

test("E0226: a constant that is no integer", () => {
  const text = rendered(
    "E0226",
    `
    const stages = 7
    const half = stages / 2
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0226]: \`/\` between integers
     ┌─ model.fec:2:21
    2 │ const half = stages / 2
      │              ────── ─ 7 / 2 is no integer
      │              │
      │              an integer
      = help: \`stages // 2\` rounds down; for a fraction write a float: \`7.0\`
    "
  `);
});

test("E0228: a number that an i32 can't hold", () => {
  const text = rendered(
    "E0228",
    `
    fn seed(i: i32) -> i32 = i * 3000000000
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0228]: a number that does not fit
     ┌─ model.fec:1:30
    1 │ fn seed(i: i32) -> i32 = i * 3000000000
      │                              ────────── 3000000000 as i32
      = \`i32\` holds -2147483648 … 2147483647
      = help: use \`u32(…)\`, or a float such as \`1e10\`
    "
  `);
});

test("E0228: a negative u32", () => {
  const text = rendered(
    "E0228",
    `
    fn wrapped(word: u32) -> u32 = word + -1
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0228]: a number that does not fit
     ┌─ model.fec:1:39
    1 │ fn wrapped(word: u32) -> u32 = word + -1
      │                                       ── -1 as u32
      = \`u32\` holds 0 … 4294967295
      = help: a \`u32\` has no negatives; convert the other side with \`i32(…)\`
    "
  `);
});

test("E0229: an unknown power of an integer", () => {
  const text = rendered(
    "E0229",
    `
    fn scale(level: i32) -> i32 = 2 * level ^ level
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0229]: a power that integers don't have
     ┌─ model.fec:1:43
    1 │ fn scale(level: i32) -> i32 = 2 * level ^ level
      │                                   ─────   ───── not a small whole number
      │                                   │
      │                                   an integer
      = help: the power of an integer is written out, as in \`level ^ 2\`; or convert: \`f32(level) ^ f32(level)\`
    "
  `);
});

test("E0232: a result of another shape", () => {
  const text = rendered(
    "E0232",
    `
    fn linear(w: f32[o, i], x: f32[i]) -> f32[i] {
      let y[r] = sum[c] w[r, c] * x[c]
      y
    }
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0232]: the body does not give what is declared
     ┌─ model.fec:3:3
    1 │ fn linear(w: f32[o, i], x: f32[i]) -> f32[i] {
      │                                       ────── f32[i] is declared
      ···
    3 │   y
      │   ─ f32[o] here
      = o is not i
    "
  `);
});

test("E0232: a result of another type", () => {
  const text = rendered(
    "E0232",
    `
    fn predict(logits: f32[c]) -> f32 = argmax[k] logits[k]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0232]: the body does not give what is declared
     ┌─ model.fec:1:37
    1 │ fn predict(logits: f32[c]) -> f32 = argmax[k] logits[k]
      │                               ───   ─────────────────── idx[c] here
      │                               │
      │                               f32 is declared
      = help: convert it: \`f32(argmax[k] logits[k])\`
    "
  `);
});

test("E0238: structs collected by an index", () => {
  const text = rendered(
    "E0238",
    `
    struct Point[d] {
      at: f32[d]
    }

    fn points(x: f32[n, d]) = for i -> Point { at: x[i] }
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0238]: this can't be the value at an index
     ┌─ model.fec:5:36
    5 │ fn points(x: f32[n, d]) = for i -> Point { at: x[i] }
      │                                    ────────────────── Point[d] here
      = help: a \`for\` collects scalars, tensors, or tuples of them; make one tensor for each field
    "
  `);
});

test("E0239: a scalar function of a struct", () => {
  const text = rendered(
    "E0239",
    `
    struct Linear[i, o] {
      weight: f32[o, i]
    }

    fn magnitudes(p: Linear[i, o]) -> Linear[i, o] = abs(p)
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0239]: a scalar or a tensor is needed
     ┌─ model.fec:5:54
    5 │ fn magnitudes(p: Linear[i, o]) -> Linear[i, o] = abs(p)
      │                                                      ─ Linear[i, o] here
      = help: for every tensor of a struct, write \`tree_map(fn (x) -> …, p)\`
    "
  `);
});

test("E0240: a list of different sizes", () => {
  const text = rendered(
    "E0240",
    `
    struct Block[d] {
      weight: f32[d, d]
    }

    fn run(a: Block[d], b: Block[e], x: f32[d]) -> f32[d] =
      fold y = x for p in [a, b] -> for r -> sum[c] p.weight[r, c] * y[c]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0240]: a list of different types
     ┌─ model.fec:6:27
    6 │   fold y = x for p in [a, b] -> for r -> sum[c] p.weight[r, c] * y[c]
      │                        ─  ─ Block[e] here
      │                        │
      │                        Block[d] here
      = e is not d
      = help: all elements of a list have one type
    "
  `);
});
