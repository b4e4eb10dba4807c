/** Random inputs for a graph's parameters. */
import { type ElementType, isFloat, sizeOf, type ValueType } from "../../src/ir/ir.ts";
import { tensor, type TensorData } from "../../src/ir/interpret.ts";
import type { RandomSource } from "./random-source.ts";

/** The range from which a parameter's numbers come; floats in [-1.2, 1.2), integers in 0 … 4 unless told otherwise. */
export type RangeOf = (param: ValueType) => readonly [lo: number, hi: number] | undefined;

export function randomInputs(
  params: readonly ValueType[],
  random: RandomSource,
  rangeOf: RangeOf = () => undefined,
): Record<string, TensorData> {
  return Object.fromEntries(
    params.map((p) => [p.name, randomTensor(p.element, p.shape, random, rangeOf(p))]),
  );
}

export function randomTensor(
  element: ElementType,
  shape: readonly number[],
  random: RandomSource,
  range?: readonly [number, number],
): TensorData {
  const draw = (): number => {
    if (isFloat(element.scalar)) return random.between(...(range ?? [-1.2, 1.2]));
    if (element.scalar === "bool") return random.below(2);
    if (element.scalar === "u32") return random.below(2 ** 32);
    if (element.bound !== null) return random.below(element.bound);
    const [lo, hi] = range ?? [0, 5];
    return lo + random.below(hi - lo);
  };
  return tensor(element, shape, Array.from({ length: sizeOf(shape) }, draw));
}
