/**
 * What ends a command: a failure, with the exit code that says whose it is.
 *
 *     error: x.npy: the file is cut short
 *       = 96 bytes of data are expected for <f4 of shape (3, 8), found 20
 *       = help: write or copy the file again
 */
import { createColors } from "picocolors";
import type { Terminal } from "./terminal.ts";
import { FormatError } from "../formats/array.ts";

/** 0: done. */
export const exit = { inputWrong: 1, commandWrong: 2, deviceCannot: 3 } as const;
export type ExitCode = (typeof exit)[keyof typeof exit];

export interface FailureDetails {
  readonly notes?: readonly string[];
  readonly help?: string | null;
}

/** Ends a command with a message: what is wrong, facts, and what to do. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly notes: readonly string[];
  readonly help: string | null;
  constructor(
    readonly code: ExitCode,
    message: string,
    details: FailureDetails = {},
  ) {
    super(message);
    this.notes = details.notes ?? [];
    this.help = details.help ?? null;
  }
}

/** Ends a command when everything has been said already. */
export class Silent extends Error {
  override readonly name = "Silent";
  constructor(readonly code: ExitCode) {
    super();
  }
}

export function reportFailure(
  terminal: Terminal,
  { message, notes, help }: Pick<Failure, "message" | "notes" | "help">,
): void {
  const colors = createColors(terminal.errColors);
  const rows = [...notes, ...(help === null ? [] : [`help: ${help}`])].map(
    (row) => `  ${colors.blue("=")} ${row}\n`,
  );
  terminal.err(`${colors.bold(colors.red("error"))}${colors.bold(`: ${message}`)}\n${rows.join("")}`);
}

/** A file that can't be read or written, as a failure that says so in words. */
export function fileFailure(name: string, error: unknown, doing: "read" | "write"): Failure {
  if (error instanceof FormatError) return new Failure(exit.inputWrong, `${name}: ${error.message}`, error);
  const { code, message } = error as NodeJS.ErrnoException;
  const reasons: Readonly<Record<string, readonly [string, string]>> = {
    ENOENT:
      doing === "read"
        ? ["there is no such file", "check the path"]
        : ["its folder does not exist", "make the folder first"],
    EISDIR: ["it is a directory, a file is expected", "name a file in it"],
    ENOTDIR: ["a part of the path is a file, not a directory", "check the path"],
    EACCES: [`it may not be ${doing === "read" ? "read" : "written"}`, "change its permissions"],
    EPERM: [`it may not be ${doing === "read" ? "read" : "written"}`, "change its permissions"],
    EROFS: ["the file system can't be written to", "choose another place"],
    ENOSPC: ["the disk is full", "make room, or choose another place"],
    EPIPE: ["its reader went away", "keep the pipe open until everything is read"],
    EEXIST: ["there is a file of that name", "choose another name"],
    ELOOP: ["its symbolic links form a circle", "check the links"],
    ENAMETOOLONG: ["the name is too long", "check the path"],
    EMFILE: ["too many files are open", "close some, or name fewer"],
  };
  const [reason, help] = reasons[code ?? ""] ?? [message, null];
  return new Failure(
    exit.inputWrong,
    `${name} can't be ${doing === "read" ? "read" : "written"}: ${reason}`,
    { help },
  );
}
