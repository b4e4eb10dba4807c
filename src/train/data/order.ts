/**
 * Which images come next: a permutation of its own for each epoch, and a place in it. The place is three numbers, which a
 * checkpoint keeps; going on from there gives what an uninterrupted run would have had.
 *
 *     { seed: 1, epoch: 0, position: 64 } ──32 of 100──▶ images 64 … 95 of epoch 0's order, { …, position: 96 }
 */
import { DataError } from "./data-error.ts";
import { permutation } from "./random.ts";

/** A place in the order of training: `position` images of epoch `epoch` have been seen. */
export interface OrderPlace {
  readonly seed: number;
  readonly epoch: number;
  readonly position: number;
}

/** Images of one epoch, and the place after them. */
export interface OrderStep {
  readonly indices: Int32Array;
  readonly epoch: number;
  readonly after: OrderPlace;
}

/** Gives the next images after a place. */
export type Order = (place: OrderPlace) => OrderStep;

/** The place where training begins. Throws `DataError` when the seed is no whole number of 0 … 2^53-1. */
export function orderStart(seed: number): OrderPlace {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new DataError(`${seed} is no seed`, [], "choose a whole number of 0 … 2^53-1");
  }
  return { seed, epoch: 0, position: 0 };
}

/**
 * The order of `size` images in full batches. What is left of an epoch when no full batch is, is left out: every image has its
 * turn, since the next epoch leaves out others. Throws `DataError` when there are fewer images than a batch has.
 */
export function trainingOrder(size: number, batchSize: number): Order {
  if (batchSize > size || batchSize < 1) {
    throw new DataError(
      `a batch of ${batchSize} can't be made of ${size} images`,
      [],
      `choose a batch size of 1 … ${size}`,
    );
  }
  // The order of an epoch is needed for each of its batches.
  let latest: { seed: number; epoch: number; indices: Int32Array } = {
    seed: 0,
    epoch: -1,
    indices: new Int32Array(),
  };
  return (place) => {
    const { seed, epoch, position } = nextFullBatch(place, size, batchSize);
    if (latest.seed !== seed || latest.epoch !== epoch) {
      latest = { seed, epoch, indices: permutation(size, seed, "order", epoch) };
    }
    const indices = latest.indices.slice(position, position + batchSize);
    const after = nextFullBatch({ seed, epoch, position: position + batchSize }, size, batchSize);
    return { indices, epoch, after };
  };
}

/** The number of full batches of an epoch. */
export function batchesOfEpoch(size: number, batchSize: number): number {
  return Math.floor(size / batchSize);
}

/** The same place, or the next epoch's first one when no full batch is left. */
function nextFullBatch(place: OrderPlace, size: number, batchSize: number): OrderPlace {
  return place.position + batchSize <= size ? place : { ...place, epoch: place.epoch + 1, position: 0 };
}
