/** What suits a kind of adapter: how its programs are planned, and how kernels are shaped. It changes results by rounding only. */
import { discreteTarget, hardwareTarget, softwareTarget, type Target } from "../fusion/target.ts";
import type { BlockShape } from "./lower/block.ts";
import type { KernelShape } from "./lower/kernel.ts";

/** The shape of kernels with the target that they are planned for. */
export interface AdapterShape extends KernelShape {
  readonly target: Target;
}

/** How operands are staged on a target, with so many workgroups at least; not at all where it gains nothing. */
function stagingFor(
  { stagedLoad, workgroupBytes }: Target,
  leastWorkgroups: number,
): Pick<BlockShape, "staging"> {
  if (stagedLoad >= 1) return {};
  return {
    staging: { turns: 16, bytes: workgroupBytes, leastWorkgroups, load: stagedLoad, fill: 1, barrier: 8 },
  };
}

/** How contractions are dealt on GPUs, but for what is staged. */
const gpuBlock: BlockShape = {
  lanes: 16,
  laneRows: 8,
  rows: 4,
  columns: 4,
  workgroups: 256,
  laneLoad: 2,
  sharedLoad: 1,
  scatteredLoad: 16,
};

/** What a GPU wants: workgroups of a few subgroups, thousands of invocations at once. */
const hardwareShape: AdapterShape = {
  invocations: 64,
  regionInvocations: 256,
  busyInvocations: 16384,
  bodiesInLoop: 256,
  nestedSums: 64,
  turnsOfSegments: 16,
  target: hardwareTarget,
  block: { ...gpuBlock, ...stagingFor(hardwareTarget, 32) },
};

/**
 * What a large GPU wants: the same, of more. It is NVIDIA's, to which programs come by way of Vulkan or Direct3D; under Metal the compiler may
 * store a vector for an element of it.
 */
const discreteShape: AdapterShape = {
  ...hardwareShape,
  storesElements: true,
  busyInvocations: 65536,
  target: discreteTarget,
  block: { ...gpuBlock, rows: 8, ...stagingFor(discreteTarget, 128) },
};

/** What a GPU wants whose cache is as near to it as workgroup memory: the same, unstaged. */
const cachedShape: AdapterShape = {
  ...hardwareShape,
  target: { ...hardwareTarget, stagedLoad: 1 },
  block: gpuBlock,
};

/**
 * What a driver that runs on a CPU wants: few invocations that each do much, barriers that few wait at, and short texts, over
 * which it takes long.
 */
const softwareShape: AdapterShape = {
  invocations: 128,
  leastWorkgroups: 8,
  regionInvocations: 8,
  busyInvocations: 64,
  bodiesInLoop: 128,
  longestText: 5000,
  collapsesAxes: true,
  keepsLoops: true,
  storesElements: true,
  fetchesAhead: true,
  target: softwareTarget,
};

/** The shape for an adapter that has so many bytes of workgroup memory, if it takes more. */
export function withWorkgroupMemory(shape: AdapterShape, most: number): AdapterShape {
  const { block, target } = shape;
  const staging = block?.staging;
  return {
    ...shape,
    target: { ...target, workgroupBytes: Math.min(target.workgroupBytes, most) },
    ...(block === undefined || staging === undefined
      ? {}
      : { block: { ...block, staging: { ...staging, bytes: Math.min(staging.bytes, most) } } }),
  };
}

/**
 * The shape for an adapter's kind. `subgroup` is the size of its subgroups where all have one size: a driver that runs on a CPU
 * computes the lanes of one together, and takes as long over a load for each as over many multiplications.
 */
export function kernelShapeFor(
  kind: "hardware" | "discrete" | "cached" | "software",
  subgroup: number | null = null,
): AdapterShape {
  if (kind === "discrete") return discreteShape;
  if (kind === "hardware") return hardwareShape;
  if (kind === "cached") return cachedShape;
  if (subgroup === null) return softwareShape;
  const block: BlockShape = {
    lanes: subgroup,
    laneRows: 1,
    rows: 16,
    columns: 4,
    // They lie on the stack, where those of two products have as much room as those of one.
    sums: 128,
    workgroups: 4,
    laneLoad: 6,
    sharedLoad: 3,
    scatteredLoad: 8,
  };
  // A workgroup that owns a region is then one subgroup.
  const exchanges = subgroup === softwareShape.regionInvocations;
  return {
    ...softwareShape,
    subgroup,
    block,
    nestedSums: 64,
    turnsAtOnce: 4,
    target: { ...softwareTarget, exchanges, blocksInRegions: exchanges, uniformLoad: exchanges ? 1 / 4 : 1 },
  };
}
