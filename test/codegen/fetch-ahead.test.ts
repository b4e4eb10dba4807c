/** What a region reads after a barrier, fetched before its first phase. */
import { describe, expect, it } from "vitest";
import {
  add,
  apply,
  constant,
  integer,
  invocation,
  load,
  local,
  minimum,
  mul,
  quotient,
  workgroup,
} from "../../src/codegen/build.ts";
import { fetchAhead } from "../../src/codegen/fetch-ahead.ts";
import { runKernel } from "../../src/codegen/interpret.ts";
import type { Kernel, KernelExpr, Statement } from "../../src/codegen/kernel.ts";
import { printKernel } from "../../src/codegen/print.ts";
import { verifyKernel } from "../../src/codegen/verify.ts";
import { printWgsl } from "../../src/codegen/wgsl.ts";
import { bindAlone } from "./device.ts";
import { floats, kernelOf, loop, storeDevice } from "./row-sum.ts";

const [workgroups, invocations, columns] = [3, 4, 40];
const region = invocations * columns;

interface Reading {
  /** Where invocation `invocation` reads in turn `k`. */
  readonly at: (k: KernelExpr) => KernelExpr;
  readonly length?: number;
  /** Is it also read before the barrier? */
  readonly isEarly?: boolean;
  readonly rounds?: number;
}

/** Where a workgroup reads a row for each of its invocations. */
const rows = (k: KernelExpr): KernelExpr =>
  add(add(mul(workgroup, integer(region)), mul(invocation, integer(columns))), k);

/** A region that stores something, waits, and then sums up what its invocations read, in so many rounds. */
function summing({ at, length = workgroups * region, isEarly = false, rounds = 8 }: Reading): Kernel {
  const total = local("total", "f32");
  const read = load("device", "x", at(local("k", "i32")), "f32");
  const early = isEarly ? load("device", "x", invocation, "f32") : constant("f32", 2);
  const adding: Statement = { kind: "assign", name: "total", value: apply("add", total, read) };
  const own = add(mul(workgroup, integer(invocations)), invocation);
  return kernelOf({
    workgroups,
    invocations,
    buffers: [floats("x", length, "read"), floats("y", workgroups * invocations, "write")],
    workgroupArrays: ["first", "last"].map((name) => ({ name, type: "f32", length: invocations })),
    body: [
      { kind: "store", space: "workgroup", array: "first", index: invocation, value: early },
      { kind: "barrier" },
      { kind: "var", name: "total", type: "f32", init: load("workgroup", "first", integer(0), "f32") },
      loop("round", integer(0), integer(rounds), [loop("k", integer(0), integer(columns), [adding])]),
      { kind: "store", space: "workgroup", array: "last", index: invocation, value: total },
      { kind: "barrier" },
      storeDevice("y", own, load("workgroup", "last", invocation, "f32")),
    ],
  });
}

function withFetches(kernel: Kernel): Kernel {
  return { ...kernel, keepsLoops: true, body: [...fetchAhead(kernel), ...kernel.body] };
}

describe("fetching ahead", () => {
  it("loads an element of each line before the first phase, and changes no result", () => {
    const plain = summing({ at: rows });
    const kernel = withFetches(plain);
    expect(verifyKernel(kernel)).toEqual([]);
    expect(printKernel(kernel).split("\n").slice(1, 9).join("\n")).toMatchInlineSnapshot(`
      "  workgroup first: f32[4]
        workgroup last: f32[4]
        var fetched: f32 = 0.0
        for line = 0 .. 10 step 4 {
          fetched = fetched + device x[workgroup * 160 + min(line + invocation, 9) * 16]
        }
        if fetched == 0.0 and zero != 0 {
          workgroup last[0] = fetched"
    `);
    const x = Float64Array.from({ length: workgroups * region }, (_, i) => Math.sin(i));
    const results = [plain, kernel].map((each) => {
      const y = new Float64Array(workgroups * invocations);
      runKernel(each, [x, y]);
      return y;
    });
    expect(results[1]).toEqual(results[0]);
  });

  it("keeps the loads by what the driver can't know", () => {
    const code = printWgsl(bindAlone(withFetches(summing({ at: rows }))));
    expect(code).toContain("let zero = i32(workgroup_id.z);");
    expect(code).toContain("if ((fetched == 0.0) & (!(zero == 0))) {");
  });

  it.each<[string, Reading]>([
    ["what is read before the first barrier", { at: rows, isEarly: true }],
    [
      "more than the cache has room for",
      { at: (k) => add(rows(k), mul(local("round", "i32"), integer(9000))), length: 70_000 },
    ],
    [
      "lines of which little is read",
      { at: (k) => add(workgroup, mul(k, integer(50))), length: 2000, rounds: 2 },
    ],
    ["what may lie outside of the array", { at: rows, length: 400 }],
    [
      "what depends on the workgroup in several ways",
      { at: (k) => minimum(add(rows(k), quotient(mul(workgroup, k), integer(7))), integer(479)) },
    ],
  ])("leaves %s", (_, reading) => {
    expect(fetchAhead(summing(reading))).toEqual([]);
  });
});
