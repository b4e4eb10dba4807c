/**
 * A target by what was measured of an adapter, in place of the round numbers of its kind.
 *
 *     calibrated(softwareTarget, { dispatchUs: 17, copyGBs: 6.1, fmaGflops: 50, globalLoadNs: 0.47 })
 *     // { ...softwareTarget, launch: 17e-6, bandwidth: 6.1e9, operations: 12.5e9, loadCost: 5.9 }
 *
 * What says how kernels are written for a kind of device, and how large it is, stays that of the kind: no micro-benchmark tells it.
 */
import type { Target } from "./target.ts";

/** What is measured: the numbers of an adapter's ceilings that the planner has a use for. */
export interface MeasuredRates {
  /** Microseconds of a dispatch among others. */
  readonly dispatchUs: number;
  /** 10⁹ bytes a second, read and written together, by a kernel. */
  readonly copyGBs: number;
  /** 10⁹ operations a second of fused multiply-adds, two operations each. */
  readonly fmaGflops: number;
  /** Nanoseconds of a load in a loop, with an addition, all lanes together. */
  readonly globalLoadNs: number;
}

/**
 * Operations of the ceiling for one of the planner's. A fused multiply-add counts as two, and the planner's operations are seldom
 * either half of one: comparisons, selections, exponentials, with index arithmetic and dependences around them that no chain of
 * multiply-adds has.
 */
const fmaOperations = 4;

/** A load costs no less than an operation. */
const leastLoadCost = 1;

/** The target with the measured rates. */
export function calibrated(target: Target, rates: MeasuredRates): Target {
  const operations = (1e9 * rates.fmaGflops) / fmaOperations;
  return {
    ...target,
    launch: 1e-6 * rates.dispatchUs,
    bandwidth: 1e9 * rates.copyGBs,
    operations,
    loadCost: Math.max(leastLoadCost, 1e-9 * rates.globalLoadNs * operations),
  };
}
