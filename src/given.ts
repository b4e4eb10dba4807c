/**
 * What callers without types may get wrong at the public face: sources and choices that are none. They are told what was expected.
 *
 *     format(undefined)                      format: expected a program, as a text or as { name, text }, found nothing
 *     device.compile(f, { fuse: "ful" })     fuse: expected one of off, map, full, found "ful"; did you mean full?
 */
import { describe } from "./host-value.ts";
import type { SourceFile } from "./lang/source.ts";
import { closest } from "./lang/suggest.ts";
import { ArgumentError, isRecord } from "./tree.ts";

/** A program's file; a text alone is called `program.fec`. `where` names the function in errors. @throws {ArgumentError} */
export function sourceGiven(source: string | SourceFile, where: string): SourceFile {
  if (typeof source === "string") return { name: "program.fec", text: source };
  if (isRecord(source) && typeof source.name === "string" && typeof source.text === "string") return source;
  throw new ArgumentError(
    `${where}: expected a program, as a text or as { name, text }, found ${describe(source)}`,
  );
}

/** A word that is one of these. `where` names the option in errors. @throws {ArgumentError} */
export function wordGiven<Word extends string>(where: string, word: Word, words: readonly Word[]): Word {
  if (words.includes(word)) return word;
  const near = typeof word === "string" ? closest(word, words) : null;
  const hint = near === null ? "" : `; did you mean ${near}?`;
  throw new ArgumentError(`${where}: expected one of ${words.join(", ")}, found ${describe(word)}${hint}`);
}
