/**
 * A folder of images as a data set. Images are decoded when a batch asks for them, so that a set may be larger than
 * memory.
 *
 *     await openImageFolder("pets", { shape, division, broken: "refuse", threads: 2 })
 */
import { createHash } from "node:crypto";
import { relative } from "node:path";
import { BrokenImageError } from "./data-error.ts";
import { type Dataset, type ImageShape, type SkippedImage, type Split } from "./dataset.ts";
import { decodeAll, type Decoder, startDecoder } from "./decode.ts";
import { type Division, findImages, type ImageFile } from "./image-files.ts";

export interface ImageFolderOptions {
  readonly shape: ImageShape;
  readonly division: Division;
  /**
   * `refuse`: a batch with a broken image throws. `skip`: every image is decoded once when the set is opened, and broken
   * ones are left out, so that a resumed run leaves out the same.
   */
  readonly broken: "refuse" | "skip";
  readonly threads: number;
}

/** Opens a folder. Throws `DataError`. */
export async function openImageFolder(folder: string, options: ImageFolderOptions): Promise<Dataset> {
  const { shape, broken, division } = options;
  const { classes, training, heldOut } = findImages(folder, division);
  const decoder = startDecoder(options.threads);
  const skipped: SkippedImage[] = [];
  const sound = (files: readonly ImageFile[]): Promise<readonly ImageFile[]> =>
    broken === "refuse" ? Promise.resolve(files) : soundOnes(files, decoder, shape, skipped);
  try {
    const [forTraining, forEvaluation] = [await sound(training), await sound(heldOut)];
    return {
      name: folder,
      classes,
      shape,
      training: splitOf(forTraining, decoder, shape),
      heldOut: splitOf(forEvaluation, decoder, shape),
      skipped,
      images: imagesOf(folder, forTraining, forEvaluation),
      close: () => decoder.close(),
    };
  } catch (error) {
    await decoder.close();
    throw error;
  }
}

/** The images of both splits by their names below the folder, wherever that lies. */
function imagesOf(folder: string, training: readonly ImageFile[], heldOut: readonly ImageFile[]): string {
  const names = [training, heldOut].map((files) => files.map(({ file }) => relative(folder, file)));
  const hash = createHash("sha256").update(JSON.stringify(names)).digest("hex").slice(0, 8);
  return `${training.length} for training, ${heldOut.length} held out (${hash})`;
}

function splitOf(files: readonly ImageFile[], decoder: Decoder, shape: ImageShape): Split {
  return {
    size: files.length,
    labels: Int32Array.from(files, (image) => image.label),
    images: (indices) => {
      const chosen = Array.from(indices, (index) => files[index]!.file);
      return decodeAll(decoder, chosen, shape);
    },
  };
}

/** The files that can be decoded; the others are added to `skipped`, in order. */
async function soundOnes(
  files: readonly ImageFile[],
  decoder: Decoder,
  shape: ImageShape,
  skipped: SkippedImage[],
): Promise<ImageFile[]> {
  const reasons = await Promise.all(
    files.map(async ({ file }) => {
      try {
        await decoder.decode(file, shape);
        return null;
      } catch (error) {
        if (error instanceof BrokenImageError) return error.reason;
        throw error;
      }
    }),
  );
  files.forEach(({ file }, i) => {
    const reason = reasons[i] ?? null;
    if (reason !== null) skipped.push({ file, reason });
  });
  return files.filter((_, i) => reasons[i] === null);
}
