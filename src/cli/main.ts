/** The command line: `fecit COMMAND …`. One file a command; what they share is beside them. */
import { Command, CommanderError } from "commander";
import { addBench } from "./bench.ts";
import { addCheck } from "./check.ts";
import { addClusters } from "./clusters.ts";
import { addDemo } from "./demo.ts";
import { failureOf } from "./device-failure.ts";
import { addDoctor } from "./doctor.ts";
import { addEval } from "./eval.ts";
import { addExplain } from "./explain.ts";
import { Failure, exit, reportFailure, Silent } from "./failure.ts";
import { addFmt } from "./fmt.ts";
import { addInspect } from "./inspect.ts";
import { addPredict } from "./predict.ts";
import { addRun } from "./run.ts";
import { addSummary } from "./summary.ts";
import { processTerminal, type Terminal } from "./terminal.ts";
import { addThroughput } from "./throughput.ts";
import { addTour } from "./tour.ts";
import { addTrain } from "./train.ts";
import { addWeights } from "./weights.ts";
import { isOn, stages } from "./trace.ts";
import { version } from "../../package.json" with { type: "json" };

const commands = [
  addCheck,
  addFmt,
  addRun,
  addBench,
  addInspect,
  addSummary,
  addTrain,
  addEval,
  addPredict,
  addClusters,
  addThroughput,
  addWeights,
  addDoctor,
  addExplain,
  addTour,
  addDemo,
];

/**
 * Runs a command line and gives the exit code: 0 done, 1 the input is wrong, 2 the command line is wrong, 3
 * the device can't. Never throws.
 */
export async function main(
  words: readonly string[],
  terminal: Terminal = processTerminal(),
): Promise<number> {
  let code = 0;
  const program = commandLine(terminal, (given) => {
    code = given;
  });
  try {
    await program.parseAsync(words, { from: "user" });
    return code;
  } catch (error) {
    return codeOf(terminal, error);
  }
}

function commandLine(terminal: Terminal, done: (code: number) => void): Command {
  const program = new Command("fecit")
    .description("A functional tensor language and its compiler.")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "show this help")
    .helpCommand("help [command]", "show the help of a command")
    .addHelpText(
      "after",
      "\nEnvironment:\n" +
        `  FECIT_TRACE   stages whose work is printed on stderr: ${stages.join(",")}\n` +
        "  FECIT_VERIFY  1: test the IR after every stage\n" +
        "  FECIT_DEVICE  the adapter when --device is not given: auto, gpu, software, part of a name\n" +
        "  FECIT_DEBUG   1: show the stack of an internal error\n" +
        "  NO_COLOR      1: no colours\n" +
        "\nExample:\n  fecit check examples/cluster.fec",
    );
  for (const add of commands) add(program, terminal, done);
  for (const command of [program, ...program.commands]) {
    command
      .helpOption("-h, --help", "show this help")
      .showSuggestionAfterError()
      .exitOverride()
      .configureOutput({
        writeOut: terminal.out,
        writeErr: terminal.err,
        getOutHelpWidth: () => 100,
        getErrHelpWidth: () => 100,
        getOutHasColors: () => terminal.outColors,
        getErrHasColors: () => terminal.errColors,
        outputError: (text, write) =>
          write(commandError(text, command === program ? "fecit" : `fecit ${command.name()}`)),
      });
  }
  return program;
}

/** Commander's message in the form that all others have. */
function commandError(text: string, command: string): string {
  const [message, ...more] = text.trimEnd().split("\n");
  const hint = more.map((row) => /^\(Did you mean (.*)\?\)$/.exec(row)?.[1]).find((row) => row !== undefined);
  const help =
    hint === undefined
      ? `\`${command} --help\` shows what there is`
      : `did you mean \`${hint.replace(/^one of /, "")}\`?`;
  return `${message}\n  = help: ${help}\n`;
}

function codeOf(terminal: Terminal, error: unknown): number {
  if (error instanceof Silent) return error.code;
  if (error instanceof Failure) {
    reportFailure(terminal, error);
    return error.code;
  }
  // Help and version end a command line as errors do; `fecit` alone shows the help because a command is
  // missing.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exit.commandWrong;
  const known = failureOf(error);
  if (known !== null) {
    reportFailure(terminal, known);
    return known.code;
  }
  reportInternal(terminal, error);
  return exit.inputWrong;
}

/** The last resort: what should never be seen. */
function reportInternal(terminal: Terminal, error: unknown): void {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const lines = message.split("\n");
  reportFailure(terminal, {
    message: `internal error: ${lines[0]}`,
    notes: [
      ...lines.slice(1),
      "this is a mistake in fecit, not in your program: please report it, with the program",
    ],
    help: `FECIT_TRACE=${stages.join(",")} shows how far it came, FECIT_DEBUG=1 where it stopped`,
  });
  if (isOn(terminal.environment["FECIT_DEBUG"])) terminal.err(`${stack ?? ""}\n`);
}
