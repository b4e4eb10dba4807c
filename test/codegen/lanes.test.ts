/** Regions whose workgroup is one subgroup: what its lanes share, keep in registers and choose. */
import { describe, expect, it } from "vitest";
import type { Program } from "../../src/codegen/program.ts";
import { checkedIn, count, softmax, textsOf } from "./checked.ts";
import { laneShape } from "./levels.ts";

const checked = (text: string): Program => checkedIn(laneShape, text);

describe("a reduction of one result in a region", () => {
  it("is shared by the lanes, which exchange what they have, without memory or barriers", () => {
    const program = checked(softmax(64));
    expect(program.kernels).toHaveLength(1);
    const text = textsOf(program);
    expect(count(text, "of lane invocation ^")).toBe(6);
    expect(text).not.toContain("barrier");
    expect(program.kernels[0]!.workgroupArrays).toEqual([]);
  });

  it("may have any number of turns", () => {
    for (const n of [16, 17, 31, 49, 100]) checked(softmax(n));
  });

  it("is not shared where it has few turns", () => {
    expect(textsOf(checked(softmax(12)))).not.toContain("of lane invocation ^");
  });
});

/** A clustering: keys of `m` clusters, sums of segments, and values read at the keys. */
const clusters = (
  n: number,
  m: number,
  d: number,
): string => `graph f(%x: f32[5, ${n}, ${d}], %c: f32[${m}, ${d}]) -> (%y) {
  %s: f32[5, ${n}, ${m}] = for b<5, n<${n}, m<${m}. sum k<${d}. %x[b, n, k] * %c[m, k]
  %a: idx<${m}>[5, ${n}] = for b<5, n<${n}. argmax m<${m}. %s[b, n, m]
  %g: f32[5, ${m}, ${d}] = for b<5, m<${m}, k<${d}. sum n<${n} at m = %a[b, n]. %x[b, n, k]
  %y: f32[5, ${d}, ${n}] = for b<5, k<${d}, n<${n}. %g[b, %a[b, n], k] * %x[b, n, k]
}`;

describe("sums of segments", () => {
  it("are kept in registers where there are few, each turn adding to the one that it names", () => {
    const text = textsOf(checked(clusters(30, 4, 6)));
    expect(text).toMatch(/g\w* = g\w* \+ \(if is_here/);
  });

  it("lie in memory where there are many", () => {
    const text = textsOf(checked(clusters(30, 12, 6)));
    expect(text).not.toMatch(/g\w* = g\w* \+ \(if is_here/);
  });

  it("may have any number of points, channels and segments", () => {
    for (const [n, m, d] of [
      [8, 2, 1],
      [49, 4, 8],
      [17, 8, 3],
      [33, 9, 5],
    ] as const)
      checked(clusters(n, m, d));
  });
});

describe("a value read at a key of few values", () => {
  it("is chosen from all that lanes share", () => {
    const text = textsOf(checked(clusters(49, 4, 8)));
    expect(text).toMatch(/if is_here\w* then g\w* else if is_here/);
  });

  it("is loaded where there are many", () => {
    const text = textsOf(checked(clusters(49, 6, 8)));
    expect(text).not.toMatch(/if is_here\w* then g\w* else if is_here/);
  });
});
