/** What is joined: groups in the making, and loops, with what is known of their order; and by what joins are judged. */
import type { Loop, ValueName } from "../ir/ir.ts";
import type { Draft } from "./draft.ts";
import type { Overwrites } from "./overwrite.ts";
import type { Target } from "./target.ts";

/** A group or a loop, in the order in which they are to run. */
export type Merged =
  | { readonly kind: "draft"; readonly draft: Draft }
  | { readonly kind: "loop"; readonly loop: Loop };

/** A group or a loop among those that may still be joined. */
export interface Vertex {
  readonly item: Merged;
  readonly reads: ReadonlySet<ValueName>;
  /** False when another has absorbed it. */
  readonly alive: boolean;
  /** Counts what was joined to it. */
  readonly version: number;
  /** Positions of its first and its last node, in an order in which little memory is alive at once. */
  readonly first: number;
  readonly last: number;
  /** Elements of tensors that nothing reads after it. */
  readonly frees: number;
}

/** By what joins are judged. */
export interface Judgement {
  readonly sizes: ReadonlyMap<ValueName, number>;
  readonly target: Target;
  readonly overwrites: Overwrites;
  /** Seconds that the draft of a vertex takes. */
  readonly timeAlone: (vertex: Vertex, draft: Draft) => number;
}
