/** Places that differ in the turns of their reductions as two axes: derivatives of convolutions with a stride, in blocks. */
import { describe, expect, it } from "vitest";
import { vjpGraph } from "../../src/autodiff/differentiate.ts";
import { splitByResidues } from "../../src/codegen/lower/residues.ts";
import { kernelShapeFor } from "../../src/codegen/shapes.ts";
import { typesOf } from "../../src/fusion/value-types.ts";
import type { Plan } from "../../src/fusion/plan.ts";
import type { Graph } from "../../src/ir/ir.ts";
import { parseGraph } from "../../src/ir/parse.ts";
import { printNode } from "../../src/ir/print.ts";
import { groupsOf, planOf } from "../fusion/plans.ts";
import { shuffled } from "../fusion/shuffled.ts";
import { graphOf, prepared } from "../programs/compile.ts";
import { randomSource, type RandomSource } from "../programs/random-source.ts";
import { checkedGraph, checkedIn, textsOf } from "./checked.ts";
import { blockShape, stagedShape, tallShape } from "./levels.ts";

/** A convolution with a stride from its input, in one dimension. */
interface Transposed {
  /** Places of the input. */
  readonly n: number;
  readonly size: number;
  readonly stride: number;
  readonly padding: number;
}

/** The text of a transposed convolution; `after` is what is made of `%d` at c, q, i. */
function transposed({ n, size, stride, padding }: Transposed, after?: string): string {
  const m = Math.floor((n + 2 * padding - size) / stride) + 1;
  const lo = `max((i + ${padding - size + stride}) // ${stride}, 0)`;
  const hi = `min((i + ${padding}) // ${stride} + 1, ${m})`;
  const d = `  %d: f32[3, 5, ${n}] = for c<3, q<5, i<${n}. sum r<4, a in ${lo} .. ${hi}. %w[r, q, i - ${stride} * a + ${padding}] * %y[c, r, a]`;
  const z = after === undefined ? "" : `\n  %z: f32[3, 5, ${n}] = for c<3, q<5, i<${n}. ${after}`;
  return `graph f(%w: f32[4, 5, ${size}], %y: f32[3, 4, ${m}], %x: f32[3, 5, ${n}]) -> (${after === undefined ? "%d" : "%d, %z"}) {\n${d}${z}\n}`;
}

/** The nodes of the only kernel of a graph after its axes are split; null where none are. */
function splitNodes(text: string): string[] | null {
  const graph = parseGraph(text);
  const groups = groupsOf(planOf(graph));
  expect(groups).toHaveLength(1);
  const view = splitByResidues({ group: groups[0]!, types: typesOf(graph) });
  if (view === null) return null;
  const { phases, inlined } = view.group;
  return [...phases.flatMap(({ nodes }) => nodes), ...new Set(inlined.values())].map((node) =>
    printNode(node),
  );
}

const isSplit = (shape: Parameters<typeof checkedIn>[0], text: string): boolean =>
  textsOf(checkedIn(shape, text)).includes("_residue");

const shapes = [
  ["lanes of a CPU", kernelShapeFor("software", 8)],
  ["a GPU", kernelShapeFor("discrete", 32)],
  ["small blocks", blockShape],
  ["rows of lanes", tallShape],
  ["staged operands", stagedShape],
] as const;

describe("axes by residues", () => {
  it("have bounds that no place has a say in, and conditions at the edge", () =>
    expect(splitNodes(transposed({ n: 16, size: 3, stride: 2, padding: 1 }))).toEqual([
      `%d: f32[3, 5, 8, 2] = for c<3, q<5, i<8, i_residue<2. sum r<4, a in 0 .. i_residue + 1.
    let t0 = a + i;
    if t0 < 8 then %w[r, q, i_residue - 2 * a + 1] * %y[c, r, t0] else 0.0`,
    ]));

  it("leave a product of matrices where windows lie side by side", () =>
    expect(splitNodes(transposed({ n: 16, size: 4, stride: 4, padding: 0 }))).toEqual([
      "%d: f32[3, 5, 4, 4] = for c<3, q<5, i<4, i_residue<4. sum r<4, a<1. %w[r, q, i_residue] * %y[c, r, i]",
    ]));

  it.each(shapes)("are right in blocks for %s", (_, shape) => {
    for (const one of [
      { n: 16, size: 3, stride: 2, padding: 1 },
      { n: 16, size: 4, stride: 2, padding: 1 },
      { n: 18, size: 5, stride: 3, padding: 2 },
      { n: 20, size: 5, stride: 2, padding: 0 },
    ])
      expect(isSplit(shape, transposed(one))).toBe(true);
  });

  it.each(shapes)("are split with what is made of the values for %s", (_, shape) => {
    const one = { n: 16, size: 3, stride: 2, padding: 1 };
    expect(isSplit(shape, transposed(one, "max(%d[c, q, i] + %x[c, q, i], 0.0) * f32(i)"))).toBe(true);
    expect(isSplit(shape, transposed(one, "%d[c, q, i] * %x[c, q, 15 - i]"))).toBe(true);
  });

  it("stay one where places are no multiple, or few", () => {
    expect(splitNodes(transposed({ n: 15, size: 3, stride: 2, padding: 1 }))).toBeNull();
    expect(splitNodes(transposed({ n: 6, size: 3, stride: 2, padding: 1 }))).toBeNull();
  });

  it("stay one where there is no contraction", () => {
    const text = `graph f(%y: f32[3, 8]) -> (%d) {
  %d: f32[3, 16] = for c<3, i<16. sum a in i // 2 .. min((i + 1) // 2 + 1, 8). %y[c, a]
}`;
    expect(splitNodes(text)).not.toBeNull();
    expect(isSplit(kernelShapeFor("software", 8), text)).toBe(false);
  });

  it("stay one where a largest place is looked for, and where bounds are no run of the places", () => {
    const bounds = "a in i // 2 .. min((i + 1) // 2 + 1, 8)";
    for (const reduction of [
      `max ${bounds}`,
      `argmax ${bounds}`,
      "sum a in i // 2 .. 8",
      "sum a in 0 .. i // 2 + 1",
    ])
      expect(
        splitNodes(`graph f(%y: f32[3, 8]) -> (%d) {
  %d: ${reduction.startsWith("arg") ? "idx<8>" : "f32"}[3, 16] = for c<3, i<16. ${reduction}. %y[c, a]
}`),
      ).toBeNull();
  });
});

const conv = `
fn conv[stride, padding](w: f32[o, q, k, k], x: f32[s, q, h, v])
    -> f32[s, o, (h + 2*padding - k) // stride + 1, (v + 2*padding - k) // stride + 1] =
  for b, r, i, j -> sum[c, y, z] w[r, c, y, z] * tanh(x[b, c, stride*i + y - padding, stride*j + z - padding | 0.0])
`;

/** The derivatives of a convolution of any size, stride and padding. */
function randomGradient({ choose: of, below }: RandomSource): Graph {
  const stride = of([2, 2, 3]);
  const k = 1 + below(5);
  const side = (): number => Math.max(k, of([true, true, false]) ? stride * (4 + below(4)) : 7 + below(12));
  const [o, q, s] = [2 + below(8), 3 + below(7), 1 + below(3)];
  const dims = { o, q, s, k, h: side(), v: side(), stride, padding: below(k) };
  return prepared(vjpGraph(graphOf(conv, "conv", dims)));
}

it("gives the gradients of random convolutions", { timeout: 60_000 }, () => {
  let split = 0;
  const seeds = 24;
  for (let seed = 0; seed < seeds; seed++) {
    const random = randomSource(seed);
    const graph = randomGradient(random);
    const [, shape] = random.choose(shapes);
    const layout = (plan: Plan): Plan => (random.choose([true, false]) ? shuffled(plan, random) : plan);
    if (textsOf(checkedGraph(shape, graph, layout)).includes("_residue")) split += 1;
  }
  expect(split).toBeGreaterThan(seeds / 4);
});
