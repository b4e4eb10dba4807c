/** The same with sums taken before linear maps; only where that changes the program. */
import { compileWorkload } from "../inputs.ts";
import type { Arrays, Workload } from "../workloads/workload.ts";
import { prepareWith } from "./fecit.ts";
import type { Prepared } from "./system.ts";

export async function prepare(workload: Workload, inputs: Arrays): Promise<Prepared | null> {
  const [plain, moved] = [false, true].map((option) => compileWorkload(workload, workload.dims, option));
  if (plain!.print("ir") === moved!.print("ir")) return null;
  return prepareWith("full", moved!, workload, inputs);
}
