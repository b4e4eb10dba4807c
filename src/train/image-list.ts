/**
 * Image files as a model takes them, in the order given.
 *
 *     const { bytes, floats } = await readImages(["cat.jpg", "dog.png"], shape);       // u8 and f32 [2, 3, 224, 224]
 */
import { type ImageShape, imageSize } from "./data/dataset.ts";
import { decodeAll, startDecoder } from "./data/decode.ts";
import { still } from "./data/augment.ts";
import { defaultNormalisation, levelsOf, normaliseImage } from "./data/normalise.ts";

export interface ImageList {
  /** `[images, channels, height, width]`, 0 … 255. */
  readonly bytes: Uint8Array;
  /** The same, normalised. */
  readonly floats: Float32Array;
}

/** Decodes images: the shorter side resized, the middle of the longer one. Throws as `decodeAll` does. */
export async function readImages(files: readonly string[], shape: ImageShape): Promise<ImageList> {
  const decoder = startDecoder();
  try {
    const bytes = await decodeAll(decoder, files, shape);
    return { bytes, floats: normalised(bytes, shape) };
  } finally {
    await decoder.close();
  }
}

/** Images in bytes as a model takes them. */
export function normalised(bytes: Uint8Array, shape: ImageShape): Float32Array {
  const levels = levelsOf(defaultNormalisation(shape.channels));
  const floats = new Float32Array(bytes.length);
  for (let at = 0; at < bytes.length; at += imageSize(shape))
    normaliseImage({ bytes, from: at, floats, to: at }, shape, levels, still);
  return floats;
}
