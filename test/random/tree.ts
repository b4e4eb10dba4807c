/**
 * Generated texts as trees, so that a failing program can be made smaller: any number expression may be replaced by one
 * inside it or by a constant, any condition by `true`, and what nothing needs can go.
 */
export type Sort = "number" | "condition" | "tensor" | "statement" | "declaration" | "program" | "other";

export interface Tree {
  readonly sort: Sort;
  readonly parts: readonly (string | Tree)[];
}

export function tree(sort: Sort, ...parts: (string | Tree)[]): Tree {
  return { sort, parts };
}

/** Parts with a text between each two. */
export function joined(parts: readonly (string | Tree)[], between: string): (string | Tree)[] {
  return parts.flatMap((part, i) => (i === 0 ? [part] : [between, part]));
}

export function textOf(node: Tree | string): string {
  return typeof node === "string" ? node : node.parts.map(textOf).join("");
}

/** The smaller trees to try, the smallest first: each with one node replaced. */
function* smaller(node: Tree): Generator<Tree> {
  for (const replacement of replacements(node)) yield replacement;
  for (const [i, part] of node.parts.entries()) {
    if (typeof part === "string") continue;
    for (const less of smaller(part)) yield { ...node, parts: node.parts.with(i, less) };
  }
}

function* replacements(node: Tree): Generator<Tree> {
  switch (node.sort) {
    case "number":
      if (textOf(node) !== "0.5" && textOf(node).length > 5) yield tree("number", "0.5");
      yield* inside(node, "number");
      return;
    case "condition":
      if (textOf(node) !== "true") yield tree("condition", "true");
      yield* inside(node, "condition");
      return;
    case "tensor":
      yield* inside(node, "tensor");
      return;
    case "statement":
    case "declaration":
      if (node.parts.length > 0) yield tree(node.sort);
      return;
    case "program":
    case "other":
      return;
  }
}

/** The nodes of a sort below a node. */
function* inside(node: Tree, sort: Sort): Generator<Tree> {
  for (const part of node.parts) {
    if (typeof part === "string") continue;
    if (part.sort === sort) yield part;
    yield* inside(part, sort);
  }
}

/** The smallest tree that can be found for which `fails` still holds, trying at most so many. */
export function shrink(root: Tree, fails: (text: string) => boolean, tries = 400): Tree {
  let best = root;
  for (let left = tries; left > 0;) {
    let found = false;
    for (const candidate of smaller(best)) {
      if (left-- <= 0) break;
      if (textOf(candidate).length < textOf(best).length && fails(textOf(candidate))) {
        best = candidate;
        found = true;
        break;
      }
    }
    if (!found) break;
  }
  return best;
}
