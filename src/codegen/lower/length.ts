/**
 * How long the texts of kernels are, for drivers that take long over long ones, and that keep only so much of what they have compiled.
 *
 *     let a = x[i]; y[i] = a * a        5 operations: a load, a multiplication, a store, and two statements
 */
import type { Kernel, Statement } from "../kernel.ts";
import { blocksOf, expressionsOf, postorder } from "../traverse.ts";

/** Operations, loads and stores in the text of some statements. */
export function operationsIn(list: readonly Statement[]): number {
  return totalOf(
    list,
    (statement) =>
      1 +
      postorder(...expressionsOf(statement)).filter((e) => e.kind !== "const" && e.kind !== "local").length,
  );
}

/**
 * Instructions that a load of an element, of four, and a store of an element take in a driver that runs lanes as a vector: each lane is tested,
 * its index compared with the length of the array, the element put into its place. From LLVM's code of Mesa's llvmpipe, for 8 lanes.
 */
const instructions = { load: 80, fourLoads: 230, store: 60, fourStores: 240 };

/** About so many instructions a driver makes of a kernel that runs lanes as a vector. */
export function instructionsOf({ body }: Kernel): number {
  return totalOf(body, (statement) =>
    postorder(...expressionsOf(statement)).reduce(
      (sum, { kind }) => {
        if (kind === "load") return sum + instructions.load;
        return kind === "apply" || kind === "select" ? sum + 1 : sum;
      },
      1 + instructionsBy(statement),
    ),
  );
}

/** The instructions of what a statement loads or stores itself. */
function instructionsBy({ kind }: Statement): number {
  if (kind === "loads") return instructions.fourLoads;
  if (kind === "store") return instructions.store;
  return kind === "stores" ? instructions.fourStores : 0;
}

/** A measure of statements, added up over all of them and those inside. */
function totalOf(list: readonly Statement[], measure: (statement: Statement) => number): number {
  return list.reduce(
    (total, statement) =>
      blocksOf(statement).reduce((sum, block) => sum + totalOf(block, measure), total + measure(statement)),
    0,
  );
}
