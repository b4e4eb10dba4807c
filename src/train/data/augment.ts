/**
 * Random changes of an image in training: a mirror image, a crop of the padded image. What is drawn depends on
 * (seed, epoch, image) only.
 *
 *     flip: true, padding: 2      ┌──────┐   a 28×28 image is padded to 32×32 by black, and a 28×28 part of it is taken,
 *                                 │ ┌──┐ │   mirrored every other time
 */
import { randomBelow, randomBits } from "./random.ts";

export interface Augmentation {
  /** Mirror half of the images, left to right. */
  readonly flip: boolean;
  /** Take a random part of the image after it was padded on each side by this many black pixels; 0 leaves it. */
  readonly padding: number;
}

/** How an image is moved: pixel (y, x) of the result is pixel (y + down, x + right) of the image, mirrored before that. */
export interface Move {
  readonly mirrored: boolean;
  readonly down: number;
  readonly right: number;
}

/** An image as it is. */
export const still: Move = { mirrored: false, down: 0, right: 0 };

/** What image number `index` draws in an epoch. */
export function drawMove({ flip, padding }: Augmentation, seed: number, epoch: number, index: number): Move {
  const shift = (purpose: "cropRow" | "cropColumn"): number =>
    padding === 0 ? 0 : randomBelow(2 * padding + 1, seed, purpose, epoch, index) - padding;
  return {
    mirrored: flip && randomBits(seed, "flip", epoch, index) >= 2 ** 31,
    down: shift("cropRow"),
    right: shift("cropColumn"),
  };
}
