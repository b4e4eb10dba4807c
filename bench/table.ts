/**
 * The tables of the measurements, as Markdown whose columns also line up on a terminal.
 *
 *     | workload | system            | median ms | ÷ hand | … | of the limit | error | first call ms |
 *     | W3       | hand-written WGSL |      7.73 |   1.00 | … |         71 % | 6e-07 |            87 |
 */
import {
  type Ceilings,
  type Failed,
  type Measurement,
  median,
  type ModelMeasurement,
  systems,
  type SystemName,
  type WorkloadMeasurement,
} from "./measurement.ts";
import { workloads } from "./workloads/all.ts";
import { sizeOf, type Workload } from "./workloads/workload.ts";

/** The measurements of one kind. */
export function ofKind<K extends Measurement["kind"]>(
  measurements: readonly Measurement[],
  kind: K,
): readonly Extract<Measurement, { kind: K }>[] {
  return measurements.filter((m): m is Extract<Measurement, { kind: K }> => m.kind === kind);
}

/** Rounds of one system on one workload become one measurement; the first of them was the one with an empty cache. */
export function joinRounds(measurements: readonly WorkloadMeasurement[]): readonly WorkloadMeasurement[] {
  const joined = new Map<string, WorkloadMeasurement>();
  for (const next of measurements) {
    const key = `${next.workload} ${next.system}`;
    const first = joined.get(key);
    joined.set(
      key,
      first === undefined
        ? next
        : {
            ...first,
            milliseconds: [...first.milliseconds, ...next.milliseconds],
            error: Math.max(first.error, next.error),
          },
    );
  }
  return [...joined.values()];
}

const columns = [
  "workload",
  "system",
  "median ms",
  "÷ hand",
  "÷ fecit",
  "kernels",
  "peak MB",
  "GFLOP/s",
  "GB/s",
  "of the limit",
  "error",
  "first call ms",
] as const;

/** The main table. Without ceilings its column of limits is empty. */
export function workloadTable(measurements: readonly Measurement[]): string {
  const [ceilings = null] = ofKind(measurements, "ceilings");
  const measured = joinRounds(ofKind(measurements, "workload"));
  const rows = workloads.flatMap((workload) => {
    const own = measured.filter((m) => m.workload === workload.id);
    const bySystem = new Map(own.map((m) => [m.system, m]));
    const names = (Object.keys(systems) as SystemName[]).filter((name) => bySystem.has(name));
    return names.map((name) => workloadRow(workload, bySystem.get(name)!, bySystem, ceilings));
  });
  return markdownTable(columns, rows, 2);
}

function workloadRow(
  workload: Workload,
  measurement: WorkloadMeasurement,
  all: ReadonlyMap<SystemName, WorkloadMeasurement>,
  ceilings: Ceilings | null,
): readonly string[] {
  const time = median(measurement.milliseconds);
  const ratioTo = (name: SystemName): string => {
    const other = all.get(name);
    return other === undefined ? "" : showNumber(time / median(other.milliseconds));
  };
  const { device, firstMs, error, system } = measurement;
  const { read, written } = trafficOf(workload);
  const operations = workload.operations(workload.dims);
  const limit = ceilings === null || device === null ? null : limitSeconds(workload, ceilings);
  return [
    workload.id,
    systems[system],
    showNumber(time),
    ratioTo("hand"),
    ratioTo("ours"),
    device === null ? "" : String(device.kernels),
    device === null ? "" : showNumber(device.peakBytes / 1e6),
    operations === 0 ? "" : showNumber(operations / time / 1e6),
    showNumber((read + written) / time / 1e6),
    limit === null ? "" : `${((100 * limit * 1000) / time).toFixed(0)} %`,
    error.toExponential(0),
    firstMs.toFixed(0),
  ];
}

/** The bytes of a workload's inputs and results: what must be moved at least. */
export function trafficOf(workload: Workload): { readonly read: number; readonly written: number } {
  const inputs = workload.inputs(workload.dims).map(({ name, shape }) => ({ name, size: sizeOf(shape) }));
  const read = inputs.reduce((sum, { size }) => sum + 4 * size, 0);
  return { read, written: 4 * workload.resultElements(workload.dims) };
}

/**
 * The least time for a workload: its operations at the rate of the best product, or its bytes at the rates of kernels that only
 * read and only copy, whichever is longer. A copy's time less that of reading is that of writing.
 */
export function limitSeconds(workload: Workload, ceilings: Ceilings): number {
  const { read, written } = trafficOf(workload);
  const rates = ceilings.memory.find(({ bytes }) => read + written <= 2 * bytes) ?? ceilings.memory.at(-1)!;
  const readSeconds = 1 / rates.readKernel;
  const writeSeconds = Math.max(0, 2 / rates.copyKernel - readSeconds);
  const moving = read * readSeconds + written * writeSeconds;
  return Math.max(workload.operations(workload.dims) / ceilings.productRate, moving);
}

/** The adapter's ceilings. */
export function ceilingsTable(ceilings: Ceilings): string {
  const rows: readonly (readonly [string, string])[] = [
    ["best product of 1024³", `${showNumber(ceilings.productRate / 1e9)} GFLOP/s (${ceilings.productShape})`],
    ["multiply and add in registers", `${showNumber(ceilings.registerRate / 1e9)} GFLOP/s`],
    ...ceilings.memory.flatMap(({ bytes, copyKernel, readKernel, copyCommand }): [string, string][] => {
      const size = `${bytes / 2 ** 20} MiB`;
      return [
        [`kernel that copies ${size}`, `${showNumber(copyKernel / 1e9)} GB/s, read and written`],
        [`kernel that reads ${size}`, `${showNumber(readKernel / 1e9)} GB/s`],
        [`the command that copies ${size}`, `${showNumber(copyCommand / 1e9)} GB/s, read and written`],
      ];
    }),
    ["an empty dispatch among 1000", `${showNumber(ceilings.dispatchSeconds * 1e6)} µs`],
    ["submit one and wait", `${showNumber(ceilings.roundTripSeconds * 1e6)} µs`],
  ];
  return markdownTable(["ceiling", ceilings.adapter], rows, 2);
}

/** FEC as a whole. Ratios are to PyTorch's eager line of the same task and size, where there is one. */
export function modelTable(measurements: readonly ModelMeasurement[]): string {
  const titles = [
    "task",
    "images",
    "system",
    "s",
    "images/s",
    "÷ fecit",
    "kernels",
    "of a block",
    "peak MB",
  ] as const;
  const rate = ({ batch, milliseconds }: ModelMeasurement): number => (1000 * batch) / median(milliseconds);
  const rows = measurements.map((m) => {
    const isSame = (other: ModelMeasurement): boolean =>
      other.system === systems.ours &&
      other.task === m.task &&
      other.size === m.size &&
      other.batch === m.batch;
    const ours = measurements.find(isSame);
    const isTimed = m.milliseconds.length > 0;
    return [
      m.task,
      `${m.batch} × ${m.size}`,
      m.system,
      isTimed ? showNumber(median(m.milliseconds) / 1000) : "",
      isTimed ? showNumber(rate(m)) : "",
      isTimed && ours !== undefined && ours.milliseconds.length > 0 ? showNumber(rate(m) / rate(ours)) : "",
      m.kernels === null ? "" : String(m.kernels),
      m.blockKernels === null ? "" : m.blockKernels.join(", "),
      showNumber(m.peakBytes / 1e6),
    ];
  });
  return markdownTable(titles, rows, 3);
}

/** What could not be measured, a line each; the empty text when there is nothing. */
export function failureList(failures: readonly Failed[]): string {
  return failures
    .map(({ workload, system, problem }) => `- ${workload}, ${system}: ${problem.split("\n")[0]}\n`)
    .join("");
}

/** Three digits that count. */
export function showNumber(x: number): string {
  if (!Number.isFinite(x)) return String(x);
  const digits = x === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(x))));
  return x.toFixed(Math.min(digits, 6));
}

/** A table of Markdown; all columns but the first `texts` are numbers and stand to the right. */
export function markdownTable(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  texts: number,
): string {
  const widths = titles.map((title, i) => Math.max(3, title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i < texts ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(" | ")} |\n`;
  const rule = widths.map((width, i) => (i < texts ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return line(titles) + line(rule) + rows.map(line).join("");
}
