/**
 * Times of repeated calls.
 *
 *     const { firstMs, times } = await timesOf(call, 10);
 */

import { figures } from "./ceilings-text.ts";

export interface Times {
  /** Milliseconds of the first call, in which drivers make kernels ready. */
  readonly firstMs: number;
  /** Milliseconds of each warm call, in order. */
  readonly times: readonly number[];
}

/** Calls that are not counted go on for so many milliseconds, but no more than this many calls. */
const warmUp = { milliseconds: 200, calls: 10 } as const;

/** Calls are timed for so many milliseconds, but no more than this many. */
const timed = { milliseconds: 1000, calls: 1000 } as const;

/** Times a call: the first, some that are not counted, then `exactly` so many, or as many as a second has, `atLeast` so many. */
export async function timesOf(call: () => Promise<void>, atLeast: number, exactly?: number): Promise<Times> {
  const time = async (): Promise<number> => {
    const start = performance.now();
    await call();
    return performance.now() - start;
  };
  const repeated = async (fewest: number, most: number, milliseconds: number): Promise<number[]> => {
    const times: number[] = [];
    let spent = 0;
    while (times.length < fewest || (times.length < most && spent < milliseconds)) {
      times.push(await time());
      spent += times.at(-1)!;
    }
    return times;
  };
  const firstMs = await time();
  await repeated(1, warmUp.calls, warmUp.milliseconds);
  const times = await repeated(exactly ?? atLeast, exactly ?? timed.calls, timed.milliseconds);
  return { firstMs, times };
}

/** A time for people: `12.3 ms`, `134 s`. */
export function timeText(milliseconds: number): string {
  return milliseconds < 1000 ? `${figures(milliseconds)} ms` : `${figures(milliseconds / 1000)} s`;
}
