/** Sums of integers, each part at the depth of what it depends on. */
import { add, integer } from "../build.ts";
import type { KernelExpr } from "../kernel.ts";
import { bind, depthOf, type Scopes } from "./scopes.ts";

/** The sum of the parts: what an inner loop does not change is added before it. */
export function sumByDepth(scopes: Scopes, parts: readonly KernelExpr[]): KernelExpr {
  const terms = parts
    .map((value) => ({ depth: depthOf(scopes, value), value }))
    .sort((a, b) => a.depth - b.depth);
  let sum: KernelExpr = integer(0);
  terms.forEach((term, i) => {
    sum = add(sum, term.value);
    const next = terms[i + 1];
    if (next === undefined || next.depth > term.depth) {
      if (sum.kind === "const") return;
      sum = bind(scopes, sum, "at");
    }
  });
  return sum;
}
