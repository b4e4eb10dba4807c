/**
 * What is stored at the end is worked out one store after the other, and not all of it before the first: fewer values wait in registers.
 *
 *     let a = f(x)  let b = f(y)  z[0] = a  w[0] = a + 1  z[1] = b  w[1] = b + 1
 *       ⟶  let a = f(x)  z[0] = a  w[0] = a + 1  let b = f(y)  z[1] = b  w[1] = b + 1
 *
 * For drivers that leave straight lines in the order in which they are written. Loads and stores of one array keep theirs.
 */
import type { Kernel, Statement } from "./kernel.ts";
import { Ordered } from "./needs.ts";
import { inStraightLines } from "./straight-lines.ts";
import { isLoading, isStoring } from "./traverse.ts";

/** The kernel with its stores as early as their values are there. */
export function storeEarly(kernel: Kernel): Kernel {
  return inStraightLines(kernel, inOrderOfStores);
}

/** A straight line of statements that name or store values, each store as soon as it can be after those before it. */
function inOrderOfStores(line: readonly Statement[]): readonly Statement[] {
  const stores = [...line.keys()].filter((at) => isStoring(line[at]!));
  if (stores.length < 2) return line;
  const ordered = new Ordered(line);
  // Loads stay where they are, so that memory is asked for them all at once.
  for (let at = 0; at < stores[0]!; at++) if (isLoading(line[at]!)) ordered.put(at);
  for (const store of stores) {
    ordered.put(store);
    // What is there now for others as well need not wait for them.
    for (const other of stores) if (ordered.isReady(other)) ordered.put(other);
  }
  return ordered.all();
}
