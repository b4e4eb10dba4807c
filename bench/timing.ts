/** Times a call: the first one, some that warm up, and as many as are asked for. */

export interface Times {
  readonly firstMs: number;
  readonly milliseconds: readonly number[];
}

/** A call that is over when its results are there. */
export type Call = () => Promise<void>;

export async function timeOf(call: Call): Promise<number> {
  const start = performance.now();
  await call();
  return performance.now() - start;
}

/**
 * Short calls are repeated until `leastMs` have passed: a single one of a millisecond says little. So are those before them, which warm up
 * the process, and a GPU that lowers its clocks where it has nothing to do.
 */
export async function timesOf(call: Call, runs: number, leastMs = 200): Promise<Times> {
  const firstMs = await timeOf(call);
  let start = performance.now();
  for (let i = 0; i < 2 || performance.now() - start < leastMs; i++) await call();
  const milliseconds: number[] = [];
  start = performance.now();
  while (milliseconds.length < runs || performance.now() - start < leastMs)
    milliseconds.push(await timeOf(call));
  return { firstMs, milliseconds };
}
