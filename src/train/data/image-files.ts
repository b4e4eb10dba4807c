/**
 * The images of a folder, by the folders of their classes.
 *
 *     pets/train/cat/1.jpg  pets/train/dog/1.jpg  pets/val/cat/2.jpg     two splits, classes cat and dog
 *     pets/cat/1.jpg  pets/dog/1.jpg …                                   one, to be divided by a seed
 */
import { readdirSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { closest } from "../../lang/suggest.ts";
import { DataError } from "./data-error.ts";
import { permutation } from "./random.ts";

export interface ImageFile {
  readonly file: string;
  /** The number of its class. */
  readonly label: number;
}

/** The files of a data set; no file is read yet. */
export interface ImageFiles {
  readonly classes: readonly string[];
  readonly training: readonly ImageFile[];
  readonly heldOut: readonly ImageFile[];
}

/** The endings of the files that are taken for images. */
export const imageEndings: ReadonlySet<string> = new Set([
  ".png",
  ".jpg",
  ".jpeg",
  ".webp",
  ".gif",
  ".tif",
  ".tiff",
  ".avif",
]);

/** How a folder without held-out images is divided: by class, this part of each held out. */
export interface Division {
  readonly seed: number;
  readonly fraction: number;
}

const layout = "images lie in FOLDER/train/CLASS and FOLDER/val/CLASS, or all in FOLDER/CLASS";

/** Finds the images of a folder. Throws `DataError`. */
export function findImages(folder: string, division: Division): ImageFiles {
  const parts = foldersIn(folder);
  const heldOutPart = ["val", "test"].find((part) => parts.includes(part));
  if (!parts.includes("train")) {
    if (heldOutPart !== undefined) {
      throw new DataError(`${folder} has a folder ${heldOutPart}, but none of the name train`, [], layout);
    }
    return divide(classesIn(folder), division);
  }
  const training = classesIn(join(folder, "train"));
  if (heldOutPart === undefined) return divide(training, division);
  const heldOut = classesIn(join(folder, heldOutPart));
  return {
    classes: training.classes,
    training: training.files.flat(),
    heldOut: heldOut.classes.flatMap((name, i) => {
      const label = training.classes.indexOf(name);
      if (label < 0) throw unknownClass(join(folder, heldOutPart, name), name, training.classes);
      return heldOut.files[i]!.map(({ file }) => ({ file, label }));
    }),
  };
}

interface Classes {
  readonly classes: readonly string[];
  /** The files of each class. */
  readonly files: readonly (readonly ImageFile[])[];
}

function classesIn(folder: string): Classes {
  const classes = foldersIn(folder);
  if (classes.length === 0) throw new DataError(`${folder} has no folders of classes`, [], layout);
  const files = classes.map((name, label) =>
    listed(join(folder, name))
      .filter((file) => imageEndings.has(extname(file).toLowerCase()))
      .map((file) => ({ file: join(folder, name, file), label })),
  );
  const empty = classes.find((_, i) => files[i]!.length === 0);
  if (empty === undefined) return { classes, files };
  throw new DataError(
    `${join(folder, empty)} has no images`,
    [`images end in ${[...imageEndings].join(" ")}`],
    "remove the folder, or put images into it",
  );
}

/** Every class gives a part of its own, at least one image when it has two. */
function divide({ classes, files }: Classes, { seed, fraction }: Division): ImageFiles {
  const training: ImageFile[] = [];
  const heldOut: ImageFile[] = [];
  files.forEach((own, label) => {
    const count = Math.min(own.length - 1, Math.max(1, Math.round(own.length * fraction)));
    const chosen = new Set(permutation(own.length, seed, "split", label).subarray(0, count));
    own.forEach((image, i) => (chosen.has(i) ? heldOut : training).push(image));
  });
  return { classes, training, heldOut };
}

function foldersIn(folder: string): string[] {
  return listed(folder).filter((name) => statSync(join(folder, name)).isDirectory());
}

/** The names in a folder, but hidden ones, in an order that does not depend on the machine. */
function listed(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith("."))
      .sort();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reasons: Readonly<Record<string, string>> = {
      ENOENT: "there is no such folder",
      ENOTDIR: "it is a file, a folder is expected",
      EACCES: "it may not be read",
    };
    throw new DataError(`${folder} can't be read: ${reasons[code ?? ""] ?? message}`, [], layout);
  }
}

function unknownClass(path: string, name: string, known: readonly string[]): DataError {
  const near = closest(name, known);
  return new DataError(
    `${path} is no class of the training images`,
    [`they have ${known.length} classes`],
    near === null ? "remove the folder, or train on such images as well" : `is "${near}" meant?`,
  );
}
