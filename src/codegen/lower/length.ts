/**
 * How long the texts of kernels are, for drivers that take long over long ones.
 *
 *     let a = x[i]; y[i] = a * a        5 operations: a load, a multiplication, a store, and two statements
 */
import type { Statement } from "../kernel.ts";
import { blocksOf, expressionsOf, postorder } from "../traverse.ts";

/** Operations, loads and stores in the text of some statements. */
export function operationsIn(list: readonly Statement[]): number {
  return list.reduce((total, statement) => {
    const own = postorder(...expressionsOf(statement)).filter(
      (e) => e.kind !== "const" && e.kind !== "local",
    );
    return blocksOf(statement).reduce((sum, block) => sum + operationsIn(block), total + 1 + own.length);
  }, 0);
}
