/**
 * Loops that are worth writing out whole: points side by side have their turns in memory one after the other.
 *
 *     sum n<49. %v[n + 49 * k]     at k = 4 i … 4 i + 3     ⟶     the 196 elements from 196 i on: 49 loads of four
 *
 * In a loop over turns only every fourth of these points would begin at a multiple of four.
 */
import type { Emission, Instance } from "./emission.ts";
import { placeIn } from "./expression.ts";
import { readsOfMemory } from "./reads.ts";

/**
 * Do all turns of the axis, of all points that are side by side, together read a run of whole fours, from a multiple of four on, that the
 * turns of a single point don't?
 */
export function isRun(emission: Emission, instance: Instance, level: number, extent: number): boolean {
  const { name } = instance.axes[level]!;
  return readsOfMemory(emission, [instance]).reads.some(({ read }) => {
    const strides = new Map<string, number>();
    for (const { atom, coefficient } of placeIn(
      emission,
      read.indices,
      emission.storages.get(read.tensor)!,
    ).terms.values()) {
      if (atom.kind !== "index") return false;
      strides.set(atom.name, coefficient);
    }
    if (strides.get(name) !== 1) return false;
    const beside = [...strides].filter(([other]) => (emission.tile.get(other)?.length ?? 1) > 1);
    const [point, ...others] = beside;
    if (point === undefined || others.length > 0 || point[1] !== extent) return false;
    const points = emission.tile.get(point[0])!.length;
    const isAligned = [...strides].every(
      ([other, stride]) => other === name || other === point[0] || stride % 4 === 0,
    );
    return isAligned && extent % 4 !== 0 && (points * extent) % 4 === 0;
  });
}
