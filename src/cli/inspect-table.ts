/**
 * The kernels of a function as a table for the terminal, with what they come to together.
 *
 *     kernel   nodes            grid  size  workgroup  barriers    read   written  operations  predicted
 *     cluster  dot, sim, a, r     32    64    1.5 KiB         4  98 KiB    49 KiB      51.2 k   0.084 ms
 *     1 kernel, 51.2 k operations, …
 *
 * What is predicted is the planner's estimate of a dispatch, by which it chose what shares a kernel; what was measured stands beside it.
 */
import type { BufferReport, KernelReport, ProgramReport, Traffic } from "../kernel-report.ts";
import { formatBytes } from "../runtime/errors.ts";
import { figures } from "./ceilings-text.ts";
import { counted } from "./diagnose.ts";
import { type Column, showCount, table } from "./table.ts";

const columns: readonly Column[] = [
  { title: "kernel", align: "left", most: 28 },
  { title: "nodes", align: "left", most: 40 },
  { title: "grid", align: "right" },
  { title: "size", align: "right" },
  { title: "workgroup", align: "right" },
  { title: "barriers", align: "right" },
  { title: "read", align: "right" },
  { title: "written", align: "right" },
  { title: "operations", align: "right" },
  { title: "predicted", align: "right" },
];

const measuredColumn: Column = { title: "measured", align: "right" };

/** The table and its totals. */
export function kernelTable(report: ProgramReport): string {
  const { kernels, buffers, peakBytes, intermediateBytes } = report;
  const operations = kernels.reduce((total, { flops, dispatches }) => total + flops * dispatches, 0);
  const traffic = kernels.reduce(
    (total, { reads, writes, dispatches }) => total + dispatches * (bytesIn(reads) + bytesIn(writes)),
    0,
  );
  return (
    (kernels.length === 0 ? "" : `${tableOf(kernels)}\n`) +
    `${counted(kernels.length, "kernel") ?? "no kernels: nothing is computed"}, ${showCount(operations)} operations, ` +
    `${formatBytes(traffic)} read and written\n` +
    `memory: ${formatBytes(peakBytes)} in all, ${formatBytes(intermediateBytes)} of it for intermediates\n` +
    orderText(buffers)
  );
}

/** Which tensors are not row-major, if any are. */
function orderText(buffers: readonly BufferReport[]): string {
  const texts = buffers.flatMap(({ name, order }) =>
    order === undefined ? [] : [`${name} by axes ${order.join(", ")}`],
  );
  return texts.length === 0 ? "" : `not row-major: ${texts.join("; ")}\n`;
}

function tableOf(kernels: readonly KernelReport[]): string {
  const isMeasured = kernels.some(({ measuredMs }) => measuredMs !== undefined);
  return table(isMeasured ? [...columns, measuredColumn] : columns, kernels.map(rowOf));
}

function rowOf(kernel: KernelReport): string[] {
  const { name, nodes, grid, workgroupSize, workgroupBytes, barriers, reads, writes, flops, dispatches } =
    kernel;
  const { predictedMs, measuredMs } = kernel;
  return [
    dispatches === 1 ? name : `${name} × ${dispatches}`,
    [...new Set(nodes)].join(", "),
    grid.filter((n, i) => i === 0 || n > 1).join("×"),
    String(workgroupSize[0]),
    formatBytes(workgroupBytes),
    String(barriers),
    formatBytes(bytesIn(reads)),
    formatBytes(bytesIn(writes)),
    showCount(flops),
    `${figures(predictedMs)} ms`,
    measuredMs == null ? "–" : `${figures(measuredMs)} ms`,
  ];
}

function bytesIn(traffic: readonly Traffic[]): number {
  return traffic.reduce((total, { bytes }) => total + bytes, 0);
}
