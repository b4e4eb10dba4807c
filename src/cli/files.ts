/** Files as the commands read and write them. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, normalize, resolve } from "node:path";
import type { Loader } from "../lang/check.ts";
import type { SourceFile } from "../lang/source.ts";
import { closest } from "../lang/suggest.ts";
import { exit, Failure, fileFailure } from "./failure.ts";
import { pathOf, type Terminal } from "./terminal.ts";

/** Larger files are no programs; the parser's own limit is below this one. */
const largestSource = 16_000_000;

/** A program's text, under the name that the user gave. */
export function readSource(terminal: Terminal, name: string): SourceFile {
  const bytes = readBytes(terminal, name, largestSource);
  const help = "a program is a text in UTF-8, with the ending .fec";
  if (bytes.subarray(0, 8192).includes(0)) {
    throw new Failure(exit.inputWrong, `${name} is not a program: it holds binary data`, { help });
  }
  try {
    return { name: normalize(name), text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    throw new Failure(exit.inputWrong, `${name} is not a program: it is not in UTF-8`, { help });
  }
}

/** Finds `use ./blocks` beside the file that says so. */
export function fileLoader(terminal: Terminal): Loader {
  const place = (path: string, from: string): string => join(dirname(from), `${path}.fec`);
  return {
    place,
    load(path, from) {
      const name = place(path, from);
      try {
        return { name, text: readFileSync(pathOf(terminal, name), "utf8") };
      } catch {
        return null;
      }
    },
  };
}

/** The bytes of a file. */
export function readBytes(terminal: Terminal, name: string, most = 2 ** 31 - 1): Uint8Array {
  const path = pathOf(terminal, name);
  try {
    const info = statSync(path);
    if (info.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    if (info.size > most) {
      throw new Failure(
        exit.inputWrong,
        `${name} is too large: ${info.size} bytes, at most ${most} are read`,
      );
    }
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const failure = fileFailure(name, error, "read");
    const near = (error as NodeJS.ErrnoException).code === "ENOENT" ? neighbour(path) : null;
    throw near === null
      ? failure
      : new Failure(failure.code, failure.message, { help: `did you mean ${join(dirname(name), near)}?` });
  }
}

/** Is it a folder that exists? */
export function isFolder(terminal: Terminal, name: string): boolean {
  return statSync(pathOf(terminal, name), { throwIfNoEntry: false })?.isDirectory() === true;
}

/** A file of the same folder with a name that is nearly the same, or the same with the ending of programs. */
function neighbour(path: string): string | null {
  if (existsSync(`${path}.fec`)) return `${basename(path)}.fec`;
  try {
    return closest(basename(path), readdirSync(dirname(path)));
  } catch {
    return null;
  }
}

/**
 * Writes a file aside and then renames it: whoever reads it sees the old one or the new one. Symbolic links
 * are followed. What is no file, a pipe or a device, is written to itself: a file in its place would not be read.
 */
export function writeWhole(terminal: Terminal, name: string, content: string | Uint8Array): void {
  const path = pathOf(terminal, name);
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return writeAside(linkTarget(path), content, {});
    if (!found.isFile() && !found.isDirectory()) return writeFileSync(path, content);
    writeAside(realpathSync(path), content, { mode: found.mode });
  } catch (error) {
    throw fileFailure(name, error, "write");
  }
}

function writeAside(target: string, content: string | Uint8Array, options: { readonly mode?: number }): void {
  const aside = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  try {
    writeFileSync(aside, content, options);
    renameSync(aside, target);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
}

/** Where a file comes to lie that is not there yet: the place that a link leads to, if it is named by one. */
function linkTarget(path: string): string {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  return isLink ? linkTarget(resolve(realpathSync(dirname(path)), readlinkSync(path))) : path;
}

/** Makes a folder, and those above it; one by one, since `recursive` of Node 20 never ends where none can be made (`/proc`). */
export function makeFolder(terminal: Terminal, name: string): void {
  const path = pathOf(terminal, name);
  const missing: string[] = [];
  for (let at = path; !existsSync(at) && at !== dirname(at); at = dirname(at)) missing.unshift(at);
  try {
    for (const folder of missing) mkdirSync(folder);
    if (!statSync(path).isDirectory()) throw Object.assign(new Error(), { code: "EEXIST" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      throw new Failure(exit.inputWrong, `${name} can't be written: no folder can be made there`, {
        help: "choose another place",
      });
    }
    throw fileFailure(name, error, "write");
  }
}
