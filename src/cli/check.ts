/** `fecit check FILE…`: types and shapes, all mistakes at once. */
import type { Command } from "commander";
import type { Diagnostic } from "../lang/diagnostic.ts";
import { loadModule } from "../module.ts";
import { hasErrors } from "../pipeline.ts";
import { counted, diagnosticJson, failureJson, showDiagnostics } from "./diagnose.ts";
import { exit, Failure, reportFailure } from "./failure.ts";
import { fileLoader, readSource } from "./files.ts";
import type { Terminal } from "./terminal.ts";
import { tracing } from "./trace.ts";

interface Options {
  readonly json?: boolean;
  readonly trace?: string;
}

export function addCheck(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command("check")
    .summary("check types and shapes")
    .description("Checks programs: types and shapes, once, for all dimensions. Shows every mistake.")
    .argument("<file...>", "programs")
    .option("--json", "print the diagnostics as one JSON object")
    .option("--trace <stages>", "print what a stage made: check")
    .addHelpText("after", "\nExample:\n  fecit check examples/cluster.fec")
    .action((files: string[], options: Options) => done(checkFiles(terminal, files, options)));
}

function checkFiles(terminal: Terminal, files: readonly string[], options: Options): number {
  const trace = tracing(terminal, options.trace);
  const found: Diagnostic[] = [];
  const data: object[] = [];
  const seen = new Set<string>();
  let failed = false;
  for (const name of files) {
    try {
      const module = loadModule(readSource(terminal, name), {
        loader: fileLoader(terminal),
        ...trace,
      });
      // A file that several others use is reported on once.
      const fresh = module.diagnostics.filter((d) => {
        const { file, start } = d.primary.span;
        const id = `${file.name}:${start}:${d.code}:${d.message}`;
        return seen.has(id) ? false : seen.add(id);
      });
      found.push(...fresh);
      data.push(...fresh.map(diagnosticJson));
      if (options.json === true) continue;
      showDiagnostics(terminal, fresh);
      if (module.diagnostics.length === 0) {
        terminal.err(
          `${name}: ${counted(module.functions.length, "function") ?? "no functions"}, no mistakes\n`,
        );
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failed = true;
      data.push(failureJson(name, error));
      reportFailure(terminal, error);
    }
  }
  if (options.json === true) terminal.out(`${JSON.stringify({ diagnostics: data })}\n`);
  return failed || hasErrors(found) ? exit.inputWrong : 0;
}
