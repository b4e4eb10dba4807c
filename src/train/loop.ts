/**
 * The training loop: steps, measurements, held-out accuracy after each epoch, checkpoints. It can be stopped between any two steps
 * and goes on from there with the same bits.
 *
 *     step step step ─▶ metrics     … end of epoch ─▶ held-out accuracy ─▶ latest, best     … stop, broken image ─▶ latest
 */
import { existsSync } from "node:fs";
import { type OpenFunction } from "../open-function.ts";
import { type Arrays, type Checkpoint, writeCheckpoint } from "./checkpoint.ts";
import { type TrainingState } from "./checkpoint-state.ts";
import { configurationHash } from "./configuration.ts";
import { trainingBatches, type TrainingPlan } from "./data/batches.ts";
import { DataError } from "./data/data-error.ts";
import { type Dataset } from "./data/dataset.ts";
import { defaultNormalisation } from "./data/normalise.ts";
import { batchesOfEpoch } from "./data/order.ts";
import { DivergedError } from "./diverged-error.ts";
import { evaluate, type Evaluation } from "./evaluate.ts";
import { openMeter } from "./meter.ts";
import { cutMetrics, type Metrics, openMetrics, readMetrics } from "./metrics.ts";
import { firstNotFinite } from "./model-weights.ts";
import { type RunFolder } from "./run-folder.ts";
import { learningRate } from "./schedule.ts";
import { configurationOf, scheduleOf, type TrainingSettings } from "./settings.ts";
import { type Trainer } from "./trainer.ts";

/** What hears how it goes. */
export interface LoopListener {
  /** Over the steps since the last call. */
  readonly measured: (metrics: Extract<Metrics, { kind: "training" }>) => void;
  /** After an epoch. `isBest`: no earlier one was as good. */
  readonly evaluated: (evaluation: Evaluation, epoch: number, isBest: boolean) => void;
}

export interface LoopOptions {
  readonly settings: TrainingSettings;
  readonly dataset: Dataset;
  readonly run: RunFolder;
  readonly listener: LoopListener;
  /** Stops it before the next step, after what is under way has been saved. */
  readonly signal: AbortSignal;
  /** The loss is read every so many steps. */
  readonly stepsPerReading: number;
  /** Besides those after epochs, a checkpoint when so many seconds have passed since the last one. */
  readonly secondsBetweenCheckpoints: number;
  /** Seconds of a clock that only goes forward. */
  readonly now: () => number;
}

export interface LoopEnd {
  readonly kind: "finished" | "interrupted";
  /** The steps that were taken in all, of `steps`. */
  readonly step: number;
  readonly steps: number;
  /** 0 … 1; null before the first evaluation. */
  readonly bestAccuracy: number | null;
  /** The last evaluation of this process. */
  readonly evaluation: Evaluation | null;
}

/** How many steps a run has, at least one. */
export function stepsOf({ epochs, batch }: TrainingSettings, dataset: Dataset): number {
  return Math.max(1, Math.floor(epochs * batchesOfEpoch(dataset.training.size, batch)));
}

/** The state before the first step of a run on a data set. */
export function firstState(
  settings: TrainingSettings,
  { classes, images }: Pick<Dataset, "classes" | "images">,
): TrainingState {
  return {
    step: 0,
    place: { seed: settings.seed, epoch: 0, position: 0 },
    model: settings.model,
    size: settings.size,
    configuration: configurationHash(configurationOf(settings)),
    classes,
    images,
    bestAccuracy: null,
  };
}

/**
 * Is this the end of an epoch, or of all `steps`, whose held-out accuracy was not measured? A run gets there when held-out images can't
 * be read. Throws `MetricsError`.
 */
export function owesEvaluation(run: RunFolder, { step, place }: TrainingState, steps: number): boolean {
  const isEndOfEpoch = step > 0 && (place.position === 0 || step >= steps);
  return isEndOfEpoch && !metricsOf(run).some((line) => line.kind === "held-out" && line.step === step);
}

/**
 * Trains from a state to the end, or until it is stopped. The state's parameters and moments are in the trainer.
 *
 * @throws {DataError} when images can't be read: the steps before have been saved, or what prevented it is thrown. @throws
 * {DivergedError} when a number is not finite any more: the last checkpoint is from before. @throws {CheckpointError | MetricsError},
 * and the device's errors: the last checkpoint stays.
 */
export async function trainingLoop(
  trainer: Trainer,
  forward: OpenFunction,
  from: TrainingState,
  options: LoopOptions,
): Promise<LoopEnd> {
  const { settings, dataset, run, listener, signal, now } = options;
  const { augmentation, normalisation } = planOf(settings, dataset);
  const steps = stepsOf(settings, dataset);
  const schedule = scheduleOf(settings, steps);
  await cutMetrics(run.metrics, from.step);
  const before = secondsBefore(run);
  const metrics = openMetrics(run.metrics);
  const begin = now();
  const seconds = (): number => before + now() - begin;
  const meter = openMeter(trainer.totals, from.step, {
    batch: settings.batch,
    rate: (step) => learningRate(step, schedule),
    seconds,
    measured: async (measurement) => {
      metrics.append(measurement);
      listener.measured(measurement);
      if (Number.isFinite(measurement.loss)) return;
      const name = firstNotFinite((await trainer.read()).parameters);
      throw new DivergedError(measurement.step, name ?? "the loss", run.latest);
    },
  });

  let state = from;
  let savedAt = now();
  let evaluation: Evaluation | null = null;

  /** Writes what the steps so far have left, if it is finite. */
  const save = async (isBest: boolean): Promise<void> => {
    const values = await trainer.read();
    for (const [prefix, arrays] of [["", values.parameters], ...momentsOf(values)] as const) {
      const name = firstNotFinite(arrays);
      if (name !== null) throw new DivergedError(state.step, prefix + name, run.latest);
    }
    // Whoever is killed in between comes here again from the latest one.
    if (isBest) await writeCheckpoint(run.best, { ...values, state });
    await writeCheckpoint(run.latest, { ...values, state });
    metrics.sync();
    savedAt = now();
    meter.pause();
  };
  const endEpoch = async (epoch: number): Promise<void> => {
    await meter.rest(state);
    evaluation = await evaluate(forward, trainer.parameters, dataset.heldOut, dataset.shape);
    const { loss, top1 } = evaluation;
    const at = { step: state.step, epoch, seconds: seconds() };
    const isBest = state.bestAccuracy === null || top1 > state.bestAccuracy;
    if (isBest) state = { ...state, bestAccuracy: top1 };
    await save(isBest);
    // Whoever is killed before this line evaluates again; after it, the best accuracy and the best weights are on the disk.
    metrics.append({ kind: "held-out", ...at, loss, accuracy: top1 });
    listener.evaluated(evaluation, epoch, isBest);
  };
  const end = (kind: LoopEnd["kind"]): LoopEnd => ({
    kind,
    step: state.step,
    steps,
    bestAccuracy: state.bestAccuracy,
    evaluation,
  });

  try {
    if (from.step === 0) await save(false);
    const { epoch, position } = from.place;
    if (owesEvaluation(run, from, steps)) await endEpoch(position === 0 ? epoch : epoch + 1);
    if (from.step >= steps) return end("finished");
    const plan = { batchSize: settings.batch, normalisation, augmentation };
    for await (const batch of trainingBatches(dataset, plan, from.place)) {
      if (signal.aborted) break;
      await trainer.take(batch, state.step, learningRate(state.step, schedule));
      state = { ...state, step: state.step + 1, place: batch.after };
      const isEndOfEpoch = batch.after.epoch > batch.epoch || state.step >= steps;
      if (isEndOfEpoch) await endEpoch(batch.epoch + 1);
      else if (state.step % options.stepsPerReading === 0) await meter.next(state);
      if (state.step >= steps) return end("finished");
      if (!isEndOfEpoch && now() - savedAt >= options.secondsBetweenCheckpoints) await save(false);
    }
    await meter.rest(state);
    await save(false);
    return end("interrupted");
  } catch (error) {
    // Images that can't be read take nothing of what was learnt before them.
    if (error instanceof DataError) {
      await meter.rest(state);
      await save(false);
    }
    await meter.settle();
    throw error;
  } finally {
    metrics.close();
  }
}

function planOf(
  { flip, cropPadding }: TrainingSettings,
  { shape }: Dataset,
): Omit<TrainingPlan, "batchSize"> {
  return {
    normalisation: defaultNormalisation(shape.channels),
    augmentation: flip || cropPadding > 0 ? { flip, padding: cropPadding } : null,
  };
}

function momentsOf({ optimizer }: Pick<Checkpoint, "optimizer">): (readonly [string, Arrays])[] {
  return [...optimizer].map(([moment, arrays]) => [`optimizer.${moment}.`, arrays]);
}

/** How long the run had gone on when it was stopped. */
function secondsBefore(run: RunFolder): number {
  return metricsOf(run).at(-1)?.seconds ?? 0;
}

/** What a run has measured, nothing when it has no file for it. Throws `MetricsError`. */
function metricsOf(run: RunFolder): readonly Metrics[] {
  return existsSync(run.metrics) ? readMetrics(run.metrics) : [];
}
