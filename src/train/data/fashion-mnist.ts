/**
 * Fashion-MNIST: 28×28 grey images of ten kinds of clothes (Xiao, Rasul, Vollgraf 2017, arXiv 1708.07747).
 *
 *     28×28, asked for as 32×32:  2 black pixels on each side;  as 64×64:  enlarged twice, 4 on each side
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "./data-error.ts";
import { type Dataset, type ImageShape, imageSize, type Split } from "./dataset.ts";
import { type Idx, readIdx } from "./idx.ts";

export const fashionClasses: readonly string[] = [
  "T-shirt/top",
  "Trouser",
  "Pullover",
  "Dress",
  "Coat",
  "Sandal",
  "Shirt",
  "Sneaker",
  "Bag",
  "Ankle boot",
];

/** Where Debian's package `dataset-fashion-mnist` puts it. */
const systemFolder = "/usr/share/datasets/fashion-mnist";

/** The folders where the whole set is looked for, in this order. */
export function fashionFolders(environment: Readonly<Record<string, string | undefined>>): string[] {
  const own = environment["FECIT_DATA"];
  return [...(own === undefined ? [] : [join(own, "fashion-mnist")]), systemFolder];
}

/** The folder of the whole set. Throws `DataError` when it is not installed. */
export function installedFashion(environment: Readonly<Record<string, string | undefined>>): string {
  const folders = fashionFolders(environment);
  const found = folders.find((folder) => fileIn(folder, "train-images-idx3-ubyte") !== null);
  if (found !== undefined) return found;
  throw new DataError(
    "Fashion-MNIST is not installed",
    [`looked for train-images-idx3-ubyte.gz in ${folders.join(" and ")}`],
    "install Debian's dataset-fashion-mnist, or put the four files into $FECIT_DATA/fashion-mnist; " +
      "`fashion-mnist-subset` needs nothing",
  );
}

/** Opens the four files of a folder. Throws `DataError`. */
export function openFashion(name: string, folder: string, shape: ImageShape): Dataset {
  if (Math.min(shape.height, shape.width) < 28) {
    throw new DataError(
      `images of ${shape.height}×${shape.width} are smaller than those of Fashion-MNIST`,
      [],
      "ask for 28×28 or more",
    );
  }
  const [training, heldOut] = [openSplit(folder, "train", shape), openSplit(folder, "t10k", shape)];
  return {
    name,
    classes: fashionClasses,
    shape,
    training,
    heldOut,
    skipped: [],
    images: `${training.size} for training, ${heldOut.size} held out (${name})`,
    close: async () => {},
  };
}

function openSplit(folder: string, part: "train" | "t10k", shape: ImageShape): Split {
  const images = read(folder, `${part}-images-idx3-ubyte`, 3);
  const labels = read(folder, `${part}-labels-idx1-ubyte`, 1);
  const [size, height, width] = images.shape as [number, number, number];
  const wrong = labels.bytes.findIndex((label) => label >= fashionClasses.length);
  if (labels.shape[0] !== size || height !== 28 || width !== 28 || wrong >= 0) {
    throw new DataError(
      `the files of ${folder} are not Fashion-MNIST's`,
      [
        `found images [${images.shape.join(", ")}] and ${labels.shape[0]} labels` +
          (wrong < 0 ? "" : `, one of them ${labels.bytes[wrong]}`),
        "expected images [n, 28, 28] and n labels of 0 … 9",
      ],
      "install or copy the files again",
    );
  }
  return {
    size,
    labels: Int32Array.from(labels.bytes),
    images: async (indices) => {
      const result = new Uint8Array(indices.length * imageSize(shape));
      for (let i = 0; i < indices.length; i++) {
        const image = images.bytes.subarray(indices[i]! * 784, (indices[i]! + 1) * 784);
        place(image, result.subarray(i * imageSize(shape), (i + 1) * imageSize(shape)), shape);
      }
      return result;
    },
  };
}

/** Puts a 28×28 image, enlarged as often as it fits, in the middle of a black one. */
function place(image: Uint8Array, result: Uint8Array, { channels, height, width }: ImageShape): void {
  const factor = Math.floor(Math.min(height, width) / 28);
  const top = Math.floor((height - 28 * factor) / 2);
  const left = Math.floor((width - 28 * factor) / 2);
  for (let y = 0; y < 28 * factor; y++) {
    const row = (top + y) * width + left;
    const source = Math.floor(y / factor) * 28;
    for (let x = 0; x < 28 * factor; x++) result[row + x] = image[source + Math.floor(x / factor)]!;
  }
  for (let c = 1; c < channels; c++) result.copyWithin(c * height * width, 0, height * width);
}

function fileIn(folder: string, name: string): string | null {
  return [`${name}.gz`, name].map((file) => join(folder, file)).find((file) => existsSync(file)) ?? null;
}

function read(folder: string, name: string, rank: number): Idx {
  const file = fileIn(folder, name);
  if (file === null) {
    throw new DataError(`${join(folder, `${name}.gz`)} is missing`, [], "install or copy the files again");
  }
  const idx = readIdx(file);
  if (idx.shape.length === rank) return idx;
  throw new DataError(`${file} has ${idx.shape.length} axes, not ${rank}`, [], "copy the file again");
}
