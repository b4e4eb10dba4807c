/** Declarations: written types as types, structs, signatures and constants. */
import { type Dim, dimNumber } from "./dims.ts";
import { dimOfSyntax, type Report } from "./dim-expression.ts";
import type { ConstInfo, FieldInfo, FunctionInfo, ModuleInfo, ParamInfo, StructInfo } from "./program.ts";
import type { Span } from "./source.ts";
import { closest } from "./suggest.ts";
import type { ConstDecl, DimExpr, Distribution, Expr, FunctionDecl, StructDecl, TypeArg, TypeExpr } from "./syntax.ts";
import { errorType, isFloatElement, scalarElement, showType, type Type, tensorType } from "./types.ts";
import type { ScalarType } from "../ir/ir.ts";

const scalarNames: ReadonlySet<string> = new Set(["f32", "f16", "i32", "u32", "bool"]);

/** What a written type may mention. */
interface TypeScope {
  readonly report: Report;
  readonly module: ModuleInfo;
  readonly dims: ReadonlySet<string>;
  readonly types: ReadonlySet<string>;
}

/** A written type. Mistakes are reported; their place in the type is the error type. */
function typeOfSyntax(cx: TypeScope, expr: TypeExpr): Type {
  const dim = (d: DimExpr): Dim => dimOfSyntax(cx.report, cx.module, cx.dims, d);
  switch (expr.kind) {
    case "named":
      return namedType(cx, expr);
    case "idx":
      return tensorType({ kind: "idx", bound: dim(expr.bound) }, (expr.shape ?? []).map(dim));
    case "tuple":
      return { kind: "tuple", items: expr.items.map((t) => typeOfSyntax(cx, t)) };
    case "list":
      return { kind: "list", item: typeOfSyntax(cx, expr.item), length: dim(expr.length) };
    case "function":
      return {
        kind: "function",
        callable: { kind: "declared", params: expr.params.map((t) => typeOfSyntax(cx, t)), result: typeOfSyntax(cx, expr.result) },
      };
  }
}

function namedType(cx: TypeScope, expr: Extract<TypeExpr, { kind: "named" }>): Type {
  const name = expr.name.text;
  if (scalarNames.has(name) || name === "key") {
    const shape = (expr.args ?? []).map((arg) => dimArgument(cx, arg));
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
  const candidates = [...scalarNames, "idx", "key", ...[...cx.module.names.values()].filter((t) => t.kind === "struct").map((t) => t.name)];
  const near = closest(name, candidates);
  const nearDecl = near === null ? undefined : cx.module.names.get(near);
  cx.report("E0302", expr.name.span, "not a type", {
    secondary: nearDecl === undefined ? [] : [{ span: nearDecl.span, text: `\`${near}\` is declared here` }],
    help: near === null ? "declare it with `struct`, or bring it in with `use`" : `did you mean \`${near}\`?`,
  });
  return errorType;
}

function dimArgument(cx: TypeScope, arg: TypeArg): Dim {
  if (arg.kind === "dim") return dimOfSyntax(cx.report, cx.module, cx.dims, arg.dim);
  cx.report("E0318", arg.type.span, "a type", { help: "a shape is made of dimensions" });
  return dimNumber(1);
}

function structType(cx: TypeScope, expr: Extract<TypeExpr, { kind: "named" }>, decl: StructInfo): Type {
  const args = expr.args ?? [];
  if (args.length !== decl.params.length) {
    const list = decl.params.map((p) => p.text).join(", ");
    cx.report("E0308", expr.span, `${args.length} given`, {
      secondary: [{ span: decl.span, text: `takes ${decl.params.length}${list === "" ? "" : `: [${list}]`}` }],
      help: `write \`${decl.name}${list === "" ? "" : `[${list}]`}\``,
    });
    return errorType;
  }
  const dims: Dim[] = [];
  const types: Type[] = [];
  for (const [i, param] of decl.params.entries()) {
    const arg = args[i]!;
    if (decl.dims.includes(param.text)) dims.push(dimArgument(cx, arg));
    else types.push(typeArgument(cx, arg, param.text, decl));
  }
  return { kind: "struct", decl, dims, types };
}

function typeArgument(cx: TypeScope, arg: TypeArg, param: string, decl: StructInfo): Type {
  if (arg.kind === "type") return typeOfSyntax(cx, arg.type);
  if (arg.dim.kind === "name") return namedType(cx, { kind: "named", span: arg.dim.span, name: { text: arg.dim.name, span: arg.dim.span }, args: null });
  cx.report("E0318", arg.dim.span, "a dimension", { secondary: [{ span: decl.span, text: `${param} is a type` }], help: "an upper-case parameter takes a type" });
  return errorType;
}

/** A struct with its parameters, its fields still to come. */
export function declareStruct(report: Report, module: ModuleInfo, decl: StructDecl): StructInfo {
  const seen = new Map<string, Span>();
  for (const param of decl.params) {
    const before = seen.get(param.text);
    if (before !== undefined) report("E0307", param.span, "again here", { secondary: [{ span: before, text: "first here" }], help: "give it another name" });
    seen.set(param.text, param.span);
  }
  const isType = (name: string): boolean => /^[A-Z]/.test(name);
  return {
    kind: "struct",
    name: decl.name.text,
    span: decl.name.span,
    module,
    params: decl.params,
    dims: decl.params.map((p) => p.text).filter((p) => !isType(p)),
    types: decl.params.map((p) => p.text).filter(isType),
    fields: [],
    doc: decl.doc,
  };
}

/** Fills in the fields of a struct. */
export function declareFields(report: Report, info: StructInfo, decl: StructDecl): void {
  const scope: TypeScope = { report, module: info.module, dims: new Set(info.dims), types: new Set(info.types) };
  const seen = new Map<string, Span>();
  info.fields = decl.fields.map((field): FieldInfo => {
    const before = seen.get(field.name.text);
    if (before !== undefined) report("E0223", field.name.span, "again here", { secondary: [{ span: before, text: "first here" }], help: "give it another name" });
    seen.set(field.name.text, field.name.span);
    const type = typeOfSyntax(scope, field.type);
    if (type.kind === "function") report("E0405", field.type.span, "a function", { help: "a field holds values" });
    if (field.init !== null) checkDistribution(report, info.module, field.init, type);
    return { name: field.name.text, span: field.span, type, checkpointName: field.checkpointName?.text ?? null, init: field.init, doc: field.doc };
  });
}

/** The distributions of `~` and how many numbers each takes. */
export const distributions: Readonly<Record<string, number>> = {
  zeros: 0, ones: 0, constant: 1, uniform: 2, normal: 1, trunc_normal: 1, kaiming_uniform: 1,
};

function checkDistribution(report: Report, module: ModuleInfo, init: Distribution, type: Type): void {
  const wanted = Object.hasOwn(distributions, init.name.text) ? distributions[init.name.text] : undefined;
  if (wanted === undefined) {
    const near = closest(init.name.text, Object.keys(distributions));
    report("E0312", init.name.span, "not a distribution", { help: near === null ? `there are ${Object.keys(distributions).map((d) => `\`${d}\``).join(", ")}` : `did you mean \`${near}\`?` });
    return;
  }
  if (init.args.length !== wanted) {
    report("E0313", init.span, `${init.args.length} given`, { notes: [`\`${init.name.text}\` takes ${wanted}`], help: `as in \`${init.name.text}${["", "(0.02)", "(-1.0, 1.0)"][wanted]}\`` });
  }
  const ok = type.kind === "error" || type.kind === "variable" || (type.kind === "tensor" && (isFloatElement(type.element) || init.name.text === "zeros"));
  if (!ok) report("E0314", init.span, `the field is ${showType(type)}`, { help: "only tensors of floats are drawn; a struct's fields have their own" });
  void module;
}

/** The value of a constant: arithmetic on numbers and constants before it. */
export function declareConst(report: Report, module: ModuleInfo, decl: ConstDecl): ConstInfo | null {
  const value = constantValue(module, decl.value);
  if (value === null) {
    if (decl.value.kind !== "error") report("E0315", decl.value.span, "not a constant", { help: "a constant is made of numbers and other constants, with `+ - * / // % ^`" });
    return null;
  }
  return { kind: "const", name: decl.name.text, span: decl.name.span, value: value.value, isInteger: value.isInteger, doc: decl.doc };
}

function constantValue(module: ModuleInfo, expr: Expr): { value: number; isInteger: boolean } | null {
  switch (expr.kind) {
    case "number":
      return { value: expr.value, isInteger: expr.isInteger };
    case "name": {
      const top = module.names.get(expr.name);
      return top?.kind === "const" ? { value: top.value, isInteger: top.isInteger } : null;
    }
    case "unary": {
      const operand = expr.op === "-" ? constantValue(module, expr.operand) : null;
      return operand === null ? null : { value: -operand.value, isInteger: operand.isInteger };
    }
    case "binary": {
      const a = constantValue(module, expr.left);
      const b = a === null ? null : constantValue(module, expr.right);
      if (a === null || b === null) return null;
      const value = { "+": a.value + b.value, "-": a.value - b.value, "*": a.value * b.value, "/": a.value / b.value, "//": Math.floor(a.value / b.value), "%": a.value - b.value * Math.floor(a.value / b.value), "^": a.value ** b.value }[expr.op as string];
      if (value === undefined || !Number.isFinite(value)) return null;
      return { value, isInteger: a.isInteger && b.isInteger && Number.isInteger(value) };
    }
    default:
      return null;
  }
}

/** A function's signature; its result is null when it is not written. */
export function declareFunction(report: Report, module: ModuleInfo, decl: FunctionDecl): FunctionInfo {
  const dims = new Map<string, Span>();
  for (const name of decl.dims) declareDim(report, dims, name.text, name.span, true);
  const types = new Set<string>();
  for (const param of decl.params) collectVariables(module, param.type, dims, types);
  const scope: TypeScope = { report, module, dims: new Set(dims.keys()), types };
  const seen = new Map<string, Span>();
  const params = decl.params.map((param): ParamInfo => {
    const before = seen.get(param.name.text);
    if (before !== undefined) report("E0307", param.name.span, "again here", { secondary: [{ span: before, text: "first here" }], help: "give it another name" });
    seen.set(param.name.text, param.name.span);
    return { name: param.name.text, span: param.span, type: typeOfSyntax(scope, param.type) };
  });
  const result = decl.result === null ? null : typeOfSyntax(scope, decl.result);
  reportUnfixed(report, decl, dims, params);
  return {
    kind: "function", name: decl.name.text, span: decl.name.span, module, decl,
    givenDims: decl.dims.map((d) => d.text), dims, types: [...types], params, result, body: null,
  };
}

function declareDim(report: Report, dims: Map<string, Span>, name: string, span: Span, given: boolean): void {
  const before = dims.get(name);
  if (before !== undefined && given) report("E0307", span, "again here", { secondary: [{ span: before, text: "first here" }], help: "give it another name" });
  if (before === undefined) dims.set(name, span);
}

/** The lower-case names in shapes that are no constants, and the upper-case names that are no structs. */
function collectVariables(module: ModuleInfo, type: TypeExpr, dims: Map<string, Span>, types: Set<string>): void {
  const dim = (d: DimExpr): void => {
    if (d.kind === "op") {
      dim(d.left);
      dim(d.right);
    } else if (d.kind === "name" && module.names.get(d.name)?.kind !== "const" && !dims.has(d.name)) {
      dims.set(d.name, d.span);
    }
  };
  switch (type.kind) {
    case "idx":
      dim(type.bound);
      type.shape?.forEach(dim);
      return;
    case "tuple":
      for (const item of type.items) collectVariables(module, item, dims, types);
      return;
    case "list":
      collectVariables(module, type.item, dims, types);
      dim(type.length);
      return;
    case "function":
      for (const param of type.params) collectVariables(module, param, dims, types);
      collectVariables(module, type.result, dims, types);
      return;
    case "named":
      collectNamed(module, type, dims, types);
  }

  function collectNamed(m: ModuleInfo, t: Extract<TypeExpr, { kind: "named" }>, d: Map<string, Span>, ts: Set<string>): void {
    const name = t.name.text;
    if (isTypeParameter(m, name, t.args)) ts.add(name);
    for (const arg of t.args ?? []) {
      if (arg.kind === "type") collectVariables(m, arg.type, d, ts);
      else if (arg.dim.kind === "name" && /^[A-Z]/.test(arg.dim.name)) {
        collectNamed(m, { kind: "named", span: arg.dim.span, name: { text: arg.dim.name, span: arg.dim.span }, args: null }, d, ts);
      } else dim(arg.dim);
    }
  }
}

/** An upper-case name without arguments that is declared nowhere; one that is nearly a struct's name is a slip. */
function isTypeParameter(module: ModuleInfo, name: string, args: readonly TypeArg[] | null): boolean {
  if (args !== null || !/^[A-Z]/.test(name) || module.names.has(name)) return false;
  const structs = [...module.names.values()].filter((t) => t.kind === "struct").map((t) => t.name);
  return name.length <= 2 || closest(name, structs) === null;
}

/** Every dimension must be fixed by an argument in which it stands alone, or be given in brackets. */
function reportUnfixed(report: Report, decl: FunctionDecl, dims: ReadonlyMap<string, Span>, params: readonly ParamInfo[]): void {
  const fixed = new Set(decl.dims.map((d) => d.text));
  const fix = (dim: Dim): void => {
    for (const m of dim.monomials.values()) {
      const [atom] = m.atoms;
      // `n + 1` and `2 * n` still tell n when it is the only unknown.
      if (m.atoms.length === 1 && atom!.kind === "variable" && dim.monomials.size <= 2) fixed.add(atom!.name);
    }
  };
  for (const param of params) fixedByType(param.type, fix);
  for (const [name, span] of dims) {
    if (fixed.has(name)) continue;
    report("E0224", span, `no argument tells ${name}`, { secondary: [{ span: decl.name.span, text: "in this function" }], help: `let the caller give it: \`fn ${decl.name.text}[${name}](…)\`` });
  }
}

function fixedByType(type: Type, fix: (dim: Dim) => void): void {
  switch (type.kind) {
    case "tensor":
      type.shape.forEach(fix);
      if (type.element.kind === "idx") fix(type.element.bound);
      return;
    case "tuple":
      for (const item of type.items) fixedByType(item, fix);
      return;
    case "struct":
      type.dims.forEach(fix);
      for (const t of type.types) fixedByType(t, fix);
      return;
    case "list":
      fixedByType(type.item, fix);
      fix(type.length);
      return;
    case "function":
      if (type.callable.kind === "declared") {
        for (const t of [...type.callable.params, type.callable.result]) fixedByType(t, fix);
      }
      return;
    default:
      return;
  }
}

