/** `fecit explain CODE`: what a diagnostic's code means. */
import type { Command } from "commander";
import { catalogue, type CatalogueEntry } from "../lang/catalogue.ts";
import { closest } from "../lang/suggest.ts";
import { exit, Failure } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

export function addExplain(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command("explain")
    .summary("explain the code of a diagnostic")
    .description("Explains the code of a diagnostic, such as E0203. Without a code, lists them all.")
    .argument("[code]", "as a diagnostic shows it in brackets")
    .option("--json", "print the entries as one JSON object")
    .addHelpText("after", "\nExample:\n  fecit explain E0203")
    .action((code: string | undefined, options: { readonly json?: boolean }) => {
      const entries = code === undefined ? allEntries() : [entryOf(code)];
      if (options.json === true) {
        terminal.out(`${JSON.stringify(Object.fromEntries(entries))}\n`);
      } else if (code === undefined) {
        terminal.out(entries.map(([id, { title }]) => `${id}  ${title}\n`).join(""));
      } else {
        terminal.out(
          entries.map(([id, { title, explanation }]) => `${id}: ${title}\n\n${explanation}\n`).join(""),
        );
      }
      done(0);
    });
}

function allEntries(): [string, CatalogueEntry][] {
  return Object.entries<CatalogueEntry>(catalogue).sort(([a], [b]) => (a < b ? -1 : 1));
}

function entryOf(code: string): [string, CatalogueEntry] {
  const wanted = code.replace(/^\w+\[(.*)\]$/, "$1").toUpperCase();
  const found = allEntries().find(([id]) => id === wanted);
  if (found !== undefined) return found;
  const near = closest(wanted, Object.keys(catalogue));
  throw new Failure(exit.commandWrong, `there is no diagnostic ${code}`, {
    help:
      near === null
        ? "codes look like E0203; `fecit explain` lists them"
        : `did you mean ${near}? \`fecit explain\` lists them all`,
  });
}
