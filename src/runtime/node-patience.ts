/**
 * Waiting in Node without burning a processor. Dawn asks its driver in every turn of the event loop whether a promise is due, as
 * fast as the loop turns: a wait keeps one processor busy. A driver that runs on the processors itself then has one less to compute
 * with, which on two of them takes half of its speed. So while something is waited for, each turn of the loop ends with a nap.
 *
 *     const patiently = openPatience(patienceWith(adapter.kind));
 *     await patiently(queue.onSubmittedWorkDone());
 */
import type { AdapterDescription } from "./adapter.ts";

/** How a wait is spent. All times in milliseconds. */
export interface Patience {
  /** How long nothing is slept: what is due sooner is noticed at once. */
  readonly alertMs: number;
  /** A nap's part of the time that was waited since: the most by which a wait gets longer. */
  readonly part: number;
  readonly longestMs: number;
}

/** Where the driver computes on the processors that a wait would burn. */
const softwarePatience: Patience = { alertMs: 0, part: 1 / 8, longestMs: 2 };

/** Where a GPU computes: a processor is saved only once the wait is long beside what a nap adds. */
const hardwarePatience: Patience = { alertMs: 4, part: 1 / 32, longestMs: 0.5 };

/** How an adapter is waited for. */
export function patienceWith(kind: AdapterDescription["kind"]): Patience {
  return kind === "software" ? softwarePatience : hardwarePatience;
}

/** Timers of the system are no finer; a shorter nap would be none. */
const shortestNapMs = 0.02;
/** A turn that took longer than this had work of somebody else, who is not to be slept upon. */
const idleTurnMs = 0.2;

/** Gives a way to wait: the promise of what it is given, with naps until it is settled. */
export function openPatience({ alertMs, part, longestMs }: Patience): <T>(promise: Promise<T>) => Promise<T> {
  const never = new Int32Array(new SharedArrayBuffer(4));
  let waits = 0;
  let isTurning = false;
  let since = 0;
  let turnBegan = 0;

  const turn = (): void => {
    isTurning = waits > 0;
    if (!isTurning) return;
    const now = performance.now();
    const nap = Math.min(longestMs, part * (now - since - alertMs));
    if (nap >= shortestNapMs && now - turnBegan < idleTurnMs) Atomics.wait(never, 0, 0, nap);
    turnBegan = performance.now();
    setImmediate(turn);
  };

  return async (promise) => {
    // The newest wait counts: nobody who just began is slept upon for long.
    since = performance.now();
    waits++;
    if (!isTurning) setImmediate(turn);
    isTurning = true;
    try {
      return await promise;
    } finally {
      waits--;
    }
  };
}
