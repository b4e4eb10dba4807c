/**
 * What commands that apply a model know of it before a device is opened: its weights, the size of its images, its classes.
 *
 *     --weights runs/mini/best.safetensors      the checkpoint tells the model, the size and the classes, the run beside it the data
 */
import { dirname } from "node:path";
import { type DeviceArgument } from "../device-value.ts";
import { type Model, type ModelOptions } from "../model.ts";
import { readCheckpoint } from "../train/checkpoint.ts";
import { type TrainingState } from "../train/checkpoint-state.ts";
import { weightsOf } from "../train/model-on-device.ts";
import { openDataset } from "../train/data/open.ts";
import { readConfiguration, RunError } from "../train/run-folder.ts";
import { settingsOf, type TrainingSettings } from "../train/settings.ts";
import { exit, Failure } from "./failure.ts";
import { pathOf, type Terminal } from "./terminal.ts";
import { dataPath, modelNamed } from "./training-options.ts";

/** What a command is told of a model. */
export interface ModelRequest {
  /** The path of a safetensors file, as it was given. */
  readonly weights: string;
  /** Default: what the checkpoint says, or the run that it lies in. */
  readonly model?: string | undefined;
  /** The side of the images. Default: as for the model, and that of the published models where nothing tells it. */
  readonly size?: number | undefined;
}

/** A model, and what a file of its weights tells. */
export interface ModelToApply {
  readonly model: Model;
  readonly size: number;
  readonly weights: DeviceArgument;
  /** What a checkpoint of a run says; null for weights alone. */
  readonly state: TrainingState | null;
  /** The settings of the run that the file lies in; null when it lies in none. */
  readonly run: TrainingSettings | null;
}

/**
 * Reads the weights of a model, and finds which it is; it is compiled as `options` say. Throws `CheckpointError`, and a `Failure` where
 * nothing tells.
 */
export async function modelToApply(
  terminal: Terminal,
  request: ModelRequest,
  options: ModelOptions = {},
): Promise<ModelToApply> {
  const file = pathOf(terminal, request.weights);
  // A wrong name is told before a large file is read.
  const named = request.model === undefined ? null : modelNamed(request.model, options);
  const checkpoint = await readCheckpoint(file);
  const { state } = checkpoint;
  const run = runBeside(terminal, request.weights);
  const model = named ?? modelNamed(nameIn(state, run, request.weights), options);
  return {
    model,
    size: request.size ?? state?.size ?? run?.size ?? publishedSize,
    weights: weightsOf(checkpoint, model, file),
    state,
    run,
  };
}

/** The settings of the run that a file of weights lies in; null when it is in none. */
function runBeside(terminal: Terminal, weights: string): TrainingSettings | null {
  const folder = dirname(pathOf(terminal, weights));
  try {
    return settingsOf(readConfiguration(folder), folder);
  } catch (error) {
    if (error instanceof RunError) return null;
    throw error;
  }
}

/** The name of the model that weights are of. */
function nameIn(state: TrainingState | null, run: TrainingSettings | null, weights: string): string {
  const name = state?.model ?? run?.model;
  if (name !== undefined) return name;
  throw new Failure(
    exit.commandWrong,
    `--model is not given, and ${weights} is no checkpoint, and lies in no run, that would tell it`,
    { help: "as in `--model fec_small`" },
  );
}

/** The side of the images that published models were trained with. */
export const publishedSize = 224;

/** The names of the classes of a data set, or of the run's; null when neither is known. Throws `DataError` for one that was given. */
export async function classNames(
  terminal: Terminal,
  data: string | undefined,
  run: TrainingSettings | null,
): Promise<readonly string[] | null> {
  const name = data === undefined ? run?.data : dataPath(terminal, data);
  if (name === undefined) return null;
  const { environment } = terminal;
  try {
    const dataset = await openDataset(name, { height: 32, width: 32, environment });
    await dataset.close();
    return dataset.classes;
  } catch (error) {
    // The run's data may be gone since; classes then go by their numbers.
    if (data === undefined) return null;
    throw error;
  }
}
