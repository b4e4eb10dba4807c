/**
 * How far repeated passes are, on stderr: one line that changes on a terminal, a line every few seconds elsewhere.
 *
 *     fecit: compiling 120/540 kernels
 *     fecit: warming up 12/20, 31.1 images/s, 0:41 left
 *     fecit: pass 37/100, 31.2 images/s, 0:19 left
 */
import { durationText } from "../train/metrics-progress.ts";
import { figures } from "./ceilings-text.ts";
import type { Terminal } from "./terminal.ts";

export interface PassProgress {
  /** A pass is done. */
  readonly passed: () => void;
  /** No more is shown. */
  readonly end: () => void;
}

export interface PassPlan {
  readonly warmUp: number;
  readonly passes: number;
  /** Images of a pass. */
  readonly batch: number;
}

const secondsBetweenLines = 5;

/** What a device tells while it compiles, on stderr when it takes long. */
export function showCompiling(
  terminal: Pick<Terminal, "err">,
  seconds: () => number = () => performance.now() / 1000,
): (done: number, total: number) => void {
  let shownAt = seconds();
  return (done, total) => {
    if (seconds() - shownAt < secondsBetweenLines) return;
    shownAt = seconds();
    terminal.err(`fecit: compiling ${done}/${total} kernels\n`);
  };
}

/** Begins to show. */
export function showPasses(
  terminal: Terminal,
  plan: PassPlan,
  seconds: () => number = () => performance.now() / 1000,
): PassProgress {
  let shownAt = seconds();
  /** The first pass is left out of the times: in it drivers make their kernels ready. */
  let firstDone = shownAt;
  let done = 0;
  let isOpen = false;
  return {
    passed: () => {
      done++;
      const now = seconds();
      if (done === 1) firstDone = now;
      if (!terminal.errColors && now - shownAt < secondsBetweenLines) return;
      shownAt = now;
      const text = passText(done, done === 1 ? null : (now - firstDone) / (done - 1), plan);
      terminal.err(terminal.errColors ? `\r\u001B[2K${text}` : `${text}\n`);
      isOpen = terminal.errColors;
    },
    end: () => {
      if (isOpen) terminal.err("\n");
      isOpen = false;
    },
  };
}

/** The line after so many passes; `secondsEach` is null while it is not known how long one takes. */
export function passText(
  done: number,
  secondsEach: number | null,
  { warmUp, passes, batch }: PassPlan,
): string {
  const what = done <= warmUp ? `warming up ${done}/${warmUp}` : `pass ${done - warmUp}/${passes}`;
  if (secondsEach === null) return `fecit: ${what}`;
  const rate = `${figures(batch / secondsEach)} images/s`;
  return `fecit: ${what}, ${rate}, ${durationText(secondsEach * (warmUp + passes - done))} left`;
}
