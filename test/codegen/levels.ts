/** Graphs as programs of kernels, for tests that run everything at every level of fusion. */
import { lowerProgram } from "../../src/codegen/lower/program.ts";
import type { KernelShape } from "../../src/codegen/lower/kernel.ts";
import type { Program } from "../../src/codegen/program.ts";
import { defaultLimits, verifyKernel } from "../../src/codegen/verify.ts";
import type { FusionLevel, MemoryChoice, Plan } from "../../src/fusion/plan.ts";
import { planGraph } from "../../src/fusion/planner.ts";
import { hardwareTarget, softwareTarget, type Target } from "../../src/fusion/target.ts";
import type { Graph } from "../../src/ir/ir.ts";

export const levels: readonly FusionLevel[] = ["off", "map", "full"];

/** Small workgroups, so that small programs have several, and loops over points. */
export const smallShape: KernelShape = { invocations: 8, regionInvocations: 16, busyInvocations: 8 };

/** The same with contractions in blocks, of four lanes that broadcast to one another: small ones, so that blocks have edges. */
export const blockShape: KernelShape = {
  ...smallShape,
  subgroup: 4,
  block: {
    lanes: 4,
    laneRows: 1,
    rows: 4,
    columns: 2,
    workgroups: 1,
    laneLoad: 2,
    sharedLoad: 1,
    scatteredLoad: 4,
  },
};

/** Blocks of several rows of lanes, as on a GPU. */
export const tallShape: KernelShape = {
  ...smallShape,
  block: { ...blockShape.block!, lanes: 4, laneRows: 3, rows: 2 },
};

/** The same with operands staged in workgroup memory, a few turns at a time, so that there are rests of turns, rows and columns. */
export const stagedShape: KernelShape = {
  ...tallShape,
  block: {
    ...tallShape.block!,
    rows: 4,
    columns: 4,
    staging: { turns: 6, bytes: 4096, leastWorkgroups: 1, load: 0, fill: 0, barrier: 0 },
  },
};

/** As on a driver whose subgroups run as vectors: regions in rows of eight lanes, which share reductions. */
export const laneShape: KernelShape & { readonly target: Target } = {
  ...smallShape,
  invocations: 16,
  regionInvocations: 8,
  subgroup: 8,
  target: { ...softwareTarget, regionInvocations: 8, exchanges: true },
};

/** As on a GPU: the invocations of a region share reductions through workgroup memory, and long ones of few results have a workgroup each. */
export const sharingShape: KernelShape & { readonly target: Target } = {
  ...smallShape,
  target: { ...hardwareTarget, regionInvocations: 16, busyInvocations: 4096 },
};

/** The verified program of a graph. */
export function programFor(
  graph: Graph,
  level: FusionLevel,
  shape: KernelShape & { readonly target?: Target } = smallShape,
  memory: MemoryChoice = "speed",
  layout: (plan: Plan) => Plan = (plan) => plan,
): Program {
  const { program } = lowerProgram(layout(planGraph(graph, level, shape.target, memory)), shape);
  const problems = program.kernels.flatMap((kernel) =>
    verifyKernel(kernel, defaultLimits).map((problem) => `${kernel.name}: ${problem}`),
  );
  if (problems.length > 0) throw new Error(problems.join("\n"));
  return program;
}
