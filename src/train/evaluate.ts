/**
 * How well a model classifies labelled images.
 *
 *     { images: 2000, loss: 0.52, top1: 0.842, top5: 0.994, confusion: [[160, 0, 3, …], …] }
 */
import { type DeviceValue, isOnDevice } from "../device-value.ts";
import { type OpenFunction } from "../open-function.ts";
import { DataError } from "./data/data-error.ts";
import { heldOutBatches } from "./data/batches.ts";
import { type ImageShape, type Split } from "./data/dataset.ts";
import { defaultNormalisation } from "./data/normalise.ts";

export interface Evaluation {
  readonly images: number;
  /** Cross entropy, the mean over the images. */
  readonly loss: number;
  /** The part of the images whose class is the first answer, 0 … 1. */
  readonly top1: number;
  /** The part whose class is among the first five answers. */
  readonly top5: number;
  /** `confusion[label][answer]`: how many images; labels as far as the data has classes, answers as far as the model has. */
  readonly confusion: readonly (readonly number[])[];
}

/**
 * Runs a model's forward, compiled with its batch open, over all images of a split. `seen` hears how many are done. Throws
 * `DataError`, and the device's errors.
 */
export async function evaluate(
  forward: OpenFunction,
  parameters: DeviceValue,
  split: Split,
  shape: ImageShape,
  seen: (images: number) => void = () => {},
): Promise<Evaluation> {
  if (split.size === 0) throw new DataError("there are no held-out images", [], "hold some out");
  const counts = emptyCounts();
  const plan = {
    batchSize: forward.capacity,
    normalisation: defaultNormalisation(shape.channels),
    remainder: "keep",
  } as const;
  for await (const { images, labels, count } of heldOutBatches(split, shape, plan)) {
    const logits = await logitsOf(forward, parameters, images, count);
    countAnswers(counts, logits, labels);
    seen(counts.images);
  }
  return evaluationOf(counts);
}

/** The logits of so many images, `[count, classes]`. Throws the device's errors. */
export async function logitsOf(
  forward: OpenFunction,
  parameters: DeviceValue,
  images: Float32Array,
  count: number,
): Promise<Float32Array> {
  const [logits] = await (await forward.at(count)).run(parameters, images);
  if (!isOnDevice(logits)) throw new TypeError("logits are one tensor");
  const numbers = await logits.read();
  logits.free();
  return Float32Array.from(numbers);
}

/** The logarithms of the probabilities of one image's logits. */
export function logSoftmax(logits: ArrayLike<number>): Float64Array {
  const own = Float64Array.from(logits);
  const largest = own.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = own.reduce((total, x) => total + Math.exp(x - largest), 0);
  return own.map((x) => x - largest - Math.log(sum));
}

/** The numbers of the classes, the likeliest first; of equal ones the first first. */
export function ranked(logits: ArrayLike<number>): number[] {
  return Array.from(logits, (_, i) => i).sort((a, b) => logits[b]! - logits[a]! || a - b);
}

interface Counts {
  images: number;
  loss: number;
  first: number;
  amongFive: number;
  confusion: number[][];
}

function emptyCounts(): Counts {
  return { images: 0, loss: 0, first: 0, amongFive: 0, confusion: [] };
}

function countAnswers(counts: Counts, logits: Float32Array, labels: Int32Array): void {
  const classes = logits.length / labels.length;
  labels.forEach((label, i) => {
    const own = logits.subarray(i * classes, (i + 1) * classes);
    const order = ranked(own);
    counts.images++;
    counts.loss -= logSoftmax(own)[label]!;
    if (order[0] === label) counts.first++;
    if (order.slice(0, 5).includes(label)) counts.amongFive++;
    while (counts.confusion.length <= label) counts.confusion.push(Array.from({ length: classes }, () => 0));
    counts.confusion[label]![order[0]!]!++;
  });
}

function evaluationOf({ images, loss, first, amongFive, confusion }: Counts): Evaluation {
  return { images, loss: loss / images, top1: first / images, top5: amongFive / images, confusion };
}
