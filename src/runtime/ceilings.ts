/**
 * What an adapter reaches at most, by micro-benchmarks that each ask for one thing and nothing else.
 *
 *     { dispatchUs: 1.3, roundTripUs: 58, copyGBs: 5.2, bufferCopyGBs: 7.1, fmaGflops: 21, … }
 *
 * A kernel is judged by how near it comes. Costs are of the whole device at work, all lanes together.
 */

import type { AdapterDescription } from "./adapter.ts";

/** The measured numbers in order, each with what it is. All are above 0. */
export const ceilingNames = [
  /** Microseconds of a dispatch among others in a row, each of which waits for the one before. */
  "dispatchUs",
  /** Microseconds from submitting nothing until it is known to be done. */
  "roundTripUs",
  /** 10⁹ bytes a second, read and written together, by a kernel of one load and one store an element. */
  "copyGBs",
  /** The same by the device's own copy between buffers. */
  "bufferCopyGBs",
  /** 10⁹ operations a second of fused multiply-adds, two operations each, in independent chains. */
  "fmaGflops",
  /** Nanoseconds of a load from a buffer in a loop, with the addition of what it loads; it hits a cache. */
  "globalLoadNs",
  /** The same from workgroup memory, every lane at an index of its own. */
  "workgroupLoadNs",
  /** Microseconds of a barrier in one workgroup that is as wide as the device allows. */
  "barrierUs",
] as const;

export type CeilingName = (typeof ceilingNames)[number];

/** What an adapter reaches at most. */
export interface Ceilings extends Readonly<Record<CeilingName, number>> {
  /** When it was measured, in ISO 8601. */
  readonly measuredOn: string;
}

/** Invocations of the widest workgroup of a device. */
export function widestWorkgroup({ limits }: Pick<AdapterDescription, "limits">): number {
  return Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX);
}
