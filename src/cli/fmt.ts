/** `fecit fmt FILE…`: one canonical layout, comments kept. */
import type { Command } from "commander";
import type { Diagnostic } from "../lang/diagnostic.ts";
import { format } from "../lang/format.ts";
import { diagnosticJson, showDiagnostics } from "./diagnose.ts";
import { exit, Failure, reportFailure } from "./failure.ts";
import { readSource, writeWhole } from "./files.ts";
import type { Terminal } from "./terminal.ts";

interface Options {
  readonly check?: boolean;
  readonly json?: boolean;
}

export function addFmt(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command("fmt")
    .summary("lay programs out")
    .description("Lays programs out in the one canonical way and writes them back. Comments are kept.")
    .argument("<file...>", "programs")
    .option("--check", "write nothing; exit with 1 when a file is laid out otherwise")
    .option("--json", "print what was done as one JSON object")
    .addHelpText("after", "\nExample:\n  fecit fmt --check examples/cluster.fec")
    .action((files: string[], options: Options) => done(formatFiles(terminal, files, options)));
}

interface Outcome {
  readonly file: string;
  /** Is its layout another one than it was? */
  readonly changed: boolean;
}

function formatFiles(
  terminal: Terminal,
  files: readonly string[],
  { check = false, json = false }: Options,
): number {
  const outcomes: Outcome[] = [];
  const found: Diagnostic[] = [];
  let failed = false;
  for (const name of files) {
    try {
      const source = readSource(terminal, name);
      const { text, diagnostics } = format(source);
      found.push(...diagnostics);
      if (!json) showDiagnostics(terminal, diagnostics);
      if (diagnostics.some((d) => d.severity === "error")) continue;
      const changed = text !== source.text;
      if (changed && !check) writeWhole(terminal, name, text);
      if (changed && !json) terminal.out(`${name}${check ? ": not in the canonical layout" : ""}\n`);
      outcomes.push({ file: name, changed });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failed = true;
      reportFailure(terminal, error);
    }
  }
  if (json) terminal.out(`${JSON.stringify({ files: outcomes, diagnostics: found.map(diagnosticJson) })}\n`);
  const isOff = check && outcomes.some((outcome) => outcome.changed);
  if (isOff && !json) terminal.err("run `fecit fmt` on them to lay them out\n");
  return failed || isOff || found.some((d) => d.severity === "error") ? exit.inputWrong : 0;
}
