/**
 * A run before it needs a device: model, data, what it begins with, its folder. What can't be trained is refused here, before
 * anything is compiled or written.
 *
 *     settings, folder ──▶ { model, dataset, beginning, state }        for `train` of `training.ts`
 */
import { existsSync } from "node:fs";
import { loadModel, type Model } from "../model.ts";
import { type Checkpoint, readCheckpoint } from "./checkpoint.ts";
import { CheckpointError } from "./checkpoint-error.ts";
import { type TrainingState } from "./checkpoint-state.ts";
import { configurationHash } from "./configuration.ts";
import { DataError } from "./data/data-error.ts";
import { type Dataset } from "./data/dataset.ts";
import { openDataset } from "./data/open.ts";
import { trainingOrder } from "./data/order.ts";
import { firstState } from "./loop.ts";
import { requireClasses, requireSameClasses } from "./model-classes.ts";
import { parametersFrom } from "./model-weights.ts";
import {
  readConfiguration,
  requireWritable,
  resumeRun,
  RunError,
  runFiles,
  type RunFolder,
} from "./run-folder.ts";
import { requireData, requireSameImages } from "./run-images.ts";
import { configurationOf, type TrainingSettings } from "./settings.ts";
import { type Beginning } from "./trainer.ts";

export interface PreparedRun {
  readonly settings: TrainingSettings;
  readonly folder: string;
  /** Is it a run that goes on? */
  readonly isResumed: boolean;
  readonly model: Model;
  readonly dataset: Dataset;
  readonly beginning: Beginning;
  readonly state: TrainingState;
}

/** What a run is made of, besides its settings. */
export interface RunRequest {
  readonly settings: TrainingSettings;
  readonly folder: string;
  /** Go on with the run in the folder, which must be of these settings. */
  readonly isResumed: boolean;
  /** Where `FECIT_DATA` is looked up. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Instead of the package's model of the settings' name. */
  readonly model?: Model;
}

/**
 * Opens what a run needs. Close the data set at the end.
 *
 * @throws {ArgumentError} for a model that there is not. @throws {DataError | CheckpointError | RunError}
 */
export async function prepareRun(request: RunRequest): Promise<PreparedRun> {
  const { settings, folder, isResumed } = request;
  const model = request.model ?? loadModel(settings.model);
  if (!isResumed) requireNoRun(folder);
  requirePicture(settings);
  // A folder without a run is refused by what reads it.
  if (!isResumed || existsSync(runFiles(folder).configuration)) requireWritable(folder);
  // What was given beside --resume is refused as any other path is.
  if (isResumed && readConfiguration(folder)["data"] === settings.data)
    requireData(settings.data, "--data FOLDER, beside --resume");
  const { size, seed } = settings;
  const dataset = await openDataset(settings.data, {
    height: size,
    width: size,
    seed,
    environment: request.environment,
  });
  try {
    requireClasses(model, dataset.classes.length, settings.data, size);
    // Refuses a batch that is larger than the data.
    trainingOrder(dataset.training.size, settings.batch);
    if (dataset.heldOut.size === 0)
      throw new DataError(`${settings.data} has no held-out images`, [], "add a folder `val` to it");
    const { beginning, state } = isResumed
      ? await resumed(folder, settings)
      : { beginning: await begun(settings, model), state: firstState(settings, dataset) };
    if (isResumed) {
      requireSameClasses(state.classes, dataset, runFiles(folder).latest);
      requireSameImages(state.images, dataset);
    }
    return { settings, folder, isResumed, model, dataset, beginning, state };
  } catch (error) {
    await dataset.close();
    throw error;
  }
}

/** Crops of images that are padded by as much as they measure may have nothing of them. Throws `DataError`. */
function requirePicture({ cropPadding, size }: TrainingSettings): void {
  if (cropPadding < size) return;
  throw new DataError(
    `images of ${size} × ${size} that are padded by ${cropPadding} may be left out of their crops`,
    [],
    `choose a padding below ${size}; an eighth of the side is usual`,
  );
}

/** `createRun` refuses in the end as well; compiling takes long enough to say it before. */
function requireNoRun(folder: string): void {
  const files = runFiles(folder);
  const taken = [files.configuration, files.latest].find((file) => existsSync(file));
  if (taken === undefined) return;
  throw new RunError(
    `there is a run in ${folder} already`,
    [`found ${taken}`],
    `go on with it by \`--resume ${folder}\`, or choose another folder by --out`,
  );
}

async function begun({ weights, size }: TrainingSettings, model: Model): Promise<Beginning> {
  if (weights === null) return { kind: "drawn" };
  const { parameters: arrays } = await readCheckpoint(weights);
  const shape = model.forward({ b: 1, h: size, w: size }).params[0]!.shape;
  parametersFrom(arrays, model, shape, weights);
  return { kind: "weights", arrays, file: weights };
}

async function resumed(
  folder: string,
  settings: TrainingSettings,
): Promise<Pick<PreparedRun, "beginning" | "state">> {
  const run = await resumeRun(folder, configurationOf(settings));
  const file = run.latest;
  const checkpoint = await lastCheckpoint(run);
  const { state } = checkpoint;
  if (state?.configuration !== configurationHash(configurationOf(settings))) {
    throw new CheckpointError(
      file,
      "state",
      state === null ? "it is of no run" : "it is of another run than its folder's configuration",
      [],
      "put the run's own checkpoint back, or begin a new run with it by --weights",
    );
  }
  return { beginning: { kind: "checkpoint", checkpoint, file }, state };
}

/** The checkpoint that a run goes on from. Where it is damaged, the error says what else there is to go on from. */
async function lastCheckpoint({ latest, best }: RunFolder): Promise<Checkpoint> {
  try {
    return await readCheckpoint(latest);
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    const other = await readCheckpoint(best).catch(() => null);
    throw new CheckpointError(
      latest,
      error.fault,
      error.problem,
      error.notes,
      other?.state
        ? `copy ${best}, the run's checkpoint after step ${other.state.step}, over it and resume again`
        : "the run has no other checkpoint: put a copy of it back, or begin a new run in another folder",
    );
  }
}
