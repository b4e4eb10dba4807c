import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ceilingNames, type Ceilings } from "../../src/runtime/ceilings.ts";
import { openNodeDevice } from "../../src/runtime/node.ts";
import { keepCeilings } from "../../src/runtime/node-ceilings.ts";
import { benchText } from "../../src/cli/bench-table.ts";
import { timesOf } from "../../src/cli/timing.ts";
import { median, quantile } from "../../src/runtime/quantiles.ts";
import { inFolder } from "../folder.ts";
import { fecit, type Outcome } from "./capture.ts";

const program = `
fn scale(x: f32[n], by: f32) -> f32[n] = for i -> by * x[i]
fn normalise(x: f32[b, n]) -> f32[b, n] = for i, j -> x[i, j] / (sum[k] x[i, k] ^ 2)
fn settle(x: f32[n]) -> f32[n] = fold y = x for t: 100 -> for i -> y[i] / (1.0 + sum[k] y[k] ^ 2)
`;

/** The adapter of the tests, as FECIT_DEVICE names it. */
const device = process.env["FECIT_DEVICE"] ?? "software";

/** `fecit bench p.fec …`, with a cache of its own. */
function bench(words: readonly string[], on = device): Promise<Outcome> {
  return inFolder((folder) => {
    writeFileSync(join(folder, "p.fec"), program);
    const environment = { XDG_CACHE_HOME: folder };
    return fecit(["bench", "p.fec", ...words, "--device", on], folder, environment);
  });
}

interface Report {
  readonly medianMs: number;
  readonly minMs: number;
  readonly kernels: readonly { readonly name: string; readonly medianMs: number | null }[];
}

const time = expect.any(Number) as number;

describe("bench", () => {
  it("prints one object for tools: times of at least ten warm calls, and of each kernel", async () => {
    const { code, out, err } = await bench([
      "normalise",
      "x=normal",
      "--dim",
      "b=4,n=70",
      "--fuse",
      "off",
      "--json",
    ]);
    expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining("fecit: on ") as string });
    const found = JSON.parse(out) as Report & { runs: number };
    expect(found).toEqual({
      function: "normalise",
      dims: { b: 4, n: 70 },
      adapter: expect.any(String) as string,
      fuse: "off",
      medianMs: time,
      minMs: time,
      runs: time,
      firstMs: time,
      compileMs: time,
      // 4 · 70 floats in, 4 out; then both in and 4 · 70 out.
      kernels: [4 * 284, 4 * 564].map((bytes, i) => ({
        name: expect.stringContaining("normalise") as string,
        medianMs: found.kernels[i]!.medianMs,
        predictedMs: time,
        bytes,
        flops: time,
      })),
      peakBytes: time,
    });
    expect(found.runs).toBeGreaterThanOrEqual(10);
    expect(found.minMs).toBeLessThanOrEqual(found.medianMs);
  });

  it("is fused as asked", async () => {
    const { out } = await bench(["normalise", "x=normal", "--dim", "b=4,n=70", "--runs", "10", "--json"]);
    expect(JSON.parse(out)).toMatchObject({ fuse: "full", runs: 10, kernels: [{ bytes: 4 * 560 }] });
  });

  it("times the vjp, with cotangents as further arguments", async () => {
    const words = ["scale", "x=ones", "by=3", "ct=ones", "--vjp", "--dim", "n=8", "--runs", "10", "--json"];
    expect(JSON.parse((await bench(words)).out)).toMatchObject({ function: "scale_vjp", dims: { n: 8 } });
  });

  it("times the interpreter, which has no kernels", async () => {
    const { code, out, err } = await bench(
      ["scale", "x=ones", "by=3", "--dim", "n=8", "--json"],
      "interpreter",
    );
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(JSON.parse(out)).toMatchObject({ adapter: "interpreter", kernels: [], peakBytes: 0 });
  });

  it("shows a table", async () => {
    const words = ["normalise", "x=normal", "--dim", "b=4,n=70", "--fuse", "off", "--runs", "10"];
    const { code, out } = await bench(words);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^normalise {2}b=4,n=70 {2}--fuse off, on .*\n\S+ ms {2}the median of 10 calls; half of them/,
    );
    expect(out).toMatch(/\nkernel +time +predicted +share +read and written +operations/);
    expect(out).toMatch(/\nthe whole call +\S+ ms /);
    expect(out).toContain("\n2 kernels, memory ");
    expect(out).toContain("no ceilings are known: `fecit doctor --measure` measures them\n");
  });

  it("tunes once, and finds again what was kept; a broken file is told of and ignored", async () => {
    await inFolder(async (folder) => {
      writeFileSync(join(folder, "p.fec"), program);
      const environment = { XDG_CACHE_HOME: folder, FECIT_MEASURED: "on" };
      const words = ["scale", "x=ones", "by=2", "--dim", "n=8", "--device", device];
      const tuned = await fecit(["bench", "p.fec", ...words, "--runs", "10", "--tune"], folder, environment);
      expect(tuned.code).toBe(0);
      expect(tuned.err).toMatch(
        /\nfecit: tuning 1 kernel, up to 30 s each; .*\nfecit: tuned 1\/1 scale: \S+ ms, \S/,
      );
      const kept = readdirSync(join(folder, "fecit")).find((name) => name.startsWith("choices-"));
      const again = await fecit(["run", "p.fec", ...words, "--tune"], folder, environment);
      expect(again).toMatchObject({ code: 0, out: expect.stringMatching(/\[2 {2}2 {2}2/) as string });
      expect(again.err).toMatch(/^fecit: on [^\n]*\n$/);
      writeFileSync(join(folder, "fecit", kept!), "{");
      const broken = await fecit(["run", "p.fec", ...words], folder, environment);
      expect(broken.code).toBe(0);
      expect(broken.err).toContain(`${kept!} is not what tuning writes: it is ignored`);
    });
  });

  it("counts the turns of loops", async () => {
    const { out } = await bench(["settle", "x=normal", "--dim", "n=9", "--runs", "10"]);
    expect(out).toMatch(/\n\S+ × 100 +\S+ ms /);
  });

  it("says how near kernels come to measured ceilings", async () => {
    await inFolder(async (folder) => {
      writeFileSync(join(folder, "p.fec"), program);
      const environment = { XDG_CACHE_HOME: folder };
      const opened = await openNodeDevice({ adapter: device });
      opened.close();
      const numbers = Object.fromEntries(ceilingNames.map((name) => [name, 1e9]));
      const ceilings = { ...numbers, measuredOn: "2026-11-26T12:00:00.000Z" } as Ceilings;
      await keepCeilings(opened.adapter, ceilings, environment);
      const words = ["bench", "p.fec", "scale", "x=ones", "by=2", "--dim", "n=8", "--runs", "10"];
      const { out } = await fecit([...words, "--device", device], folder, environment);
      expect(out).toContain("ceilings, measured on 2026-11-26: 1000000000 GB/s by a copying kernel");
    });
  });

  it.each([
    [
      "too few runs",
      ["scale", "x=ones", "by=1", "--dim", "n=8", "--runs", "3"],
      "--runs 3: a whole number from 10",
    ],
    ["an argument that is not given", ["scale", "x=ones", "--dim", "n=8"], "an argument is not given: by"],
    ["a dimension that is not known", ["scale", "x=ones", "by=1"], "the dimension is not given: n"],
  ])("refuses %s", async (_, words, message) => {
    const { code, out, err } = await bench(words);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(message);
  });

  it("refuses an adapter that runs nothing: exit code 3", async () => {
    const { code, out, err } = await bench(["scale", "x=ones", "by=1", "--dim", "n=4"], "null");
    expect({ code, out }).toEqual({ code: 3, out: "" });
    expect(err).toContain("error: null backend runs nothing: there is nothing to time\n");
  });

  it("refuses to tune where there are no kernels, or nothing runs", async () => {
    const words = ["scale", "x=ones", "by=1", "--dim", "n=4", "--tune"];
    const interpreted = await bench(words, "interpreter");
    expect(interpreted).toMatchObject({ code: 2, out: "" });
    expect(interpreted.err).toContain("--tune: the interpreter has no kernels to tune\n");
    expect(await bench(words, "null")).toMatchObject({ code: 3, out: "" });
  });

  it("refuses what the device can't bind: exit code 3", async () => {
    const words = ["scale", "x=ones", "by=1", "--dim", "n=40000000"];
    const { code, err } = await bench(words, "null");
    expect(code).toBe(3);
    expect(err).toContain("needs maxStorageBufferBindingSize");
  });
});

describe("the table", () => {
  const kernel = { name: "sum", dispatches: 1, medianMs: 2, predictedMs: 1, bytes: 4e6, flops: 1e6 };
  const about = { function: "f", dims: { n: 3 }, fuse: "full" } as const;
  const rest = { times: [3, 1, 2], firstMs: 9, compileMs: 5, peakBytes: 2048, adapter: null };

  it("says for the interpreter how long it took, and nothing of kernels", () => {
    expect(benchText({ ...rest, kernels: [], ceilings: null }, about)).toBe(
      "f  n=3  on the interpreter\n2 ms  the median of 3 calls; half of them 1.5 … 2.5, the fastest 1\n" +
        "9 ms the first call, 5 ms to compile\n",
    );
  });

  it("has the slowest kernel first, and fractions of ceilings where there are some", async () => {
    const { adapter } = await openNodeDevice({ adapter: "null" });
    const numbers = Object.fromEntries(ceilingNames.map((name) => [name, 4]));
    const ceilings = { ...numbers, measuredOn: "2026-11-26T12:00:00.000Z" } as Ceilings;
    const slow = { ...kernel, name: "turns", dispatches: 3, medianMs: 6 };
    const text = benchText({ ...rest, adapter, kernels: [kernel, slow], ceilings }, about);
    expect(text.split("\n").slice(3).join("\n")).toMatchInlineSnapshot(`
      "
      kernel          time  predicted   share  read and written  operations   GB/s  of ceiling  GFLOP/s  of ceiling
      turns × 3       6 ms       1 ms  75.0 %         3.815 MiB         1 M  0.667      16.7 %    0.167       4.2 %
      sum             2 ms       1 ms  25.0 %         3.815 MiB         1 M      2      50.0 %      0.5      12.5 %
      the whole call  2 ms       2 ms                 7.629 MiB         2 M      4     100.0 %        1      25.0 %

      2 kernels, memory 2 KiB
      ceilings, measured on 2026-11-26: 4 GB/s by a copying kernel, 4 GFLOP/s
      "
    `);
  });
});

describe("timing", () => {
  it("counts neither the first call nor the warm-up", async () => {
    let calls = 0;
    const { times } = await timesOf(async () => void calls++, 10, 12);
    expect(times).toHaveLength(12);
    expect(calls).toBeGreaterThan(13);
  });

  it("has medians and quartiles", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(quantile([5, 1, 2, 3, 4], 0.25)).toBe(2);
  });
});
