/**
 * Opens a data set by what the user calls it.
 *
 *     await openDataset("fashion-mnist-subset", { height: 32, width: 32 })
 *     await openDataset("photos/pets", { height: 224, width: 224, broken: "skip" })
 */
import { existsSync } from "node:fs";
import { closest } from "../../lang/suggest.ts";
import { DataError } from "./data-error.ts";
import { type Dataset, type ImageShape } from "./dataset.ts";
import { defaultThreads } from "./decode.ts";
import { installedFashion, openFashion } from "./fashion-mnist.ts";
import { openImageFolder } from "./image-folder.ts";
import { packageFile } from "./package-folder.ts";

export interface DatasetOptions {
  /** The size that images are brought to, in pixels. */
  readonly height: number;
  readonly width: number;
  /** 3 (grey images three times) or 1 (colors made grey). Default: 3. */
  readonly channels?: ImageShape["channels"];
  /** Of a folder without held-out images: the seed by which it is divided, and the part held out. Default: 0 and 0.2. */
  readonly seed?: number;
  readonly heldOutFraction?: number;
  /** What happens to images that can't be decoded, see `ImageFolderOptions`. Default: refuse. */
  readonly broken?: "refuse" | "skip";
  /** How many threads decode images. */
  readonly threads?: number;
  /** Where `FECIT_DATA` is looked up. Default: `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** The data sets that have names. */
export const datasetNames: readonly string[] = ["fashion-mnist", "fashion-mnist-subset"];

/** Opens `fashion-mnist`, `fashion-mnist-subset` or a folder of images. Throws `DataError`. */
export async function openDataset(name: string, options: DatasetOptions): Promise<Dataset> {
  const { height, width, channels = 3 } = options;
  if (!(Number.isInteger(height) && Number.isInteger(width) && height > 0 && width > 0)) {
    throw new DataError(`${height}×${width} is no size of an image`, [], "give two whole numbers");
  }
  const shape: ImageShape = { channels, height, width };
  switch (name) {
    case "fashion-mnist":
      return openFashion(name, installedFashion(options.environment ?? process.env), shape);
    case "fashion-mnist-subset":
      return openFashion(name, packageFile("data/fashion-mnist"), shape);
    default:
      return openFolder(name, shape, options);
  }
}

function openFolder(name: string, shape: ImageShape, options: DatasetOptions): Promise<Dataset> {
  if (!existsSync(name)) {
    const near = closest(name, datasetNames);
    throw new DataError(
      `there is no data set ${name}`,
      [`known are ${datasetNames.join(", ")}, and folders of images`],
      near === null ? "check the path" : `is "${near}" meant?`,
    );
  }
  const { seed = 0, heldOutFraction = 0.2, broken = "refuse", threads = defaultThreads() } = options;
  if (!(heldOutFraction > 0 && heldOutFraction < 1)) {
    throw new DataError(
      `${heldOutFraction} of the images can't be held out`,
      [],
      "choose a part between 0 and 1",
    );
  }
  return openImageFolder(name, { shape, division: { seed, fraction: heldOutFraction }, broken, threads });
}
