/**
 * What commands that apply a model know of it before a device is opened: its weights, the size of its images, its classes.
 *
 *     --weights runs/mini/best.safetensors      the run's config.json tells the model, the size, and by its data the classes
 */
import { dirname } from "node:path";
import { type Model } from "../model.ts";
import { openDataset } from "../train/data/open.ts";
import { readConfiguration, RunError } from "../train/run-folder.ts";
import { settingsOf, type TrainingSettings } from "../train/settings.ts";
import { exit, Failure } from "./failure.ts";
import { pathOf, type Terminal } from "./terminal.ts";
import { dataPath, modelNamed } from "./training-options.ts";

/** The settings of the run that a file of weights lies in; null when it is in none. */
export function runBeside(terminal: Terminal, weights: string): TrainingSettings | null {
  const folder = dirname(pathOf(terminal, weights));
  try {
    return settingsOf(readConfiguration(folder), folder);
  } catch (error) {
    if (error instanceof RunError) return null;
    throw error;
  }
}

/** The model of a name, or of the run that the weights are of. */
export function modelFor(name: string | undefined, run: TrainingSettings | null, weights: string): Model {
  if (name !== undefined) return modelNamed(name);
  if (run !== null) return modelNamed(run.model);
  throw new Failure(
    exit.commandWrong,
    `--model is not given, and ${weights} lies in no run that would tell it`,
    {
      help: "as in `--model fec_small`",
    },
  );
}

/** What published models were trained with. */
const publishedSize = 224;

/** The side of the images: given, or the run's, or that of the published models. */
export function sizeFor(size: number | undefined, run: TrainingSettings | null): number {
  return size ?? run?.size ?? publishedSize;
}

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
