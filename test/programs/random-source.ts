/** Reproducible random numbers for tests: one seed, one sequence (mulberry32). */
export interface RandomSource {
  /** Uniform in [0, 1). */
  readonly next: () => number;
  /** Uniform in [lo, hi). */
  readonly between: (lo: number, hi: number) => number;
  /** A whole number in 0 … n-1. */
  readonly below: (n: number) => number;
  readonly choose: <T>(of: readonly T[]) => T;
  readonly chance: (probability: number) => boolean;
}

export function randomSource(seed: number): RandomSource {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n: number): number => Math.floor(next() * n);
  return {
    next,
    below,
    between: (lo, hi) => lo + (hi - lo) * next(),
    choose: (of) => of[below(of.length)]!,
    chance: (probability) => next() < probability,
  };
}

/** A seed from a name, so that each test has numbers of its own. */
export function seedOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const c of name) hash = Math.imul(hash ^ c.codePointAt(0)!, 0x01000193);
  return hash >>> 0;
}
