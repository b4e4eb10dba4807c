/**
 * The tuner's part that needs no device: which other shapes a kernel may have, and how what was found is applied.
 *
 *     default ──▶ regionInvocations 1, 2, 4, 16, …        each a kernel, measured; the fastest goes on
 *             └─▶ bodiesInLoop 16, 32, 64, 256, …         from there
 *
 * All are lowerings of the same group: another shape changes results by rounding only. The search goes one number at a time, so that a few
 * dozen kernels are looked at where all combinations would be thousands.
 */
import type { Group } from "../fusion/plan.ts";
import type { Kernel } from "./kernel.ts";
import type { KernelShape } from "./lower/kernel.ts";
import { printKernel } from "./print.ts";

/** The numbers that a choice may have. `blocks` is 0 where contractions are not dealt in blocks. */
export const choiceNames = [
  "invocations",
  "regionInvocations",
  "busyInvocations",
  "bodiesInLoop",
  "blocks",
  "lanes",
  "laneRows",
  "rows",
  "columns",
] as const;

type ChoiceName = (typeof choiceNames)[number];

/** The numbers in which a kernel's shape differs from that of its adapter's kind; none where that is the best. */
export type ShapeChoice = Readonly<Partial<Record<ChoiceName, number>>>;

/** Choices that were found before, by the text of the kernel as it is without one: another compiler's kernels are others. */
export interface ShapeChoices {
  /** Null where the kernel was not measured. */
  readonly find: (kernel: string) => ShapeChoice | null;
}

/** By what a kernel's choice is found. */
export function choiceKey(kernel: Kernel): string {
  return printKernel(kernel);
}

/** A shape with a choice's numbers in place of its own. */
export function withChoice(shape: KernelShape, choice: ShapeChoice): KernelShape {
  const { blocks = 1, lanes, laneRows, rows, columns, ...numbers } = choice;
  const { block, ...others } = shape;
  if (block === undefined || blocks === 0) return { ...others, ...numbers };
  const given = Object.entries({ lanes, laneRows, rows, columns }).filter(
    ([, value]) => value !== undefined,
  );
  return { ...others, ...numbers, block: { ...block, ...Object.fromEntries(given) } };
}

/** A number that is varied: the values to try, each beside what was found for the numbers before. */
export type TuningStep = readonly ShapeChoice[];

/** What to vary for a group, in order: first what matters most. */
export function tuningSteps({ owner }: Pick<Group, "owner">, shape: KernelShape): readonly TuningStep[] {
  const each = (name: ChoiceName, values: readonly number[]): TuningStep =>
    values.map((value) => ({ [name]: value }));
  const powers = (from: number, to: number): number[] => {
    const list: number[] = [];
    for (let n = from; n <= to; n *= 2) list.push(n);
    return list;
  };
  const bodies = each("bodiesInLoop", [1, ...powers(16, 512)]);
  const busy = each(
    "busyInvocations",
    [1 / 64, 1 / 16, 1 / 4, 4].map((factor) => Math.max(1, Math.round(shape.busyInvocations * factor))),
  );
  if (owner === "workgroup") return [each("regionInvocations", powers(1, 256)), bodies, busy];
  const tiles = [each("invocations", powers(8, 256)), busy, bodies];
  if (shape.block === undefined) return tiles;
  const { lanes } = shape.block;
  return [
    [{ blocks: 0 }],
    each("rows", powers(1, 32)),
    each("columns", powers(1, 8)),
    each("laneRows", powers(1, 16)),
    each("lanes", [lanes / 2, 2 * lanes, 4 * lanes].filter((n) => n >= 4)),
    ...tiles,
  ];
}

/** Is it a choice that a kernel can be made with? What was kept on disk may be anything. */
export function isChoice(value: unknown): value is ShapeChoice {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(
    ([name, number]) =>
      choiceNames.some((known) => known === name) &&
      Number.isInteger(number) &&
      number >= (name === "blocks" ? 0 : 1) &&
      number <= (most[name as ChoiceName] ?? mostInvocations),
  );
}

/** WebGPU's least limit: every adapter takes workgroups of so many. */
const mostInvocations = 256;

const most: Readonly<Partial<Record<ChoiceName, number>>> = {
  busyInvocations: 2 ** 24,
  bodiesInLoop: 512,
  blocks: 1,
  lanes: 128,
  laneRows: 16,
  rows: 32,
  columns: 8,
};
