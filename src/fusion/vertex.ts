/** What is joined: groups in the making, and loops, with what is known of their order. */
import type { Loop, ValueName } from "../ir/ir.ts";
import type { Draft } from "./draft.ts";

/** A group or a loop, in the order in which they are to run. */
export type Merged =
  | { readonly kind: "draft"; readonly draft: Draft }
  | { readonly kind: "loop"; readonly loop: Loop };

/** Is the goal one of some vertices, or do they wait for it, however indirectly? `before` has what each waits for. */
export function reaches(
  from: readonly Vertex[],
  goal: Vertex,
  before: ReadonlyMap<Vertex, ReadonlySet<Vertex>>,
): boolean {
  const seen = new Set<Vertex>();
  const open = [...from];
  for (let vertex = open.pop(); vertex !== undefined; vertex = open.pop()) {
    if (vertex === goal) return true;
    if (seen.has(vertex)) continue;
    seen.add(vertex);
    open.push(...before.get(vertex)!);
  }
  return false;
}

/** A group or a loop among those that may still be joined. */
export interface Vertex {
  item: Merged;
  /** Positions of its first and its last node, in an order in which little memory is alive at once. */
  first: number;
  last: number;
  /** Elements of tensors that nothing reads after it. */
  frees: number;
  alive: boolean;
  /** Counts what was joined to it. */
  version: number;
  reads: ReadonlySet<ValueName>;
}
