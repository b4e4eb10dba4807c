/**
 * The learning rate of a step: a warm-up, then half a cosine, as `schedule.warmup_cosine` of the standard library gives it.
 *
 *     rate ╱‾‾╲__        { peak: 0.002, low: 0.00001, warmUp: 100, steps: 1000 }
 */

/** Lengths are in steps. */
export interface Schedule {
  readonly peak: number;
  /** The rate at the end. */
  readonly low: number;
  /** The rate rises from `low` to `peak` in this many steps. */
  readonly warmUp: number;
  readonly steps: number;
}

/** The learning rate of a step, counted from 0. Time is not counted anew after the warm-up (timm, DeiT). */
export function learningRate(step: number, { peak, low, warmUp, steps }: Schedule): number {
  if (step < warmUp) return low + ((peak - low) * step) / warmUp;
  if (step >= steps) return low;
  return low + 0.5 * (peak - low) * (1 + Math.cos((Math.PI * step) / steps));
}
