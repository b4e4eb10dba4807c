/**
 * The images of a run that goes on: where they are, and whether they are those that it began with.
 *
 *     then: 32 for training, 8 held out (8f31c0d2)      now: 31 for training, 8 held out (77aa01fe)
 */
import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import { DataError } from "./data/data-error.ts";
import { type Dataset } from "./data/dataset.ts";

/**
 * The order of a run's images, its epochs and its held-out images are those of the images that it began with: with one more or less,
 * images that it has been trained on would be held out. `known` are those of its checkpoint, if it says so. Throws `DataError`.
 */
export function requireSameImages(
  known: string | null,
  { name, images }: Pick<Dataset, "name" | "images">,
): void {
  if (known === null || known === images) return;
  throw new DataError(
    `${name} has other images than the run began with`,
    [`then: ${known}`, `now: ${images}`],
    "put them back under their names, or begin a new run with its weights by `fecit train --weights`",
  );
}

/** A run keeps where the folder of its images lay; `how` another one is said. Throws `DataError` when it is not there any more. */
export function requireData(data: string, how: string): void {
  if (!isAbsolute(data) || existsSync(data)) return;
  throw new DataError(
    "the run's images are not where they were",
    [`there is no folder ${data}`],
    `say where they are now by ${how}`,
  );
}
