/** Diagnostics as the commands show them: rendered on stderr for people, as data for tools. */
import { CompileError, type Module } from "../module.ts";
import { hasErrors } from "../pipeline.ts";
import type { Diagnostic } from "../lang/diagnostic.ts";
import { renderDiagnostics } from "../lang/render.ts";
import { positionOf } from "../lang/source.ts";
import { exit, type Failure, Silent } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** Shows diagnostics and how many there are. */
export function showDiagnostics(terminal: Terminal, diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.length === 0) return;
  terminal.err(`${renderDiagnostics(diagnostics, { color: terminal.errColors })}\n`);
  if (diagnostics.length < 2) return;
  const errors = diagnostics.filter((d) => d.severity === "error").length;
  const warnings = diagnostics.length - errors;
  const parts = [counted(errors, "mistake"), counted(warnings, "warning")].filter((part) => part !== null);
  terminal.err(`\n${parts.join(", ")}\n`);
}

/** `1 function`, `3 functions`; null for none. */
export function counted(count: number, what: string): string | null {
  return count === 0 ? null : `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** Runs a step; what the compiler finds wrong is shown and ends the command. */
export function orDiagnose<T>(terminal: Terminal, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    showDiagnostics(terminal, error.diagnostics);
    throw new Silent(exit.inputWrong);
  }
}

/** Throws the mistakes of a program, if it has some. */
export function withoutErrors({ diagnostics }: Module): void {
  if (hasErrors(diagnostics)) throw new CompileError(diagnostics);
}

/** A diagnostic as `--json` has it; lines and columns from 1, the end exclusive. */
export function diagnosticJson({ code, severity, message, primary, help }: Diagnostic): object {
  const { file, start, end } = primary.span;
  const [from, to] = [positionOf(file, start), positionOf(file, end)];
  return {
    code,
    severity,
    message,
    file: file.name,
    line: from.line,
    column: from.column,
    endLine: to.line,
    endColumn: to.column,
    help,
  };
}

/** A file that can't be checked, in the form of a diagnostic; it has no code. */
export function failureJson(file: string, { message, help }: Failure): object {
  const place = { line: 1, column: 1, endLine: 1, endColumn: 1 };
  return { code: null, severity: "error", message, file, ...place, help };
}
