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
import { kernelsToShape, type ShapedKernel, type Update } from "./codegen/lower/program.ts";
import {
  choiceKey,
  type ShapeChoice,
  type ShapeChoices,
  tuningSteps,
  withChoice,
} from "./codegen/tuner.ts";
import type { KernelShape, LoweredGroup } from "./codegen/lower/kernel.ts";
import type { Plan } from "./fusion/plan.ts";
import { type KernelTarget, kernelShapeOf } from "./kernel-text.ts";
import type { DeviceLimits } from "./runtime/adapter.ts";
import type { Device } from "./runtime/device.ts";
import { DeviceLostError } from "./runtime/errors.ts";
import { type KernelTimer, openKernelTimer, type ReadyKernel } from "./runtime/time-kernel.ts";

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

/** A kernel that was tuned. */
export interface TunedKernel extends FoundChoice {
  /** Which it is of those that are tuned, from 1. */
  readonly number: number;
  readonly of: number;
  /** Kernels of other texts that were measured. */
  readonly candidates: number;
}

export interface TuneOptions {
  /** Hears of each kernel when it has been tuned, or why it could not be. */
  readonly progress?: (tuned: TunedKernel | UntunedKernel) => void;
  /** No candidate of a kernel is begun after so many seconds (default 30). */
  readonly secondsPerKernel?: number;
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
  { progress = () => {}, secondsPerKernel = 30 }: TuneOptions = {},
): Promise<void> {
  const shape = kernelShapeOf(device.target);
  const { choices } = device;
  const waiting = new Map<string, ShapedKernel & { readonly own: LoweredGroup }>();
  for (const shaped of kernelsToShape(plan, updates)) {
    const own = shaped.write(shape);
    const key = choiceKey(own.kernel);
    if (choices.find(key) === null && !waiting.has(key)) waiting.set(key, { ...shaped, own });
  }
  const inOrder = [...waiting].sort(([, a], [, b]) => b.group.seconds - a.group.seconds);
  for (const [i, [key, shaped]] of inOrder.entries()) {
    const place = { kernel: shaped.own.kernel.name, number: i + 1, of: inOrder.length };
    const timer = openKernelTimer(device);
    try {
      const found = await tuneKernel(device, timer, shaped, shape, 1000 * secondsPerKernel);
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

/** Milliseconds of dispatches that a kernel is measured by. */
const budgetMs = 50;

/** A candidate whose first run takes so many times the best time so far is not run again. */
const hopeless = 3;

/** A shape is chosen that takes less than this part of the time of the kind's. */
const worthwhile = 0.97;

/** Longer texts than so many times the kind's are not tried: drivers take long over them. */
const longest = 3;

/** Rounds in which the best and the kind's shape take turns at the end, so that neither has the quieter machine. */
const rounds = 5;

type Found = Omit<FoundChoice, "kernel"> & Pick<TunedKernel, "candidates">;

interface Candidate {
  readonly choice: ShapeChoice;
  readonly ready: ReadyKernel;
  readonly milliseconds: number;
}

async function tuneKernel(
  device: Device,
  timer: KernelTimer,
  { group, own, write, typeOf }: ShapedKernel & { readonly own: LoweredGroup },
  shape: KernelShape,
  limitMs: number,
): Promise<Found> {
  const start = performance.now();
  const ready = ({ kernel, values }: LoweredGroup): Promise<ReadyKernel> =>
    timer.ready(kernel, values.map(typeOf));
  const ownReady = await ready(own);
  const first: Candidate = { choice: {}, ready: ownReady, milliseconds: await ownReady.milliseconds(budgetMs) };
  const text = choiceKey(own.kernel);
  const seen = new Set([text]);
  const isOpen = (): boolean => performance.now() - start < limitMs;
  let best = first;
  const leave = (candidate: Candidate): void => {
    if (candidate !== first) candidate.ready.free();
  };
  try {
    for (const step of tuningSteps(group, shape)) {
      // All values of a step stand beside what was found before it.
      const before = best.choice;
      for (const change of step) {
        if (!isOpen()) break;
        const choice = { ...before, ...change };
        const written = write(withChoice(shape, choice));
        const key = choiceKey(written.kernel);
        if (seen.has(key) || key.length > longest * text.length || !fits(written.kernel, device.adapter.limits))
          continue;
        seen.add(key);
        const candidate = await measured(await ready(written), choice, best.milliseconds);
        if (candidate.milliseconds < best.milliseconds) {
          leave(best);
          best = candidate;
        } else leave(candidate);
      }
    }
    const [defaultMs, chosenMs] = await compared(first, best);
    const candidates = seen.size - 1;
    return chosenMs < worthwhile * defaultMs
      ? { choice: best.choice, defaultMs, chosenMs, candidates }
      : { choice: {}, defaultMs, chosenMs: defaultMs, candidates };
  } finally {
    leave(best);
    first.ready.free();
  }
}

async function measured(ready: ReadyKernel, choice: ShapeChoice, bestMs: number): Promise<Candidate> {
  const once = await ready.milliseconds(0);
  const milliseconds = once > hopeless * bestMs ? once : await ready.milliseconds(budgetMs);
  return { choice, ready, milliseconds };
}

/** Their medians over some rounds, in turns. */
async function compared(first: Candidate, best: Candidate): Promise<readonly [number, number]> {
  if (first === best) return [first.milliseconds, first.milliseconds];
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    times[0].push(await first.ready.milliseconds(budgetMs));
    times[1].push(await best.ready.milliseconds(budgetMs));
  }
  const [own, other] = times.map((list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0);
  return [own!, other!];
}

/** Does the kernel keep the device's limits? */
function fits(kernel: Kernel, limits: DeviceLimits): boolean {
  return (
    kernel.invocations <= limits.maxComputeInvocationsPerWorkgroup &&
    kernel.invocations <= limits.maxComputeWorkgroupSizeX &&
    workgroupBytes(kernel) <= limits.maxComputeWorkgroupStorageSize
  );
}
