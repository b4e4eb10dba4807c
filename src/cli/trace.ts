/**
 * `--trace check,ir,vjp,fuse,wgsl` and `FECIT_TRACE`: what each stage made, on stderr. `FECIT_VERIFY` tests the graphs
 * between.
 */
import { createColors } from "picocolors";
import { closest } from "../lang/suggest.ts";
import { pipeline, type PipelineOptions } from "../pipeline.ts";
import { exit, Failure } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** The names of all stages, in order. */
export const stages: readonly string[] = pipeline.map((stage) => stage.name);
/** What `--trace` does, for `--help`. */
export const traceHelp = `print what stages made on the way: ${stages.join(",")}`;

/** The options of the pipeline that the command line and the environment ask for. */
export function tracing(
  terminal: Terminal,
  option: string | undefined,
): Pick<PipelineOptions, "trace" | "verify"> {
  const { environment } = terminal;
  const asked = [...namesIn(option, "--trace"), ...namesIn(environment["FECIT_TRACE"], "FECIT_TRACE")];
  const colors = createColors(terminal.errColors);
  return {
    verify: isOn(environment["FECIT_VERIFY"]),
    trace(stage, text) {
      if (!asked.includes(stage.name)) return;
      terminal.err(`${colors.bold(`── ${stage.name}`)} ${colors.dim(stage.makes)}\n${text()}`);
    },
  };
}

export function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "0";
}

function namesIn(list: string | undefined, where: string): string[] {
  const names = (list ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  for (const name of names) {
    if (stages.includes(name)) continue;
    const near = closest(name, stages);
    const help = near === null ? `stages are ${stages.join(", ")}` : `did you mean ${near}?`;
    throw new Failure(exit.commandWrong, `${where}: there is no stage ${name}`, { help });
  }
  return names;
}
