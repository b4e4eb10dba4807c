/** How far results may be from what they must be. */
import type { TensorData } from "../../src/ir/interpret.ts";
import { isFloatTensor } from "./values.ts";

export interface Tolerance {
  /** A part of the tensor's largest number. */
  readonly relative: number;
  /** The difference that is always allowed. */
  readonly floor: number;
}

export const exact: Tolerance = { relative: 0, floor: 0 };
export const oracle: Tolerance = { relative: 1e-9, floor: 1e-9 };

/** What is wrong with a tensor, or null. Integers and booleans must be equal; NaN and infinities are equal to themselves. */
export function difference(
  actual: TensorData,
  expected: TensorData,
  tolerance: Tolerance = oracle,
): string | null {
  if (actual.element.scalar !== expected.element.scalar)
    return `${actual.element.scalar} instead of ${expected.element.scalar}`;
  if (actual.shape.join() !== expected.shape.join())
    return `shape [${actual.shape.join(", ")}] instead of [${expected.shape.join(", ")}]`;
  const allowed = isFloatTensor(expected)
    ? Math.max(tolerance.floor, tolerance.relative * largest(expected))
    : 0;
  for (const [i, a] of actual.data.entries()) {
    const e = expected.data[i]!;
    if (Object.is(a, e) || Math.abs(a - e) <= allowed) continue;
    return `${a} instead of ${e} at [${indicesAt(i, expected.shape).join(", ")}]`;
  }
  return null;
}

/** What is wrong with several tensors. */
export function differences(
  actual: readonly TensorData[],
  expected: readonly TensorData[],
  names: readonly string[],
  tolerance: Tolerance = oracle,
): string[] {
  if (actual.length !== expected.length) return [`${actual.length} tensors instead of ${expected.length}`];
  return actual.flatMap((a, i) => {
    const problem = difference(a, expected[i]!, tolerance);
    return problem === null ? [] : [`${names[i]}: ${problem}`];
  });
}

function largest(t: TensorData): number {
  let most = 0;
  for (const x of t.data) if (Number.isFinite(x)) most = Math.max(most, Math.abs(x));
  return most;
}

function indicesAt(flat: number, shape: readonly number[]): number[] {
  const indices: number[] = [];
  for (const size of [...shape].reverse()) {
    indices.unshift(flat % size);
    flat = Math.floor(flat / size);
  }
  return indices;
}
