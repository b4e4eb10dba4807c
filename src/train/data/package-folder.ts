/**
 * Files that come with the package: data and fonts. They lie beside `src` and `dist` alike.
 *
 *     packageFile("data/fonts/DejaVuSans.ttf")        /…/node_modules/fecit/data/fonts/DejaVuSans.ttf
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { DataError } from "./data-error.ts";

/** The path of a file or folder of the package, by its path there. Throws `DataError` when it is not there. */
export function packageFile(path: string): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder) folder = dirname(folder);
  const file = join(folder, path);
  if (existsSync(file)) return file;
  throw new DataError(
    `${path} of this package is missing`,
    [`it was looked for as ${file}`],
    "install the package again",
  );
}
