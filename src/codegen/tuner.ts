/**
 * The tuner's part that needs no device: which other shapes a kernel may have, and how what was found is applied.
 *
 *     default ──▶ regionInvocations 16, 32, …   then 4, 2, …        each a kernel, measured, until times rise; the fastest goes on
 *             └─▶ bodiesInLoop 256, 512   then 64, 32, …            from there
 *
 * All are lowerings of the same group: another shape changes results by rounding only. The search goes one number at a time, so that a few
 * dozen kernels at most are looked at where all combinations would be thousands.
 */
import type { Group } from "../fusion/plan.ts";
import type { Kernel } from "./kernel.ts";
import type { KernelShape } from "./lower/kernel.ts";
import type { StagingShape } from "./lower/stage.ts";
import { printKernel } from "./print.ts";

/**
 * The numbers that a choice may have. `blocks` is 0 where contractions are not dealt in blocks, `spreads` where loads are not spread over a
 * subgroup, `stages` where operands are not staged in workgroup memory.
 */
export const choiceNames = [
  "invocations",
  "regionInvocations",
  "busyInvocations",
  "bodiesInLoop",
  "longestText",
  "spreads",
  "blocks",
  "lanes",
  "laneRows",
  "rows",
  "columns",
  "stages",
  "stagedTurns",
] as const;

type ChoiceName = (typeof choiceNames)[number];

/** The numbers in which a kernel's shape differs from that of its adapter's kind; none where that is the best. */
export type ShapeChoice = Readonly<Partial<Record<ChoiceName, number>>>;

/** Choices that were found before, by the text of the kernel as it is without one: another compiler's kernels are others. */
export interface ShapeChoices {
  /** Null where the kernel was not measured. */
  readonly find: (kernel: string) => ShapeChoice | null;
}

/** Choices that can be added to. */
export interface ChoiceStore extends ShapeChoices {
  /** Keeps what was found for a kernel, by its text. */
  readonly keep: (kernel: string, found: FoundChoice) => Promise<void>;
}

/** What measuring a kernel's shapes gave. */
export interface FoundChoice {
  readonly kernel: string;
  readonly choice: ShapeChoice;
  /** Milliseconds of a dispatch in the shape of the adapter's kind, and in the one chosen. */
  readonly defaultMs: number;
  readonly chosenMs: number;
}

/** By what a kernel's choice is found. */
export function choiceKey(kernel: Kernel): string {
  return printKernel(kernel);
}

/** A shape with a choice's numbers in place of its own. */
export function withChoice(shape: KernelShape, choice: ShapeChoice): KernelShape {
  const {
    blocks = 1,
    spreads = 1,
    stages = 1,
    stagedTurns,
    lanes,
    laneRows,
    rows,
    columns,
    ...numbers
  } = choice;
  const { block, subgroup, ...rest } = shape;
  const others = subgroup === undefined || spreads === 0 ? rest : { ...rest, subgroup };
  if (block === undefined || blocks === 0) return { ...others, ...numbers };
  const given = Object.entries({ lanes, laneRows, rows, columns }).filter(([, value]) => value !== undefined);
  const { staging: usual, ...plain } = block;
  const staging = usual === undefined || stages === 0 ? {} : { staging: withTurns(usual, stagedTurns) };
  return { ...others, ...numbers, block: { ...plain, ...staging, ...Object.fromEntries(given) } };
}

function withTurns(staging: StagingShape, turns: number | undefined): StagingShape {
  return turns === undefined ? staging : { ...staging, turns };
}

/**
 * Values of one number, each farther from that of the kind than the one before. Times rise and fall once along them: where they have begun
 * to rise, the rest need not be measured.
 */
export type TuningDirection = readonly ShapeChoice[];

/** What to vary for a group, in order: first what matters most. */
export function tuningDirections(
  { owner }: Pick<Group, "owner">,
  shape: KernelShape,
): readonly TuningDirection[] {
  const { block } = shape;
  const both = (name: ChoiceName, own: number, values: readonly number[]): readonly TuningDirection[] => [
    values.filter((value) => value > own).map((value) => ({ [name]: value })),
    values
      .filter((value) => value < own)
      .map((value) => ({ [name]: value }))
      .reverse(),
  ];
  const busy = shape.busyInvocations;
  const always = [
    ...both("bodiesInLoop", shape.bodiesInLoop ?? 64, [1, ...powers(16, 512)]),
    ...both("busyInvocations", busy, [busy / 64, busy / 16, busy / 4, 4 * busy].map(atLeastOne)),
    ...(shape.longestText === undefined ? [] : [[{ longestText: 2 * shape.longestText }]]),
    ...(shape.subgroup === undefined ? [] : [[{ spreads: 0 }]]),
  ];
  if (owner === "workgroup")
    return [...both("regionInvocations", shape.regionInvocations, powers(1, 256)), ...always];
  const tiles = [...both("invocations", shape.invocations, powers(8, 256)), ...always];
  if (block === undefined) return tiles;
  const { lanes } = block;
  return [
    [{ blocks: 0 }],
    ...(block.staging === undefined
      ? []
      : [[{ stages: 0 }], ...both("stagedTurns", block.staging.turns, powers(4, 64))]),
    ...both("rows", block.rows, powers(1, 32)),
    ...both("columns", block.columns, powers(1, 8)),
    ...both("laneRows", block.laneRows, powers(1, 16)),
    ...both("lanes", lanes, [lanes / 2, 2 * lanes, 4 * lanes].map(atLeastOne)),
    ...tiles,
  ];
}

function atLeastOne(n: number): number {
  return Math.max(1, Math.round(n));
}

/** The powers of two from one to another. */
function powers(from: number, to: number): number[] {
  const list: number[] = [];
  for (let n = from; n <= to; n *= 2) list.push(n);
  return list;
}

/** Is it a choice that a kernel can be made with? What was kept on disk may be anything. */
export function isChoice(value: unknown): value is ShapeChoice {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(
    ([name, number]) =>
      choiceNames.some((known) => known === name) &&
      Number.isInteger(number) &&
      number >= (isSwitch(name) ? 0 : 1) &&
      number <= (most[name as ChoiceName] ?? mostInvocations),
  );
}

function isSwitch(name: string): boolean {
  return name === "blocks" || name === "spreads" || name === "stages";
}

/** WebGPU's least limit: every adapter takes workgroups of so many. */
const mostInvocations = 256;

const most: Readonly<Partial<Record<ChoiceName, number>>> = {
  busyInvocations: 2 ** 24,
  bodiesInLoop: 512,
  longestText: 2 ** 20,
  spreads: 1,
  blocks: 1,
  lanes: 128,
  laneRows: 16,
  rows: 32,
  columns: 8,
  stages: 1,
  stagedTurns: 256,
};
