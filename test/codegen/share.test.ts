/** Reductions that the invocations of a workgroup share through its memory, and those that have workgroups of their own. */
import { describe, expect, it } from "vitest";
import type { Program } from "../../src/codegen/program.ts";
import { checkedIn, count, softmax, textsOf } from "./checked.ts";
import { sharingShape } from "./levels.ts";

const checked = (text: string): Program => checkedIn(sharingShape, text);

describe("a reduction of one result in a region", () => {
  it("is shared by the invocations, two barriers each", () => {
    const program = checked(softmax(64));
    expect(program.kernels).toHaveLength(1);
    const [kernel] = program.kernels;
    expect(kernel!.workgroupArrays.map(({ length }) => length)).toEqual([16, 4]);
    expect(count(textsOf(program), "barrier")).toBe(4);
  });

  it("may have any number of turns", () => {
    for (const n of [65, 66, 79, 100, 128]) checked(softmax(n));
  });
});

const mean = (b: number, c: number, n: number): string => `graph f(%x: f32[${b}, ${c}, ${n}]) -> (%m) {
  %m: f32[${b}] = for i<${b}. sum q<${c}, k<${n}. %x[i, q, k]
}`;

/** Sums of `m` segments of rows of `n`, and what is made of them. */
const segments = (n: number, m: number): string => `graph f(%x: f32[6, ${n}], %a: idx<${m}>[${n}]) -> (%y) {
  %s: f32[6, ${m}] = for i<6, j<${m}. sum k<${n} at j = %a[k]. %x[i, k]
  %y: f32[6, ${m}] = for i<6, j<${m}. %s[i, j] / (1.0 + exp(%s[i, 0]))
}`;

describe("sums of segments in memory", () => {
  it("are in parts, as many as half of the memory holds, which all invocations clear", () => {
    for (const [n, m] of [
      [96, 60],
      [90, 61],
      [64, 40],
    ] as const) {
      const shape = { ...sharingShape, target: { ...sharingShape.target, workgroupBytes: 2 * 4 * 4 * m } };
      const program = checkedIn(shape, segments(n, m));
      const [kernel] = program.kernels;
      const parts = { 96: 4, 90: 3, 64: 4 }[n];
      expect(program.kernels).toHaveLength(1);
      expect(kernel!.workgroupArrays.map(({ length }) => length)).toContain(parts * m);
      const clearing = kernel!.body.find(({ kind }) => kind === "for");
      expect(clearing).toMatchObject({ step: kernel!.invocations });
    }
  });
});

describe("a long reduction of few results", () => {
  it("has a workgroup for each, and parts of it where that is not enough", () => {
    const { kernels } = checked(mean(3, 64, 2048));
    expect(kernels.map(({ invocations }) => invocations)).toEqual([16, expect.any(Number)]);
    expect(kernels[0]!.workgroups).toBeGreaterThan(3);
    expect(kernels[0]!.workgroupArrays).toHaveLength(2);
  });

  it("takes turns of several axes as if they were one where none is long enough", () => {
    for (const [c, n] of [
      [11, 9],
      [5, 26],
      [30, 3],
      [13, 17],
    ] as const)
      expect(textsOf(checked(mean(300, c, n)))).toContain("turn");
  });

  it("and what is made of it at its points, in place of what it reads there as well", () => {
    const text = `graph f(%p: f32[7], %x: f32[7, 90]) -> (%next, %grown) {
      %g: f32[7] = for i<7. sum k<90. %x[i, k]
      %grown: f32[7] = for i<7. 2.0 * %p[i] + %g[i]
      %next: f32[7] = for i<7. %p[i] - 0.1 * %g[i]
    }`;
    const { kernels } = checked(text);
    expect(kernels).toHaveLength(1);
    expect(kernels[0]!.workgroups).toBe(7);
  });

  it("is no product where only what stays the same from turn to turn has rows and columns", () => {
    const text = `graph f(%d: f32[36, 36, 70], %l: f32[36, 70, 36], %b: f32[36], %s: f32[36]) -> (%g) {
      %g: f32[36, 36] = for i<36, q<36. sum k<70. %d[i, q, k] * (%b[q] + %s[i] * %l[i, k, q])
    }`;
    const [kernel] = checked(text).kernels;
    expect(kernel!.workgroups).toBe(36 * 36);
    expect(kernel!.workgroupArrays).toHaveLength(2);
  });

  it("stays with one invocation a point where there are points enough", () => {
    const { kernels } = checked(mean(4096, 8, 8));
    expect(kernels.every(({ workgroupArrays }) => workgroupArrays.length === 0)).toBe(true);
  });
});
