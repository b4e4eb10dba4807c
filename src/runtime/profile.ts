/**
 * How long each kernel of a program takes, by the device's own clock.
 *
 *     [{ kernel: "matmul", dispatches: 12, milliseconds: 3.1 }, { kernel: "softmax", dispatches: 4, milliseconds: 0.2 }]
 */
/// <reference types="@webgpu/types" />
import type { Kernel } from "../codegen/kernel.ts";
import type { PreparedDispatch, PreparedStep } from "./prepare.ts";
import type { Session } from "./session.ts";
import { readBuffer } from "./tensor.ts";
import { bufferUsage } from "./usage.ts";

/** The time of a kernel in one run of a program, over all of its dispatches. */
export interface KernelTime {
  readonly kernel: string;
  readonly dispatches: number;
  /** The median of several runs. Browsers round each dispatch to a tenth of a millisecond. */
  readonly milliseconds: number;
}

/** The clock of one run. */
export interface DispatchClock {
  /** The timestamps of the next dispatch. */
  readonly stamp: (dispatch: PreparedDispatch) => GPUComputePassTimestampWrites;
  /** Nanoseconds by kernel number, when the run is done. */
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
  const kernels: number[] = [];
  const stamp = ({ kernel }: PreparedDispatch): GPUComputePassTimestampWrites => {
    const query = 2 * kernels.length;
    kernels.push(kernel);
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
        const used = Math.min(queriesInSet, 2 * kernels.length - i * queriesInSet);
        if (buffer !== undefined && used > 0) encoder.resolveQuerySet(set, 0, used, buffer, 0);
      });
      device.queue.submit([encoder.finish()]);
      const bytes = await Promise.all(
        buffers.map(({ buffer }) => readBuffer(session, buffer, size, running)),
      );
      const stamps = bytes.flatMap((part) => [...new BigUint64Array(part)]);
      const times = new Map<number, number>();
      kernels.forEach((kernel, i) => {
        const [begin = 0n, end = 0n] = stamps.slice(2 * i, 2 * i + 2);
        times.set(kernel, (times.get(kernel) ?? 0) + Math.max(0, Number(end - begin)));
      });
      return times;
    } finally {
      buffers.forEach(session.release);
      sets.forEach((set) => set.destroy());
    }
  };
  return { stamp, read };
}

/** The median time of each kernel over some runs, slowest first. */
export function summarise(
  kernels: readonly Kernel[],
  steps: readonly PreparedStep[],
  runs: readonly ReadonlyMap<number, number>[],
): readonly KernelTime[] {
  const counts = new Map<number, number>();
  countByKernel(steps, 1, counts);
  return [...counts]
    .map(([kernel, dispatches]) => ({
      kernel: kernels[kernel]?.name ?? `kernel ${kernel}`,
      dispatches,
      milliseconds: median(runs.map((times) => times.get(kernel) ?? 0)) / 1e6,
    }))
    .sort((a, b) => b.milliseconds - a.milliseconds);
}

function countByKernel(steps: readonly PreparedStep[], times: number, counts: Map<number, number>): void {
  for (const step of steps) {
    if (step.kind === "dispatch") counts.set(step.kernel, (counts.get(step.kernel) ?? 0) + times);
    if (step.kind === "loop") countByKernel(step.steps, times * step.count, counts);
  }
}

/** The middle of some numbers; the lower one of two. */
function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
