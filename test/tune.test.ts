/** Tuning on a device: what is measured, what is kept, and that results stay what they are. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Device, withCompiler } from "../src/device.ts";
import { free, load, read, type Tensor, tensor } from "../src/index.ts";
import type { ChoiceStore, FoundChoice, ShapeChoice } from "../src/codegen/tuner.ts";
import { choicesInMemory, type TunedKernel, type TuneOptions, type UntunedKernel } from "../src/tune.ts";
import { openTestDevice } from "./runtime/device.ts";

const module = load(`
fn settle(x: f32[n], w: f32[n, n]) -> f32[n] {
  let y[i] = sum[j] w[i, j] * x[j]
  let m = max[i] y[i]
  for i -> y[i] - m
}
fn pick(x: f32[n], a: idx[n][m]) -> f32[m] = for j -> x[a[j]]
fn next(w: f32[n]) -> f32[n] = for i -> 0.5 * w[i]
`);
const settle = module.compile("settle", { dims: { n: 24 } });
const x = tensor(
  [24],
  Float32Array.from({ length: 24 }, (_, i) => i - 7),
);
const w = tensor(
  [24, 24],
  Float32Array.from({ length: 576 }, (_, i) => Math.sin(i)),
);

let runtime: Awaited<ReturnType<typeof openTestDevice>>;
beforeAll(async () => void (runtime = await openTestDevice()));
afterAll(() => runtime.close());

/** Choices in memory, and what was kept. */
function recordedChoices(): ChoiceStore & { readonly kept: FoundChoice[] } {
  const memory = choicesInMemory();
  const kept: FoundChoice[] = [];
  return {
    kept,
    find: memory.find,
    keep: async (kernel, found) => {
      kept.push(found);
      await memory.keep(kernel, found);
    },
  };
}

/** As short as can be: what comes out faster is luck, and it does not matter. */
function quick(told: (TunedKernel | UntunedKernel)[]): TuneOptions {
  return { millisecondsEach: 0, progress: (tuned) => told.push(tuned) };
}

async function resultOf(device: Device, tune?: TuneOptions): Promise<number[]> {
  const f = await device.compile(settle, tune === undefined ? {} : { tune });
  const results = await f.run(x, w);
  const found = (await read(results[0]!)) as Tensor;
  results.forEach(free);
  f.free();
  return [...found.data];
}

describe("tuning", () => {
  it("measures each kernel once, keeps what it finds, and leaves results alone", async () => {
    const choices = recordedChoices();
    const device = withCompiler(runtime, { choices });
    const before = runtime.memory();
    const told: (TunedKernel | UntunedKernel)[] = [];
    const tuned = await resultOf(device, quick(told));
    expect(runtime.memory()).toEqual(before);
    expect(told.length).toBeGreaterThan(0);
    expect(choices.kept).toHaveLength(told.length);
    told.forEach((one, i) =>
      expect(one).toMatchObject({
        kernel: expect.any(String) as string,
        number: i + 1,
        of: told.length,
        candidates: expect.any(Number) as number,
        defaultMs: expect.any(Number) as number,
        chosenMs: expect.any(Number) as number,
      }),
    );
    expect((told as TunedKernel[]).some(({ candidates }) => candidates > 0)).toBe(true);

    const [expected] = settle.interpret(x, w) as [Tensor];
    tuned.forEach((number, i) => expect(number).toBeCloseTo(expected.data[i]!, 3));
    const again: (TunedKernel | UntunedKernel)[] = [];
    expect(await resultOf(device, quick(again))).toEqual(tuned);
    expect(again).toEqual([]);
    // What was found holds without the option.
    expect(await resultOf(device)).toEqual(tuned);
  });

  it("applies a choice to every later compilation", async () => {
    const choice: ShapeChoice = { invocations: 16, regionInvocations: 2, blocks: 0, bodiesInLoop: 1 };
    const device = withCompiler(runtime, { choices: { ...choicesInMemory(), find: () => choice } });
    const invocations = (target: Device["target"]): number[] =>
      settle.kernels({ target }).program.kernels.map((kernel) => kernel.invocations);
    expect(invocations(device.target)).not.toEqual(invocations(runtime.adapter));
    const [expected] = settle.interpret(x, w) as [Tensor];
    (await resultOf(device)).forEach((number, i) => expect(number).toBeCloseTo(expected.data[i]!, 3));
  });

  it("reads with indices that are in range, and in place", async () => {
    const device = withCompiler(runtime);
    const told: (TunedKernel | UntunedKernel)[] = [];
    await device.tune(module.compile("pick", { dims: { n: 5, m: 40 } }), {}, quick(told));
    await device.tune(module.compile("next", { dims: { n: 70 } }), { inPlace: { w: 0 } }, quick(told));
    expect(told.map((one) => "reason" in one)).toEqual([false, false]);
  });

  it("ends when it is told to, and keeps what it has", async () => {
    const choices = recordedChoices();
    const device = withCompiler(runtime, { choices });
    const stop = new AbortController();
    const progress = (): void => stop.abort();
    const both = load(`
fn both(x: f32[n], y: f32[m]) -> (f32, f32) = (sum[i] x[i], max[j] y[j])
`);
    const compiled = both.compile("both", { dims: { n: 300, m: 500 } });
    await device.tune(compiled, { fuse: "off" }, { millisecondsEach: 0, progress, signal: stop.signal });
    expect(choices.kept).toHaveLength(1);
  });

  it("says why a kernel could not be measured, and goes on", async () => {
    const device = withCompiler({
      ...runtime,
      tensor: () => Promise.reject(new Error("no memory for that")),
    });
    const told: (TunedKernel | UntunedKernel)[] = [];
    await device.tune(settle, {}, quick(told));
    expect(told.length).toBeGreaterThan(0);
    for (const one of told) expect(one).toMatchObject({ reason: "no memory for that" });
  });
});

describe("measured rates", () => {
  it("are what programs are planned by", () => {
    const rates = { dispatchUs: 1000, copyGBs: 1000, fmaGflops: 1000, globalLoadNs: 1e-3 };
    const seconds = (target: Device["target"]): number =>
      settle.kernels({ target }).groups.reduce((sum, { group }) => sum + group.seconds, 0);
    const slow = seconds(withCompiler(runtime, { rates }).target);
    expect(seconds(withCompiler(runtime).target)).toBeLessThan(1e-3);
    expect(slow).toBeGreaterThanOrEqual(1e-3);
  });
});
