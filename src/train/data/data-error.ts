/**
 * What is wrong with a data set: its name, its folder, a file in it.
 *
 *     error: pets/cat/7.jpg can't be decoded: VipsJpeg: premature end of JPEG image
 *       = help: write it again as a PNG or JPEG
 */

/** A data set that can't be opened or read: one line, facts, and what to do. */
export class DataError extends Error {
  override readonly name: string = "DataError";
  constructor(
    message: string,
    readonly notes: readonly string[],
    readonly help: string,
  ) {
    super(message);
  }
}

const mend = "write it again as a PNG or JPEG";

/** An image file that can't be decoded. */
export class BrokenImageError extends DataError {
  override readonly name = "BrokenImageError";
  constructor(
    readonly file: string,
    readonly reason: string,
  ) {
    super(`${file} can't be decoded: ${reason}`, [], mend);
  }
}

/** A message names so many broken images at most. */
const shownImages = 8;

/** What is told of several broken images: the first of them and how many there are, or of one what it says itself. */
export function brokenImages(broken: readonly BrokenImageError[]): DataError {
  const [first] = broken;
  if (first !== undefined && broken.length === 1) return first;
  const more = broken.length - shownImages;
  return new DataError(
    `${broken.length} images can't be decoded`,
    [
      ...broken.slice(0, shownImages).map(({ file, reason }) => `${file}: ${reason}`),
      ...(more > 0 ? [`and ${more} more`] : []),
    ],
    mend,
  );
}
