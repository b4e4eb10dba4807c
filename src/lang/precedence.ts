/**
 * Operators and how tightly they bind. The grammar reads an expression as a flat list of operands and operators;
 * `treeOf` makes the tree from it by precedence climbing (Pratt, "Top down operator precedence", 1973).
 *
 *     - x ^ 2 + y      is      (-(x ^ 2)) + y
 */
import type { IToken } from "chevrotain";
import type { BinaryOp } from "./syntax.ts";

/** From loosest to tightest. */
export const binding: Readonly<Record<BinaryOp | "not" | "negate", number>> = {
  or: 1,
  and: 2,
  not: 3,
  "==": 4,
  "!=": 4,
  "<": 4,
  "<=": 4,
  ">": 4,
  ">=": 4,
  "+": 5,
  "-": 5,
  "*": 6,
  "/": 6,
  "//": 6,
  "%": 6,
  negate: 7,
  "^": 8,
};

/** Comparisons do not chain; `^` groups to the right; all other operators group to the left. */
export function associativity(op: BinaryOp): "left" | "right" | "none" {
  if (op === "^") return "right";
  return binding[op] === binding["=="] ? "none" : "left";
}

/** An element of the flat list. */
export type Item<Node> =
  | { readonly kind: "operand"; readonly node: Node }
  | { readonly kind: "prefix"; readonly op: "-" | "not"; readonly token: IToken }
  | { readonly kind: "infix"; readonly op: BinaryOp; readonly token: IToken };

/** How nodes are made, and what happens where the list makes no tree; the last two do not return. */
export interface TreeBuilder<Node> {
  binary(op: BinaryOp, token: IToken, left: Node, right: Node): Node;
  unary(op: "-" | "not", token: IToken, operand: Node): Node;
  chained(first: IToken, second: IToken, middle: Node): never;
  tooDeep(token: IToken): never;
}

/** The tree of a flat list that begins and ends with an operand, apart from prefixes. */
export function treeOf<Node>(
  items: readonly Item<Node>[],
  builder: TreeBuilder<Node>,
  maxDepth: number,
): Node {
  let position = 0;

  /** A prefixed operand and all infix operators after it that bind at least as tightly as `minimum`. */
  function climb(minimum: number, depth: number): Node {
    let left = prefixed(depth);
    let compared: { readonly token: IToken; readonly right: Node } | null = null;
    for (;;) {
      const item = items[position];
      if (item === undefined || item.kind !== "infix" || binding[item.op] < minimum) return left;
      const group = associativity(item.op);
      if (group === "none" && compared !== null) builder.chained(compared.token, item.token, compared.right);
      position++;
      if (depth >= maxDepth) builder.tooDeep(item.token);
      const right = climb(group === "right" ? binding[item.op] : binding[item.op] + 1, depth + 1);
      if (group === "none") compared = { token: item.token, right };
      left = builder.binary(item.op, item.token, left, right);
    }
  }

  function prefixed(depth: number): Node {
    const item = items[position++]!;
    if (item.kind === "operand") return item.node;
    if (item.kind === "infix") throw new Error("an infix operator where an operand belongs");
    if (depth >= maxDepth) builder.tooDeep(item.token);
    return builder.unary(
      item.op,
      item.token,
      climb(item.op === "not" ? binding.not : binding.negate + 1, depth + 1),
    );
  }

  return climb(0, 0);
}
