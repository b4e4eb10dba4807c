/**
 * The kernels of a report with their measured times: the function is run on arguments that are made up.
 *
 *     const measured = await measuredReport(device, compiled, { fuse: "full" }, report);
 *     measured.kernels[0]                // { …, predictedMs: 3.9, measuredMs: 3.1 }
 */
import type { Device } from "../device.ts";
import { type DeviceValue, free } from "../device-value.ts";
import type { DeviceCompileOptions } from "../device-function.ts";
import type { ProgramReport } from "../kernel-report.ts";
import type { Compiled } from "../module.ts";
import { withMemory } from "./called-function.ts";
import { generateAny } from "./generate.ts";

/** Runs that are timed. */
const runs = 5;

/** The report with measured times; the kernels are those of the report, which is for the same device. */
export async function measuredReport(
  device: Device,
  compiled: Compiled,
  how: Pick<DeviceCompileOptions, "fuse" | "memory" | "layout">,
  report: ProgramReport,
): Promise<ProgramReport> {
  const ready = await device.compile(compiled, { ...how, reuseOutputs: true });
  const resident: DeviceValue[] = [];
  try {
    for (const { name, shape } of compiled.params) {
      const value = withMemory(() => generateAny(shape, name, 0));
      resident.push(await ready.put(name, value));
    }
    // Some drivers go on compiling in the first run.
    await ready.run(...resident);
    await device.finished();
    const times = await ready.profile(resident, runs);
    const measuredMs = (i: number): number | null => {
      const time = times?.[i];
      return time === undefined ? null : time.milliseconds / time.dispatches;
    };
    return {
      ...report,
      kernels: report.kernels.map((kernel, i) => ({ ...kernel, measuredMs: measuredMs(i) })),
    };
  } finally {
    resident.forEach(free);
    ready.free();
  }
}
