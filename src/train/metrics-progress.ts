/**
 * Shows how training goes: one line that changes on a terminal, a line every few seconds elsewhere.
 *
 *     step 120/400 █████████░░░░░░░░░░░░  loss 0.812  accuracy 71.2 %  410 images/s  0:41 left
 */
import cliProgress from "cli-progress";

/** Where it is shown: `process.stderr`, or what a test looks at. */
export type ProgressSink = NodeJS.WritableStream & { readonly isTTY?: boolean };

export interface ProgressOptions {
  /** The step at which this process begins, and the last one. */
  readonly firstStep: number;
  readonly lastStep: number;
  /** Seconds between two lines where there is no terminal. */
  readonly secondsBetweenLines: number;
  /** Seconds of a clock that only goes forward. */
  readonly now: () => number;
}

export interface ProgressReport {
  readonly step: number;
  readonly loss: number;
  /** 0 … 1. */
  readonly accuracy: number;
  readonly imagesPerSecond: number;
}

export interface Progress {
  update(report: ProgressReport): void;
  /** A line that stays, as after an evaluation. */
  note(text: string): void;
  /** The last state stays to be seen. */
  end(): void;
}

/** Begins to show; nothing is shown before the first report. */
export function startProgress(sink: ProgressSink, options: ProgressOptions): Progress {
  const begin = options.now();
  const textOf = (report: ProgressReport): string =>
    progressText(report, secondsLeft(report.step, options, options.now() - begin));
  return sink.isTTY === true ? onTerminal(sink, options, textOf) : inLines(sink, options, textOf);
}

/** The figures of a report. `left`: seconds, or null when that is not known yet. */
export function progressText(report: ProgressReport, left: number | null): string {
  return [
    `loss ${report.loss.toFixed(3)}`,
    `accuracy ${(100 * report.accuracy).toFixed(1)} %`,
    `${rateText(report.imagesPerSecond)} images/s`,
    ...(left === null ? [] : [`${durationText(left)} left`]),
  ].join("  ");
}

/** `0:41`, `12:05`, `3:00:00`. */
export function durationText(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (n: number): string => String(n).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** Three figures are enough. */
function rateText(rate: number): string {
  return rate < 100 ? rate.toPrecision(3) : String(Math.round(rate));
}

function secondsLeft(step: number, { firstStep, lastStep }: ProgressOptions, elapsed: number): number | null {
  const done = step - firstStep;
  return done <= 0 || elapsed <= 0 ? null : (elapsed / done) * (lastStep - step);
}

type TextOf = (report: ProgressReport) => string;

function onTerminal(sink: ProgressSink, { lastStep }: ProgressOptions, textOf: TextOf): Progress {
  const bar = new cliProgress.SingleBar({
    stream: sink,
    format: "step {value}/{total} {bar}  {text}",
    barsize: 20,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    hideCursor: true,
    // The command itself decides what an interruption does.
    gracefulExit: false,
  });
  let isShown = false;
  let latest: ProgressReport | null = null;
  const show = (report: ProgressReport): void => {
    if (!isShown) bar.start(lastStep, report.step, { text: textOf(report) });
    else bar.update(report.step, { text: textOf(report) });
    isShown = true;
    latest = report;
  };
  return {
    update: show,
    note: (text) => {
      if (isShown) bar.stop();
      isShown = false;
      sink.write(`${text}\n`);
      if (latest !== null && latest.step < lastStep) show(latest);
    },
    end: () => {
      if (isShown) bar.stop();
      isShown = false;
    },
  };
}

function inLines(sink: ProgressSink, options: ProgressOptions, textOf: TextOf): Progress {
  const { lastStep, secondsBetweenLines, now } = options;
  let shownAt = -Infinity;
  let waiting: ProgressReport | null = null;
  const show = (report: ProgressReport): void => {
    sink.write(`step ${report.step}/${lastStep}  ${textOf(report)}\n`);
    shownAt = now();
    waiting = null;
  };
  return {
    update: (report) => {
      waiting = report;
      if (now() - shownAt >= secondsBetweenLines) show(report);
    },
    note: (text) => void sink.write(`${text}\n`),
    end: () => {
      if (waiting !== null) show(waiting);
    },
  };
}
