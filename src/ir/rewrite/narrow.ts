/** Axes on which a value does not depend: it is computed without them, and read without them. */
import { index, read } from "../build.ts";
import type { Comprehension, Expr, ValueName } from "../ir.ts";
import { mapExpressions } from "../rename.ts";
import { rewriteExpr } from "../substitute.ts";
import { expressionsOf, indicesIn } from "../traverse.ts";
import type { NodeRewrite } from "./walk.ts";

/** A rewrite that narrows nodes and remembers which, for the nodes after them. */
export function narrowing(): NodeRewrite {
  const dropped = new Map<ValueName, { readonly name: ValueName; readonly keep: readonly boolean[] }>();
  return (node, scope) => {
    const readNarrow = (e: Expr): Expr => {
      const narrow = e.kind === "read" ? dropped.get(e.tensor) : undefined;
      if (narrow === undefined || e.kind !== "read") return e;
      return read(
        narrow.name,
        e.element,
        e.indices.filter((_, i) => narrow.keep[i]!),
      );
    };
    const current = mapExpressions(node, (e) => rewriteExpr(e, readNarrow));
    const used = indicesIn(expressionsOf(current));
    const keyed = new Set(current.keys.map((k) => k.axis));
    const keep = current.axes.map((a) => used.has(a.name) || keyed.has(a.name) || a.size === 0);
    if (keep.every(Boolean) || isCopy(current)) return [current];
    const part: Comprehension = {
      ...current,
      name: scope.names.fresh(current.name),
      axes: current.axes.filter((_, i) => keep[i]!),
    };
    const best = current.reduction?.bestValue ?? null;
    if (best !== null) return [current];
    dropped.set(current.name, { name: part.name, keep });
    // Readers no longer need the wide value; what is used by name, such as a result, still does.
    const wide: Comprehension = {
      ...current,
      reduction: null,
      keys: [],
      body: read(
        part.name,
        part.element,
        part.axes.map((a) => index(a.name)),
      ),
    };
    return [part, wide];
  };
}

function isCopy(node: Comprehension): boolean {
  return node.reduction === null && (node.body.kind === "read" || node.body.kind === "const");
}
