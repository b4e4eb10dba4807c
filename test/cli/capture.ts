/** Runs the command line in this process, with its streams caught. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { main } from "../../src/cli/main.ts";

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `fecit WORD …` in a directory. */
export async function fecit(
  words: readonly string[],
  directory = process.cwd(),
  environment: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  let out = "";
  let err = "";
  const code = await main(words, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    environment: { FECIT_VERIFY: "1", ...environment },
    directory,
    outColors: false,
    errColors: false,
  });
  return { code, out, err };
}

/** A folder that is there for the duration of an action. */
export async function inFolder<T>(action: (folder: string) => T): Promise<Awaited<T>> {
  const folder = mkdtempSync(join(tmpdir(), "fecit-"));
  try {
    return await action(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
