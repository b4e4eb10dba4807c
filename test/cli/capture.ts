/** Runs the command line in this process, with its streams caught. */
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
    environment: { FECIT_VERIFY: "1", FECIT_MEASURED: "off", ...environment },
    directory,
    outColors: false,
    errColors: false,
  });
  return { code, out, err };
}
