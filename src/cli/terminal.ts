/**
 * What the commands know of the world outside: streams, environment, working directory. Tests give their own.
 */
import { resolve } from "node:path";
import { exit, fileFailure, reportFailure } from "./failure.ts";

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

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const { env, stdout, stderr } = process;
  const plain = (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb";
  const terminal: Terminal = {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    environment: env,
    directory: process.cwd(),
    outColors: stdout.isTTY && !plain,
    errColors: stderr.isTTY && !plain,
  };
  stdout.on("error", (error) => {
    // A reader that goes away (`| head`) ends the output, not the program with an error.
    if (isGone(error)) process.exit(process.exitCode ?? 0);
    reportFailure(terminal, fileFailure("stdout", error, "write"));
    process.exit(exit.inputWrong);
  });
  // There is nowhere left to say so. Work that tells its progress there has not come to its end.
  stderr.on("error", (error) =>
    process.exit(isGone(error) ? (process.exitCode ?? readerGone) : exit.inputWrong),
  );
  return terminal;
}

/** What shells expect of a process whose reader went away: 128 and the number of SIGPIPE. */
const readerGone = 141;

function isGone(error: NodeJS.ErrnoException): boolean {
  return error.code === "EPIPE";
}

/** The path of a file that is named as the user does. */
export function pathOf(terminal: Terminal, name: string): string {
  return resolve(terminal.directory, name);
}
