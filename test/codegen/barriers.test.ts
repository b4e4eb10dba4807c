/** Barriers that nothing needs are left out, and no other. */
import { describe, expect, it } from "vitest";
import { dropBarriers } from "../../src/codegen/barriers.ts";
import { constant, integer, invocation, load, sub } from "../../src/codegen/build.ts";
import { runKernel } from "../../src/codegen/interpret.ts";
import type { Kernel, Statement } from "../../src/codegen/kernel.ts";
import { floats, kernelOf, loop, storeDevice } from "./row-sum.ts";

const barrier: Statement = { kind: "barrier" };
const shared = (array: string): Statement => ({
  kind: "store",
  space: "workgroup",
  array,
  index: invocation,
  value: constant("f32", 2),
});
/** What another invocation has stored. */
const across = (array: string): Statement =>
  storeDevice("y", invocation, load("workgroup", array, sub(integer(3), invocation), "f32"));

const of = (...body: Statement[]): Kernel =>
  kernelOf({
    workgroups: 1,
    invocations: 4,
    buffers: [floats("y", 4, "write")],
    workgroupArrays: ["a", "b"].map((name) => ({ name, type: "f32", length: 4 })),
    body,
  });

const barriersIn = (kernel: Kernel): number =>
  dropBarriers(kernel).body.filter(({ kind }) => kind === "barrier").length;

describe("a barrier", () => {
  it("stays where what was stored is read by others", () => {
    const kernel = of(shared("a"), barrier, across("a"));
    expect(barriersIn(kernel)).toBe(1);
    const y = new Float64Array(4);
    runKernel(dropBarriers(kernel), [y], { random: Math.random });
    expect([...y]).toEqual([2, 2, 2, 2]);
  });

  it("goes where what follows touches something else", () => {
    expect(barriersIn(of(shared("a"), barrier, storeDevice("y", invocation, constant("f32", 1))))).toBe(0);
  });

  it("of two stays the one that a later reader needs", () => {
    const body = [shared("a"), barrier, shared("b"), barrier, across("a")];
    expect(barriersIn(of(...body))).toBe(1);
    expect(dropBarriers(of(...body)).body.map(({ kind }) => kind)).toEqual([
      "store",
      "store",
      "barrier",
      "store",
    ]);
  });

  it("stays before what is read is stored again", () => {
    expect(barriersIn(of(shared("a"), barrier, across("a"), barrier, shared("a")))).toBe(2);
  });

  it("in a loop is left alone, and all others with it", () => {
    const inner = loop("k", integer(0), integer(2), [barrier]);
    expect(barriersIn(of(inner, barrier, storeDevice("y", invocation, constant("f32", 1))))).toBe(1);
  });
});
