/** The workload in the language, on the device. */
import type { FusionLevel } from "../../src/fusion/plan.ts";
import { type Compiled, type DeviceArgument, type DeviceValue, read } from "../../src/index.ts";
import { openDevice } from "../../src/node.ts";
import { argumentsOf, compileWorkload, numbersOf } from "../inputs.ts";
import type { Arrays, Workload } from "../workloads/workload.ts";
import type { Prepared } from "./system.ts";

export async function prepare(workload: Workload, inputs: Arrays): Promise<Prepared> {
  return prepareWith("full", compileWorkload(workload, workload.dims), workload, inputs);
}

/** The workload as compiled, in kernels of the level. */
export async function prepareWith(
  fuse: FusionLevel,
  program: Compiled,
  workload: Workload,
  inputs: Arrays,
): Promise<Prepared> {
  const { dims } = workload;
  // As it is out of the box: nothing that was measured or tuned on this machine before.
  const device = await openDevice({ measured: false });
  const compiled = await device.compile(program, { fuse, reuseOutputs: true });
  const args: DeviceValue[] = [];
  for (const [i, value] of argumentsOf(workload, dims, inputs).entries())
    args.push(await compiled.put(compiled.params[i]!.name, value as DeviceArgument));
  return {
    call: async () => {
      await compiled.run(...args);
      await device.finished();
    },
    results: async () => {
      const results = await compiled.run(...args);
      return (await Promise.all(results.map(read))).flatMap(numbersOf);
    },
  };
}
