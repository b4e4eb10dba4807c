/**
 * What the compiler says of a mistake: data, made by the level that finds it, rendered by `render.ts` for people and
 * by the command line's `--json` for tools.
 */
import type { Span } from "./source.ts";
import type { DiagnosticCode } from "./catalogue.ts";

/** A place and what is to be said of it. */
export interface Label {
  readonly span: Span;
  readonly text: string;
}

export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: "error" | "warning";
  /** One line, without a full stop: the catalogue's title, or a sharper one. */
  readonly message: string;
  /** Where it is. */
  readonly primary: Label;
  /** Where things came from: a declaration, a dimension's origin. */
  readonly secondary: readonly Label[];
  /** Further facts, each shown as a `=` line. */
  readonly notes: readonly string[];
  /** What to do, shown as a `help:` line; null when nothing better than the message can be said. */
  readonly help: string | null;
}

/** Thrown inside a level to leave a declaration that can't be understood further; never leaves the level. */
export class DiagnosticError extends Error {
  constructor(readonly diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.name = "DiagnosticError";
  }
}
