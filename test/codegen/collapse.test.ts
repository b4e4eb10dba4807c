/** Axes that are as good as one, as one. */
import { describe, expect, it } from "vitest";
import { collapseAxes } from "../../src/codegen/lower/collapse.ts";
import { kernelShapeFor } from "../../src/codegen/shapes.ts";
import type { Group } from "../../src/fusion/plan.ts";
import { typesOf } from "../../src/fusion/value-types.ts";
import { parseGraph } from "../../src/ir/parse.ts";
import { groupsOf, planOf } from "../fusion/plans.ts";
import { checkedIn } from "./checked.ts";

const shape = kernelShapeFor("software", 8);

/** What the only kernel of a graph goes through: the axes of each of its nodes, and the turns of its reductions. */
function axesIn(text: string, change: (group: Group) => Group = (group) => group): string[] {
  const graph = parseGraph(text);
  const groups = groupsOf(planOf(graph));
  expect(groups).toHaveLength(1);
  const { group } = collapseAxes({ group: change(groups[0]!), types: typesOf(graph) });
  checkedIn(shape, text);
  const nodes = [...group.phases.flatMap((phase) => phase.nodes), ...new Set(group.inlined.values())];
  return nodes.map(({ name, axes, reduction }) => {
    const turns = reduction?.axes.map(({ hi }) => (hi.kind === "const" ? hi.value : "?")) ?? [];
    return `${name}: ${[axes.map(({ size }) => size).join(" "), ...turns].join(", ")}`;
  });
}

describe("axes of a kernel", () => {
  it("are one where all elements are alike", () =>
    expect(
      axesIn(`graph f(%x: f32[5, 14, 14]) -> (%y) {
  %y: f32[5, 14, 14] = for c<5, i<14, j<14. max(%x[c, i, j], 0.0)
}`),
    ).toEqual(["y: 980"]));

  it("stay apart where something has one of them alone", () => {
    expect(
      axesIn(`graph f(%x: f32[5, 14, 14], %b: f32[5]) -> (%y) {
  %y: f32[5, 14, 14] = for c<5, i<14, j<14. %x[c, i, j] + %b[c]
}`),
    ).toEqual(["y: 5 196"]);
    expect(
      axesIn(`graph f(%x: f32[5, 14, 14]) -> (%y) {
  %y: f32[5, 14, 14] = for c<5, i<14, j<14. %x[c, i, j] * f32(j)
}`),
    ).toEqual(["y: 70 14"]);
  });

  it("stay apart where windows or parts of rows are read", () => {
    expect(
      axesIn(`graph f(%x: f32[5, 15, 15]) -> (%y) {
  %y: f32[5, 14, 14] = for c<5, i<14, j<14. %x[c, i, j] + %x[c, i + 1, j + 1]
}`),
    ).toEqual(["y: 5 14 14"]);
    expect(
      axesIn(`graph f(%x: f32[5, 14, 15]) -> (%y) {
  %y: f32[5, 14, 14] = for c<5, i<14, j<14. %x[c, i, j]
}`),
    ).toEqual(["y: 70 14"]);
  });

  it("stay apart where they lie in another order in memory", () => {
    const text = `graph f(%x: f32[5, 14, 14]) -> (%y) {
  %y: f32[5, 14, 14] = for c<5, i<14, j<14. max(%x[c, i, j], 0.0)
}`;
    const ordered = (order: readonly number[]): string[] =>
      axesIn(text, (group) => ({
        ...group,
        orders: new Map([["x", order] as const, ["y", order] as const]),
      }));
    expect(ordered([1, 2, 0])).toEqual(["y: 5 196"]);
    expect(ordered([0, 2, 1])).toEqual(["y: 5 14 14"]);
    expect(ordered([2, 0, 1])).toEqual(["y: 70 14"]);
  });

  it("of a reduction are one too, with those that are computed at its reads", () =>
    expect(
      axesIn(`graph f(%x: f32[3, 14, 14], %w: f32[14, 14, 9]) -> (%s) {
  %y: f32[3, 14, 14] = for c<3, i<14, j<14. exp(%x[c, i, j])
  %s: f32[3, 9] = for c<3, k<9. sum i<14, j<14. %y[c, i, j] * %w[i, j, k]
}`).sort(),
    ).toEqual(["s: 3 9, 196", "y: 3 196"]));

  it("stay apart where a reduction's turns differ", () => {
    expect(
      axesIn(`graph f(%x: f32[3, 14, 14]) -> (%s) {
  %s: f32[3] = for c<3. sum i<14, j in 0..i. %x[c, i, j]
}`),
    ).toEqual(["s: 3, 14, ?"]);
    expect(
      axesIn(`graph f(%x: f32[3, 14, 14]) -> (%s) {
  %s: f32[3] = for c<3. sum i<14, j<7. %x[c, i, j]
}`),
    ).toEqual(["s: 3, 14, 7"]);
  });

  it("of empty ranges stay empty", () =>
    expect(
      axesIn(`graph f(%x: f32[6]) -> (%s) {
  %s: f32[6] = for c<6. sum i<-2, j<-3. %x[c]
}`),
    ).toEqual(["s: 6, -2, -3"]));

  it("stay apart where elements choose their place", () =>
    expect(
      axesIn(`graph f(%x: f32[20, 14, 14], %a: i32[20]) -> (%s) {
  %s: f32[4, 14, 14] = for m<4, i<14, j<14. sum n<20 at m = %a[n]. %x[n, i, j]
}`),
    ).toEqual(["s: 4 196, 20"]));
});
