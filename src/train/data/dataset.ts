/**
 * A data set as training sees it: classes, and two splits of labelled images of one shape, in bytes.
 *
 *     fashion-mnist-subset   10 classes   [3, 32, 32]   10 000 images for training, 2 000 held out
 */

/** `[channels, height, width]` of every image of a data set. */
export interface ImageShape {
  readonly channels: 1 | 3;
  readonly height: number;
  readonly width: number;
}

/** Labelled images in a fixed order. */
export interface Split {
  readonly size: number;
  /** Of each image, the number of its class. */
  readonly labels: Int32Array;
  /**
   * The images of these numbers, `[indices.length, channels, height, width]`, 0 … 255. Throws a `DataError` that names those that are
   * broken or gone.
   */
  images(indices: ArrayLike<number>): Promise<Uint8Array>;
}

/** An image that was left out, with the decoder's reason. */
export interface SkippedImage {
  readonly file: string;
  readonly reason: string;
}

export interface Dataset {
  readonly name: string;
  readonly classes: readonly string[];
  readonly shape: ImageShape;
  readonly training: Split;
  readonly heldOut: Split;
  /** Images that were left out because they can't be decoded; empty unless that was asked for. */
  readonly skipped: readonly SkippedImage[];
  /** Which images each split has, in words for people and for comparing: `32 for training, 8 held out (8f31c0d2)`. */
  readonly images: string;
  /** Ends what runs in the background. */
  close(): Promise<void>;
}

/** The number of bytes, and of numbers, of one image. */
export function imageSize({ channels, height, width }: ImageShape): number {
  return channels * height * width;
}
