/** Structs: literals `S { a: x, b: y }` and `S { ...p, b: y }`, and fields read from them. */
import { checkExpression, checkValue, conversionHelp, describe, notesOn } from "./check-expression.ts";
import { isBroken, useHelp } from "./check-name.ts";
import { showDim } from "./dims.ts";
import { diagnostic, type Inference } from "./inference.ts";
import { fieldType } from "./instantiate.ts";
import type { StructInfo } from "./program.ts";
import type { Scope } from "./scope.ts";
import { type Span, textOf } from "./source.ts";
import { closest } from "./suggest.ts";
import type { Expr, Name } from "./syntax.ts";
import { errorType, type StructType, type Type } from "./types.ts";

type StructLiteral = Extract<Expr, { kind: "struct" }>;

export function checkStructLiteral(
  cx: Inference,
  scope: Scope,
  expr: StructLiteral,
  expected: Type | null,
): Type {
  const decl = cx.module.names.get(expr.name.text);
  if (decl?.kind !== "struct") return checkUnknownStruct(cx, scope, expr);
  const type = freshStruct(cx, decl);
  const wanted = expected === null ? null : cx.resolve(expected);
  // Dimensions that the fields leave open may be known to the surroundings; a real conflict is theirs to report.
  if (wanted?.kind === "struct" && wanted.decl === decl) cx.attempt(type, wanted);
  const given = checkFields(cx, scope, expr, decl, type);
  if (expr.spread !== null) {
    const { spread } = expr;
    const found = checkValue(cx, scope, spread, type);
    cx.agree(found, type, (mismatch) =>
      diagnostic("E0201", spread.span, `${describe(cx, found)} here`, {
        notes: [`the other fields of a ${describe(cx, type)} are taken from it`, ...notesOn(mismatch)],
        help: "`...` takes fields from a value of the same type",
      }),
    );
    return type;
  }
  const missing = decl.fields.filter((f) => !given.has(f.name));
  if (missing.length === 0) return type;
  const kept = expr.fields.map((f) => `${f.name.text}: ${textOf(f.value.span)}`).join(", ");
  return cx.report("E0221", expr.name.span, `without ${missing.map((f) => `\`${f.name}\``).join(", ")}`, {
    secondary:
      missing[0]!.span.file === expr.span.file ? [{ span: missing[0]!.span, text: "declared here" }] : [],
    help: `give every field, or take the others from a value: \`${decl.name} { ...p${kept === "" ? "" : `, ${kept}`} }\``,
  });
}

function checkUnknownStruct(cx: Inference, scope: Scope, expr: StructLiteral): Type {
  const { text, span } = expr.name;
  if (expr.spread !== null) checkExpression(cx, scope, expr.spread, null);
  for (const field of expr.fields) checkExpression(cx, scope, field.value, null);
  if (isBroken(cx.module, text)) return errorType;
  const top = cx.module.names.get(text);
  const structs = [...cx.module.names.values()].filter((t) => t.kind === "struct");
  const near = closest(
    text,
    structs.map((s) => s.name),
  );
  const kinds = { function: "a function", const: "a constant", struct: "a struct" };
  return cx.report("E0302", span, "not a struct", {
    secondary: top === undefined ? [] : [{ span: top.span, text: `${kinds[top.kind]}, declared here` }],
    help:
      useHelp(text) ??
      (near === null ? "declare it, or bring it in with `use`" : `did you mean \`${near}\`?`),
  });
}

function checkFields(
  cx: Inference,
  scope: Scope,
  expr: StructLiteral,
  decl: StructInfo,
  type: StructType,
): Map<string, Span> {
  const given = new Map<string, Span>();
  for (const { name, value } of expr.fields) {
    const field = decl.fields.find((f) => f.name === name.text);
    const wanted = field === undefined ? null : fieldType(type, field.type);
    const found = checkValue(cx, scope, value, wanted);
    const before = given.get(name.text);
    given.set(name.text, name.span);
    if (before !== undefined) {
      cx.report("E0223", name.span, "again here", {
        secondary: [{ span: before, text: "first here" }],
        help: "leave one of them out",
      });
    } else if (field === undefined || wanted === null) {
      reportNoField(cx, decl, name);
    } else {
      cx.agree(found, wanted, (mismatch) =>
        diagnostic("E0222", value.span, `${describe(cx, found)} here`, {
          secondary: [{ span: field.span, text: `${describe(cx, wanted)} is declared` }],
          notes: notesOn(mismatch),
          help: conversionHelp(cx, value, found, wanted),
        }),
      );
    }
  }
  return given;
}

/** A struct type whose arguments are all unknown. */
function freshStruct(cx: Inference, decl: StructInfo): StructType {
  return {
    kind: "struct",
    decl,
    dims: decl.dims.map(() => cx.metas.fresh()),
    types: decl.types.map(() => cx.freshType()),
  };
}

export function checkField(cx: Inference, scope: Scope, expr: Extract<Expr, { kind: "field" }>): Type {
  const target = cx.resolve(checkExpression(cx, scope, expr.target, null));
  if (target.kind === "error") return errorType;
  if (target.kind !== "struct") {
    return cx.report("E0215", expr.target.span, `${describe(cx, target)}, not a struct`, {
      secondary: [{ span: expr.field.span, text: "the field" }],
      help: helpWithoutFields(target, expr),
    });
  }
  const field = target.decl.fields.find((f) => f.name === expr.field.text);
  return field === undefined ? reportNoField(cx, target.decl, expr.field) : fieldType(target, field.type);
}

function helpWithoutFields(target: Type, expr: Extract<Expr, { kind: "field" }>): string {
  const text = textOf(expr.target.span);
  switch (target.kind) {
    case "variable":
      return "a type parameter has no known fields; use `tree_map`";
    case "list":
      return `name the element: \`${text}[0].${expr.field.text}\``;
    case "tuple":
      return "take the tuple apart first: `let (a, b) = …`";
    case "function":
      return `call it first: \`${text}(…).${expr.field.text}\``;
    case "tensor":
      return helpForTensor(target, expr.field.text);
    default:
      return "only structs have fields";
  }
}

/** What arrays of other languages have as properties. */
function helpForTensor({ shape }: Extract<Type, { kind: "tensor" }>, property: string): string {
  if (/^(shape|size|ndim|length|len)$/.test(property) && shape.length > 0) {
    const names = shape.map((dim) => `\`${showDim(dim)}\``).join(", ");
    return `only structs have fields; a function may use its dimensions by name: ${names}`;
  }
  if (property === "T" && shape.length === 2)
    return "only structs have fields; transpose by `for i, j -> x[j, i]`";
  return "only structs have fields";
}

function reportNoField(cx: Inference, decl: StructInfo, name: Name): Type {
  const near = closest(
    name.text,
    decl.fields.map((f) => f.name),
  );
  const field = decl.fields.find((f) => f.name === near);
  const list = decl.fields.map((f) => `\`${f.name}\``).join(", ");
  return cx.report("E0214", name.span, `not a field of ${decl.name}`, {
    secondary: [
      {
        span: field?.span ?? decl.span,
        text: field === undefined ? `${decl.name} is declared here` : "this one?",
      },
    ],
    help:
      near !== null
        ? `did you mean \`${near}\`?`
        : list === ""
          ? "it has no fields"
          : `its fields are ${list}`,
  });
}
