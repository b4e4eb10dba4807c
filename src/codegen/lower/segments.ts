/** The columns of segment sums: an element for each segment, in registers where they are few, else in memory. */
import { longestColumn } from "../../fusion/columns.ts";
import type { Emission, Instance } from "./emission.ts";
import { combinations, sequence } from "./lists.ts";

/** Are the instance's columns kept in registers? Then several invocations may compute the same one, and one of them store it. */
export function isInRegisters(emission: Emission, instance: Instance): boolean {
  return elementsOf(emission, instance).length <= longestColumn;
}

/** Is it a segment sum that adds up in memory? */
export function addsInMemory(emission: Emission, instance: Instance): boolean {
  return instance.keys.length > 0 && !isInRegisters(emission, instance);
}

/** The places in a column: an index for each keyed axis. */
export function elementsOf(emission: Emission, { node, keys }: Instance): readonly (readonly number[])[] {
  const { shape } = emission.types.get(node.name)!;
  const sizes = keys.map(({ axis }) => shape[axis]!);
  // No list of a million places, only to see that it is long.
  if (sizes.reduce((product, size) => product * size, 1) > longestColumn)
    return sequence(longestColumn + 1).map(() => []);
  return combinations(sizes.map(sequence));
}
