/** `tree_map(f, a, b, …)` and `tree_sum(f, a)`: a function of every tensor of structs, lists and tuples. */
import { applyCallable, type Argument, argumentType } from "./check-call.ts";
import { describe, notesOn } from "./check-expression.ts";
import { hasFloats } from "./floats.ts";
import { diagnostic, type Inference } from "./inference.ts";
import type { Scope } from "./scope.ts";
import type { Expr } from "./syntax.ts";
import { errorType, isFloatElement, isScalar, scalarElement, scalarType, type Type } from "./types.ts";

type TreeFunction = "tree_map" | "tree_sum";

export function checkTree(
  cx: Inference,
  scope: Scope,
  name: TreeFunction,
  args: readonly Argument[],
  at: Expr,
): Type {
  const [fnArg, ...trees] = args;
  const types: Type[] = [];
  for (const arg of args) types.push(cx.resolve(argumentType(cx, scope, arg, types[1] ?? null)));
  if (fnArg === undefined || trees.length === 0 || (name === "tree_sum" && trees.length > 1)) {
    const wanted = name === "tree_map" ? "a function and at least one tree" : "a function and one tree";
    return cx.report("E0402", at.span, `${args.length} given`, {
      message: `\`${name}\` takes ${wanted}`,
      help: name === "tree_map" ? "`tree_map(fn (x, y) -> …, a, b)`" : "`tree_sum(fn (x) -> …, a)`",
    });
  }
  const [fn, first] = [types[0]!, types[1]!];
  if (fn.kind === "error") return errorType;
  if (fn.kind !== "function") {
    return cx.report("E0414", fnArg.span, `${describe(cx, fn)}, not a function`, {
      help: `\`${name}\` takes a function first: \`fn (x) -> …\``,
    });
  }
  for (const [i, tree] of trees.entries()) {
    if (!isTree(cx, tree, types[i + 1]!, trees[0]!, first)) return errorType;
  }
  const leaf: Type = { kind: "leaf", element: scalarElement("f32"), tree: cx.freshTree() };
  const leaves = trees.map((tree): Argument => ({ span: tree.span, expr: null, type: leaf }));
  const result = cx.resolve(applyCallable(cx, scope, fn.callable, leaves, at, null));
  if (result.kind === "error") return errorType;
  const isLeaf =
    result.kind === "leaf" && result.tree === leaf.tree && isFloatElement(cx.element(result.element));
  const isFloat = isScalar(result) && cx.attempt(result, scalarType("f32"));
  if (!isLeaf && !isFloat) {
    return cx.report("E0245", fnArg.span, `gives ${describe(cx, result)}`, {
      help: "for each tensor it gives a float tensor of the same shape, or a float",
    });
  }
  return name === "tree_sum" ? scalarType("f32") : first;
}

function isTree(cx: Inference, tree: Argument, type: Type, firstTree: Argument, first: Type): boolean {
  if (type.kind === "error" || first.kind === "error") return false;
  if (type.kind === "function" || !hasFloats(cx, type)) {
    cx.report("E0234", tree.span, `${describe(cx, type)} here`, {
      help: "a tree is a struct, a list or a tuple of float tensors",
    });
    return false;
  }
  return cx.agree(type, first, (mismatch) =>
    diagnostic("E0234", tree.span, `${describe(cx, type)} here`, {
      secondary: [{ span: firstTree.span, text: `${describe(cx, first)} here` }],
      notes: notesOn(mismatch),
      help: "all trees have one type",
    }),
  );
}
