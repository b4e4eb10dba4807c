/** Lists of numbers and of choices. */

/** All ways to take one of each list, the last changing fastest. */
export function combinations<T>(lists: readonly (readonly T[])[]): readonly (readonly T[])[] {
  return lists.reduce<readonly (readonly T[])[]>(
    (ways, list) => ways.flatMap((way) => list.map((item) => [...way, item])),
    [[]],
  );
}

/** 0 … length-1. */
export function sequence(length: number): number[] {
  return Array.from({ length }, (_, n) => n);
}
