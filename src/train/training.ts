/**
 * A whole run on a device: compiles, trains, and leaves the curve and the kernels' texts in its folder.
 *
 *     const end = await train(device, await prepareRun(request), options);        // end.kind: finished, interrupted
 */
import { type Device } from "../device.ts";
import { type OpenFunction } from "../open-function.ts";
import { type LoopEnd, type LoopOptions, owesEvaluation, stepsOf, trainingLoop } from "./loop.ts";
import { type PreparedRun } from "./prepare.ts";
import { createRun, goOnWithRun, type RunFolder, runFiles, writeKernels } from "./run-folder.ts";
import { configurationOf } from "./settings.ts";
import { type TuneOptions } from "../tune.ts";
import { openTrainer, type Trainer } from "./trainer.ts";

/** How a run is trained, besides what `PreparedRun` says. */
export interface TrainOptions extends Pick<
  LoopOptions,
  "listener" | "signal" | "stepsPerReading" | "secondsBetweenCheckpoints" | "now"
> {
  /** Hears what is being compiled, and that it is done. */
  readonly compiling?: (what: string, done: number, total: number) => void;
  /** Tunes the kernels of the step and of the evaluation first, as `DeviceCompileOptions.tune` does. */
  readonly tune?: TuneOptions;
  /** Does something with the model at the end, before it is given back. */
  readonly atEnd?: (trained: TrainedModel, device: Device) => Promise<void>;
}

/** A model whose training has ended, still on the device. */
export interface TrainedModel {
  readonly run: RunFolder;
  readonly trainer: Trainer;
  /** The model's forward, its batch open. */
  readonly forward: OpenFunction;
  readonly end: LoopEnd;
}

/** Images of a held-out batch at most; a batch of training may be smaller. */
const heldOutBatch = 64;

/**
 * Trains a prepared run to its end, or until it is stopped. What has come to its end before is not compiled, unless `atEnd` wants it.
 *
 * @throws the signal's reason when it is aborted while compiling, and what `openTrainer` and `trainingLoop` throw; before the first step
 * nothing has been written.
 */
export async function train(
  device: Device,
  prepared: PreparedRun,
  options: TrainOptions,
): Promise<LoopEnd & { readonly run: RunFolder }> {
  const { settings, dataset, model, beginning, state, folder, isResumed } = prepared;
  const { size, fuse, batch } = settings;
  const steps = stepsOf(settings, dataset);
  const configuration = configurationOf(settings);
  const isDone = isResumed && state.step >= steps && !owesEvaluation(runFiles(folder), state, steps);
  if (isDone && options.atEnd === undefined) {
    const { step, bestAccuracy } = state;
    const run = await goOnWithRun(folder, configuration);
    return { kind: "finished", step, steps, bestAccuracy, evaluation: null, run };
  }
  const tune = options.tune === undefined ? false : { ...options.tune, signal: options.signal };
  // Between kernels: who stops a run here need not wait for all of them.
  const compiling =
    (what: string) =>
    (done: number, total: number): void => {
      options.signal.throwIfAborted();
      options.compiling?.(what, done, total);
    };
  const trainer = await openTrainer(device, model, settings, beginning, {
    tune,
    progress: compiling("the step"),
  });
  const capacity = Math.min(Math.max(batch, heldOutBatch), dataset.heldOut.size);
  const forward = await device.compile(model.forward({ b: capacity, h: size, w: size }), {
    fuse,
    open: "b",
    tune,
    progress: compiling("the evaluation"),
  });
  try {
    const run = isResumed ? await goOnWithRun(folder, configuration) : createRun(folder, configuration);
    writeKernels(run, kernelsOf(trainer));
    const end = await trainingLoop(trainer, forward, state, { ...options, settings, dataset, run });
    await options.atEnd?.({ run, trainer, forward, end }, device);
    return { ...end, run };
  } finally {
    forward.free();
    trainer.free();
  }
}

/** The texts of the step's kernels. One kernel may have several, by how its buffers lie in memory. */
function kernelsOf({ step }: Trainer): { readonly name: string; readonly wgsl: string }[] {
  const seen = new Map<string, number>();
  return step.executable.shaders.map(({ kernel, code }) => {
    const count = (seen.get(kernel) ?? 0) + 1;
    seen.set(kernel, count);
    return { name: count === 1 ? kernel : `${kernel}-${count}`, wgsl: code };
  });
}
