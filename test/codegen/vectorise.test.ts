/** Loads and stores of four elements as one, and where that must not be. */
import { describe, expect, it } from "vitest";
import { add, apply, constant, integer, invocation, load, local, mul } from "../../src/codegen/build.ts";
import { runKernel } from "../../src/codegen/interpret.ts";
import type { Kernel, KernelExpr, SharedSpace, Statement } from "../../src/codegen/kernel.ts";
import { printKernel } from "../../src/codegen/print.ts";
import { vectorise } from "../../src/codegen/vectorise.ts";
import { verifyKernel } from "../../src/codegen/verify.ts";
import { printWgsl } from "../../src/codegen/wgsl.ts";
import { bindAlone, openDevice, problemsOf } from "./device.ts";
import { barrier, floats, kernelOf, loop, storeDevice } from "./row-sum.ts";

const base = mul(invocation, integer(4));
const letOf = (name: string, value: KernelExpr): Statement => ({ kind: "let", name, value });
const element = (array: string, n: number): KernelExpr =>
  load("device", array, add(local("at", "i32"), integer(n)), "f32");
const named = (name: string): KernelExpr => local(name, "f32");
const quarters = ["a", "b", "c", "d"] as const;

/** `at = 4 * invocation`; y[at + n] = 2 * x[at + n] for four n. */
function doubled(at: KernelExpr, between: readonly Statement[] = [], length = 16): Kernel {
  return kernelOf({
    workgroups: 1,
    buffers: [floats("x", length, "read_write"), floats("y", length, "read_write")],
    body: [
      letOf("at", at),
      letOf("a", element("x", 0)),
      ...between,
      ...quarters.slice(1).map((name, n) => letOf(name, element("x", n + 1))),
      ...quarters.map((name, n) =>
        storeDevice("y", add(local("at", "i32"), integer(n)), apply("mul", constant("f32", 2), named(name))),
      ),
    ],
  });
}

const fours = (kernel: Kernel): readonly string[] =>
  printKernel(vectorise(kernel))
    .split("\n")
    .filter((line) => line.includes(".."))
    .map((line) => line.trim());

describe("four elements side by side", () => {
  it("are loaded and stored at once", () => {
    expect(fours(doubled(base))).toEqual([
      "let (a, b, c, d) = device x[at ..]",
      "device y[at ..] = (2.0 * a, 2.0 * b, 2.0 * c, 2.0 * d)",
    ]);
  });

  it("give what they gave one by one, and are valid", async () => {
    const kernel = vectorise(doubled(base));
    expect(verifyKernel(kernel)).toEqual([]);
    const x = Float64Array.from({ length: 16 }, (_, i) => i - 3);
    const y = new Float64Array(16);
    runKernel(kernel, [x, y]);
    expect([...y]).toEqual([...x].map((v) => 2 * v));
    const bound = bindAlone(kernel);
    const text = printWgsl(bound);
    expect(text).toContain("var<storage, read_write> x: array<vec4<f32>>;");
    expect(text).toContain("let t0 = x[at >> 2u];");
    expect(await problemsOf(await openDevice("null"), bound)).toEqual([]);
  });

  it("are left where they do not begin at a multiple of four", () => {
    expect(fours(doubled(add(base, integer(2))))).toEqual([]);
    expect(fours(doubled(mul(invocation, integer(2))))).toEqual([]);
  });

  it("are left where the array is no multiple of four long", () => {
    expect(fours(doubled(base, [], 18))).toEqual([]);
  });

  it("are left where something between them may change one", () => {
    const store = storeDevice("x", add(local("at", "i32"), integer(1)), constant("f32", 0));
    expect(fours(doubled(base, [store])).filter((line) => line.startsWith("let"))).toEqual([]);
    expect(fours(doubled(base, [barrier])).filter((line) => line.startsWith("let"))).toEqual([]);
  });

  describe("stored in turn with others of the same array", () => {
    const inTurn = (other: KernelExpr): Kernel =>
      kernelOf({
        workgroups: 1,
        buffers: [floats("y", 32, "write")],
        body: [
          letOf("at", base),
          ...[0, 1, 2, 3].flatMap((n) => [
            storeDevice("y", add(local("at", "i32"), integer(n)), constant("f32", n)),
            storeDevice("y", add(other, integer(n)), constant("f32", -n)),
          ]),
        ],
      });

    it("are stored at once where those are known to lie elsewhere", () =>
      expect(fours(inTurn(add(local("at", "i32"), integer(16))))).toEqual([
        "device y[at ..] = (0.0, 1.0, 2.0, 3.0)",
        "device y[at + 16 ..] = (-0.0, -1.0, -2.0, -3.0)",
      ]));

    it("are left where those may lie at the same place", () => {
      expect(fours(inTurn(mul(invocation, integer(8))))).toEqual([]);
    });

    it("are followed by those that store to the same place later", () => {
      const torn = { ...inTurn(add(local("at", "i32"), integer(2))), invocations: 1 };
      // A device may write the whole vector for an element of it.
      expect(fours(torn)).toEqual([]);
      const kernel = { ...torn, storesElements: true };
      const [one, four] = [kernel, vectorise(kernel)].map((each) => {
        const y = new Float64Array(32);
        runKernel(each, [y]);
        return [...y];
      });
      expect(fours(kernel)).toEqual(["device y[at ..] = (0.0, 1.0, -0.0, -1.0)"]);
      expect(four).toEqual(one);
    });
  });

  it("know what divides the turn of a loop", () => {
    const body = [
      letOf("at", add(local("k", "i32"), mul(invocation, integer(8)))),
      ...quarters.map((name, n) => letOf(name, element("x", n))),
      storeDevice(
        "y",
        invocation,
        quarters.map(named).reduce((sum, e) => apply("add", sum, e)),
      ),
    ];
    const of = (step: number): Kernel =>
      kernelOf({
        workgroups: 1,
        buffers: [floats("x", 32, "read"), floats("y", 4, "write")],
        body: [{ ...loop("k", integer(0), integer(8), body), step } as Statement],
      });
    expect(fours(of(4)).filter((line) => line.startsWith("let"))).toHaveLength(1);
    expect(fours(of(2)).filter((line) => line.startsWith("let"))).toHaveLength(0);
  });

  it("are not made of workgroup arrays that are mostly reached by single elements, but of device arrays", () => {
    const kernel = (space: SharedSpace, body: readonly Statement[]): Kernel =>
      kernelOf({
        workgroups: 1,
        buffers: [...(space === "device" ? [floats("x", 16, "read")] : []), floats("y", 16, "read_write")],
        workgroupArrays: space === "workgroup" ? [{ name: "x", type: "f32", length: 16 }] : [],
        body: [
          ...quarters.map((name, n) => letOf(name, load(space, "x", add(base, integer(n)), "f32"))),
          storeDevice(
            "y",
            invocation,
            quarters.map(named).reduce((sum, e) => apply("add", sum, e)),
          ),
          ...body,
        ],
      });
    const many = (space: SharedSpace): Statement =>
      loop("k", integer(0), integer(16), [
        storeDevice("y", invocation, load(space, "x", local("k", "i32"), "f32")),
      ]);
    const foursOf = (space: SharedSpace, ...body: readonly Statement[]): number =>
      printKernel(vectorise(kernel(space, body), new Set(["x"])))
        .split("\n")
        .filter((line) => line.includes(`${space} x[`) && line.includes("..")).length;
    expect(foursOf("device", many("device"))).toBe(1);
    expect(foursOf("workgroup")).toBe(1);
    expect(foursOf("workgroup", many("workgroup"))).toBe(0);
  });
});
