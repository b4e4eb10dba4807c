/**
 * Ctrl-C: the first one stops the work where it can be gone on with, the second one ends the process.
 *
 *     await stoppable(terminal, "saving; Ctrl-C again ends at once", (signal) => loop(signal))
 */
import type { Terminal } from "./terminal.ts";

/** What shells expect of a process that was ended by Ctrl-C. */
export const interrupted = 130;

const signals = ["SIGINT", "SIGTERM"] as const;

/** Runs a step that stops by a signal. `note` is said at the first Ctrl-C. */
export async function stoppable<T>(
  terminal: Pick<Terminal, "err">,
  note: string,
  step: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(interrupted);
    terminal.err(`\nfecit: ${note}\n`);
    controller.abort();
  };
  for (const name of signals) process.on(name, stop);
  try {
    return await step(controller.signal);
  } finally {
    for (const name of signals) process.removeListener(name, stop);
  }
}
