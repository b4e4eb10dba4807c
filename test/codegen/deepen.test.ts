/** Loops over many sums, several turns at once. */
import { describe, expect, it } from "vitest";
import {
  add,
  apply,
  cast,
  constant,
  integer,
  invocation,
  load,
  local,
  mul,
  select,
} from "../../src/codegen/build.ts";
import { deepenLoops, groupTerms } from "../../src/codegen/deepen.ts";
import { runKernel } from "../../src/codegen/interpret.ts";
import type { Kernel, KernelExpr, Statement } from "../../src/codegen/kernel.ts";
import { printKernel } from "../../src/codegen/print.ts";
import { vectorise } from "../../src/codegen/vectorise.ts";
import { verifyKernel } from "../../src/codegen/verify.ts";
import { randomSource } from "../programs/random-source.ts";
import { floats, kernelOf, storeDevice } from "./row-sum.ts";

const [invocations, depth, sums] = [4, 12, 16];
const length = 128;
const k = local("k", "i32");
const f = (name: string): KernelExpr => local(name, "f32");
const naming = (name: string, value: KernelExpr): Statement => ({ kind: "let", name, value });
const names = Array.from({ length: sums }, (_, n) => `s${n}`);

/** A loop that changes the sums, and stores of what they are after it. */
function kernelWith(body: readonly Statement[], to = depth): Kernel {
  const place = (n: number): KernelExpr => add(mul(invocation, integer(sums)), integer(n));
  return kernelOf({
    workgroups: 1,
    invocations,
    buffers: [
      floats("x", length, "read"),
      floats("y", length, "read"),
      floats("z", invocations * sums, "write"),
    ],
    body: [
      ...names.map((name): Statement => ({ kind: "var", name, type: "f32", init: constant("f32", 0) })),
      { kind: "for", index: "k", from: integer(0), to: integer(to), step: 1, body },
      ...names.map((name, n) => storeDevice("z", place(n), f(name))),
    ],
  });
}

function resultsOf(kernel: Kernel, precision: "f32" | "f64" = "f32"): Float64Array {
  const inputs = [1, 2].map((n) => Float64Array.from({ length }, (_, i) => Math.fround(Math.sin(n * i + n))));
  const z = new Float64Array(invocations * sums);
  runKernel(kernel, [...inputs, z], { precision });
  return z;
}

/** Sums of x[i, k] times multiples of y[k + 1], as a row of a product. */
function product(to = depth): Kernel {
  return kernelWith(
    [
      naming("at", add(mul(invocation, integer(depth)), k)),
      naming("a", load("device", "x", local("at", "i32"), "f32")),
      naming("b", load("device", "y", add(k, integer(4)), "f32")),
      ...names.map((name, n): Statement => ({
        kind: "assign",
        name,
        value: apply("add", f(name), apply("mul", f("a"), apply("mul", f("b"), constant("f32", n)))),
      })),
    ],
    to,
  );
}

const loopOf = ({ body }: Kernel): Statement & { kind: "for" } =>
  body.find((one) => one.kind === "for") as Statement & { kind: "for" };

describe("a loop over many sums", () => {
  it("takes four turns at once, each sum its four terms one after the other, and loads four at once", () => {
    const kernel = product();
    const deep = groupTerms(vectorise(deepenLoops(kernel, 4)));
    expect(verifyKernel(deep)).toEqual([]);
    const loop = loopOf(deep);
    expect(loop.step).toBe(4);
    expect(loop.body.filter(({ kind }) => kind === "loads")).toHaveLength(2);
    const assigned = loop.body.flatMap((one) => (one.kind === "assign" ? [one.name] : []));
    expect(assigned).toEqual(names.flatMap((name) => [name, name, name, name]));
    for (const precision of ["f32", "f64"] as const)
      expect(resultsOf(deep, precision)).toEqual(resultsOf(kernel, precision));
  });

  it("has a loop of its own for turns that are left over of many", () => {
    const kernel = product(39);
    const deep = groupTerms(deepenLoops(kernel, 4));
    expect(verifyKernel(deep)).toEqual([]);
    const loops = deep.body.flatMap((one) => (one.kind === "for" ? [[one.from, one.to, one.step]] : []));
    expect(loops).toEqual([
      [integer(0), integer(36), 4],
      [integer(36), integer(39), 1],
    ]);
    expect(resultsOf(deep)).toEqual(resultsOf(kernel));
  });

  it.each([
    ["turns that nothing up to four divides", product(11)],
    ["too few turns", product(2)],
    ["a store among them", kernelWith([...loopOf(product()).body, storeDevice("z", invocation, f("a"))])],
    [
      "turns far apart in memory",
      kernelWith(
        loopOf(product()).body.map((one) =>
          one.kind === "let" && one.name === "b"
            ? naming("b", load("device", "y", mul(k, integer(16384)), "f32"))
            : one,
        ),
      ),
    ],
    ["few sums", kernelWith(loopOf(product()).body.slice(0, 10))],
  ])("stays as it is with %s", (_, kernel) => {
    expect(deepenLoops(kernel, 4)).toBe(kernel);
  });

  it.each(Array.from({ length: 40 }, (_, seed) => seed))("gives the same, random %i", (seed) => {
    const { next } = randomSource(seed);
    const below = (n: number): number => Math.floor(next() * n);
    const integers = ["k"];
    const values = [...names];
    const anyInteger = (): KernelExpr => local(integers[below(integers.length)]!, "i32");
    const anyValue = (): KernelExpr =>
      next() < 0.1
        ? cast("f32", anyInteger())
        : next() < 0.2
          ? constant("f32", below(3))
          : f(values[below(values.length)]!);
    const wrapped = (e: KernelExpr): KernelExpr => apply("remainder", e, integer(length));
    let number = 0;
    const anyStatement = (): Statement => {
      const kind = next();
      const name = `v${number++}`;
      if (kind < 0.15) {
        const value =
          next() < 0.7 ? add(anyInteger(), integer(below(5))) : mul(anyInteger(), integer(1 + below(2)));
        const statement = naming(name, value);
        integers.push(name);
        return statement;
      }
      if (kind < 0.4) {
        const at = next() < 0.5 ? wrapped(add(anyInteger(), invocation)) : wrapped(anyInteger());
        const statement = naming(name, load("device", next() < 0.5 ? "x" : "y", at, "f32"));
        values.push(name);
        return statement;
      }
      if (kind < 0.6) {
        const less = apply("lt", anyValue(), anyValue());
        const statement = naming(
          name,
          select(less, anyValue(), apply("mul", anyValue(), constant("f32", 0.5))),
        );
        values.push(name);
        return statement;
      }
      const sum = names[below(sums)]!;
      return {
        kind: "assign",
        name: sum,
        value:
          next() < 0.7
            ? apply("add", f(sum), anyValue())
            : select(apply("lt", f(sum), anyValue()), f(sum), anyValue()),
      };
    };
    const own = names.map((name): Statement => ({
      kind: "assign",
      name,
      value: apply("add", f(name), constant("f32", 1)),
    }));
    const kernel = kernelWith([...own, ...Array.from({ length: 40 }, anyStatement)]);
    expect(verifyKernel(kernel)).toEqual([]);
    const deep = deepenLoops(kernel, 4);
    expect(loopOf(deep).step).toBe(4);
    const grouped = groupTerms(deep);
    expect(verifyKernel(grouped)).toEqual([]);
    expect(loopOf(grouped).body).toHaveLength(loopOf(deep).body.length);
    expect(resultsOf(deep), printKernel(deep)).toEqual(resultsOf(kernel));
    expect(resultsOf(grouped), printKernel(grouped)).toEqual(resultsOf(kernel));
  });
});
