/**
 * How deep a syntax tree is. Later levels walk trees by recursion; the parser refuses those that would overflow them.
 */
import type { Decl } from "./syntax.ts";

/** The number of nodes on the longest path from a declaration down. Walks without recursion. */
export function depthOf(decl: Decl): number {
  let deepest = 0;
  const pending: { readonly value: object; readonly depth: number }[] = [{ value: decl, depth: 1 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    deepest = Math.max(deepest, next.depth);
    for (const [key, value] of Object.entries(next.value)) {
      if (typeof value !== "object" || value === null || /span|head/i.test(key)) continue;
      pending.push({ value, depth: next.depth + ("kind" in value ? 1 : 0) });
    }
  }
  return deepest;
}
