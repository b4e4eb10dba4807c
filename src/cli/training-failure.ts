/**
 * What goes wrong in training and with its files, as failures: a message, facts, what to do.
 *
 *     error: a batch of 64 can't be made of 40 images
 *       = help: choose a batch size of 1 … 40
 */
import { FormatError } from "../formats/array.ts";
import { CompileError } from "../module.ts";
import { OutOfMemoryError } from "../runtime/errors.ts";
import { CheckpointError } from "../train/checkpoint-error.ts";
import { DataError } from "../train/data/data-error.ts";
import { DivergedError } from "../train/diverged-error.ts";
import { MetricsError } from "../train/metrics.ts";
import { RunError } from "../train/run-folder.ts";
import { failureOf } from "./device-failure.ts";
import { showDiagnostics } from "./diagnose.ts";
import { exit, Failure, Silent } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** The errors that say themselves what to do; all are of the input. */
const kinds = [CheckpointError, DataError, DivergedError, FormatError, MetricsError, RunError] as const;

/** Runs a step; its errors become failures. `kept` is what remains of the work when the device, or an image, fails. */
export async function orFail<T>(
  terminal: Terminal,
  step: () => Promise<T>,
  kept: () => readonly string[] = () => [],
): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof CompileError) {
      showDiagnostics(terminal, error.diagnostics);
      throw new Silent(exit.inputWrong);
    }
    const known = kinds.find((kind) => error instanceof kind);
    if (known !== undefined) {
      const { message, notes, help } = error as InstanceType<typeof known>;
      const saved = error instanceof DataError ? kept() : [];
      throw new Failure(exit.inputWrong, message, { notes: [...notes, ...saved], help });
    }
    const failure = error instanceof Failure ? null : failureOf(error);
    if (failure === null) throw error;
    const help =
      error instanceof OutOfMemoryError
        ? "choose a smaller --batch or --size, or an adapter with more memory by --device"
        : failure.help;
    throw new Failure(failure.code, failure.message, { notes: [...failure.notes, ...kept()], help });
  }
}
