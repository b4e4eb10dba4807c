/**
 * Axes in messages, by words: programs index from 0, people count from 1, and "axis 1" would be either.
 *
 *     f32[n, d]        the first axis, of size n; the second axis, of size d
 */
const ordinals = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"] as const;

/** The axis with so many before it: `the second axis` for 1; a lone one is `the axis`. */
export function axisName(axis: number, rank: number): string {
  return rank === 1 ? "the axis" : `the ${ordinals[axis] ?? `${axis + 1}th`} axis`;
}
