/**
 * Measured ceilings for people.
 *
 *       measured ceilings, on 2026-11-26:
 *         dispatch   1.31 µs, round trip 58.2 µs
 *         copy       5.2 GB/s by a kernel, 7.1 GB/s between buffers, read and written together
 */
import type { AdapterDescription } from "../runtime/adapter.ts";
import { type Ceilings, widestWorkgroup } from "../runtime/ceilings.ts";

/** The ceilings of an adapter as lines under its description; how to get them where there are none. */
export function ceilingsText(adapter: AdapterDescription, ceilings: Ceilings | null): string {
  if (adapter.kind === "null") return "";
  if (ceilings === null) return "  measured ceilings: none; `fecit doctor --measure` measures them\n";
  const { dispatchUs, roundTripUs, copyGBs, bufferCopyGBs, fmaGflops } = ceilings;
  const { globalLoadNs, workgroupLoadNs, barrierUs, measuredOn } = ceilings;
  const rows: readonly (readonly [string, string])[] = [
    ["dispatch", `${figures(dispatchUs)} µs, round trip ${figures(roundTripUs)} µs`],
    [
      "copy",
      `${figures(copyGBs)} GB/s by a kernel, ${figures(bufferCopyGBs)} GB/s between buffers, read and written together`,
    ],
    ["fma", `${figures(fmaGflops)} GFLOP/s`],
    [
      "load",
      `${figures(globalLoadNs)} ns from a buffer, ${figures(workgroupLoadNs)} ns from workgroup memory, all lanes together`,
    ],
    ["barrier", `${figures(barrierUs)} µs in a workgroup of ${widestWorkgroup(adapter)}`],
  ];
  const lines = rows.map(([name, value]) => `    ${name.padEnd(8)} ${value}\n`);
  return `  measured ceilings, on ${measuredOn.slice(0, 10)}:\n${lines.join("")}`;
}

/** Three figures, without an exponent: `0.00123`, `12.3`, `1230`. */
export function figures(value: number): string {
  return String(Number(value.toPrecision(3)));
}
