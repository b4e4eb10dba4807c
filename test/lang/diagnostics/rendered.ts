/** Programs with one mistake, and what a user reads about it. */
import { check, type Loader, noFiles } from "../../../src/lang/check.ts";
import type { DiagnosticCode } from "../../../src/lang/catalogue.ts";
import { renderDiagnostic } from "../../../src/lang/render.ts";

/** The whole text of the one diagnostic that a program gives; throws unless it is one, and of this code. */
export function rendered(
  code: DiagnosticCode,
  program: string,
  files: Readonly<Record<string, string>> = {},
): string {
  const { diagnostics } = check({ name: "model.fec", text: dedent(program) }, loaderOf(files));
  const texts = diagnostics.map((d) => renderDiagnostic(d));
  if (texts.length !== 1 || diagnostics[0]!.code !== code)
    throw new Error(`expected ${code} alone:\n${texts.join("\n\n")}`);
  return `\n${texts[0]!}\n`;
}

/** Files beside the program by their paths without `.fec`, such as `./blocks`. */
export function loaderOf(files: Readonly<Record<string, string>>): Loader {
  if (Object.keys(files).length === 0) return noFiles;
  return {
    load: (path) =>
      Object.hasOwn(files, path) ? { name: `${path.slice(2)}.fec`, text: dedent(files[path]!) } : null,
  };
}

/** Takes away the first line break and the indentation of the test. */
export function dedent(text: string): string {
  const lines = text.replace(/^\n/, "").trimEnd().split("\n");
  const indent = Math.min(...lines.filter((line) => line.trim() !== "").map((line) => line.search(/\S/)));
  return `${lines.map((line) => line.slice(indent)).join("\n")}\n`;
}
