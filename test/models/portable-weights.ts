/**
 * Weights that any language can make again: numbers that depend on a tensor's name, a seed and the position only.
 *
 *     value_k = float32(lo + (hi - lo) u_k)      u_k = (hash(0x9E3779B9 k + stream) >> 8) / 2^24      stream = fnv1a(name) ^ hash(seed)
 *
 * The ranges are those of a network that has been trained a little: every part has an effect on the result.
 */
import { tensor, type TensorData } from "../../src/ir/interpret.ts";
import { f32, sizeOf } from "../../src/ir/ir.ts";

/** A tensor of numbers in [lo, hi]. */
export function portableTensor(
  name: string,
  shape: readonly number[],
  [lo, hi]: readonly [number, number],
  seed: number,
): TensorData {
  const stream = fnv1a(name) ^ hash(seed);
  const at = (k: number): number => {
    const u = (hash((Math.imul(k, 0x9e3779b9) + stream) | 0) >>> 8) / 2 ** 24;
    return Math.fround(lo + (hi - lo) * u);
  };
  return tensor(
    f32,
    shape,
    Array.from({ length: sizeOf(shape) }, (_, k) => at(k)),
  );
}

/** A parameter by the name that checkpoints have for it. */
export function portableWeight(name: string, shape: readonly number[], seed: number): TensorData {
  return portableTensor(name, shape, rangeOf(name, shape), seed);
}

/** A batch of images. */
export function portableImages(shape: readonly number[], seed: number): TensorData {
  return portableTensor("input", shape, [-2, 2], seed);
}

function rangeOf(name: string, shape: readonly number[]): readonly [number, number] {
  if (/layer_scale_\d$/.test(name)) return [0.1, 0.6];
  if (name.endsWith("sim_alpha")) return [0.7, 1.8];
  if (name.endsWith("sim_beta")) return [-0.5, 0.5];
  if (name.endsWith("bias")) return [-0.1, 0.1];
  if (/norm\d?\.weight$/.test(name)) return [0.8, 1.2];
  const bound = Math.sqrt(3 / sizeOf(shape.slice(1)));
  return [-bound, bound];
}

function hash(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** FNV-1a, 32 bits (Fowler, Noll & Vo). */
function fnv1a(text: string): number {
  let h = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) h = Math.imul(h ^ byte, 0x01000193);
  return h >>> 0;
}
