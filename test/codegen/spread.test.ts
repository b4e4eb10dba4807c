/** Loads that all lanes make alike, made by one lane each. */
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
  workgroup,
} from "../../src/codegen/build.ts";
import { runKernel } from "../../src/codegen/interpret.ts";
import type { Kernel, KernelExpr, Statement } from "../../src/codegen/kernel.ts";
import { printKernel } from "../../src/codegen/print.ts";
import { spreadLoads } from "../../src/codegen/spread.ts";
import { verifyKernel } from "../../src/codegen/verify.ts";
import { printWgsl } from "../../src/codegen/wgsl.ts";
import { bindAlone } from "./device.ts";
import { floats, kernelOf, loop, storeDevice } from "./row-sum.ts";

/** Each lane: the sum over k of x[k] + x[k + stride] + … of `rows` rows, times its number. */
function rowsSummed(rows: number, stride: number, of: KernelExpr = local("k", "i32")): Kernel {
  const total = local("total", "f32");
  const names = Array.from({ length: rows }, (_, r) => `a${r}`);
  const body: Statement[] = [
    ...names.map((name, r): Statement => {
      const at = add(add(of, mul(workgroup, integer(2))), integer(r * stride));
      return { kind: "let", name, value: load("device", "x", at, "f32") };
    }),
    {
      kind: "assign",
      name: "total",
      value: names.reduce<KernelExpr>((sum, name) => apply("add", sum, local(name, "f32")), total),
    },
  ];
  return kernelOf({
    workgroups: 2,
    invocations: 4,
    buffers: [floats("x", 128, "read"), floats("y", 8, "write")],
    body: [
      { kind: "var", name: "total", type: "f32", init: constant("f32", 0) },
      loop("k", integer(0), integer(3), body),
      storeDevice("y", add(mul(workgroup, integer(4)), invocation), total),
    ],
  });
}

const broadcasts = (kernel: Kernel): number => printKernel(kernel).split(" of lane ").length - 1;

function resultOf(kernel: Kernel): number[] {
  const y = new Float64Array(8);
  runKernel(kernel, [Float64Array.from({ length: 128 }, (_, i) => i * i), y], { random: Math.random });
  return [...y];
}

describe("loads that are alike in all lanes", () => {
  it("become a load of each lane and broadcasts, and give the same", () => {
    for (const rows of [4, 6, 8]) {
      const kernel = rowsSummed(rows, 16);
      const spread = spreadLoads(kernel, 4);
      expect(broadcasts(spread)).toBe(rows);
      expect(spread.subgroup).toBe(4);
      expect(verifyKernel(spread)).toEqual([]);
      expect(resultOf(spread)).toEqual(resultOf(kernel));
    }
  });

  it("are left where a workgroup is not one subgroup, or there are few", () => {
    expect(spreadLoads(rowsSummed(8, 16), 8).subgroup).toBeUndefined();
    expect(spreadLoads(rowsSummed(3, 16), 4).subgroup).toBeUndefined();
  });

  it("are left where lanes load different elements", () => {
    expect(spreadLoads(rowsSummed(8, 8, invocation), 4).subgroup).toBeUndefined();
  });

  it("are subgroup operations in WGSL, and lanes are numbered as the subgroup does", () => {
    const text = printWgsl(bindAlone(spreadLoads(rowsSummed(4, 16), 4)));
    expect(text).toContain("enable subgroups;");
    expect(text).toContain("subgroupBroadcast(x_lanes, 3u)");
    expect(text).toContain("@builtin(subgroup_invocation_id)");
  });
});

describe("a broadcast", () => {
  const of = (statement: Statement, subgroup?: number): Kernel =>
    kernelOf({
      buffers: [floats("y", 8, "write")],
      body: [statement],
      ...(subgroup === undefined ? {} : { subgroup }),
    });
  const broadcast: Statement = { kind: "broadcast", name: "b", value: constant("f32", 1), lane: 2 };

  it("needs a subgroup that is the workgroup, and a lane of it", () => {
    expect(verifyKernel(of(broadcast, 4))).toEqual([]);
    expect(verifyKernel(of(broadcast))).toEqual(["let b: a broadcast in a kernel that has no subgroup"]);
    expect(verifyKernel(of({ ...broadcast, lane: 4 }, 4))).toEqual([
      "let b: there is no lane 4 in a subgroup of 4",
    ]);
    expect(verifyKernel(of(broadcast, 8))).toEqual([
      "the kernel has subgroups of 8 and workgroups of 4; a workgroup is one subgroup",
    ]);
  });

  it("stands where a barrier may", () => {
    const alone: Statement = {
      kind: "if",
      condition: apply("lt", invocation, integer(2)),
      then: [broadcast],
      else: [],
    };
    expect(verifyKernel(of(alone, 4))).toEqual([
      "if invocation < 2: a broadcast stands in an if; it stands at the top level, or in loops there whose bounds depend on constants and workgroup alone",
    ]);
  });
});
