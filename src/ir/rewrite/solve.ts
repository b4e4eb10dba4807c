/** Delta elimination on a graph: sums are solved for their equations, term by term where the terms' equations differ. */
import { index, read } from "../build.ts";
import type { Comprehension, Expr } from "../ir.ts";
import { solveDeltas } from "./delta.ts";
import { selectAll } from "./guards.ts";
import { termsOf } from "./terms.ts";
import type { Scope } from "./walk.ts";

/** Solves a sum; a sum of terms with different conditions becomes a node for each set of them, and their sum. */
export function solveNode(node: Comprehension, scope: Scope): readonly Comprehension[] {
  if (node.reduction?.op !== "sum") return [node];
  const terms = termsOf(node.body);
  const hasEquation = (guards: readonly Expr[]): boolean =>
    guards.some((g) => g.kind === "apply" && g.fn === "eq");
  if (terms.length < 2 || !terms.some((t) => hasEquation(t.guards)))
    return solveDeltas(node, scope.names, scope.types, scope.outer);
  const made: Comprehension[] = [];
  const parts = terms.map(({ guards, value }) => {
    const solved = solveDeltas(
      { ...node, name: scope.names.fresh(node.name), body: selectAll(guards, value) },
      scope.names,
      scope.types,
      scope.outer,
    );
    made.push(...solved);
    return solved.at(-1)!;
  });
  const indices = node.axes.map((a) => index(a.name));
  const body = parts
    .map((p) => read(p.name, p.element, indices))
    .reduce((a, b): Expr => ({ kind: "apply", fn: "add", type: node.element.scalar, args: [a, b] }));
  return [...made, { ...node, reduction: null, keys: [], body }];
}
