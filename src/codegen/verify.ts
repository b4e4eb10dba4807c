/**
 * Finds what is wrong with a kernel without running it: names, types, barriers, indices, and what no device could run.
 *
 *     verifyKernel(kernel)        // ["for k: a barrier stands in a loop whose bounds may differ between invocations …"]
 *
 * Whatever makes kernels must give kernels without problems; tests hold it to that. Races are found by `interpret.ts`.
 */
import { type Kernel, workgroupBytes } from "./kernel.ts";
import { withoutVectors } from "./vectors.ts";
import { verifyBarriers } from "./verify-barriers.ts";
import { verifyIndices } from "./verify-indices.ts";
import { verifyTypes } from "./verify-types.ts";

export { undecidedIndices } from "./verify-indices.ts";

/** What a device can run at most. Buffers are not limited here: several share a binding. */
export interface KernelLimits {
  /** Invocations of a workgroup. */
  readonly invocations: number;
  /** Bytes of workgroup memory. */
  readonly workgroupBytes: number;
  /** Workgroups of a dispatch. */
  readonly workgroups: number;
}

/** What every device with WebGPU can run. */
export const defaultLimits: KernelLimits = { invocations: 256, workgroupBytes: 16384, workgroups: 65535 };

/** The problems of a kernel; none when it is well formed. */
export function verifyKernel(given: Kernel, limits: KernelLimits = defaultLimits): string[] {
  const kernel = withoutVectors(given);
  const problems = [...verifyLimits(kernel, limits), ...verifyTypes(kernel), ...verifyBarriers(kernel)];
  // What names stand for must be known before their values are followed.
  return problems.length > 0 ? problems : verifyIndices(kernel);
}

function verifyLimits(kernel: Kernel, limits: KernelLimits): string[] {
  const problems: string[] = [];
  const keep = (what: string, found: number, least: number, most: number): void => {
    if (!Number.isInteger(found) || found < least || found > most)
      problems.push(`the kernel has ${found} ${what}; a device runs from ${least} to ${most}`);
  };
  keep("workgroups", kernel.workgroups, 0, limits.workgroups);
  keep("invocations in a workgroup", kernel.invocations, 1, limits.invocations);
  if (kernel.subgroup !== undefined && kernel.subgroup !== kernel.invocations)
    problems.push(
      `the kernel has subgroups of ${kernel.subgroup} and workgroups of ${kernel.invocations}; a workgroup is one subgroup`,
    );
  keep("bytes of workgroup memory", workgroupBytes(kernel), 0, limits.workgroupBytes);
  return problems;
}
