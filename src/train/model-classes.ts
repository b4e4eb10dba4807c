/**
 * How many classes a model tells apart: the last dimension of what its forward gives.
 *
 *     fec_small(p, x: f32[b, 3, h, w]) -> f32[b, 1000]        1000
 */
import { type Model } from "../model.ts";

/** The number of classes; `size` is the side of its images. Throws `CompileError` for a side that it can't have. */
export function classCount(model: Model, size: number): number {
  const shape = model.forward({ b: 1, h: size, w: size }).results[0]?.shape;
  return shape?.kind === "tensor" ? (shape.shape.at(-1) ?? 1) : 1;
}
