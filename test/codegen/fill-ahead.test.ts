/** What a loop stages in workgroup memory, loaded a turn earlier. */
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
  workgroup,
} from "../../src/codegen/build.ts";
import { fillAhead } from "../../src/codegen/fill-ahead.ts";
import { runKernel } from "../../src/codegen/interpret.ts";
import type { Kernel, KernelExpr, Statement } from "../../src/codegen/kernel.ts";
import { printKernel } from "../../src/codegen/print.ts";
import { defaultLimits, verifyKernel } from "../../src/codegen/verify.ts";
import { floats, kernelOf, loop, storeDevice, storeWorkgroup } from "./row-sum.ts";

const [invocations, turns] = [4, 20];

interface Slab {
  /** What is stored to the tile. */
  readonly value?: KernelExpr;
  /** What is worked out of it before it is stored. */
  readonly filled?: KernelExpr;
  /** What is added of the tile. */
  readonly added?: KernelExpr;
  readonly to?: number;
}

const k = local("k", "i32");
const a = local("a", "f32");
const inTile = load("workgroup", "tile", apply("sub", integer(invocations - 1), invocation), "f32");

/** Workgroups that go through a row, an element for each invocation at a time, which they read from one another. */
function staging({ value = a, filled, added = inTile, to = turns }: Slab): Kernel {
  const total = local("total", "f32");
  const sum: Statement = { kind: "assign", name: "total", value: apply("add", total, added) };
  const at = add(apply("mul", workgroup, integer(turns)), add(k, invocation));
  return kernelOf({
    buffers: [floats("x", 2 * turns, "read"), floats("y", 2 * invocations, "write")],
    workgroupArrays: [{ name: "tile", type: "f32", length: invocations }],
    body: [
      { kind: "var", name: "total", type: "f32", init: constant("f32", 0) },
      loop(
        "k",
        integer(0),
        integer(to),
        [
          { kind: "let", name: "a", value: load("device", "x", at, "f32") },
          { kind: "let", name: "b", value: filled ?? a },
          storeWorkgroup("tile", invocation, filled === undefined ? value : local("b", "f32")),
          { kind: "barrier" },
          sum,
          { kind: "barrier" },
        ],
        invocations,
      ),
      storeDevice("y", add(apply("mul", workgroup, integer(invocations)), invocation), total),
    ],
  });
}

function results(kernel: Kernel): unknown {
  expect(verifyKernel(kernel, defaultLimits)).toEqual([]);
  const x = Float64Array.from({ length: 2 * turns }, (_, i) => Math.sin(i));
  const y = new Float64Array(2 * invocations);
  runKernel(kernel, [x, y]);
  return y;
}

describe("what a loop stages", () => {
  it("is loaded a turn earlier, the last once more, and the sums are the same", () => {
    const kernel = staging({});
    const ahead = fillAhead(kernel);
    expect(printKernel(ahead)).toMatchInlineSnapshot(`
      "kernel k<workgroups 2, invocations 4>(read x: f32[40], write y: f32[8]) {
        workgroup tile: f32[4]
        var total: f32 = 0.0
        let a_1 = device x[workgroup * 20 + (0 + invocation)]
        let b_1 = a_1
        var a_ahead: f32 = a_1
        for k = 0 .. 20 step 4 {
          workgroup tile[invocation] = a_ahead
          barrier
          let k_next = min(k + 4, 16)
          let a_2 = device x[workgroup * 20 + (k_next + invocation)]
          let b_2 = a_2
          total = total + workgroup tile[3 - invocation]
          a_ahead = a_2
          barrier
        }
        device y[workgroup * 4 + invocation] = total
      }
      "
    `);
    expect(results(ahead)).toEqual(results(kernel));
  });

  it("with what is worked out of it", () => {
    const kernel = staging({ value: apply("mul", a, a) });
    const ahead = fillAhead(kernel);
    expect(ahead).not.toBe(kernel);
    expect(results(ahead)).toEqual(results(kernel));
  });

  it("is loaded in its turn where there is one turn, or it is read beside the tile, or depends on the turn or on sums", () => {
    for (const slab of [
      { to: invocations },
      { added: apply("add", inTile, a) },
      { value: apply("mul", a, cast("f32", k)) },
      { filled: apply("mul", a, local("total", "f32")) },
    ] as readonly Slab[]) {
      const kernel = staging(slab);
      expect(fillAhead(kernel)).toBe(kernel);
    }
  });
});
