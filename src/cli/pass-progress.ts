/**
 * How far repeated passes are, on stderr: one line that changes on a terminal, a line every few seconds elsewhere.
 *
 *     fecit: warming up 12/20, 0:41 left
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

/** Begins to show; time is counted from here on. */
export function showPasses(
  terminal: Terminal,
  plan: PassPlan,
  seconds: () => number = () => performance.now() / 1000,
): PassProgress {
  const start = seconds();
  let shownAt = start;
  let done = 0;
  let isOpen = false;
  return {
    passed: () => {
      done++;
      const now = seconds();
      if (!terminal.errColors && now - shownAt < secondsBetweenLines) return;
      shownAt = now;
      const text = passText(done, (now - start) / done, plan);
      terminal.err(terminal.errColors ? `\r\u001B[2K${text}` : `${text}\n`);
      isOpen = terminal.errColors;
    },
    end: () => {
      if (isOpen) terminal.err("\n");
      isOpen = false;
    },
  };
}

/** The line after so many passes of so many seconds each. */
export function passText(done: number, secondsEach: number, { warmUp, passes, batch }: PassPlan): string {
  const left = durationText(secondsEach * (warmUp + passes - done));
  if (done <= warmUp) return `fecit: warming up ${done}/${warmUp}, ${left} left`;
  return `fecit: pass ${done - warmUp}/${passes}, ${figures(batch / secondsEach)} images/s, ${left} left`;
}
