/** How much of a device a kernel keeps at work. */
import { describe, expect, it } from "vitest";
import { pointCount, turnsOf } from "../../src/fusion/accesses.ts";
import { discreteTarget, hardwareTarget, type Target } from "../../src/fusion/target.ts";
import { invocationsFor, partAtWork, segmentParts } from "../../src/fusion/work.ts";
import type { Comprehension, Graph } from "../../src/ir/ir.ts";
import { parseGraph } from "../../src/ir/parse.ts";
import { verified } from "../programs/compile.ts";
import { groupsOf, planOf } from "./plans.ts";

/** Sums of `m` segments of the points of 8 rows of channels. */
const segments = (n: number, m: number): Graph =>
  verified(
    parseGraph(`graph f(%x: f32[8, 4, ${n}], %a: idx<${m}>[${n}]) -> (%s) {
      %s: f32[8, 4, ${m}] = for i<8, c<4, j<${m}. sum k<${n} at j = %a[k]. %x[i, c, k]
    }`),
  );
const sumOf = (n: number, m: number): Comprehension => segments(n, m).nodes[0] as Comprehension;
const target: Target = { ...hardwareTarget, regionInvocations: 64, workgroupBytes: 4096 };

const invocationsOf = (node: Comprehension): number =>
  invocationsFor({ node, points: pointCount(node), turns: turnsOf(node) }, 8, target);

describe("a segment sum", () => {
  it("goes into as many parts as half of the memory holds, of a region or of a column", () => {
    expect(segmentParts(sumOf(96, 16), 4, target)).toBe(8);
    expect(segmentParts(sumOf(96, 100), 4, target)).toBe(5);
    expect(segmentParts(sumOf(96, 8), 4, target)).toBe(16);
  });

  it("keeps an invocation a column and part busy", () => {
    expect(invocationsOf(sumOf(960, 16))).toBe(32);
    expect(invocationsOf(sumOf(40, 16))).toBe(5);
  });
});

describe("idle invocations of a workgroup", () => {
  it("have others' place on a GPU", () => {
    const regions = 10_000;
    expect(partAtWork(false, regions, 4, discreteTarget, 256)).toBe(1 / 64);
    expect(partAtWork(false, regions, 256, discreteTarget, 256)).toBe(1);
  });
});

describe("what has no points", () => {
  const products = (empty: string, result: string): Graph =>
    verified(
      parseGraph(`graph f(%x: f32[256, 256], %w: f32[256, 256], %v: f32[256, 256], %q: f32[0]) -> (%z${result}) {
        %y: f32[256, 256] = for i<256, j<256. sum k<256. %x[i, k] * %w[k, j]
        %z: f32[256, 256] = for i<256, j<256. sum k<256. %y[k, i] * %v[k, j]
        ${empty}
      }`),
    );
  it.each([
    ["a GPU", hardwareTarget],
    ["a large GPU", discreteTarget],
  ])("costs nothing, and joins nothing: %s", (_, device) => {
    const grids = (graph: Graph): readonly unknown[] =>
      groupsOf(planOf(graph, "full", device))
        .filter(({ name }) => name !== "e")
        .map(({ name, owner, phases }) => [
          name,
          owner,
          phases.map(({ nodes }) => nodes.map((node) => node.name)),
        ]);
    const without = grids(products("", ""));
    expect(without).toHaveLength(2);
    const empty = products("%e: f32[0] = for c<0. %q[c] * %y[3, 5] + %z[2, 7]", ", %e");
    expect(grids(empty)).toEqual(without);
  });
});
