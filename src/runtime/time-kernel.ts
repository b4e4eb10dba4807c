/**
 * How long single kernels take, over tensors of the sizes that they were written for.
 *
 *     const timer = openKernelTimer(device);
 *     const ready = await timer.ready(kernel, values);         // compiled and run once
 *     await ready.milliseconds(60)                             // 1.84: a quarter of as many dispatches as 60 ms have take less
 *
 * What the tensors hold is made up: floats between ¼ and 1¼, indices anywhere within their bounds, so that nothing is read out of place
 * and no loop runs longer than it could.
 */
import type { Kernel } from "../codegen/kernel.ts";
import type { Program, ProgramStep, ProgramValue } from "../codegen/program.ts";
import { isFloat, sizeOf, type ValueType } from "../ir/ir.ts";
import type { Device } from "./device.ts";
import type { Executable } from "./executable.ts";
import type { DeviceTensor } from "./tensor.ts";

/** A kernel that has run once. */
export interface ReadyKernel {
  /** Milliseconds to compile it and run it for the first time. */
  readonly firstMs: number;
  /** Milliseconds of one more run, with its submission. @throws what running throws. */
  readonly once: () => Promise<number>;
  /**
   * What a quarter of some dispatches stay below that take about so many milliseconds together: whatever else runs on the machine makes
   * them longer, never shorter. @throws what running throws.
   */
  readonly milliseconds: (budget: number) => Promise<number>;
  readonly free: () => void;
}

/** A timer of the kernels that compute the same of the same tensors. */
export interface KernelTimer {
  /**
   * Compiles a kernel over values, one a buffer, and runs it.
   *
   * @throws {LimitError | ShaderError | OutOfMemoryError | DeviceLostError | CommandError}
   */
  readonly ready: (kernel: Kernel, values: readonly ValueType[]) => Promise<ReadyKernel>;
  readonly free: () => void;
}

/** Dispatches of a measurement at least and at most. */
const [fewest, most] = [3, 25] as const;

/** A timer; it keeps a tensor for each value that a kernel reads or writes. */
export function openKernelTimer(device: Device): KernelTimer {
  const tensors = new Map<string, DeviceTensor>();
  const tensorFor = async (value: ValueType, isRead: boolean): Promise<DeviceTensor> => {
    const known = tensors.get(value.name);
    if (known !== undefined) return known;
    const made = await device.tensor(value.element, value.shape, isRead ? plausible(value) : undefined);
    tensors.set(value.name, made);
    return made;
  };
  return {
    ready: async (kernel, values) => {
      const args: DeviceTensor[] = [];
      for (const [i, value] of values.entries())
        args.push(await tensorFor(value, kernel.buffers[i]?.access !== "write"));
      const start = performance.now();
      const one = await device.load(programOf(kernel, values, 1));
      try {
        await one.run(args);
        await device.finished();
      } catch (error) {
        one.free();
        throw error;
      }
      const firstMs = performance.now() - start;
      const repeated = (count: number): Program => programOf(kernel, values, count);
      return {
        firstMs,
        once: () => wallTime(device, one, args),
        milliseconds: (budget) => quarterTime(device, one, args, repeated, budget),
        free: one.free,
      };
    },
    free: () => {
      for (const tensor of tensors.values()) tensor.free();
    },
  };
}

async function wallTime(device: Device, program: Executable, args: readonly DeviceTensor[]): Promise<number> {
  const start = performance.now();
  await program.run(args);
  await device.finished();
  return Math.max(1e-3, performance.now() - start);
}

async function quarterTime(
  device: Device,
  one: Executable,
  args: readonly DeviceTensor[],
  repeated: (count: number) => Program,
  budget: number,
): Promise<number> {
  const about = await wallTime(device, one, args);
  const count = Math.max(fewest, Math.min(most, Math.floor(budget / about)));
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const [time] = (await one.profile(args, 1)) ?? [];
    if (time === undefined) break;
    times.push(time.milliseconds);
  }
  if (times.length > 0) return times.sort((a, b) => a - b)[Math.floor(times.length / 4)]!;
  // Without a clock of its own: as many in a row as the budget has, so that what a submission costs counts little.
  const several = Math.max(1, Math.min(1000, Math.floor(budget / about)));
  const program = await device.load(repeated(several));
  try {
    await wallTime(device, program, args);
    return (await wallTime(device, program, args)) / several;
  } finally {
    program.free();
  }
}

/** The dispatch of a kernel, so many times, over tensors that the caller has: what it writes is updated in place. */
function programOf(kernel: Kernel, types: readonly ValueType[], count: number): Program {
  const values = types.map((type): ProgramValue => ({ ...type, role: "input", data: null }));
  const names = types.map(({ name }) => name);
  const updated = names.filter((_, i) => kernel.buffers[i]?.access !== "read");
  const dispatch: ProgramStep = { kind: "dispatch", kernel: 0, values: names };
  return {
    name: kernel.name,
    kernels: [kernel],
    values,
    steps: count === 1 ? [dispatch] : [{ kind: "loop", turn: "turn", count, steps: [dispatch] }],
    inputs: names,
    outputs: updated,
    updated,
  };
}

/** The period of made-up elements: a prime, so that rows of no tensor are alike. */
const period = 65_521;

/** Elements that a value of its type may have. */
function plausible({
  element: { scalar, bound },
  shape,
}: ValueType): Float32Array | Int32Array | Uint32Array {
  const count = sizeOf(shape);
  let state = 1;
  /** The next of a sequence of whole numbers below 2³¹ - 1, by Lehmer's generator. */
  const next = (): number => (state = (state * 48_271) % 2_147_483_647);
  const some = Array.from({ length: Math.min(count, period) }, () => {
    const drawn = next();
    if (isFloat(scalar)) return 0.25 + drawn / 2_147_483_647;
    if (scalar === "bool") return drawn % 2;
    if (scalar === "u32") return drawn;
    // An integer without a bound may be an index all the same: 0 is one of every axis.
    return bound === null ? 0 : drawn % Math.max(1, bound);
  });
  const Elements = isFloat(scalar) ? Float32Array : scalar === "i32" ? Int32Array : Uint32Array;
  const elements = new Elements(count);
  for (let i = 0; i < count; i++) elements[i] = some[i % period]!;
  return elements;
}
