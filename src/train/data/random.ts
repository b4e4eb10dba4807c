/**
 * Random numbers by counter: the number at a place depends on the seed and the place only, so that whoever knows
 * (seed, epoch, image) can go on from there.
 *
 *     randomBits(7, "flip", 2, 31)        what image 31 draws in epoch 2, however one came there
 *
 * The generator is Philox 4x32-10, as in the language: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 */

/** What a number is drawn for. Different purposes draw independent numbers. */
const purposes = { order: 0, flip: 1, cropRow: 2, cropColumn: 3, split: 4 } as const;
export type Purpose = keyof typeof purposes;

/** 32 random bits, as a whole number of 0 … 2^32-1. `seed`, `a` and `b` are whole numbers; `a` and `b` are below 2^32. */
export function randomBits(seed: number, purpose: Purpose, a: number, b: number): number {
  const key = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0] as const;
  return philox([a, b, purposes[purpose], 0], key)[0];
}

/** A random whole number of 0 … n-1. The bias is below n / 2^32. */
export function randomBelow(n: number, seed: number, purpose: Purpose, a: number, b: number): number {
  return multiplyHigh(randomBits(seed, purpose, a, b), n);
}

/** The numbers 0 … size-1 in an order of their own for each `round` (Fisher and Yates). */
export function permutation(size: number, seed: number, purpose: Purpose, round: number): Int32Array {
  const order = Int32Array.from({ length: size }, (_, i) => i);
  for (let i = size - 1; i > 0; i--) {
    const j = randomBelow(i + 1, seed, purpose, round, i);
    const other = order[j]!;
    order[j] = order[i]!;
    order[i] = other;
  }
  return order;
}

type Words4 = readonly [number, number, number, number];
type Words2 = readonly [number, number];

/** Four random words of a counter and a key. */
export function philox(counter: Words4, key: Words2): Words4 {
  let [c0, c1, c2, c3] = counter.map((word) => word >>> 0) as unknown as Words4;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0) >>> 0;
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2) >>> 0;
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** The upper half of the 64-bit product of two 32-bit words. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  // Each partial product and each sum stays below 2^53.
  const middle = aHigh * bLow + Math.floor((aLow * bLow) / 65_536);
  const middleLow = (middle % 65_536) + aLow * bHigh;
  return aHigh * bHigh + Math.floor(middle / 65_536) + Math.floor(middleLow / 65_536);
}
