/** How much memory lanes touch together, counted by the indices at which they read. */
import { describe, expect, it } from "vitest";
import {
  filled,
  followsSteps,
  footprintOf,
  type Lanes,
  placesOf,
  spreadInLanes,
  spreadOf,
} from "../../src/fusion/footprint.ts";
import type { Expr } from "../../src/ir/ir.ts";
import { parseGraph } from "../../src/ir/parse.ts";

/** The indices of the only read in a body over i, j and k. */
function indicesOf(read: string): readonly Expr[] {
  const text = `graph f(%x: f32[64, 64], %a: idx<64>[64]) -> (%y) { %y: f32[64, 64] = for i<64, j<64. sum k<64. ${read} }`;
  const [node] = parseGraph(text).nodes;
  if (node?.kind !== "comprehension" || node.body.kind !== "read") throw new Error("a read is expected");
  return node.body.indices;
}

/** 8 lanes along j in 4 turns of k, at i = 20. */
const lanes: Lanes = {
  count: 32,
  valuesOf: (name) =>
    filled(32, (n) => (name === "j" ? 16 + (n % 8) : name === "k" ? 4 + Math.floor(n / 8) : 20)),
};

function places(read: string, order = [0, 1]): Float64Array {
  return placesOf(footprintOf(indicesOf(read), [64, 64], lanes), order, 32);
}

describe("the lines of 8 elements that lanes touch, beside those that would do", () => {
  it.each([
    ["lanes side by side", "%x[k, j]", 1],
    ["a line for each lane, of which four turns take four elements", "%x[j, k]", 2],
    ["two lines for each lane", "%x[j, 4 * k]", 4],
    ["an element for all lanes", "%x[i, k]", 0.25],
    ["an element for all lanes, a line for each turn", "%x[k, i]", 1],
    ["flattened, side by side", "%x[(64 * k + j) // 64, (64 * k + j) % 64]", 1],
    ["outside, around the corner", "%x[k, j - 16 - 8]", 1],
  ])("%s", (_, read, spread) => expect(spreadOf(places(read), 8)).toBe(spread));

  it("of a matrix stored by columns", () => {
    expect(spreadOf(places("%x[k, j]", [1, 0]), 8)).toBe(2);
    expect(spreadOf(places("%x[j, k]", [1, 0]), 8)).toBe(1);
  });

  it("at indices that are data, anywhere", () =>
    expect(spreadOf(places("%x[%a[j], j]"), 8)).toBeGreaterThanOrEqual(1.5));
});

it("takes four elements of a lane for one load where they lie together, from a multiple of four on", () => {
  const spread = (...at: number[]): number => spreadInLanes(Float64Array.from(at), 4, 2);
  expect(spread(8, 9, 10, 11, 40, 41, 42, 43)).toBe(1);
  expect(spread(8, 9, 10, 11, 41, 42, 43, 44)).toBe(1.5);
  expect(spread(0, 64, 128, 192, 256, 320, 384, 448)).toBe(2);
  expect(spread(7, 7, 7, 7, 7, 7, 7, 7)).toBe(0.25);
});

it("sees which elements follow one another from step to step", () => {
  expect(followsSteps(places("%x[j, k]"), 8)).toBe(true);
  expect(followsSteps(places("%x[i, k]"), 8)).toBe(true);
  expect(followsSteps(places("%x[k, j]"), 8)).toBe(false);
  expect(followsSteps(places("%x[k, j]", [1, 0]), 8)).toBe(true);
});
