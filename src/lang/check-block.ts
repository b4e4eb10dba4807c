/** Blocks, and what `let` binds. */
import { checkAxes } from "./check-axes.ts";
import { checkExpression, describe } from "./check-expression.ts";
import type { Inference } from "./inference.ts";
import { bind, type Scope } from "./scope.ts";
import type { Span } from "./source.ts";
import type { Expr, Name, Pattern } from "./syntax.ts";
import { errorType, type Type } from "./types.ts";

export function checkBlock(
  cx: Inference,
  scope: Scope,
  expr: Extract<Expr, { kind: "block" }>,
  expected: Type | null,
): Type {
  let inner = scope;
  for (const { pattern, value } of expr.lets) {
    if (pattern.kind === "indexed") {
      const { name, binders } = pattern;
      inner = bindName(inner, name, checkAxes(cx, inner, binders, value, null));
    } else {
      const type = checkExpression(cx, inner, value, null);
      inner = bindPattern(cx, inner, pattern, type, value);
    }
  }
  return checkExpression(cx, inner, expr.result, expected);
}

/** Binds one name; a function is bound as something to call. */
export function bindName(scope: Scope, name: Name, type: Type): Scope {
  const { text, span } = name;
  if (type.kind === "function") return bind(scope, text, { kind: "callable", callable: type.callable, span });
  return bind(scope, text, { kind: "value", type, span });
}

/** Binds the names of a pattern to the parts of a type. */
export function bindPattern(cx: Inference, scope: Scope, pattern: Pattern, type: Type, value: Expr): Scope {
  reportNamedTwice(cx, namesOf(pattern));
  return bindParts(cx, scope, pattern, type, value);
}

function bindParts(cx: Inference, scope: Scope, pattern: Pattern, type: Type, value: Expr): Scope {
  const resolved = cx.resolve(type);
  if (pattern.kind !== "tuple") return bindName(scope, pattern.name, resolved);
  const parts =
    resolved.kind === "tuple" && resolved.items.length === pattern.items.length ? resolved.items : null;
  if (parts === null && resolved.kind !== "error") {
    const found = resolved.kind === "tuple" ? `${resolved.items.length} parts` : "not a tuple";
    cx.report("E0220", pattern.span, `${pattern.items.length} names`, {
      secondary: [{ span: value.span, text: `${describe(cx, resolved)}, ${found}` }],
      help:
        resolved.kind === "tuple"
          ? "give each part a name; `_` for one that is not needed"
          : "bind it to one name",
    });
  }
  let inner = scope;
  for (const [i, item] of pattern.items.entries())
    inner = bindParts(cx, inner, item, parts?.[i] ?? errorType, value);
  return inner;
}

function namesOf(pattern: Pattern): Name[] {
  return pattern.kind === "tuple" ? pattern.items.flatMap(namesOf) : [pattern.name];
}

/** Names that are introduced together must differ, unless they begin with `_`. */
export function reportNamedTwice(cx: Inference, names: readonly Name[]): void {
  const seen = new Map<string, Span>();
  for (const { text, span } of names) {
    const before = seen.get(text);
    if (before !== undefined && !text.startsWith("_")) {
      cx.report("E0307", span, "again here", {
        secondary: [{ span: before, text: "first here" }],
        help: "give it another name, or `_` if it is not needed",
      });
    }
    seen.set(text, span);
  }
}
