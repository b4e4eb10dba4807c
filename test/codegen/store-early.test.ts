/** Stores as early as their values are there, in straight lines. */
import { describe, expect, it } from "vitest";
import {
  add,
  apply,
  constant,
  integer,
  invocation,
  load,
  local,
  mul,
  select,
} from "../../src/codegen/build.ts";
import { runKernel } from "../../src/codegen/interpret.ts";
import type { Kernel, KernelExpr, Statement } from "../../src/codegen/kernel.ts";
import { printKernel } from "../../src/codegen/print.ts";
import { storeEarly } from "../../src/codegen/store-early.ts";
import { verifyKernel } from "../../src/codegen/verify.ts";
import { randomSource } from "../programs/random-source.ts";
import { floats, kernelOf, storeDevice, when } from "./row-sum.ts";

const [invocations, columns] = [4, 6];
const length = invocations * columns;

const place = (n: number): KernelExpr => add(mul(invocation, integer(columns)), integer(n));
const naming = (name: string, value: KernelExpr): Statement => ({ kind: "let", name, value });

function kernelWith(body: readonly Statement[]): Kernel {
  return kernelOf({
    workgroups: 1,
    invocations,
    buffers: ["x", "y", "z"].map((name) => floats(name, length, "read_write")),
    body,
  });
}

function resultsOf(kernel: Kernel): readonly Float64Array[] {
  const buffers = [1, 2, 3].map((n) => Float64Array.from({ length }, (_, i) => Math.sin(n * i + n)));
  runKernel(kernel, buffers, { precision: "f64" });
  return buffers;
}

/** The names of what is defined, and the arrays that are stored to, in order. */
const orderOf = ({ body }: Kernel): string =>
  body
    .map((statement) =>
      statement.kind === "let"
        ? statement.name
        : statement.kind === "store"
          ? statement.array.toUpperCase()
          : "?",
    )
    .join(" ");

describe("straight lines", () => {
  it("store what is there before they work out more", () => {
    const kernel = kernelWith([
      naming("a", apply("exp", load("device", "x", place(0), "f32"))),
      naming("b", apply("exp", load("device", "x", place(1), "f32"))),
      naming("c", apply("exp", local("b", "f32"))),
      storeDevice("y", place(0), local("a", "f32")),
      storeDevice("y", place(1), local("c", "f32")),
      storeDevice("z", place(0), apply("mul", local("a", "f32"), local("a", "f32"))),
      storeDevice("z", place(1), local("b", "f32")),
    ]);
    const early = storeEarly(kernel);
    expect(verifyKernel(early)).toEqual([]);
    expect(orderOf(early)).toBe("a Y Z b c Y Z");
    expect(resultsOf(early)).toEqual(resultsOf(kernel));
  });

  it("load from an array before it is stored to, and after", () => {
    const kernel = kernelWith([
      naming("a", load("device", "x", place(0), "f32")),
      naming("b", load("device", "x", place(1), "f32")),
      storeDevice("x", place(1), local("a", "f32")),
      naming("c", load("device", "x", place(1), "f32")),
      storeDevice("y", place(0), local("c", "f32")),
      storeDevice("z", place(0), local("b", "f32")),
    ]);
    const early = storeEarly(kernel);
    expect(orderOf(early)).toBe("a b X Z c Y");
    expect(resultsOf(early)).toEqual(resultsOf(kernel));
  });

  it("end at whatever is neither a name nor a store", () => {
    const total = local("total", "f32");
    const kernel = kernelWith([
      { kind: "var", name: "total", type: "f32", init: constant("f32", 1) },
      naming("a", apply("add", total, constant("f32", 1))),
      { kind: "assign", name: "total", value: local("a", "f32") },
      naming("b", apply("mul", total, constant("f32", 3))),
      storeDevice("y", place(0), total),
      storeDevice("z", place(0), local("b", "f32")),
    ]);
    const early = storeEarly(kernel);
    expect(early.body.map(({ kind }) => kind)).toEqual(["var", "let", "assign", "store", "let", "store"]);
    expect(resultsOf(early)).toEqual(resultsOf(kernel));
  });

  it.each(Array.from({ length: 40 }, (_, seed) => seed))("change no result, random %i", (seed) => {
    const { next } = randomSource(seed);
    const below = (n: number): number => Math.floor(next() * n);
    const arrays = ["x", "y", "z"];
    const names: string[] = [];
    const anyValue = (): KernelExpr =>
      names.length === 0 || next() < 0.2
        ? constant("f32", below(9))
        : local(names[below(names.length)]!, "f32");
    const anyStore = (): Statement => storeDevice(arrays[below(3)]!, place(below(columns)), anyValue());
    const body = Array.from({ length: 30 }, (_, n): Statement => {
      const kind = next();
      if (kind < 0.3) return anyStore();
      if (kind < 0.4) return when(apply("lt", anyValue(), constant("f32", 4)), anyStore(), anyStore());
      const value =
        kind < 0.7
          ? load("device", arrays[below(3)]!, place(below(columns)), "f32")
          : select(apply("lt", anyValue(), anyValue()), anyValue(), apply("add", anyValue(), anyValue()));
      const statement = naming(`v${n}`, value);
      names.push(`v${n}`);
      return statement;
    });
    const kernel = kernelWith(body);
    const early = storeEarly(kernel);
    expect(verifyKernel(early)).toEqual([]);
    expect(early.body).toHaveLength(body.length);
    expect(resultsOf(early), printKernel(early)).toEqual(resultsOf(kernel));
  });
});
