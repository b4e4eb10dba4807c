/**
 * The tuner: measures other shapes of a program's kernels on its device, and keeps the fastest for every later compilation.
 *
 *     await tuneKernels(device, compiled.kernels({ target: device.target }), [], { progress })
 *     // { kernel: "cluster", number: 1, of: 3, candidates: 17, defaultMs: 4.1, chosenMs: 2.9, choice: { regionInvocations: 16 } }
 *
 * What `src/codegen/tuner.ts` says is varied; kernels that take longest by the planner's estimate come first, and what was found is kept
 * after each, so that whoever has waited long enough may stop it.
 */
import { workgroupBytes, type Kernel } from "./codegen/kernel.ts";
import { kernelsToShape, type ShapedKernel } from "./codegen/lower/program.ts";
import type { Update } from "./fusion/overwrite.ts";
import {
  choiceKey,
  type ChoiceStore,
  type FoundChoice,
  type ShapeChoice,
  tuningDirections,
  withChoice,
} from "./codegen/tuner.ts";
import type { KernelShape, LoweredGroup } from "./codegen/lower/kernel.ts";
import type { Plan } from "./fusion/plan.ts";
import { type KernelTarget, kernelShapeOf } from "./kernel-text.ts";
import type { DeviceLimits } from "./runtime/adapter.ts";
import type { Device } from "./runtime/device.ts";
import { DeviceLostError } from "./runtime/errors.ts";
import { median } from "./runtime/quantiles.ts";
import { type KernelTimer, openKernelTimer, type ReadyKernel } from "./runtime/time-kernel.ts";

/** A kernel that was tuned. */
export interface TunedKernel extends FoundChoice {
  /** Which it is of those that are tuned, from 1. */
  readonly number: number;
  readonly of: number;
  /** Kernels of other texts that were measured. */
  readonly candidates: number;
}

export interface TuneOptions {
  /** Hears at the beginning how many kernels are to be tuned, if any, and for how many seconds each at most. */
  readonly begun?: (kernels: number, secondsEach: number) => void;
  /** Hears of each kernel when it has been tuned, or why it could not be. */
  readonly progress?: (tuned: TunedKernel | UntunedKernel) => void;
  /** No candidate of a kernel is begun after so many seconds (default 30). */
  readonly secondsPerKernel?: number;
  /** Milliseconds of dispatches by which a kernel is measured each time (default 50). */
  readonly millisecondsEach?: number;
  /** Ends tuning; what was found until then is kept. */
  readonly signal?: AbortSignal;
}

/** A kernel that the device could not run by itself. */
export interface UntunedKernel extends Pick<TunedKernel, "kernel" | "number" | "of"> {
  readonly reason: string;
}

/** A device whose adapter is known by measurement. */
export interface KnownDevice extends Device {
  /** What kernels are made for: the adapter, and what was measured of it. */
  readonly target: KernelTarget;
  /** Where shapes are kept that tuning finds; the target has the same. */
  readonly choices: ChoiceStore;
}

/** Choices for as long as the process lives. */
export function choicesInMemory(): ChoiceStore {
  const found = new Map<string, ShapeChoice>();
  return {
    find: (kernel) => found.get(kernel) ?? null,
    keep: async (kernel, { choice }) => void found.set(kernel, choice),
  };
}

/**
 * Tunes the kernels of a plan that have not been tuned before.
 *
 * @throws {DeviceLostError}
 */
export async function tuneKernels(
  device: KnownDevice,
  plan: Plan,
  updates: readonly Update[],
  {
    begun = () => {},
    progress = () => {},
    secondsPerKernel = 30,
    millisecondsEach = 50,
    signal,
  }: TuneOptions = {},
): Promise<void> {
  const shape = kernelShapeOf(device.target);
  const { choices } = device;
  const isEnded = (): boolean => signal?.aborted === true;
  const waiting = new Map<string, ShapedKernel & { readonly own: LoweredGroup }>();
  for (const shaped of kernelsToShape(plan, updates)) {
    const own = shaped.write(shape);
    const key = choiceKey(own.kernel);
    if (choices.find(key) === null && !waiting.has(key)) waiting.set(key, { ...shaped, own });
  }
  const inOrder = [...waiting].sort(([, a], [, b]) => b.group.seconds - a.group.seconds);
  if (inOrder.length > 0) begun(inOrder.length, secondsPerKernel);
  for (const [i, [key, shaped]] of inOrder.entries()) {
    if (isEnded()) break;
    const place = { kernel: shaped.own.kernel.name, number: i + 1, of: inOrder.length };
    const timer = openKernelTimer(device);
    try {
      const found = await tuneKernel(shaped, shape, {
        timer,
        limits: device.adapter.limits,
        isOpen: opening(1000 * secondsPerKernel, isEnded),
        budgetMs: millisecondsEach,
      });
      // One that was broken off is measured again another time.
      if (isEnded()) break;
      await choices.keep(key, { ...found, kernel: place.kernel });
      progress({ ...found, ...place });
    } catch (error) {
      if (error instanceof DeviceLostError || !(error instanceof Error)) throw error;
      progress({ ...place, reason: error.message });
    } finally {
      timer.free();
    }
  }
}

/** A candidate that seems to take more than so many times the best time is not compared with it, nor is what lies behind it measured. */
const likely = 1.15;

/** A candidate whose first run takes so many times the best time so far is not run again. */
const hopeless = 3;

/** Milliseconds that a submission may take by itself. */
const submission = 1;

/** A shape is chosen that takes less than this part of the time of the kind's. */
const worthwhile = 0.97;

/** Longer texts than so many times the kind's are not tried: drivers take long over them. */
const longest = 3;

/** Rounds in which two shapes take turns, so that neither has the quieter machine: where one seems faster, and at the end. */
const [fewRounds, manyRounds] = [3, 7] as const;

type Found = Omit<FoundChoice, "kernel"> & Pick<TunedKernel, "candidates">;

interface Candidate {
  readonly choice: ShapeChoice;
  readonly ready: ReadyKernel;
  readonly milliseconds: number;
}

/** By what a kernel is tuned. */
interface Bench {
  readonly timer: KernelTimer;
  readonly limits: DeviceLimits;
  /** May another candidate be begun? */
  readonly isOpen: () => boolean;
  /** Milliseconds by which each is measured. */
  readonly budgetMs: number;
}

/** Open for so many milliseconds from now on, unless it is ended. */
function opening(milliseconds: number, isEnded: () => boolean): () => boolean {
  const start = performance.now();
  return () => !isEnded() && performance.now() - start < milliseconds;
}

async function tuneKernel(
  { group, own, write, typeOf }: ShapedKernel & { readonly own: LoweredGroup },
  shape: KernelShape,
  bench: Bench,
): Promise<Found> {
  const { timer, limits, isOpen, budgetMs } = bench;
  const ready = ({ kernel, values }: LoweredGroup): Promise<ReadyKernel> =>
    timer.ready(kernel, values.map(typeOf));
  const ownReady = await ready(own);
  const first: Candidate = {
    choice: {},
    ready: ownReady,
    milliseconds: await ownReady.milliseconds(budgetMs),
  };
  const text = choiceKey(own.kernel);
  const seen = new Set([text]);
  let best = first;
  const leave = (candidate: Candidate): void => {
    if (candidate !== first) candidate.ready.free();
  };
  try {
    for (const direction of tuningDirections(group, shape)) {
      // All values of a direction stand beside what was found before it.
      const before = best.choice;
      for (const change of direction) {
        if (!isOpen()) break;
        const choice = { ...before, ...change };
        const written = write(withChoice(shape, choice));
        const key = choiceKey(written.kernel);
        if (seen.has(key) || key.length > longest * text.length || !fits(written.kernel, limits)) continue;
        seen.add(key);
        const candidate = await measured(await ready(written), choice, best.milliseconds, budgetMs);
        if (await isFaster(candidate, best, budgetMs)) {
          leave(best);
          best = candidate;
        } else leave(candidate);
        if (candidate.milliseconds > likely * best.milliseconds) break;
      }
    }
    const candidates = seen.size - 1;
    const none = { choice: {}, defaultMs: first.milliseconds, chosenMs: first.milliseconds, candidates };
    if (best === first) return none;
    const { defaultMs, chosenMs, part } = await compared(first, best, manyRounds, budgetMs);
    return part < worthwhile ? { choice: best.choice, defaultMs, chosenMs, candidates } : none;
  } finally {
    leave(best);
    first.ready.free();
  }
}

async function measured(
  ready: ReadyKernel,
  choice: ShapeChoice,
  bestMs: number,
  budgetMs: number,
): Promise<Candidate> {
  const once = await ready.once();
  const milliseconds = once > hopeless * bestMs + submission ? once : await ready.milliseconds(budgetMs);
  return { choice, ready, milliseconds };
}

/** Is it faster, also in turns with the best so far? */
async function isFaster(candidate: Candidate, best: Candidate, budgetMs: number): Promise<boolean> {
  if (candidate.milliseconds > likely * best.milliseconds) return false;
  return (await compared(best, candidate, fewRounds, budgetMs)).part < 1;
}

/** The medians of both over some rounds, and of the part of the default's time that the other takes in the same round. */
async function compared(
  first: Candidate,
  other: Candidate,
  rounds: number,
  budgetMs: number,
): Promise<{ readonly defaultMs: number; readonly chosenMs: number; readonly part: number }> {
  const times: (readonly [number, number])[] = [];
  for (let round = 0; round < rounds; round++)
    times.push([await first.ready.milliseconds(budgetMs), await other.ready.milliseconds(budgetMs)]);
  return {
    defaultMs: median(times.map(([own]) => own)),
    chosenMs: median(times.map(([, chosen]) => chosen)),
    part: median(times.map(([own, chosen]) => chosen / own)),
  };
}

/** Does the kernel keep the device's limits? */
function fits(kernel: Kernel, limits: DeviceLimits): boolean {
  return (
    kernel.invocations <= limits.maxComputeInvocationsPerWorkgroup &&
    kernel.invocations <= limits.maxComputeWorkgroupSizeX &&
    workgroupBytes(kernel) <= limits.maxComputeWorkgroupStorageSize
  );
}
