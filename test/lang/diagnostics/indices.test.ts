/** What the checker says of index variables, reads and dimensions. */
import { expect, test } from "vitest";
import { rendered } from "./rendered.ts";

test("E0203: an index over two axes", () => {
  const text = rendered(
    "E0203",
    `
    # The example of the language's description.
    fn project(w: f32[o, c], x: f32[d]) -> f32[o] =
      for i -> sum[k] w[i, k] * x[k]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0203]: shapes do not agree
     ┌─ model.fec:3:24
    3 │   for i -> sum[k] w[i, k] * x[k]
      │                        ─      ─ d here, from x: f32[d]
      │                        │
      │                        c here, from w: f32[o, c]
      = k ranges over c and over d, and nothing makes them equal
    "
  `);
});

test("E0203: an operator on two shapes", () => {
  const text = rendered(
    "E0203",
    `
    fn residual(x: f32[n, d], y: f32[n, e]) -> f32[n, d] = x + 0.5 * y
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0203]: shapes do not agree
     ┌─ model.fec:1:56
    1 │ fn residual(x: f32[n, d], y: f32[n, e]) -> f32[n, d] = x + 0.5 * y
      │                                                        ─   ─────── e here: f32[n, e]
      │                                                        │
      │                                                        d here: f32[n, d]
      = the second axis has size d on one side and e on the other, and nothing makes them equal
    "
  `);
});

test("E0204: an index that nothing gives a range", () => {
  const text = rendered(
    "E0204",
    `
    fn windows(x: f32[n]) = for i -> x[2*i] + x[2*i + 1]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0204]: the range of an index is not known
     ┌─ model.fec:1:29
    1 │ fn windows(x: f32[n]) = for i -> x[2*i] + x[2*i + 1]
      │                             ─ \`i\` never stands alone as an index
      = help: write its range: \`i: n\`
    "
  `);
});

test("E0208: more indices than axes", () => {
  const text = rendered(
    "E0208",
    `
    fn first(x: f32[n, d]) -> f32[n] = for i -> x[i, 0, 0]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0208]: too many indices
     ┌─ model.fec:1:53
    1 │ fn first(x: f32[n, d]) -> f32[n] = for i -> x[i, 0, 0]
      │                                             ─       ─ index number 3
      │                                             │
      │                                             f32[n, d]
      = help: it has 2 axes
    "
  `);
});

test("E0209: a float as an index", () => {
  const text = rendered(
    "E0209",
    `
    fn pick(x: f32[n], place: f32) -> f32 = x[place * f32(n)]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0209]: an index is not an integer
     ┌─ model.fec:1:43
    1 │ fn pick(x: f32[n], place: f32) -> f32 = x[place * f32(n)]
      │                                           ────────────── f32 here
      = help: convert it: \`i32(place * f32(n))\`
    "
  `);
});

test("E0210: a difference of neighbours", () => {
  const text = rendered(
    "E0210",
    `
    fn differences(x: f32[n]) -> f32[n] = for i -> x[i + 1] - x[i]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0210]: a read leaves the tensor
     ┌─ model.fec:1:50
    1 │ fn differences(x: f32[n]) -> f32[n] = for i -> x[i + 1] - x[i]
      │                                                ─ ───── goes up to n
      │                                                │
      │                                                it has size n: f32[n]
      = help: give the value outside, \`x[i + 1 | 0.0]\`, or write a shorter range
    "
  `);
});

test("E0210: the last element by a negative number", () => {
  const text = rendered(
    "E0210",
    `
    fn last(x: f32[n]) -> f32 = x[-1]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0210]: a read leaves the tensor
     ┌─ model.fec:1:31
    1 │ fn last(x: f32[n]) -> f32 = x[-1]
      │                             ─ ── this is -1
      │                             │
      │                             it has size n: f32[n]
      = help: the last index is n - 1; for a value outside, read \`x[-1 | 0.0]\`
    "
  `);
});

test("E0211: a class as the place of a point", () => {
  const text = rendered(
    "E0211",
    `
    fn spread(center: f32[o, d], a: idx[n][o]) -> f32[o, d] = for i, k -> center[a[i], k]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0211]: an \`idx\` for another axis
     ┌─ model.fec:1:78
    1 │ fn spread(center: f32[o, d], a: idx[n][o]) -> f32[o, d] = for i, k -> center[a[i], k]
      │                                                                       ────── ──── an idx[n]
      │                                                                       │
      │                                                                       the first axis has size o: f32[o, d]
      = help: an \`idx[n]\` indexes an axis of size n; if it may lie outside, read with padding: \`center[… | 0.0]\`
    "
  `);
});

test("E0224: a product that tells neither factor", () => {
  const text = rendered(
    "E0224",
    `
    fn unflatten(x: f32[h * w]) -> f32[h, w] = for i, j -> x[i * w + j]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0224]: no argument fixes a dimension
     ┌─ model.fec:1:21
    1 │ fn unflatten(x: f32[h * w]) -> f32[h, w] = for i, j -> x[i * w + j]
      │    ─────────        ─ no argument tells h
      │    │
      │    in this function
      = help: let the caller give it: \`fn unflatten[h](…)\`
    "
  `);
});

test("E0225: a division of dimensions by zero", () => {
  const text = rendered(
    "E0225",
    `
    fn cells(x: f32[n]) -> f32[n // 0] = for i -> x[i]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0225]: a division of dimensions that can't be
     ┌─ model.fec:1:28
    1 │ fn cells(x: f32[n]) -> f32[n // 0] = for i -> x[i]
      │                            ────── a division by 0
      = help: the divisor is at least 1
    "
  `);
});

test("E0225: an odd number halved", () => {
  const text = rendered(
    "E0225",
    `
    fn halves(x: f32[7]) -> f32[7 / 2] = for i -> x[i]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0225]: a division of dimensions that can't be
     ┌─ model.fec:1:29
    1 │ fn halves(x: f32[7]) -> f32[7 / 2] = for i -> x[i]
      │                             ───── 7 is no multiple of 2
      = help: \`/\` divides dimensions exactly; \`//\` rounds down
    "
  `);
});

test("E0227: a list element chosen while running", () => {
  const text = rendered(
    "E0227",
    `
    struct Expert[d] {
      weight: f32[d, d]
    }

    fn routed(experts: [Expert[d]; n], x: f32[d], choice: idx[n]) -> f32[d] =
      for r -> sum[c] experts[choice].weight[r, c] * x[c]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0227]: a list is indexed by something unknown
     ┌─ model.fec:6:27
    6 │   for r -> sum[c] experts[choice].weight[r, c] * x[c]
      │                   ─────── ────── known only when running
      │                   │
      │                   [Expert[d]; n]
      = help: to go through the list, write \`fold acc = start for p in list -> …\`
    "
  `);
});

test("E0230: a float as a bound", () => {
  const text = rendered(
    "E0230",
    `
    fn prefix(x: f32[n], part: f32) -> f32 = sum[i: 0 .. part * f32(n)] x[i | 0.0]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0230]: a bound is not an integer
     ┌─ model.fec:1:54
    1 │ fn prefix(x: f32[n], part: f32) -> f32 = sum[i: 0 .. part * f32(n)] x[i | 0.0]
      │                                                      ───────────── f32 here
      = help: convert it: \`i32(part * f32(n))\`
    "
  `);
});

test("E0231: a position along two axes", () => {
  const text = rendered(
    "E0231",
    `
    fn peak(x: f32[h, w]) = argmax[i, j] x[i, j]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0231]: one index for a position
     ┌─ model.fec:1:25
    1 │ fn peak(x: f32[h, w]) = argmax[i, j] x[i, j]
      │                         ──────────── 2 indices
      = help: flatten them into one, or take the \`max\` of the inner ones first
    "
  `);
});

test("E0233: a dimension that nothing tells", () => {
  const text = rendered(
    "E0233",
    `
    struct Grid[n] {
      spacing: f32
    }

    fn coarser(g: Grid[n]) = Grid { spacing: 2.0 * g.spacing }
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0233]: a dimension stays unknown
     ┌─ model.fec:5:4
    5 │ fn coarser(g: Grid[n]) = Grid { spacing: 2.0 * g.spacing }
      │    ─────── gives Grid[_]
      = help: write the result's type behind the parameters: \`-> Grid[n]\`
    "
  `);
});

test("E0242: a ragged tensor", () => {
  const text = rendered(
    "E0242",
    `
    fn triangle(x: f32[n, n]) = for i: n, j: i + 1 -> x[i, j]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0242]: an axis whose size changes
     ┌─ model.fec:1:42
    1 │ fn triangle(x: f32[n, n]) = for i: n, j: i + 1 -> x[i, j]
      │                                       ─  ───── known only when running
      │                                       │
      │                                       an axis of a tensor
      = help: only a reduction may have bounds that depend on values; guard the body with \`if\` instead
    "
  `);
});

test("E0243: past the end of a list", () => {
  const text = rendered(
    "E0243",
    `
    struct Block[d] {
      weight: f32[d, d]
    }

    fn second(blocks: [Block[d]; 2], x: f32[d]) -> f32[d] =
      for r -> sum[c] blocks[2].weight[r, c] * x[c]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0243]: past the end of a list
     ┌─ model.fec:6:26
    6 │   for r -> sum[c] blocks[2].weight[r, c] * x[c]
      │                   ────── ─ there is no element 2
      │                   │
      │                   [Block[d]; 2]
      = help: elements are numbered from 0; the last one is 1
    "
  `);
});

test("E0244: a number of turns known only when running", () => {
  const text = rendered(
    "E0244",
    `
    fn power(x: f32, times: i32) -> f32 = fold y = 1.0 for t: times -> y * x
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0244]: a fold of unknown length
     ┌─ model.fec:1:59
    1 │ fn power(x: f32, times: i32) -> f32 = fold y = 1.0 for t: times -> y * x
      │                                                           ───── known only when running
      = help: give the number of turns as a dimension: \`for t: 10 -> …\`
    "
  `);
});

test("E0246: a range the wrong way round", () => {
  const text = rendered(
    "E0246",
    `
    fn interior(x: f32[n]) -> f32 = sum[i: n .. n - 1] x[i]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0246]: a range that ends before it begins
     ┌─ model.fec:1:37
    1 │ fn interior(x: f32[n]) -> f32 = sum[i: n .. n - 1] x[i]
      │                                     ───────────── from n up to, not including, n - 1
      = help: the upper bound is excluded, and not below the lower one
    "
  `);
});

test("E0247: a size with too many terms", () => {
  const text = rendered(
    "E0247",
    `
    fn total[a, b, c, d, e, f](x: f32[(a + b + c + d) * (c + d + e + f) * (a + c + e + f + 1) * (b + d + e + f + 2) *
                                    (a + b + e + f + 3) * (b + c + d + e + 4) * (a + c + d + f + 5)]) -> f32 = sum[i] x[i]
  `,
  );
  expect(text).toMatchInlineSnapshot(`
    "
    error[E0247]: a dimension that is too large
     ┌─ model.fec:1:35
    1 │ fn total[a, b, c, d, e, f](x: f32[(a + b + c + d) * (c + d + e + f) * (a + c + e + f + 1) * (b + d + e + f + 2) *
      │                                   ─────────────────────────────────────────────────────────────────────────────── this one
      = help: name a part of it with a dimension of its own
    "
  `);
});
