/**
 * `--tune`: what it is called, and what is shown of it on stderr.
 *
 *     fecit: tuning 3 kernels, up to 30 s each; what is found is kept when it is stopped
 *     fecit: tuned 1/3 cluster: 4.1 ms, 2.9 ms with regionInvocations 16 (17 others measured)
 *     fecit: tuned 2/3 sum: 0.21 ms, none of 12 others is faster
 */
import { Option } from "commander";
import type { ShapeChoice } from "../codegen/tuner.ts";
import type { TuneOptions } from "../tune.ts";
import { figures } from "./ceilings-text.ts";
import { counted } from "./diagnose.ts";
import { exit, Failure } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** `--tune`. */
export function tuneOption(): Option {
  return new Option("--tune", "measure other shapes of its kernels first, and keep the fastest for later");
}

/** Refuses to tune where there are no kernels. */
export function requireTunable(device: string, tune: boolean | undefined): void {
  if (tune !== true || device !== "interpreter") return;
  throw new Failure(exit.commandWrong, "--tune: the interpreter has no kernels to tune", {
    help: "as in `--tune --device software`, which every machine has",
  });
}

/** Tells of each kernel that is tuned. */
export function showTuning(terminal: Pick<Terminal, "err">): TuneOptions {
  return {
    begun: (kernels, seconds) =>
      terminal.err(
        `fecit: tuning ${counted(kernels, "kernel")}, up to ${seconds} s each; what is found is kept when it is stopped\n`,
      ),
    progress: (tuned) => {
      const { kernel, number, of } = tuned;
      const place = `${number}/${of} ${kernel}`;
      if ("reason" in tuned) return terminal.err(`fecit: not tuned ${place}: ${tuned.reason}\n`);
      const { choice, defaultMs, chosenMs, candidates } = tuned;
      const found =
        Object.keys(choice).length === 0
          ? `none of ${candidates} others is faster`
          : `${figures(chosenMs)} ms with ${choiceText(choice)} (${candidates} others measured)`;
      terminal.err(`fecit: tuned ${place}: ${figures(defaultMs)} ms, ${found}\n`);
    },
  };
}

function choiceText(choice: ShapeChoice): string {
  return Object.entries(choice)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
}
