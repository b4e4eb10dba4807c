/** Struct literals: `S { a: x, b: y }` and `S { ...p, b: y }`. */
import { checkExpression, describe, fieldType } from "./check-expression.ts";
import { showDim } from "./dims.ts";
import { diagnostic, type Inference } from "./inference.ts";
import type { StructInfo } from "./program.ts";
import type { Scope } from "./scope.ts";
import type { Span } from "./source.ts";
import { closest } from "./suggest.ts";
import type { Expr } from "./syntax.ts";
import type { Type } from "./types.ts";

type StructType = Extract<Type, { kind: "struct" }>;

export function checkStructLiteral(cx: Inference, scope: Scope, expr: Extract<Expr, { kind: "struct" }>, expected: Type | null): Type {
  const decl = cx.module.names.get(expr.name.text);
  if (decl?.kind !== "struct") {
    for (const field of expr.fields) checkExpression(cx, scope, field.value, null);
    const structs = [...cx.module.names.values()].filter((t) => t.kind === "struct");
    const near = closest(expr.name.text, structs.map((s) => s.name));
    return cx.report("E0302", expr.name.span, "not a struct", {
      secondary: decl === undefined ? [] : [{ span: decl.span, text: `a ${decl.kind}, declared here` }],
      help: near === null ? "declare it, or bring it in with `use`" : `did you mean \`${near}\`?`,
    });
  }
  const type = freshStruct(cx, decl);
  const wanted = expected === null ? null : cx.resolve(expected);
  // Dimensions that the fields leave open may be known to the surroundings; a real conflict is theirs to report.
  if (wanted?.kind === "struct" && wanted.decl === decl) cx.attempt(type, wanted);
  const given = checkFields(cx, scope, expr, decl, type);
  if (expr.spread !== null) {
    const found = checkExpression(cx, scope, expr.spread, type);
    cx.agree(found, type, () =>
      diagnostic("E0201", expr.spread!.span, `${describe(cx, found)} here`, { notes: [`the rest of a ${describe(cx, type)} is taken from it`] }),
    );
    return type;
  }
  const missing = decl.fields.filter((f) => !given.has(f.name));
  if (missing.length === 0) return type;
  return cx.report("E0221", expr.name.span, `without ${missing.map((f) => `\`${f.name}\``).join(", ")}`, {
    secondary: [{ span: missing[0]!.span, text: "declared here" }],
    help: "give every field, or take the others from a value: `S { ...p, b: y }`",
  });
}

function checkFields(cx: Inference, scope: Scope, expr: Extract<Expr, { kind: "struct" }>, decl: StructInfo, type: StructType): Map<string, Span> {
  const given = new Map<string, Span>();
  for (const { name, value } of expr.fields) {
    const field = decl.fields.find((f) => f.name === name.text);
    const wanted = field === undefined ? null : fieldType(type, field.type);
    const found = checkExpression(cx, scope, value, wanted);
    const before = given.get(name.text);
    given.set(name.text, name.span);
    if (before !== undefined) {
      cx.report("E0223", name.span, "again here", { secondary: [{ span: before, text: "first here" }] });
    } else if (field === undefined) {
      const near = closest(name.text, decl.fields.map((f) => f.name));
      cx.report("E0214", name.span, `not a field of ${decl.name}`, {
        secondary: [{ span: decl.span, text: `${decl.name} is declared here` }],
        help: near === null ? `its fields are ${decl.fields.map((f) => `\`${f.name}\``).join(", ")}` : `did you mean \`${near}\`?`,
      });
    } else {
      cx.agree(found, wanted!, (m) =>
        diagnostic("E0222", value.span, `${describe(cx, found)} here`, {
          secondary: [{ span: field.span, text: `declared as ${describe(cx, wanted!)}` }],
          notes: m.kind === "dim" ? [`${showDim(m.found)} is not ${showDim(m.expected)}`] : [],
        }),
      );
    }
  }
  return given;
}

/** A struct type whose arguments are all unknown. */
export function freshStruct(cx: Inference, decl: StructInfo): StructType {
  return { kind: "struct", decl, dims: decl.dims.map(() => cx.metas.fresh()), types: decl.types.map(() => cx.freshType()) };
}
