/**
 * How long each dispatch of a program takes, by the device's own clock.
 *
 *     [{ kernel: "matmul", dispatches: 12, milliseconds: 3.1 }, { kernel: "softmax", dispatches: 1, milliseconds: 0.2 }]
 */
/// <reference types="@webgpu/types" />
import type { Kernel } from "../codegen/kernel.ts";
import type { PreparedDispatch, PreparedStep } from "./prepare.ts";
import { median } from "./quantiles.ts";
import type { Session } from "./session.ts";
import { readBuffer } from "./tensor.ts";
import { bufferUsage } from "./usage.ts";

/** The time of a dispatch in one run of a program: in a loop, over all turns. */
export interface KernelTime {
  /** The kernel's name; others may have it too. */
  readonly kernel: string;
  /** How often it runs: the turns of the loops around it. */
  readonly dispatches: number;
  /** The median of several runs. Browsers round each dispatch to a tenth of a millisecond. */
  readonly milliseconds: number;
}

/** The clock of one run. */
export interface DispatchClock {
  /** The timestamps of the next dispatch. */
  readonly stamp: (dispatch: PreparedDispatch) => GPUComputePassTimestampWrites;
  /** Nanoseconds by number of dispatch, when the run is done. */
  readonly read: () => Promise<ReadonlyMap<number, number>>;
}

/** WebGPU's most queries of a set; a dispatch takes two. */
const queriesInSet = 4096;

/** A clock for a run of `count` dispatches. */
export function openClock(session: Session, count: number, running: string): DispatchClock {
  const { device } = session;
  const sets = Array.from({ length: Math.ceil((2 * count) / queriesInSet) }, () =>
    device.createQuerySet({ type: "timestamp", count: queriesInSet, label: running }),
  );
  const stamped: number[] = [];
  const stamp = ({ number }: PreparedDispatch): GPUComputePassTimestampWrites => {
    const query = 2 * stamped.length;
    stamped.push(number);
    const querySet = sets[Math.floor(query / queriesInSet)];
    if (querySet === undefined) throw new RangeError(`${running}: more dispatches than ${count}`);
    const first = query % queriesInSet;
    return { querySet, beginningOfPassWriteIndex: first, endOfPassWriteIndex: first + 1 };
  };
  const read = async (): Promise<ReadonlyMap<number, number>> => {
    const usage = bufferUsage.queryResolve | bufferUsage.copySource;
    const size = 8 * queriesInSet;
    const buffers = await session.allocate(
      "executables",
      sets.map(() => ({ label: running, size, usage })),
      running,
    );
    try {
      const encoder = device.createCommandEncoder({ label: running });
      sets.forEach((set, i) => {
        const buffer = buffers[i]?.buffer;
        const used = Math.min(queriesInSet, 2 * stamped.length - i * queriesInSet);
        if (buffer !== undefined && used > 0) encoder.resolveQuerySet(set, 0, used, buffer, 0);
      });
      device.queue.submit([encoder.finish()]);
      const bytes = await Promise.all(
        buffers.map(({ buffer }) => readBuffer(session, buffer, size, running)),
      );
      const stamps = bytes.flatMap((part) => [...new BigUint64Array(part)]);
      const times = new Map<number, number>();
      stamped.forEach((number, i) => {
        const [begin = 0n, end = 0n] = stamps.slice(2 * i, 2 * i + 2);
        times.set(number, (times.get(number) ?? 0) + Math.max(0, Number(end - begin)));
      });
      return times;
    } finally {
      buffers.forEach(session.release);
      sets.forEach((set) => set.destroy());
    }
  };
  return { stamp, read };
}

/** The median time of each dispatch over some runs, in the program's order. */
export function summarise(
  kernels: readonly Kernel[],
  steps: readonly PreparedStep[],
  runs: readonly ReadonlyMap<number, number>[],
): readonly KernelTime[] {
  return countedDispatches(steps, 1).map(({ number, kernel, dispatches }) => ({
    kernel: kernels[kernel]?.name ?? `kernel ${kernel}`,
    dispatches,
    milliseconds: median(runs.map((times) => times.get(number) ?? 0)) / 1e6,
  }));
}

interface CountedDispatch extends Pick<PreparedDispatch, "number" | "kernel"> {
  readonly dispatches: number;
}

function countedDispatches(steps: readonly PreparedStep[], dispatches: number): CountedDispatch[] {
  return steps.flatMap((step) => {
    if (step.kind === "dispatch") return [{ number: step.number, kernel: step.kernel, dispatches }];
    return step.kind === "loop" ? countedDispatches(step.steps, dispatches * step.count) : [];
  });
}
