/**
 * What is loaded between stores, or after them, is loaded before the first: memory is asked for all of it at once, where a compiler that
 * can't tell that the arrays are apart would wait for one store after the other.
 *
 *     let a = x[0]  z[0] = a  let b = y[0]  w[0] = b        ⟶     let a = x[0]  let b = y[0]  z[0] = a  w[0] = b
 *
 * Loads of what is stored before them stay behind it.
 */
import type { Kernel, Statement } from "./kernel.ts";
import { Ordered } from "./needs.ts";
import { inStraightLines } from "./straight-lines.ts";
import { isLoading, isStoring } from "./traverse.ts";

/** The kernel with the loads of straight lines before their stores. */
export function loadEarly(kernel: Kernel): Kernel {
  return inStraightLines(kernel, loadsFirst);
}

function loadsFirst(line: readonly Statement[]): readonly Statement[] {
  const first = line.findIndex(isStoring);
  if (first < 0 || !line.slice(first).some(isLoading)) return line;
  const ordered = new Ordered(line);
  const behindStore: boolean[] = [];
  for (const needs of ordered.needs)
    behindStore.push(needs.some((need) => behindStore[need]! || isStoring(line[need]!)));
  for (let at = 0; at < first; at++) ordered.put(at);
  for (let at = first; at < line.length; at++) if (isLoading(line[at]!) && !behindStore[at]!) ordered.put(at);
  return ordered.all();
}
