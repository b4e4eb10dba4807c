/** The kernels of the micro-benchmarks do what they count, and their numbers are kept and read back. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runKernel } from "../../src/codegen/interpret.ts";
import type { Kernel } from "../../src/codegen/kernel.ts";
import { verifyKernel } from "../../src/codegen/verify.ts";
import { portableKernelTarget } from "../../src/kernel-text.ts";
import {
  barrierKernel,
  copyKernel,
  emptyKernel,
  fmaKernel,
  loadKernel,
  tableLength,
} from "../../src/runtime/ceiling-kernels.ts";
import { ceilingNames, type Ceilings } from "../../src/runtime/ceilings.ts";
import { kernelsFor, measureCeilings } from "../../src/runtime/measure-ceilings.ts";
import { ceilingsOf, keepCeilings } from "../../src/runtime/node-ceilings.ts";
import { inFolder } from "../folder.ts";
import { deviceOfTests } from "./device.ts";

/** What a kernel writes when it reads 0, 1, 2, …; races are faults. */
function written(kernel: Kernel): readonly number[] {
  const buffers = kernel.buffers.map(({ length }) => Float64Array.from({ length }, (_, i) => i));
  runKernel(kernel, buffers);
  return [...buffers.at(-1)!];
}

const shape = { invocations: 8, workgroups: 2 };
/** The sum of a column of the table, at 8 lanes. */
const column = (lane: number): number => {
  const rows = tableLength / 8;
  return rows * lane + 8 * ((rows * (rows - 1)) / 2);
};

describe("kernels", () => {
  test.each(["hardware", "software"] as const)("for %s are well formed", (kind) => {
    const kernels = Object.values(kernelsFor({ ...portableKernelTarget, kind }));
    for (const { kernel } of kernels) expect(verifyKernel(kernel)).toEqual([]);
    expect(verifyKernel(emptyKernel)).toEqual([]);
  });

  test("a copy copies: 8 bytes an element", () => {
    const { kernel, count } = copyKernel(shape, 4);
    expect(written(kernel)).toEqual(Array.from({ length: 64 }, (_, i) => i));
    expect(count).toBe(512);
  });

  test("multiply-adds go through all chains: two operations each", () => {
    const { kernel, count } = fmaKernel({ invocations: 2, workgroups: 1 }, 3);
    // x is 0, 1: every fma gives 0 · a + 1.
    expect(written(kernel)).toEqual([8, 8]);
    expect(count).toBe(2 * 2 * 8 * 4 * 3);
  });

  test.each(["device", "workgroup"] as const)("loads from %s memory go over the whole table", (space) => {
    const { kernel, count } = loadKernel(space, shape, 3);
    const lanes = Array.from({ length: 8 }, (_, lane) => 3 * column(lane));
    expect(written(kernel)).toEqual([...lanes, ...lanes]);
    expect(count).toBe(3 * tableLength * 2);
  });

  test("a workgroup meets as often as is counted", () => {
    const { kernel, count } = barrierKernel(4, 5);
    expect(written(kernel)).toEqual([4, 4, 4, 4]);
    expect(count).toBe(5);
  });
});

describe("measuring", () => {
  const device = deviceOfTests();

  test("gives every number, and keeps no memory", async () => {
    const before = device().memory();
    const now = new Date("2026-11-26T12:00:00Z");
    const found = await measureCeilings(device(), { milliseconds: 1, runs: 1, copyBytes: 2 ** 16, now });
    expect(Object.keys(found).sort()).toEqual([...ceilingNames, "measuredOn"].sort());
    for (const name of ceilingNames) expect(found[name]).toBeGreaterThan(0);
    expect(found.measuredOn).toBe("2026-11-26T12:00:00.000Z");
    expect(device().memory()).toEqual(before);
  });
});

describe("keeping", () => {
  const adapter = { vendor: "mesa", device: "llvmpipe (LLVM 15)", driver: "Mesa 25.0.7" };
  const numbers = Object.fromEntries(ceilingNames.map((name, i) => [name, i + 0.5]));
  const ceilings = { ...numbers, measuredOn: "2026-11-26T12:00:00.000Z" } as Ceilings;

  test("a file for each adapter and driver, in the user's cache", async () => {
    await inFolder(async (folder) => {
      const environment = { XDG_CACHE_HOME: folder };
      expect(ceilingsOf(adapter, environment)).toBeNull();
      const file = await keepCeilings(adapter, ceilings, environment);
      expect(file).toMatch(/ceilings-llvmpipe-llvm-15-[0-9a-f]{12}\.json$/);
      expect(readdirSync(join(folder, "fecit"))).toHaveLength(1);
      expect(ceilingsOf(adapter, environment)).toEqual(ceilings);
      expect(ceilingsOf({ ...adapter, driver: "Mesa 26" }, environment)).toBeNull();
      await keepCeilings(adapter, { ...ceilings, fmaGflops: 99 }, environment);
      expect(ceilingsOf(adapter, environment)?.fmaGflops).toBe(99);
    });
  });

  test.each<[string, (text: string) => string]>([
    ["is cut short", (text) => text.slice(0, 60)],
    ["is of another version", (text) => text.replace('"format": 1', '"format": 0')],
    ["lacks a number", (text) => text.replace("fmaGflops", "fma")],
    ["has a number that can't be", (text) => text.replace(/"copyGBs": [\d.]+/, '"copyGBs": -1')],
    ["has no date", (text) => text.replace("2026-11-26T12:00:00.000Z", "yesterday")],
    ["is not an object", () => "null"],
  ])("a file that %s is as good as none", async (_, broken) => {
    await inFolder(async (folder) => {
      const environment = { XDG_CACHE_HOME: folder };
      const file = (await keepCeilings(adapter, ceilings, environment))!;
      const text = readFileSync(file, "utf8");
      writeFileSync(file, broken(text));
      expect(readFileSync(file, "utf8")).not.toBe(text);
      expect(ceilingsOf(adapter, environment)).toBeNull();
    });
  });

  test("another place is found where the cache can't be written", async () => {
    const environment = { XDG_CACHE_HOME: "/dev/null" };
    const own = { ...adapter, driver: `test ${process.pid}` };
    const file = await keepCeilings(own, ceilings, environment);
    try {
      expect(ceilingsOf(own, environment)).toEqual(ceilings);
    } finally {
      if (file !== null) rmSync(file);
    }
  });
});
