/**
 * What the commands know of the world outside: streams, environment, working directory. Tests give their own.
 */
import { resolve } from "node:path";

export interface Terminal {
  /** Results. */
  readonly out: (text: string) => void;
  /** Diagnostics and progress. */
  readonly err: (text: string) => void;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  /** Is it a terminal, on which colours are shown? */
  readonly outColors: boolean;
  readonly errColors: boolean;
}

/**
 * The terminal of this process. A reader that goes away (`| head`) ends the output, not the program with an
 * error.
 */
export function processTerminal(): Terminal {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      process.exit(process.exitCode ?? 0);
    });
  }
  const { env } = process;
  const plain = (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb";
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    environment: env,
    directory: process.cwd(),
    outColors: process.stdout.isTTY && !plain,
    errColors: process.stderr.isTTY && !plain,
  };
}

/** The path of a file that is named as the user does. */
export function pathOf(terminal: Terminal, name: string): string {
  return resolve(terminal.directory, name);
}
