/**
 * Batches of a data set. While one is trained on, the next is read, decoded and normalised.
 *
 *     for await (const batch of trainingBatches(dataset, plan, orderStart(seed)))   // without end
 *       step(batch.images, batch.labels);                                           // f32[32, 3, 224, 224], i32[32]
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { type Augmentation, drawMove, type Move, still } from "./augment.ts";
import { type Dataset, type ImageShape, imageSize, type Split } from "./dataset.ts";
import { levelsOf, normaliseImage, type Normalisation } from "./normalise.ts";
import { type OrderPlace, trainingOrder } from "./order.ts";

export interface Batch {
  /** `[batch, channels, height, width]`, normalised. */
  readonly images: Float32Array;
  /** `[batch]`: the numbers of the classes. */
  readonly labels: Int32Array;
  /** The numbers of the images in their split. */
  readonly indices: Int32Array;
  /** How many of the images count; those after them only fill the batch. */
  readonly count: number;
}

export interface TrainingBatch extends Batch {
  readonly epoch: number;
  /** The place after this batch: what a checkpoint written after it keeps. */
  readonly after: OrderPlace;
}

export interface TrainingPlan {
  readonly batchSize: number;
  readonly normalisation: Normalisation;
  readonly augmentation: Augmentation | null;
}

/** Full batches from a place on, without end; end it by `break` or `return()`. Throws `DataError`. */
export async function* trainingBatches(
  dataset: Dataset,
  plan: TrainingPlan,
  from: OrderPlace,
): AsyncGenerator<TrainingBatch, never, void> {
  const { augmentation } = plan;
  const order = trainingOrder(dataset.training.size, plan.batchSize);
  const levels = levelsOf(plan.normalisation);
  const prepare = async (place: OrderPlace): Promise<TrainingBatch> => {
    const { indices, epoch, after } = order(place);
    const moves = Array.from(indices, (index) =>
      augmentation === null ? still : drawMove(augmentation, place.seed, epoch, index),
    );
    const images = await normalised(dataset.training, indices, dataset.shape, levels, moves);
    const labels = indices.map((index) => dataset.training.labels[index]!);
    return { images, labels, indices, count: indices.length, epoch, after };
  };
  let next = prepare(from);
  try {
    for (;;) {
      const batch = await next;
      next = ahead(() => prepare(batch.after));
      yield batch;
    }
  } finally {
    await next.catch(() => {});
  }
}

export interface HeldOutPlan {
  readonly batchSize: number;
  readonly normalisation: Normalisation;
  /** `keep`: the last batch may be smaller. `fill`: its last image is repeated, and `count` says how many count. */
  readonly remainder: "keep" | "fill";
}

/** All images of a split once, in order. Throws `DataError`. */
export async function* heldOutBatches(
  split: Split,
  shape: ImageShape,
  plan: HeldOutPlan,
): AsyncGenerator<Batch, void, void> {
  const { batchSize, normalisation, remainder } = plan;
  const levels = levelsOf(normalisation);
  const prepare = async (first: number): Promise<Batch> => {
    const count = Math.min(batchSize, split.size - first);
    const length = remainder === "fill" ? batchSize : count;
    const indices = Int32Array.from({ length }, (_, i) => first + Math.min(i, count - 1));
    const images = await normalised(split, indices, shape, levels, null);
    return { images, labels: indices.map((index) => split.labels[index]!), indices, count };
  };
  if (split.size === 0) return;
  let next = prepare(0);
  try {
    for (let first = 0; first < split.size; first += batchSize) {
      const batch = await next;
      const following = first + batchSize;
      if (following < split.size) next = ahead(() => prepare(following));
      yield batch;
    }
  } finally {
    await next.catch(() => {});
  }
}

/** Begins when the batch before has been taken; what fails is told to whoever asks for the batch. */
function ahead<B>(prepare: () => Promise<B>): Promise<B> {
  const batch = nextTurn().then(prepare);
  batch.catch(() => {});
  return batch;
}

/** Images of a split, normalised; `moves` is null when they are taken as they are. */
async function normalised(
  split: Split,
  indices: Int32Array,
  shape: ImageShape,
  levels: Float32Array,
  moves: readonly Move[] | null,
): Promise<Float32Array> {
  const bytes = await split.images(indices);
  const size = imageSize(shape);
  const floats = new Float32Array(indices.length * size);
  for (let i = 0; i < indices.length; i++) {
    normaliseImage({ bytes, from: i * size, floats, to: i * size }, shape, levels, moves?.[i] ?? still);
  }
  return floats;
}
