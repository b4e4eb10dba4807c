/** What suits a kind of adapter: how its programs are planned, and how kernels are shaped. It changes results by rounding only. */
import { hardwareTarget, softwareTarget, type Target } from "../fusion/target.ts";
import type { KernelShape } from "./lower/kernel.ts";

/** The shape of kernels with the target that they are planned for. */
export interface AdapterShape extends KernelShape {
  readonly target: Target;
}

/** What a GPU wants: workgroups of a few subgroups, thousands of invocations at once. */
const hardwareShape: AdapterShape = {
  invocations: 64,
  regionInvocations: 256,
  busyInvocations: 16384,
  target: hardwareTarget,
};

/**
 * What a driver that runs on a CPU wants: few invocations that each do much, barriers that few wait at, and short texts, over
 * which it takes long.
 */
const softwareShape: AdapterShape = {
  invocations: 32,
  regionInvocations: 8,
  busyInvocations: 64,
  bodiesInLoop: 32,
  target: softwareTarget,
};

/** The shape for an adapter's kind. */
export function kernelShapeFor(kind: "hardware" | "software"): AdapterShape {
  return kind === "hardware" ? hardwareShape : softwareShape;
}
