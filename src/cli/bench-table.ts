/**
 * What `bench` measured, for the terminal.
 *
 *     softmax  b=8, n=1000  full  on llvmpipe
 *     0.512 ms  the median of 1000 calls; half of them 0.498 … 0.531, the fastest 0.471
 *
 *     kernel        time  predicted    share  read and written  operations   GB/s  of ceiling  GFLOP/s  of ceiling
 *     softmax   0.431 ms   0.396 ms  100.0 %          62.5 KiB        31 k  0.148       2.0 %   0.0719       0.1 %
 *
 * What is predicted is the planner's estimate, by which it chose what shares a kernel. Operations are those of the tensor IR, bytes those of the tensors; what kernels compute or read several times is counted once.
 */
import type { FusionLevel } from "../fusion/plan.ts";
import type { Ceilings } from "../runtime/ceilings.ts";
import { formatBytes } from "../runtime/errors.ts";
import { median, quantile } from "../runtime/quantiles.ts";
import type { Benched, BenchedKernel } from "./bench.ts";
import { figures } from "./ceilings-text.ts";
import { counted } from "./diagnose.ts";
import { percent } from "./percent.ts";
import { type Column, showCount, table } from "./table.ts";
import { timeText } from "./timing.ts";

/** What was called and how. */
export interface BenchTitle {
  readonly function: string;
  readonly dims: Readonly<Record<string, number>>;
  readonly fuse: FusionLevel;
}

/** The report. */
export function benchText(benched: Benched, { function: name, dims, fuse }: BenchTitle): string {
  const { times, firstMs, compileMs, kernels, peakBytes, adapter, ceilings } = benched;
  const sizes = Object.entries(dims).map(([dim, size]) => `${dim}=${size}`);
  const where = adapter === null ? "on the interpreter" : `--fuse ${fuse}, on ${adapter.name}`;
  const [half, most, least] = [quantile(times, 0.25), quantile(times, 0.75), Math.min(...times)];
  const summary =
    `${[name, sizes.join(","), where].filter((part) => part !== "").join("  ")}\n` +
    `${figures(median(times))} ms  the median of ${times.length} calls; ` +
    `half of them ${figures(half)} … ${figures(most)}, the fastest ${figures(least)}\n` +
    `${timeText(firstMs)} the first call, ${timeText(compileMs)} to compile\n`;
  if (adapter === null) return summary;
  const total = totalOf(kernels, median(times));
  const kernelMs = kernels.reduce((sum, { medianMs }) => sum + (medianMs ?? 0), 0);
  const rows = [...byTime(kernels), ...(kernels.length > 1 ? [total] : [])];
  return (
    `${summary}\n` +
    (kernels.length === 0
      ? ""
      : table(
          columns,
          rows.map((kernel) => rowOf(kernel, kernel === total ? null : kernelMs, ceilings)),
        )) +
    `\n${counted(kernels.length, "kernel") ?? "no kernels"}, memory ${formatBytes(peakBytes)}\n` +
    notes(benched)
  );
}

const columns: readonly Column[] = [
  { title: "kernel", align: "left", most: 32 },
  { title: "time", align: "right" },
  { title: "predicted", align: "right" },
  { title: "share", align: "right" },
  { title: "read and written", align: "right" },
  { title: "operations", align: "right" },
  { title: "GB/s", align: "right" },
  { title: "of ceiling", align: "right" },
  { title: "GFLOP/s", align: "right" },
  { title: "of ceiling", align: "right" },
];

/** The slowest first; in order where times are not known. */
function byTime(kernels: readonly BenchedKernel[]): readonly BenchedKernel[] {
  return [...kernels].sort((a, b) => (b.medianMs ?? 0) - (a.medianMs ?? 0));
}

/** All kernels as one, in the time of a whole call. */
function totalOf(kernels: readonly BenchedKernel[], medianMs: number): BenchedKernel {
  const sum = (count: (kernel: BenchedKernel) => number): number =>
    kernels.reduce((total, kernel) => total + count(kernel), 0);
  return {
    name: "the whole call",
    dispatches: 1,
    medianMs,
    predictedMs: sum(({ predictedMs }) => predictedMs),
    bytes: sum(({ bytes }) => bytes),
    flops: sum(({ flops }) => flops),
  };
}

/** A row; its share is of `allMs`, of which the whole call has none. */
function rowOf(kernel: BenchedKernel, allMs: number | null, ceilings: Ceilings | null): string[] {
  const { name, dispatches, medianMs, predictedMs, bytes, flops } = kernel;
  const work = [formatBytes(bytes), showCount(flops)];
  const shown = dispatches === 1 ? name : `${name} × ${dispatches}`;
  const predicted = `${figures(predictedMs)} ms`;
  if (medianMs === null || medianMs === 0) return [shown, "–", predicted, "–", ...work, "–", "–", "–", "–"];
  const [bandwidth, rate] = [bytes / medianMs / 1e6, flops / medianMs / 1e6];
  const part = (reached: number, most: number | undefined): string =>
    most === undefined ? "–" : percent(reached / most);
  return [
    shown,
    `${figures(medianMs)} ms`,
    predicted,
    allMs === null ? "" : percent(medianMs / allMs),
    ...work,
    figures(bandwidth),
    part(bandwidth, ceilings?.copyGBs),
    figures(rate),
    part(rate, ceilings?.fmaGflops),
  ];
}

/** What the table can't show, and why. */
function notes({ kernels, ceilings }: Benched): string {
  const lines = [
    ...(kernels.some(({ medianMs }) => medianMs === null)
      ? ["this adapter has no timestamps: kernels can't be timed one by one"]
      : []),
    ceilings === null
      ? "no ceilings are known: `fecit doctor --measure` measures them"
      : `ceilings, measured on ${ceilings.measuredOn.slice(0, 10)}: ` +
        `${figures(ceilings.copyGBs)} GB/s by a copying kernel, ${figures(ceilings.fmaGflops)} GFLOP/s`,
  ];
  return lines.map((line) => `${line}\n`).join("");
}
