/** `fold`, over a list of values or a number of times. */
import { bindName, bindPattern } from "./check-block.ts";
import { checkExpression, checkValue, describe, notesOn } from "./check-expression.ts";
import { enterBinders } from "./check-range.ts";
import { dimOfExpression } from "./dim-expression.ts";
import { diagnostic, type Inference } from "./inference.ts";
import type { Scope } from "./scope.ts";
import type { Expr } from "./syntax.ts";
import { traitsOf } from "./type-traits.ts";
import { errorType, type Type } from "./types.ts";

type Fold = Extract<Expr, { kind: "fold-list" | "fold-count" }>;

export function checkFold(cx: Inference, scope: Scope, expr: Fold, expected: Type | null): Type {
  const initial = checkValue(cx, scope, expr.init, expected);
  const turn = expr.kind === "fold-list" ? enterList(cx, scope, expr) : enterCount(cx, scope, expr);
  const inner = bindPattern(cx, turn, expr.accumulator, initial, expr.init);
  const next = checkValue(cx, inner, expr.body, initial);
  cx.agree(next, initial, (mismatch) =>
    diagnostic("E0218", expr.body.span, `${describe(cx, next)} after a turn`, {
      secondary: [{ span: expr.init.span, text: `${describe(cx, initial)} at the start` }],
      notes: notesOn(mismatch),
      help: "every turn gives a value of the type that the fold began with",
    }),
  );
  return initial;
}

function enterList(cx: Inference, scope: Scope, expr: Extract<Fold, { kind: "fold-list" }>): Scope {
  const list = cx.resolve(checkExpression(cx, scope, expr.list, null));
  if (list.kind !== "list" && list.kind !== "error") {
    const help =
      list.kind === "tensor"
        ? `to go through an axis, count: \`for ${expr.item.text}: n -> …\` and index with it`
        : "a list has the type `[T; n]`";
    cx.report("E0219", expr.list.span, `${describe(cx, list)}, not a list`, {
      secondary: [{ span: expr.item.span, text: "one element each turn" }],
      help,
    });
  }
  return bindName(scope, expr.item, list.kind === "list" ? list.item : errorType);
}

function enterCount(cx: Inference, scope: Scope, expr: Extract<Fold, { kind: "fold-count" }>): Scope {
  const { binder } = expr;
  const help = `give the number of turns as a dimension: \`for ${binder.name.text}: 10 -> …\``;
  if (binder.to === null) {
    cx.report("E0244", binder.span, "how often?", { help });
    return bindName(scope, binder.name, errorType);
  }
  const entered = enterBinders(cx, scope, [binder]);
  const unknown = [binder.from, binder.to].find(
    (bound) => bound !== null && dimOfExpression(cx, scope, bound) === null,
  );
  if (unknown != null && !traitsOf(cx.types.get(unknown) ?? errorType).hasError) {
    cx.report("E0244", unknown.span, "known only when running", { help });
  }
  return entered.scope;
}
