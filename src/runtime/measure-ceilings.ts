/**
 * Measures an adapter's ceilings: each micro-benchmark is a program that repeats one dispatch, or one copy, until the clock is
 * fine enough.
 *
 *     const ceilings = await measureCeilings(device);      // { dispatchUs: 1.3, copyGBs: 5.2, … }, in a few seconds
 */
import type { Kernel } from "../codegen/kernel.ts";
import type { Program, ProgramStep, ProgramValue } from "../codegen/program.ts";
import { f32 } from "../ir/ir.ts";
import type { AdapterDescription } from "./adapter.ts";
import {
  barrierKernel,
  copyKernel,
  type CountedKernel,
  emptyKernel,
  fmaKernel,
  loadKernel,
  type WorkShape,
} from "./ceiling-kernels.ts";
import { type Ceilings, widestWorkgroup } from "./ceilings.ts";
import type { Device } from "./device.ts";
import { median } from "./quantiles.ts";

export interface MeasureOptions {
  /** The least milliseconds of a run that is timed (default 30). */
  readonly milliseconds?: number;
  /** So many runs are timed at most, and the median taken (default 7). */
  readonly runs?: number;
  /** Bytes of the larger arrays (default: 64 MiB, 128 MiB on a GPU, which no cache holds). */
  readonly copyBytes?: number;
  /** The time, which is noted. */
  readonly now?: Date;
}

/** What each kind of device is given to do: enough to be busy, in a fraction of a second. */
interface Workload {
  readonly shape: WorkShape;
  /** Invocations of a workgroup in a copy, elements of an invocation, bytes of each array. */
  readonly copy: { readonly invocations: number; readonly each: number; readonly bytes: number };
  /** Steps of the multiply-adds, turns of the loads. */
  readonly fmaSteps: number;
  readonly loadTurns: number;
}

const workloads: Readonly<Record<"hardware" | "software", Workload>> = {
  hardware: {
    shape: { invocations: 256, workgroups: 2048 },
    copy: { invocations: 256, each: 4, bytes: 2 ** 27 },
    fmaSteps: 512,
    loadTurns: 1024,
  },
  software: {
    shape: { invocations: 32, workgroups: 64 },
    // One subgroup, many elements a lane: drivers on a CPU copy twice as fast so.
    copy: { invocations: 8, each: 512, bytes: 2 ** 26 },
    fmaSteps: 128,
    loadTurns: 64,
  },
};

/** The kernels that are timed on a device, by what they measure. */
export function kernelsFor(
  adapter: Pick<AdapterDescription, "kind" | "limits">,
  copyBytes = Infinity,
): Readonly<Record<"copy" | "fma" | "globalLoad" | "workgroupLoad" | "barrier", CountedKernel>> {
  const workload = workloads[adapter.kind === "software" ? "software" : "hardware"];
  const { shape, copy, fmaSteps, loadTurns } = workload;
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const bytes = Math.min(copyBytes, copy.bytes, maxStorageBufferBindingSize, maxBufferSize);
  const workgroups = Math.max(1, Math.floor(bytes / (4 * copy.invocations * copy.each)));
  return {
    copy: copyKernel({ invocations: copy.invocations, workgroups }, copy.each),
    fma: fmaKernel(shape, fmaSteps),
    globalLoad: loadKernel("device", shape, loadTurns),
    workgroupLoad: loadKernel("workgroup", shape, loadTurns),
    barrier: barrierKernel(widestWorkgroup(adapter), 256),
  };
}

/**
 * Measures a device that runs something. It is best left alone meanwhile.
 *
 * @throws {LimitError | ShaderError | OutOfMemoryError | DeviceLostError | CommandError}
 */
export async function measureCeilings(
  device: Device,
  { milliseconds = 30, runs = 7, copyBytes = Infinity, now = new Date() }: MeasureOptions = {},
): Promise<Ceilings> {
  const kernels = kernelsFor(device.adapter, copyBytes);
  const budget = 10 * milliseconds;
  const nothing = await timed(device, programOf("nothing", [emptyKernel], []), runs, budget);
  /** Milliseconds of one of the steps, by as many of them as take long enough. */
  const each = async (name: string, kernel: Kernel, step: ProgramStep): Promise<number> => {
    const repeated = (count: number): Program =>
      programOf(name, [kernel], [{ kind: "loop", turn: "turn", count, steps: [step] }]);
    const one = Math.max(1e-3, (await timed(device, repeated(1), 1, budget)) - nothing);
    const count = Math.min(mostRepeats, Math.ceil(milliseconds / one));
    const all = await timed(device, repeated(count), runs, budget);
    return Math.max(all - nothing, all / 2) / count;
  };
  const dispatch = (kernel: Kernel): Promise<number> =>
    each(kernel.name, kernel, {
      kind: "dispatch",
      kernel: 0,
      values: kernel.buffers.map(({ name }) => name),
    });

  const { copy, fma, globalLoad, workgroupLoad, barrier } = kernels;
  const rate = async ({ kernel, count }: CountedKernel): Promise<number> => count / (await dispatch(kernel));
  return {
    dispatchUs: 1e3 * (await dispatch(emptyKernel)),
    roundTripUs: 1e3 * nothing,
    copyGBs: (await rate(copy)) / 1e6,
    bufferCopyGBs: copy.count / (await each("buffer_copy", copy.kernel, bufferCopy(copy.kernel))) / 1e6,
    fmaGflops: (await rate(fma)) / 1e6,
    globalLoadNs: 1e6 / (await rate(globalLoad)),
    workgroupLoadNs: 1e6 / (await rate(workgroupLoad)),
    barrierUs: 1e3 / (await rate(barrier)),
    measuredOn: now.toISOString(),
  };
}

/** A run has no more dispatches than this: recording them takes time as well. */
const mostRepeats = 1000;

/** Of slow runs there are fewer, but never less than this. */
const fewestRuns = 3;

/** The median milliseconds of some runs, after one that is not counted; fewer than `runs` when they exceed `budget` together. */
async function timed(device: Device, program: Program, runs: number, budget: number): Promise<number> {
  const executable = await device.load(program, { reuseOutputs: true });
  try {
    return await device.scope(async () => {
      const inputs = program.values.filter(({ role }) => role === "input");
      const tensors = await Promise.all(inputs.map(({ element, shape }) => device.tensor(element, shape)));
      const run = async (): Promise<number> => {
        const start = performance.now();
        await executable.run(tensors);
        await device.finished();
        return performance.now() - start;
      };
      await run();
      const times: number[] = [];
      let spent = 0;
      while (times.length < runs && (times.length < fewestRuns || spent < budget)) {
        times.push(await run());
        spent += times.at(-1)!;
      }
      return median(times);
    });
  } finally {
    executable.free();
  }
}

/** A program over the buffers of a kernel: what is read comes in, what is written goes out. */
function programOf(name: string, kernels: readonly Kernel[], steps: readonly ProgramStep[]): Program {
  const values = kernels.flatMap(({ buffers }) =>
    buffers.map(({ name: buffer, length, access }): ProgramValue => {
      const role = access === "read" ? "input" : "output";
      return { name: buffer, element: f32, shape: [length], role, data: null };
    }),
  );
  const named = (role: ProgramValue["role"]): string[] =>
    values.filter((value) => value.role === role).map((value) => value.name);
  return { name, kernels, values, steps, inputs: named("input"), outputs: named("output"), updated: [] };
}

/** The copy that a kernel makes, as the device's own. */
function bufferCopy({ buffers }: Kernel): ProgramStep {
  const start = { constant: 0, turn: null, perTurn: 0 };
  const length = buffers[0]?.length ?? 0;
  return { kind: "copy", from: "x", to: "y", length, fromOffset: start, toOffset: start };
}
