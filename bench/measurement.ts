/**
 * What one process measures: one system on one workload. Processes write it as a line of JSON.
 *
 *     {"kind":"workload","workload":"W3","system":"ours","milliseconds":[8.1,7.9,…],"firstMs":310,"kernels":1,…}
 */

/** The systems of the tables, in their order, with the names that they are shown by. */
export const systems = {
  hand: "hand-written WGSL",
  ours: "fecit",
  reassociated: "fecit --reassociate",
  off: "fecit --fuse off",
  jax: "jax-js, WebGPU",
  tfjs: "TensorFlow.js, WebGPU",
  "onnx-web": "ONNX Runtime web, WebGPU",
  onnx: "ONNX Runtime, processor",
} as const;

export type SystemName = keyof typeof systems;

/** Of the systems that run on the adapter: what the counters of `dawn.ts` saw. */
export interface DeviceUse {
  /** Dispatches of one call. */
  readonly kernels: number;
  /** The most bytes of buffers at a time, inputs and results included. */
  readonly peakBytes: number;
}

export interface WorkloadMeasurement {
  readonly kind: "workload";
  readonly workload: string;
  readonly system: SystemName;
  /** Each warm call. */
  readonly milliseconds: readonly number[];
  /** The first call, with what compiling it takes, from an empty shader cache. */
  readonly firstMs: number;
  /** Null for what runs on the processor. */
  readonly device: DeviceUse | null;
  /** The largest difference from the reference over all elements: |x - r| / max(1, |r|). */
  readonly error: number;
}

/** How fast memory is, in bytes a second. Copies count what is read and what is written. */
export interface MemoryRates {
  /** Of the buffer that is read. */
  readonly bytes: number;
  readonly copyCommand: number;
  readonly copyKernel: number;
  readonly readKernel: number;
}

/** What the adapter can do, as well as kernels of ours find it out. */
export interface Ceilings {
  readonly kind: "ceilings";
  readonly adapter: string;
  /** Processor, threads, versions, and how busy the machine was with other things before. */
  readonly machine: string;
  /** Operations a second: 2 for each multiply and add. */
  readonly productRate: number;
  /** The shape of the product that was fastest. */
  readonly productShape: string;
  /** The same without memory. */
  readonly registerRate: number;
  /** By size, from the smallest: a small buffer may stay in a cache. */
  readonly memory: readonly MemoryRates[];
  /** Of a dispatch of one workgroup that does nothing, among many. */
  readonly dispatchSeconds: number;
  /** From the submission of one such dispatch until the host knows that it is done. */
  readonly roundTripSeconds: number;
}

/** A system that could not be measured. */
export interface Failed {
  readonly kind: "failed";
  readonly workload: string;
  readonly system: string;
  readonly problem: string;
}

/** FEC as a whole. */
export interface ModelMeasurement {
  readonly kind: "model";
  readonly system: string;
  readonly task: "forward" | "training step";
  readonly size: string;
  readonly batch: number;
  readonly milliseconds: readonly number[];
  readonly firstMs: number;
  readonly kernels: number | null;
  /** Dispatches of one block alone, for each stage. */
  readonly blockKernels: readonly number[] | null;
  /** Beyond parameters, moments and the batch of images. */
  readonly peakBytes: number;
}

export type Measurement = WorkloadMeasurement | Ceilings | Failed | ModelMeasurement;

/** The middle of some numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const [low, high] = [Math.floor((sorted.length - 1) / 2), Math.ceil((sorted.length - 1) / 2)];
  return (sorted[low]! + sorted[high]!) / 2;
}

/** The largest difference of results from what they should be. A result of another size, or one that is no number, is infinitely wrong. */
export function errorOf(results: readonly ArrayLike<number>[], reference: readonly Float64Array[]): number {
  if (results.length !== reference.length) return Infinity;
  let largest = 0;
  for (const [i, expected] of reference.entries()) {
    const result = results[i]!;
    if (result.length !== expected.length) return Infinity;
    for (let j = 0; j < expected.length; j++) {
      const difference = Math.abs(result[j]! - expected[j]!) / Math.max(1, Math.abs(expected[j]!));
      if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
    }
  }
  return largest;
}
