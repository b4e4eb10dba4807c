/** Loads before stores, in straight lines. */
import { expect, it } from "vitest";
import { add, constant, integer, invocation, load, local } from "../../src/codegen/build.ts";
import { runKernel } from "../../src/codegen/interpret.ts";
import type { Kernel, Statement } from "../../src/codegen/kernel.ts";
import { loadEarly } from "../../src/codegen/load-early.ts";
import { verifyKernel } from "../../src/codegen/verify.ts";
import { floats, kernelOf, storeDevice } from "./row-sum.ts";

const naming = (name: string, array: string): Statement => ({
  kind: "let",
  name,
  value: load("device", array, invocation, "f32"),
});
const storing = (array: string, name: string): Statement =>
  storeDevice(array, invocation, add(local(name, "f32"), constant("f32", 1)));

function kernelWith(body: readonly Statement[]): Kernel {
  const buffers = ["x", "y", "z"].map((name) => floats(name, 4, "read_write"));
  return kernelOf({ workgroups: 1, invocations: 4, buffers, body });
}

const orderOf = ({ body }: Kernel): string =>
  body
    .map((one) => (one.kind === "let" ? one.name : one.kind === "store" ? one.array.toUpperCase() : "?"))
    .join(" ");

function resultsOf(kernel: Kernel): readonly Float64Array[] {
  const buffers = [1, 2, 3].map((n) => Float64Array.from({ length: 4 }, (_, i) => Math.sin(n * i + n)));
  runKernel(kernel, buffers, { precision: "f64" });
  return buffers;
}

it("loads come before stores of other arrays", () => {
  const kernel = kernelWith([naming("a", "x"), storing("z", "a"), naming("b", "y"), storing("x", "b")]);
  const ordered = loadEarly(kernel);
  expect(orderOf(ordered)).toBe("a b Z X");
  expect(verifyKernel(ordered, { invocations: 256, workgroupBytes: 16384, workgroups: 65535 })).toEqual([]);
  expect(resultsOf(ordered)).toEqual(resultsOf(kernel));
});

it("but not before those of their own", () => {
  const kernel = kernelWith([
    naming("a", "x"),
    storing("y", "a"),
    naming("b", "y"),
    naming("c", "z"),
    storing("x", "b"),
  ]);
  const ordered = loadEarly(kernel);
  expect(orderOf(ordered)).toBe("a c Y b X");
  expect(resultsOf(ordered)).toEqual(resultsOf(kernel));
});

it("and stay in their loop", () => {
  const body = [storing("z", "i"), naming("b", "y"), storing("x", "b")].map((one): Statement =>
    one.kind === "store" && one.array === "z" ? storeDevice("z", invocation, constant("f32", 2)) : one,
  );
  const loop: Statement = { kind: "for", index: "n", from: integer(0), to: integer(2), step: 1, body };
  const ordered = loadEarly(kernelWith([loop]));
  expect(ordered.body).toHaveLength(1);
  expect(orderOf({ ...ordered, body: (ordered.body[0] as Statement & { kind: "for" }).body })).toBe("b Z X");
});
