/**
 * `fecit bench FILE FUNCTION [NAME=VALUE…]`: times a function. A run is one warm call: arguments on the device, results left there,
 * waited for until it is done, nothing read back.
 */
import type { Command } from "commander";
import type { DeviceFunction } from "../device-function.ts";
import { type DeviceValue, free } from "../device-value.ts";
import type { Value } from "../host-value.ts";
import { type KernelReport, reportOf } from "../kernel-report.ts";
import type { Compiled } from "../module.ts";
import type { AdapterDescription } from "../runtime/adapter.ts";
import type { Ceilings } from "../runtime/ceilings.ts";
import { median } from "../runtime/quantiles.ts";
import { benchText } from "./bench-table.ts";
import { calledFunction, type CallOptions, takeCall, withMemory } from "./called-function.ts";
import { onDevice, requireRunning } from "./device.ts";
import { exit, Failure } from "./failure.ts";
import type { Terminal } from "./terminal.ts";
import { timesOf } from "./timing.ts";
import { requireTunable, showTuning, tuneOption } from "./tuning.ts";

interface Options extends CallOptions {
  readonly runs?: number;
  readonly tune?: boolean;
  readonly json?: boolean;
}

/** The fewest runs that a median is taken of. */
const fewestRuns = 10;

export function addBench(program: Command, terminal: Terminal, done: (code: number) => void): void {
  takeCall(program.command("bench"), terminal)
    .summary("time a function")
    .description(
      "Times warm calls of a function: arguments on the device, results left there, nothing read back.",
    )
    .option("--runs <number>", "time so many calls (as many as a second has, from 10)", parseRuns)
    .addOption(tuneOption())
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nExample:\n  fecit bench examples/cluster.fec cluster_batch --dim b=8,h=4,n=196,o=4,d=24 \\\n" +
        "    x=normal v=normal cx=normal cv=normal alpha=1.5 beta=0",
    )
    .action(async (file: string, name: string, words: string[], options: Options) => {
      await bench(terminal, file, name, words, options);
      done(0);
    });
}

function parseRuns(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= fewestRuns && count <= 1e6) return count;
  throw new Failure(exit.commandWrong, `--runs ${text}: a whole number from ${fewestRuns} is expected`, {
    help: "as in `--runs 50`",
  });
}

/** A kernel of a call, with all its dispatches: in a loop there are several. */
export interface BenchedKernel extends Pick<KernelReport, "name" | "dispatches" | "flops" | "predictedMs"> {
  /** Milliseconds; null where the adapter has no timestamps. */
  readonly medianMs: number | null;
  /** Read and written. */
  readonly bytes: number;
}

/** What was measured of a function. */
export interface Benched {
  /** Milliseconds of the runs, in order. */
  readonly times: readonly number[];
  readonly firstMs: number;
  /** From the text until kernels are compiled; drivers may go on at the first call. */
  readonly compileMs: number;
  readonly kernels: readonly BenchedKernel[];
  readonly peakBytes: number;
  /** Null for the interpreter. */
  readonly adapter: AdapterDescription | null;
  readonly ceilings: Ceilings | null;
}

async function bench(
  terminal: Terminal,
  file: string,
  name: string,
  words: readonly string[],
  options: Options,
): Promise<void> {
  requireTunable(options.device, options.tune);
  const { compiled, compileMs, makeArguments } = calledFunction(terminal, file, name, words, options);
  const measured =
    options.device === "interpreter"
      ? await interpreted(compiled, makeArguments(), options.runs)
      : await dispatched(terminal, compiled, makeArguments(), options);
  const benched = { ...measured, compileMs: compileMs + measured.compileMs };
  const { dims } = compiled;
  if (options.json !== true) {
    terminal.out(benchText(benched, { function: compiled.name, dims, fuse: options.fuse }));
    return;
  }
  const { times, firstMs, kernels, peakBytes, adapter } = benched;
  const facts = {
    function: compiled.name,
    dims,
    adapter: adapter?.name ?? "interpreter",
    fuse: options.fuse,
    medianMs: rounded(median(times)),
    minMs: rounded(Math.min(...times)),
    runs: times.length,
    firstMs: rounded(firstMs),
    compileMs: rounded(benched.compileMs),
    kernels: kernels.map(({ name: kernel, medianMs, predictedMs, bytes, flops }) => ({
      name: kernel,
      medianMs: medianMs === null ? null : rounded(medianMs),
      predictedMs: rounded(predictedMs),
      bytes,
      flops,
    })),
    peakBytes,
  };
  terminal.out(`${JSON.stringify(facts)}\n`);
}

/** Microseconds are enough, nanoseconds for what takes less. */
const rounded = (ms: number): number => Math.round(ms * 1e6) / 1e6;

async function interpreted(
  compiled: Compiled,
  args: readonly Value[],
  runs: number | undefined,
): Promise<Benched> {
  const { firstMs, times } = await timesOf(
    async () => void withMemory(() => compiled.interpret(...args)),
    fewestRuns,
    runs,
  );
  return { times, firstMs, compileMs: 0, kernels: [], peakBytes: 0, adapter: null, ceilings: null };
}

function dispatched(
  terminal: Terminal,
  compiled: Compiled,
  args: readonly Value[],
  { device: choice, fuse, layout, runs, tune }: Options,
): Promise<Benched> {
  return onDevice(terminal, choice, async (device) => {
    const { adapter } = device;
    if (tune === true) {
      requireRunning(adapter);
      await device.tune(compiled, { fuse, layout }, showTuning(terminal));
    }
    const start = performance.now();
    const ready = await device.compile(compiled, { fuse, layout, reuseOutputs: true });
    const compileMs = performance.now() - start;
    requireRunning(adapter);
    const resident: DeviceValue[] = [];
    for (const [i, { name }] of compiled.params.entries()) resident.push(await ready.put(name, args[i]!));
    const call = async (): Promise<void> => {
      await ready.run(...resident);
      await device.finished();
    };
    const { firstMs, times } = await timesOf(call, fewestRuns, runs);
    const kernels = await kernelsOf(ready, resident, adapter, median(times));
    const { peakBytes } = ready.executable.memory;
    resident.forEach(free);
    ready.free();
    const { ceilingsOf } = await import("../runtime/node-ceilings.ts");
    const ceilings = ceilingsOf(adapter, terminal.environment);
    return { times, firstMs, compileMs, kernels, peakBytes, adapter, ceilings };
  });
}

/** The function's kernels with their times, in order. Slow calls are profiled less often. */
async function kernelsOf(
  ready: DeviceFunction,
  args: readonly DeviceValue[],
  adapter: AdapterDescription,
  callMs: number,
): Promise<BenchedKernel[]> {
  const profiled = Math.max(3, Math.min(fewestRuns, Math.round(1000 / callMs)));
  const times = await ready.profile(args, profiled);
  return reportOf(ready.kernels, adapter.limits).kernels.map((kernel, i) => {
    const { name, reads, writes, flops, dispatches, predictedMs } = kernel;
    const bytes = [...reads, ...writes].reduce((sum, part) => sum + part.bytes, 0);
    return {
      name,
      dispatches,
      medianMs: times?.[i]?.milliseconds ?? null,
      predictedMs: predictedMs * dispatches,
      bytes: bytes * dispatches,
      flops: flops * dispatches,
    };
  });
}
