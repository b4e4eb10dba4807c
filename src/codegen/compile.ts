/** From a graph to a program of kernels: plan, then write. */
import type { FusionLevel, Plan } from "../fusion/plan.ts";
import { planGraph } from "../fusion/planner.ts";
import type { Graph } from "../ir/ir.ts";
import type { KernelShape } from "./lower/kernel.ts";
import type { AdapterShape } from "./shapes.ts";
import { type LoweredProgram, lowerProgram } from "./lower/program.ts";
import type { Update } from "../fusion/overwrite.ts";

export interface CodegenOptions {
  readonly fuse: FusionLevel;
  /** Without a target, it is planned for a GPU. */
  readonly shape: KernelShape & Partial<AdapterShape>;
  /** Results that are to overwrite parameters. */
  readonly updates: readonly Update[];
}

export interface CompiledGraph extends LoweredProgram {
  readonly plan: Plan;
}

/** Compiles a graph whose derivatives have been taken and that has been simplified. */
export function compileGraph(graph: Graph, { fuse, shape, updates }: CodegenOptions): CompiledGraph {
  const plan = planGraph(graph, fuse, shape.target, "speed", updates);
  return { plan, ...lowerProgram(plan, shape, updates) };
}
