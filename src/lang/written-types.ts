/** Types as they are written in declarations. */
import { type DimScope, dimOfSyntax } from "./dim-expression.ts";
import { type Dim, dimNumber } from "./dims.ts";
import { isBroken, useHelp } from "./check-name.ts";
import type { StructInfo } from "./program.ts";
import { closest } from "./suggest.ts";
import type { DimExpr, TypeArg, TypeExpr } from "./syntax.ts";
import { errorType, scalarElement, type Type, tensorType } from "./types.ts";
import { type ScalarType, scalarTypes } from "../ir/ir.ts";

type NamedTypeExpr = Extract<TypeExpr, { kind: "named" }>;

const scalarNames: ReadonlySet<string> = new Set(scalarTypes);

/** Names of types that no declaration may take. */
export const builtinTypes: ReadonlySet<string> = new Set([...scalarNames, "idx", "key"]);

/** Is it a type parameter by its spelling? Dimensions begin with a lower-case letter. */
export function isUpperCase(name: string): boolean {
  return /^[A-Z]/.test(name);
}

/** What a written type may mention. */
export interface TypeScope extends DimScope {
  readonly types: ReadonlySet<string>;
}

/** A written type. Mistakes are reported; the types that have them are the error type. */
export function typeOfSyntax(cx: TypeScope, expr: TypeExpr): Type {
  const dim = (d: DimExpr): Dim | null => dimOfSyntax(cx, d);
  switch (expr.kind) {
    case "named":
      return namedType(cx, expr);
    case "idx": {
      const bound = dim(expr.bound);
      const shape = allOf((expr.shape ?? []).map(dim));
      return bound === null || shape === null ? errorType : tensorType({ kind: "idx", bound }, shape);
    }
    case "tuple":
      return { kind: "tuple", items: expr.items.map((t) => valueType(cx, t)) };
    case "list": {
      const item = valueType(cx, expr.item);
      const length = dim(expr.length);
      return length === null ? errorType : { kind: "list", item, length };
    }
    case "function": {
      const params = expr.params.map((t) => valueType(cx, t));
      return { kind: "function", callable: { kind: "declared", params, result: valueType(cx, expr.result) } };
    }
  }
}

/** The dimensions, if none of them has a mistake. */
function allOf(dims: readonly (Dim | null)[]): Dim[] | null {
  const right = dims.filter((d) => d !== null);
  return right.length === dims.length ? right : null;
}

/** A written type of values: a function is none. */
export function valueType(cx: TypeScope, expr: TypeExpr): Type {
  const type = typeOfSyntax(cx, expr);
  if (type.kind !== "function") return type;
  cx.report("E0405", expr.span, "a function", {
    help: "only a parameter by itself may have a function's type",
  });
  return errorType;
}

function namedType(cx: TypeScope, expr: NamedTypeExpr): Type {
  const { text: name, span } = expr.name;
  if (scalarNames.has(name) || name === "key") {
    const shape = allOf((expr.args ?? []).map((arg) => dimArgument(cx, arg)));
    if (shape === null) return errorType;
    if (name === "key") return tensorType(scalarElement("u32"), [...shape, dimNumber(2)]);
    return tensorType(scalarElement(name as ScalarType), shape);
  }
  if (cx.types.has(name)) {
    if (expr.args === null) return { kind: "variable", name };
    cx.report("E0308", expr.span, "a type parameter has no arguments", { help: `write \`${name}\`` });
    return errorType;
  }
  const decl = cx.module.names.get(name);
  if (decl?.kind === "struct") return structType(cx, expr, decl);
  if (isBroken(cx.module, name)) return errorType;
  const structs = [...cx.module.names.values()].filter((t) => t.kind === "struct").map((t) => t.name);
  const near = closest(name, [...builtinTypes, ...cx.types, ...structs]);
  const nearDecl = near === null ? undefined : cx.module.names.get(near);
  const kinds = { function: "a function", const: "a constant", struct: "a struct" };
  const origin =
    decl !== undefined
      ? { span: decl.span, text: kinds[decl.kind] }
      : nearDecl !== undefined
        ? { span: nearDecl.span, text: `\`${near}\` is declared here` }
        : null;
  cx.report("E0302", span, "not a type", {
    secondary: origin === null ? [] : [origin],
    help:
      foreignTypes.get(name) ??
      useHelp(name) ??
      (near !== null ? `did you mean \`${near}\`?` : helpForType(name)),
  });
  return errorType;
}

/** Types of other languages: how they are written here. */
const foreignTypes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    f32: ["float", "float32", "double", "float64", "f64", "real"],
    f16: ["half", "float16", "bf16"],
    i32: ["int", "int32", "int64", "i64", "long", "integer"],
    u32: ["uint", "uint32", "uint64", "u64", "u8"],
    bool: ["boolean"],
  }).flatMap(([type, names]) => names.map((name) => [name, `write \`${type}\``] as const)),
);

function helpForType(name: string): string {
  if (!isUpperCase(name)) return "types are `f32`, `f16`, `i32`, `u32`, `bool`, `idx[n]`, `key`, and structs";
  return name.length <= 2
    ? "a type parameter stands in the type of a parameter"
    : "declare it with `struct`, or bring it in with `use`";
}

function dimArgument(cx: TypeScope, arg: TypeArg): Dim | null {
  if (arg.kind === "dim") return dimOfSyntax(cx, arg.dim);
  cx.report("E0318", arg.type.span, "a type", {
    help: "this is a dimension: a number, a constant, or a lower-case name",
  });
  return null;
}

function structType(cx: TypeScope, expr: NamedTypeExpr, decl: StructInfo): Type {
  const args = expr.args ?? [];
  if (args.length !== decl.params.length) {
    const list = decl.params.map((p) => p.text).join(", ");
    cx.report("E0308", expr.span, `${args.length} given`, {
      secondary: [
        { span: decl.span, text: `takes ${decl.params.length}${list === "" ? "" : `: [${list}]`}` },
      ],
      help: `write \`${decl.name}${list === "" ? "" : `[${list}]`}\``,
    });
    return errorType;
  }
  const given: (Dim | null)[] = [];
  const types: Type[] = [];
  for (const [i, param] of decl.params.entries()) {
    if (decl.dims.includes(param.text)) given.push(dimArgument(cx, args[i]!));
    else types.push(typeArgument(cx, args[i]!, param.text, decl));
  }
  const dims = allOf(given);
  return dims === null ? errorType : { kind: "struct", decl, dims, types };
}

function typeArgument(cx: TypeScope, arg: TypeArg, param: string, decl: StructInfo): Type {
  if (arg.kind === "type") return valueType(cx, arg.type);
  const { dim } = arg;
  const isDim =
    dim.kind === "name" && (cx.dims.has(dim.name) || cx.module.names.get(dim.name)?.kind === "const");
  if (dim.kind === "name" && !isDim) {
    return namedType(cx, {
      kind: "named",
      span: dim.span,
      name: { text: dim.name, span: dim.span },
      args: null,
    });
  }
  cx.report("E0318", dim.span, "a dimension", {
    secondary: [{ span: decl.span, text: `${param} is a type` }],
    help: "an upper-case parameter takes a type",
  });
  return errorType;
}
