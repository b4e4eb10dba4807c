/**
 * Reads what training sums up on the device, a few times a second at most, while the next steps run.
 *
 *     steps 1 … 20 ──next──▶ asked, not waited for       steps 21 … 40 ──next──▶ the first 20 are there by now
 */
import { type TrainingState } from "./checkpoint-state.ts";
import { type Metrics } from "./metrics.ts";
import { type Totals } from "./totals.ts";

type Measurement = Extract<Metrics, { kind: "training" }>;

export interface MeterOptions {
  /** The images of a step. */
  readonly batch: number;
  /** The learning rate of a step, counted from 0. */
  readonly rate: (step: number) => number;
  /** Seconds since the run began. */
  readonly seconds: () => number;
  /** Hears every measurement; what it throws ends the next `next` or `rest`. */
  readonly measured: (measurement: Measurement) => Promise<void>;
}

export interface Meter {
  /** Asks for the sums of the steps until now; waits for those that were asked for before. */
  readonly next: (state: TrainingState) => Promise<void>;
  /** Waits for all sums of the steps until now. */
  readonly rest: (state: TrainingState) => Promise<void>;
  /** What passed since the last measurement was no training. */
  readonly pause: () => void;
  /** Waits for what is under way, whatever comes of it. */
  readonly settle: () => Promise<void>;
}

/** A meter of the steps after step number `from`. */
export function openMeter(totals: Totals, from: number, options: MeterOptions): Meter {
  const { batch, rate, seconds, measured } = options;
  let asked = from;
  let timedFrom = { step: from, seconds: seconds() };
  let pending: Promise<void> = Promise.resolve();

  const ask = async (since: number, { step, place }: TrainingState): Promise<void> => {
    const { loss, hits } = await totals.take();
    const at = seconds();
    const images = (step - since) * batch;
    const timed = (step - timedFrom.step) * batch;
    await measured({
      kind: "training",
      step,
      epoch: place.epoch,
      loss: loss / (step - since),
      accuracy: hits / images,
      seconds: at,
      learningRate: rate(step - 1),
      imagesPerSecond: timed / Math.max(1e-6, at - timedFrom.seconds),
    });
    timedFrom = { step, seconds: at };
  };
  const next = async (state: TrainingState): Promise<void> => {
    await pending;
    if (state.step === asked) return;
    pending = ask(asked, state);
    // Whoever asks next hears of it.
    pending.catch(() => {});
    asked = state.step;
  };
  return {
    next,
    rest: async (state) => {
      await next(state);
      await pending;
    },
    pause: () => {
      timedFrom = { step: asked, seconds: seconds() };
    },
    settle: () => pending.catch(() => {}),
  };
}
