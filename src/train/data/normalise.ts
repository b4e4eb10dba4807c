/**
 * From bytes to what a model takes: each channel brought to mean 0 and deviation 1, moved as augmentation drew it.
 *
 *     (byte / 255 - mean[c]) / deviation[c]
 */
import { type Move } from "./augment.ts";
import { type ImageShape, imageSize } from "./dataset.ts";

/** The mean and the deviation of each channel of images whose numbers are 0 … 1. */
export interface Normalisation {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** Of ImageNet's training images, red, green and blue; what published models were trained with. */
export const imageNet: Normalisation = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };

/** The same for grey images. */
export const imageNetGrey: Normalisation = { mean: [0.449], deviation: [0.226] };

/** What is used when nothing else is asked for. */
export function defaultNormalisation(channels: ImageShape["channels"]): Normalisation {
  return channels === 3 ? imageNet : imageNetGrey;
}

/** The normalised value of each byte, `[channels, 256]`. */
export function levelsOf({ mean, deviation }: Normalisation): Float32Array {
  return Float32Array.from({ length: mean.length * 256 }, (_, i) => {
    const channel = Math.floor(i / 256);
    return ((i % 256) / 255 - mean[channel]!) / deviation[channel]!;
  });
}

/** Where an image is read from and written to, in elements. */
export interface Place {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly floats: Float32Array;
  readonly to: number;
}

/** Writes one image of `bytes` into `floats`. What a move brings in from outside is black. */
export function normaliseImage(place: Place, shape: ImageShape, levels: Float32Array, move: Move): void {
  const { bytes, from, floats, to } = place;
  const { channels, height, width } = shape;
  for (let channel = 0; channel < channels; channel++) {
    const black = levels[channel * 256]!;
    for (let y = 0; y < height; y++) {
      const sourceRow = y + move.down;
      const row = to + (channel * height + y) * width;
      if (sourceRow < 0 || sourceRow >= height) {
        floats.fill(black, row, row + width);
        continue;
      }
      const source = from + (channel * height + sourceRow) * width;
      for (let x = 0; x < width; x++) {
        const shifted = x + move.right;
        const column = move.mirrored ? width - 1 - shifted : shifted;
        floats[row + x] =
          shifted < 0 || shifted >= width ? black : levels[channel * 256 + bytes[source + column]!]!;
      }
    }
  }
}

/** The bytes of normalised images, for pictures of them; rounded, cut to 0 … 255. */
export function denormalise(
  floats: Float32Array,
  shape: ImageShape,
  { mean, deviation }: Normalisation,
): Uint8ClampedArray {
  const plane = shape.height * shape.width;
  return Uint8ClampedArray.from(floats, (value, i) => {
    const channel = Math.floor((i % imageSize(shape)) / plane);
    return (value * deviation[channel]! + mean[channel]!) * 255;
  });
}
