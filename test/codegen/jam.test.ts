/** Loops over the same turns as one loop. */
import { describe, expect, it } from "vitest";
import {
  add,
  apply,
  constant,
  integer,
  invocation,
  less,
  load,
  local,
  mul,
} from "../../src/codegen/build.ts";
import { runKernel } from "../../src/codegen/interpret.ts";
import { jamLoops } from "../../src/codegen/jam.ts";
import type { Kernel, KernelExpr, Statement } from "../../src/codegen/kernel.ts";
import { verifyKernel } from "../../src/codegen/verify.ts";
import { floats, kernelOf, loop, storeDevice, when } from "./row-sum.ts";

const [invocations, columns] = [4, 6];

/** `total = total + factor * factor` for each column of the invocation's row of an array. */
function summing(total: string, index: string, array: string, factor: KernelExpr | null = null): Statement[] {
  const own = load("device", array, add(mul(invocation, integer(columns)), local(index, "i32")), "f32");
  const element: Statement = { kind: "let", name: `${total}_one`, value: own };
  const one = local(`${total}_one`, "f32");
  const value = apply("add", local(total, "f32"), apply("mul", one, factor ?? one));
  return [
    { kind: "var", name: total, type: "f32", init: constant("f32", 0) },
    loop(index, integer(0), integer(columns), [element, { kind: "assign", name: total, value }]),
  ];
}

/** So many sums over one array in one loop. */
function manySums(total: string, index: string, array: string, count: number): Statement[] {
  const names = Array.from({ length: count }, (_, n) => `${total}${n}`);
  const [first, ...rest] = names.map((name) => summing(name, index, array));
  const [start, body] = first as [Statement, Statement & { kind: "for" }];
  const inside = rest.flatMap(([, other]) => (other as Statement & { kind: "for" }).body);
  return [start, ...rest.map(([own]) => own!), { ...body, body: [...body.body, ...inside] }];
}

/** Two sums over an array, the first stored by some invocations before the second begins. */
function twoSums(second: { readonly array?: string; readonly factor?: KernelExpr } = {}): Kernel {
  const { array = "x", factor = constant("f32", 3) } = second;
  return kernelOf({
    workgroups: 1,
    invocations,
    buffers: [
      floats("x", invocations * columns, "read"),
      floats("y", invocations * columns, "read_write"),
      floats("z", invocations, "write"),
    ],
    body: [
      ...summing("a", "k", "x"),
      when(
        less(invocation, integer(3)),
        storeDevice("y", mul(invocation, integer(columns)), local("a", "f32")),
      ),
      ...summing("b", "l", array, factor),
      storeDevice("z", invocation, local("b", "f32")),
    ],
  });
}

const loops = ({ body }: Kernel): number => body.filter(({ kind }) => kind === "for").length;

function resultsOf(kernel: Kernel): readonly Float64Array[] {
  const x = Float64Array.from({ length: invocations * columns }, (_, i) => Math.cos(i));
  const [y, z] = [x.map((value) => 2 * value), new Float64Array(invocations)];
  runKernel(kernel, [x, y, z], { precision: "f64" });
  return [y, z];
}

describe("loops over the same turns", () => {
  it("become one, which loads once, before what is stored between them", () => {
    const jammed = jamLoops(twoSums());
    expect(verifyKernel(jammed)).toEqual([]);
    expect(jammed.body.map(({ kind }) => kind)).toEqual(["var", "var", "for", "if", "store"]);
    const one = jammed.body.find((statement) => statement.kind === "for");
    expect(one!.body.filter(({ kind }) => kind === "let")).toHaveLength(1);
    expect(resultsOf(jammed)).toEqual(resultsOf(twoSums()));
  });

  it.each([
    ["where the second reads what is stored between", { array: "y" }],
    ["where the second needs what the first makes", { factor: local("a", "f32") }],
  ])("stay apart %s", (_, second) => {
    const kernel = twoSums(second);
    expect(loops(jamLoops(kernel))).toBe(2);
  });

  it.each([
    ["become one where they have few sums, whatever they load", 4, "y", 1],
    ["become one where they have many sums and load the same", 20, "x", 1],
    ["stay apart where they have many sums and nothing in common", 20, "y", 2],
  ])("%s", (_, sums, array, expected) => {
    const kernel = kernelOf({
      workgroups: 1,
      invocations,
      buffers: [
        floats("x", invocations * columns, "read"),
        floats("y", invocations * columns, "read"),
        floats("z", invocations, "write"),
      ],
      body: [
        ...manySums("a", "k", "x", sums),
        ...manySums("b", "l", array, sums),
        storeDevice("z", invocation, apply("add", local("a0", "f32"), local("b1", "f32"))),
      ],
    });
    const jammed = jamLoops(kernel);
    expect(verifyKernel(jammed)).toEqual([]);
    expect(loops(jammed)).toBe(expected);
  });
});
