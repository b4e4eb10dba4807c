/** The same with a kernel for every definition. */
import { compileWorkload } from "../inputs.ts";
import type { Arrays, Workload } from "../workloads/workload.ts";
import { prepareWith } from "./fecit.ts";
import type { Prepared } from "./system.ts";

export async function prepare(workload: Workload, inputs: Arrays): Promise<Prepared> {
  return prepareWith("off", compileWorkload(workload, workload.dims), workload, inputs);
}
