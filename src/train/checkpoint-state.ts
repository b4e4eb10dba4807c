/**
 * Where a training run stands: what a checkpoint keeps beside its arrays, as the strings of safetensors' metadata.
 *
 *     { "fecit.format": "1", "fecit.step": "1200", "fecit.epoch": "3", "fecit.model": "fec_mini", … }
 */
import { CheckpointError } from "./checkpoint-error.ts";
import { type OrderPlace } from "./data/order.ts";

export interface TrainingState {
  /** The steps that were taken. */
  readonly step: number;
  /** The images that come next. */
  readonly place: OrderPlace;
  readonly model: string;
  /** Height and width of the images; null in checkpoints that do not say. */
  readonly size: number | null;
  /** `configurationHash` of the run's configuration. */
  readonly configuration: string;
  /** The names of the data's classes, in the order of their numbers; null in checkpoints that do not say. */
  readonly classes: readonly string[] | null;
  /** `images` of the data set; null in checkpoints that do not say. */
  readonly images: string | null;
  /** The best held-out accuracy so far, 0 … 1; null before the first evaluation. */
  readonly bestAccuracy: number | null;
}

/** The version of the layout; another one is refused. */
const format = "1";

type Metadata = Readonly<Record<string, string>>;

/** The state as metadata. */
export function stateMetadata(state: TrainingState): Metadata {
  const { step, place, model, size, configuration, classes, images, bestAccuracy } = state;
  return {
    "fecit.format": format,
    "fecit.step": String(step),
    "fecit.epoch": String(place.epoch),
    "fecit.position": String(place.position),
    "fecit.seed": String(place.seed),
    "fecit.model": model,
    ...(size === null ? {} : { "fecit.size": String(size) }),
    "fecit.configuration": configuration,
    ...(classes === null ? {} : { "fecit.classes": JSON.stringify(classes) }),
    ...(images === null ? {} : { "fecit.images": images }),
    ...(bestAccuracy === null ? {} : { "fecit.best-accuracy": String(bestAccuracy) }),
  };
}

/** The state that metadata say, or null when the file is no checkpoint of a run. Throws `CheckpointError`. */
export function readState(metadata: Metadata, file: string): TrainingState | null {
  const version = metadata["fecit.format"];
  if (version === undefined) return null;
  if (version !== format) {
    throw wrong(file, `its layout is of version ${version}`, [`this program reads version ${format}`]);
  }
  const best = metadata["fecit.best-accuracy"];
  return {
    step: whole(metadata, "fecit.step", file),
    place: {
      seed: whole(metadata, "fecit.seed", file),
      epoch: whole(metadata, "fecit.epoch", file),
      position: whole(metadata, "fecit.position", file),
    },
    model: text(metadata, "fecit.model", file),
    size: metadata["fecit.size"] === undefined ? null : whole(metadata, "fecit.size", file),
    configuration: text(metadata, "fecit.configuration", file),
    classes: classesOf(metadata["fecit.classes"], file),
    images: metadata["fecit.images"] ?? null,
    bestAccuracy: best === undefined ? null : numberOf(best, "fecit.best-accuracy", file),
  };
}

function classesOf(value: string | undefined, file: string): readonly string[] | null {
  if (value === undefined) return null;
  try {
    const classes = JSON.parse(value) as unknown;
    if (Array.isArray(classes) && classes.every((name) => typeof name === "string")) return classes;
  } catch {
    // As wrong as what is no list of names.
  }
  throw wrong(file, `its fecit.classes is "${value.slice(0, 40)}"`, ["a list of names in JSON is expected"]);
}

function text(metadata: Metadata, key: string, file: string): string {
  const value = metadata[key];
  if (value === undefined) throw wrong(file, `its metadata lack ${key}`, []);
  return value;
}

function whole(metadata: Metadata, key: string, file: string): number {
  const value = numberOf(text(metadata, key, file), key, file);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw wrong(file, `its ${key} is ${value}`, ["a whole number is expected"]);
}

function numberOf(value: string, key: string, file: string): number {
  const result = value.trim() === "" ? Number.NaN : Number(value);
  if (Number.isFinite(result)) return result;
  throw wrong(file, `its ${key} is "${value.slice(0, 40)}"`, ["a number is expected"]);
}

function wrong(file: string, problem: string, notes: readonly string[]): CheckpointError {
  return new CheckpointError(file, "state", problem, notes, "go on from another checkpoint");
}
