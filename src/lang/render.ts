/**
 * Diagnostics as text for people:
 *
 *     error[E0203]: shapes do not agree
 *       ┌─ model.fec:14:24
 *     14 │   for i -> sum[k] w[i, k] * x[k]
 *        │                        ─     ─ d here, from x: f32[d]
 *        │                        │
 *        │                        c here, from w: f32[o, c]
 *        = k ranges over c and over d, and nothing makes them equal
 *
 * `renderDiagnostic` lists the rows of one diagnostic; `excerpt.ts` draws a source line with its labels.
 */
import { createColors } from "picocolors";
import type { Diagnostic, Label } from "./diagnostic.ts";
import { drawExcerpts, visible, type MarkedLabel } from "./excerpt.ts";
import { lineText, positionOf, type SourceFile } from "./source.ts";

/** How diagnostics are shown. */
export interface RenderOptions {
  /** Terminal colours; off by default. */
  readonly color?: boolean;
  /** Source lines wider than this many columns are cut round their labels; 160 by default. */
  readonly width?: number;
}

/** Colours by what is coloured, so that the rest of this level knows nothing of terminals. */
export interface Palette {
  readonly severity: (text: string) => string;
  readonly primary: (text: string) => string;
  readonly secondary: (text: string) => string;
  readonly gutter: (text: string) => string;
  readonly strong: (text: string) => string;
}

/** One diagnostic as text, without a line break at the end. */
export function renderDiagnostic(diagnostic: Diagnostic, options: RenderOptions = {}): string {
  const palette = paletteOf(diagnostic.severity, options.color ?? false);
  const labels = [
    { ...diagnostic.primary, primary: true },
    ...diagnostic.secondary.map((label) => ({ ...label, primary: false })),
  ];
  const lastLine = Math.max(...labels.map((label) => lineOf(label)));
  const gutter = String(lastLine).length;
  const rows = [
    `${palette.severity(`${diagnostic.severity}[${diagnostic.code}]`)}${palette.strong(`: ${oneLine(diagnostic.message)}`)}`,
  ];
  for (const file of new Set(labels.map((label) => label.span.file))) {
    const here = labels.filter((label) => label.span.file === file);
    rows.push(
      placeRow(file, here[0]!, gutter, palette),
      ...fileRows(file, here, gutter, options.width ?? 160, palette),
    );
  }
  for (const note of diagnostic.notes) rows.push(remark(note, gutter, palette));
  if (diagnostic.help !== null) rows.push(remark(`help: ${diagnostic.help}`, gutter, palette));
  return rows.map((row) => row.trimEnd()).join("\n");
}

/** Several diagnostics with an empty line between them. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], options: RenderOptions = {}): string {
  return diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, options)).join("\n\n");
}

function lineOf(label: Label): number {
  return positionOf(label.span.file, label.span.start).line;
}

function placeRow(file: SourceFile, label: Label, gutter: number, palette: Palette): string {
  const { line, column } = positionOf(file, label.span.start);
  return `${" ".repeat(gutter)}${palette.gutter("┌─")} ${oneLine(file.name)}:${line}:${column}`;
}

/** The lines of one file that have labels, with the line between two of them or `···` for more. */
function fileRows(
  file: SourceFile,
  labels: readonly MarkedLabel[],
  gutter: number,
  width: number,
  palette: Palette,
): string[] {
  const lines = [...new Set(labels.map(lineOf))].sort((a, b) => a - b);
  const numbered = (line: number, text: string) =>
    `${palette.gutter(`${String(line).padStart(gutter)} │`)} ${text}`;
  const blank = (text: string) => `${" ".repeat(gutter)} ${palette.gutter("│")} ${text}`;
  return lines.flatMap((line, i) => {
    const rows: string[] = [];
    const before = lines[i - 1];
    if (before !== undefined && line - before > 1)
      rows.push(`${" ".repeat(gutter)} ${palette.gutter("···")}`);
    const here = labels.filter((label) => lineOf(label) === line);
    const start = here[0]!.span.start - positionOf(file, here[0]!.span.start).column + 1;
    for (const excerpt of drawExcerpts(lineText(file, line), start, here, width, palette)) {
      rows.push(numbered(line, excerpt.source), ...excerpt.marks.map(blank));
    }
    return rows;
  });
}

function remark(text: string, gutter: number, palette: Palette): string {
  const indent = " ".repeat(gutter + 3);
  return `${" ".repeat(gutter + 1)}${palette.gutter("=")} ${text.split("\n").map(visible).join(`\n${indent}`)}`;
}

function oneLine(text: string): string {
  return visible(text.replace(/\s*\n\s*/g, " "));
}

function paletteOf(severity: Diagnostic["severity"], color: boolean): Palette {
  const colors = createColors(color);
  const main = severity === "error" ? colors.red : colors.yellow;
  return {
    severity: (text) => colors.bold(main(text)),
    primary: main,
    secondary: colors.blue,
    gutter: colors.blue,
    strong: colors.bold,
  };
}
