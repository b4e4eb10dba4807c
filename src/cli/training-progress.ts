/**
 * What is shown on stderr while a model is compiled and trained.
 *
 *     fecit: compiling the step: 120/540 kernels
 *     step 120/400 █████████░░░░░░░░░░░░  loss 0.812  accuracy 71.2 %  410 images/s  0:41 left
 *     epoch 1: held-out accuracy 78.3 %, loss 0.71 (best)
 */
import { stepsOf } from "../train/loop.ts";
import { type Progress, type ProgressSink, startProgress } from "../train/metrics-progress.ts";
import type { PreparedRun } from "../train/prepare.ts";
import type { TrainOptions } from "../train/training.ts";
import { percent } from "./percent.ts";
import type { Terminal } from "./terminal.ts";

/** What `train` tells of its progress, and the end of showing it. */
export interface TrainingProgress extends Required<Pick<TrainOptions, "listener" | "compiling">> {
  readonly end: () => void;
}

const secondsBetweenLines = 5;

/** Shows it on the terminal's stderr: a bar where that is one, lines otherwise. */
export function showTraining(terminal: Terminal, prepared: PreparedRun): TrainingProgress {
  const { settings, dataset } = prepared;
  const seconds = (): number => performance.now() / 1000;
  let bar: Progress | null = null;
  /** Time is counted from the first measurement on: before it drivers make their kernels ready. */
  const progress = (step: number): Progress =>
    (bar ??= startProgress(sinkOf(terminal), {
      firstStep: step,
      lastStep: stepsOf(settings, dataset),
      secondsBetweenLines,
      now: seconds,
    }));
  let toldAt = seconds();
  return {
    compiling: (what, done, total) => {
      if (done < total && seconds() - toldAt < secondsBetweenLines) return;
      toldAt = seconds();
      terminal.err(`fecit: compiling ${what}: ${done}/${total} kernels\n`);
    },
    listener: {
      measured: (metrics) => progress(metrics.step).update(metrics),
      evaluated: ({ top1, loss }, epoch, isBest) =>
        progress(stepsOf(settings, dataset)).note(
          `epoch ${epoch}: held-out accuracy ${percent(top1)}, loss ${loss.toFixed(3)}${isBest ? " (best)" : ""}`,
        ),
    },
    end: () => bar?.end(),
  };
}

/** The process's own stderr can show a bar; any other terminal gets lines. */
function sinkOf(terminal: Terminal): ProgressSink {
  if (process.stderr.isTTY && terminal.errColors) return process.stderr;
  return { write: (text: string) => (terminal.err(text), true) } as ProgressSink;
}
