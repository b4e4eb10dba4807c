/** Loops in loops as one. */
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
} from "../../src/codegen/build.ts";
import { runKernel } from "../../src/codegen/interpret.ts";
import type { Kernel, KernelExpr, Statement } from "../../src/codegen/kernel.ts";
import { mergeLoops } from "../../src/codegen/merge-loops.ts";
import { printKernel } from "../../src/codegen/print.ts";
import { verifyKernel } from "../../src/codegen/verify.ts";
import { randomSource } from "../programs/random-source.ts";
import { floats, kernelOf, loop, storeDevice } from "./row-sum.ts";

const [rows, columns, invocations, length] = [3, 5, 4, 200];
const [i, j, s] = [local("i", "i32"), local("j", "i32"), local("s", "f32")];
const at = (name: string): KernelExpr => local(name, "i32");
const naming = (name: string, value: KernelExpr): Statement => ({ kind: "let", name, value });
const element = (index: KernelExpr): KernelExpr =>
  load("device", "x", apply("remainder", index, integer(length)), "f32");
const adding = (value: KernelExpr): Statement => ({
  kind: "assign",
  name: "s",
  // The order of the terms shows.
  value: apply("add", apply("mul", s, constant("f32", 0.5)), value),
});

/** A sum over both loops, stored. */
function kernelWith(named: readonly Statement[], body: readonly Statement[], step = 1): Kernel {
  return kernelOf({
    workgroups: 1,
    invocations,
    buffers: [floats("x", length, "read"), floats("y", invocations, "write")],
    body: [
      { kind: "var", name: "s", type: "f32", init: constant("f32", 0) },
      loop("i", integer(0), integer(rows), [
        ...named,
        loop("j", integer(0), integer(columns - (columns % step)), body, step),
      ]),
      storeDevice("y", invocation, s),
    ],
  });
}

function resultOf(kernel: Kernel): Float64Array {
  const x = Float64Array.from({ length }, (_, n) => Math.sin(n + 1));
  const y = new Float64Array(invocations);
  runKernel(kernel, [x, y], { precision: "f64" });
  return y;
}

const loopsIn = (kernel: Kernel): number => printKernel(kernel).match(/\bfor\b/g)?.length ?? 0;

const rowAt = naming("p", add(mul(i, integer(columns * 7)), invocation));

describe("a loop in a loop", () => {
  it.each([
    ["over rows that follow one another", [rowAt], [adding(element(add(at("p"), mul(j, integer(7)))))]],
    ["over the same row again and again", [], [adding(element(invocation))]],
    [
      "of which something else is named, but not used",
      [rowAt, naming("q", mul(i, integer(2)))],
      [adding(element(add(at("p"), mul(j, integer(7)))))],
    ],
    [
      "that divides the turn of both",
      [],
      [adding(element(apply("quotient", add(mul(i, integer(columns)), j), integer(4))))],
    ],
  ])("is one, %s", (_, named, body) => {
    const kernel = kernelWith(named, body);
    expect(verifyKernel(kernel)).toEqual([]);
    const merged = mergeLoops(kernel);
    expect(verifyKernel(merged)).toEqual([]);
    expect(loopsIn(merged)).toBe(1);
    expect(resultOf(merged)).toEqual(resultOf(kernel));
  });

  it.each([
    [
      "over rows with gaps between them",
      [naming("p", mul(i, integer(8)))],
      [adding(element(add(at("p"), j)))],
    ],
    ["that reads a row's own element", [rowAt], [adding(element(at("p")))]],
    ["that counts rows", [], [adding(cast("f32", i))]],
    [
      "that names what is summed up so far",
      [naming("t", apply("mul", s, constant("f32", 2)))],
      [adding(apply("add", local("t", "f32"), element(add(mul(i, integer(columns)), j))))],
    ],
    ["that loads something for a row", [naming("r", element(i))], [adding(local("r", "f32"))]],
    [
      "that takes the remainder of a row's turn",
      [],
      [adding(element(add(apply("remainder", mul(i, integer(columns)), integer(3)), j)))],
    ],
    ["that stores", [], [storeDevice("y", invocation, element(add(mul(i, integer(columns)), j)))]],
  ])("stays as it is, %s", (_, named, body) => {
    const kernel = kernelWith(named, body);
    expect(verifyKernel(kernel)).toEqual([]);
    expect(mergeLoops(kernel)).toBe(kernel);
  });

  it("of several turns at a time is one where these leave none over", () => {
    const body = [adding(element(add(mul(i, integer(columns)), j)))];
    expect(mergeLoops(kernelWith([], body, 2))).toEqual(kernelWith([], body, 2));
    const kernel = kernelWith([], [adding(element(add(mul(i, integer(columns)), j)))], columns);
    expect(loopsIn(mergeLoops(kernel))).toBe(1);
    expect(resultOf(mergeLoops(kernel))).toEqual(resultOf(kernel));
  });

  it("gives the same, whatever it does", () => {
    let merges = 0;
    for (let seed = 0; seed < 300; seed++) {
      const { next } = randomSource(seed);
      const below = (n: number): number => Math.floor(next() * n);
      const named = ["i", "j"];
      // Mostly rows of the right length, so that there is something to merge.
      const factor = (): number => (next() < 0.2 ? below(4) : columns);
      const anyInteger = (): KernelExpr => {
        const kind = next();
        if (kind < 0.5) return add(mul(i, integer(factor())), j);
        if (kind < 0.6) return apply("remainder", at(named[below(named.length)]!), integer(1 + below(6)));
        if (kind < 0.7) return mul(at(named[below(named.length)]!), integer(below(3)));
        if (kind < 0.8) return invocation;
        return at(named[below(named.length)]!);
      };
      const body = Array.from({ length: 1 + below(4) }, (_, n): Statement => {
        if (next() < 0.6) return adding(element(anyInteger()));
        const statement = naming(`v${n}`, add(anyInteger(), integer(below(3))));
        named.push(`v${n}`);
        return statement;
      });
      const kernel = kernelWith([naming("p", add(mul(i, integer(factor())), invocation))], body);
      expect(verifyKernel(kernel)).toEqual([]);
      const merged = mergeLoops(kernel);
      if (merged === kernel) continue;
      merges += 1;
      expect(verifyKernel(merged)).toEqual([]);
      expect(resultOf(merged), printKernel(kernel)).toEqual(resultOf(kernel));
    }
    expect(merges).toBeGreaterThan(50);
  });
});
