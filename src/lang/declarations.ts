/** Declarations of structs and functions: names, parameters, fields, signatures. */
import type { Dim } from "./dims.ts";
import { isBroken } from "./check-name.ts";
import { checkDistribution } from "./constants.ts";
import type { Report } from "./dim-expression.ts";
import type { FieldInfo, FunctionInfo, ModuleInfo, ParamInfo, StructInfo } from "./program.ts";
import type { Span } from "./source.ts";
import { closest } from "./suggest.ts";
import type { DimExpr, FunctionDecl, Name, StructDecl, TypeArg, TypeExpr } from "./syntax.ts";
import { builtinTypes, isUpperCase, typeOfSyntax, type TypeScope, valueType } from "./written-types.ts";
import { traitsOf } from "./type-traits.ts";
import type { Type } from "./types.ts";

/** A struct with its parameters, its fields still to come. */
export function declareStruct(report: Report, module: ModuleInfo, decl: StructDecl): StructInfo {
  reportTwice(report, "E0307", decl.params);
  const params = decl.params.map((p) => p.text);
  return {
    kind: "struct",
    name: decl.name.text,
    span: decl.name.span,
    module,
    params: decl.params,
    dims: params.filter((p) => !isUpperCase(p)),
    types: params.filter(isUpperCase),
    fields: [],
    doc: decl.doc,
  };
}

function reportTwice(report: Report, code: "E0223" | "E0307", names: readonly Name[]): void {
  const seen = new Map<string, Span>();
  for (const { text, span } of names) {
    const before = seen.get(text);
    if (before !== undefined) {
      report(code, span, "again here", {
        secondary: [{ span: before, text: "first here" }],
        help: "give it another name",
      });
    }
    seen.set(text, span);
  }
}

/** Fills in the fields of a struct. */
export function declareFields(report: Report, info: StructInfo, decl: StructDecl): void {
  const scope: TypeScope = {
    report,
    module: info.module,
    dims: new Set(info.dims),
    types: new Set(info.types),
    ownerOf: (dim) =>
      `add it to the struct: \`struct ${info.name}[${[...info.params.map((p) => p.text), dim].join(", ")}]\``,
  };
  reportTwice(
    report,
    "E0223",
    decl.fields.map((f) => f.name),
  );
  info.fields = decl.fields.map((field): FieldInfo => {
    const type = valueType(scope, field.type);
    if (field.init !== null) checkDistribution(report, info, field.init, type);
    return {
      name: field.name.text,
      span: field.span,
      type,
      checkpointName: field.checkpointName?.text ?? null,
      init: field.init,
      doc: field.doc,
    };
  });
}

/** Structs that hold themselves would be endless; the fields that make them so are reported and taken away. */
export function reportSelfContaining(report: Report, structs: readonly StructInfo[]): void {
  for (const info of structs) {
    const kept = info.fields.filter((field) => !holds(field.type, info, new Set()));
    for (const field of info.fields) {
      if (kept.includes(field)) continue;
      report("E0311", field.span, "this makes it endless", {
        secondary: [{ span: info.span, text: `\`${info.name}\` would contain itself` }],
        help: "declare a struct for each level",
      });
    }
    info.fields = kept;
  }
}

function holds(type: Type, wanted: StructInfo, seen: Set<StructInfo>): boolean {
  switch (type.kind) {
    case "struct":
      if (type.decl === wanted) return true;
      if (type.types.some((t) => holds(t, wanted, seen))) return true;
      if (seen.has(type.decl)) return false;
      seen.add(type.decl);
      return type.decl.fields.some((f) => holds(f.type, wanted, seen));
    case "tuple":
      return type.items.some((t) => holds(t, wanted, seen));
    case "list":
      return holds(type.item, wanted, seen);
    default:
      return false;
  }
}

/** A function's signature; its result is null when it is not written. */
export function declareFunction(report: Report, module: ModuleInfo, decl: FunctionDecl): FunctionInfo {
  reportTwice(report, "E0307", decl.dims);
  reportTwice(
    report,
    "E0307",
    decl.params.map((p) => p.name),
  );
  const found = collectVariables(module, decl);
  const scope: TypeScope = {
    report,
    module,
    dims: new Set(found.dims.keys()),
    types: found.types,
    ownerOf: (dim) =>
      `let the caller give it: \`fn ${decl.name.text}[${[...decl.dims.map((d) => d.text), dim].join(", ")}](…)\``,
  };
  const params = decl.params.map((param): ParamInfo => {
    return { name: param.name.text, span: param.span, type: typeOfSyntax(scope, param.type) };
  });
  const result = decl.result === null ? null : valueType(afterParameters(scope, params), decl.result);
  reportUnfixed(report, decl, found.dims, params);
  return {
    kind: "function",
    name: decl.name.text,
    span: decl.name.span,
    module,
    decl,
    givenDims: decl.dims.map((d) => d.text),
    dims: found.dims,
    types: [...found.types],
    params,
    result,
    body: null,
  };
}

/** A dimension of the result may be unknown because the parameter that has it is wrong: then only that is reported. */
function afterParameters(scope: TypeScope, params: readonly ParamInfo[]): TypeScope {
  if (!params.some((p) => traitsOf(p.type).hasError)) return scope;
  const report: Report = (code, span, text, details) => {
    if (code !== "E0309") scope.report(code, span, text, details);
  };
  return { ...scope, report };
}

/** The dimension variables of a signature with their places, and its type parameters. */
interface Variables {
  readonly dims: Map<string, Span>;
  readonly types: Set<string>;
}

/** The lower-case names in shapes that are no constants, and the upper-case names that are declared nowhere. */
function collectVariables(module: ModuleInfo, decl: FunctionDecl): Variables {
  const found: Variables = { dims: new Map(), types: new Set() };
  for (const { text, span } of decl.dims) if (!found.dims.has(text)) found.dims.set(text, span);
  for (const param of decl.params) collectFrom(module, param.type, found);
  return found;
}

function collectFrom(module: ModuleInfo, type: TypeExpr, found: Variables): void {
  switch (type.kind) {
    case "idx":
      for (const dim of [type.bound, ...(type.shape ?? [])]) collectDims(module, dim, found);
      return;
    case "tuple":
      for (const item of type.items) collectFrom(module, item, found);
      return;
    case "list":
      collectFrom(module, type.item, found);
      collectDims(module, type.length, found);
      return;
    case "function":
      for (const part of [...type.params, type.result]) collectFrom(module, part, found);
      return;
    case "named":
      if (isTypeParameter(module, type.name.text, type.args)) found.types.add(type.name.text);
      for (const arg of type.args ?? []) collectArgument(module, arg, found);
  }
}

function collectArgument(module: ModuleInfo, arg: TypeArg, found: Variables): void {
  if (arg.kind === "type") collectFrom(module, arg.type, found);
  else if (arg.dim.kind === "name" && isTypeParameter(module, arg.dim.name, null))
    found.types.add(arg.dim.name);
  else collectDims(module, arg.dim, found);
}

function collectDims(module: ModuleInfo, dim: DimExpr, found: Variables): void {
  if (dim.kind === "op") {
    collectDims(module, dim.left, found);
    collectDims(module, dim.right, found);
  } else if (dim.kind === "name" && !isUpperCase(dim.name) && !builtinTypes.has(dim.name)) {
    const isDeclared = module.names.get(dim.name)?.kind === "const" || found.dims.has(dim.name);
    if (!isDeclared && !isBroken(module, dim.name)) found.dims.set(dim.name, dim.span);
  }
}

/** An upper-case name without arguments that is declared nowhere; one that is nearly a struct's name is a slip. */
function isTypeParameter(module: ModuleInfo, name: string, args: readonly TypeArg[] | null): boolean {
  if (args !== null || !isUpperCase(name) || module.names.has(name) || isBroken(module, name)) return false;
  const structs = [...module.names.values()].filter((t) => t.kind === "struct").map((t) => t.name);
  return name.length <= 2 || closest(name, structs) === null;
}

/**
 * Every dimension must be told by the arguments, or be given in brackets. A size tells a dimension that is the only
 * one not yet known in it and stands in one term: `n + 1`, `2 * n`, `groups * i` when `groups` is given.
 */
function reportUnfixed(
  report: Report,
  decl: FunctionDecl,
  dims: ReadonlyMap<string, Span>,
  params: readonly ParamInfo[],
): void {
  // What is wrong with a parameter may be what hides its dimensions.
  if (params.some((p) => traitsOf(p.type).hasError)) return;
  const known = new Set(decl.dims.map((d) => d.text));
  const sizes: Dim[] = [];
  for (const param of params) collectSizes(param.type, sizes);
  for (const [name, span] of dims) {
    tellFrom(sizes, known);
    if (known.has(name)) continue;
    const given = [...decl.dims.map((d) => d.text), name].join(", ");
    report("E0224", span, `no argument tells ${name}`, {
      secondary: [{ span: decl.name.span, text: "in this function" }],
      help: `let the caller give it: \`fn ${decl.name.text}[${given}](…)\``,
    });
    known.add(name);
  }
}

function tellFrom(sizes: readonly Dim[], known: Set<string>): void {
  let before: number;
  do {
    before = known.size;
    for (const size of sizes) {
      const told = toldBy(size, known);
      if (told !== null) known.add(told);
    }
  } while (known.size > before);
}

function toldBy(size: Dim, known: ReadonlySet<string>): string | null {
  let told: string | null = null;
  for (const { atoms } of size.monomials.values()) {
    const open = atoms.filter((atom) => atom.kind !== "variable" || !known.has(atom.name));
    const [only] = open;
    if (only === undefined) continue;
    if (told !== null || open.length > 1 || only.kind !== "variable") return null;
    told = only.name;
  }
  return told;
}

/** The sizes of axes, bounds and lists, as far as a value of the type has them. */
function collectSizes(type: Type, into: Dim[]): void {
  switch (type.kind) {
    case "tensor":
      into.push(...type.shape);
      if (type.element.kind === "idx") into.push(type.element.bound);
      return;
    case "tuple":
      for (const item of type.items) collectSizes(item, into);
      return;
    case "struct":
      into.push(...type.dims);
      for (const t of type.types) collectSizes(t, into);
      return;
    case "list":
      collectSizes(type.item, into);
      into.push(type.length);
      return;
    case "function":
      if (type.callable.kind !== "declared") return;
      for (const t of [...type.callable.params, type.callable.result]) collectSizes(t, into);
      return;
    default:
      return;
  }
}
