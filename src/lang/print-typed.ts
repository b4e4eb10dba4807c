/**
 * A checked function with what the checker found out of it: its signature, and under it each `let` with its
 * type and each index with its range, by line.
 *
 *     fn assign[n, o, d](x: f32[n, d], c: f32[o, d]) -> (f32[n, o], idx[o][n])
 *       14  let m: f32[n, o]
 *           i: n, j: o
 *       15  let a: idx[o][n]
 *           i: n, j: o
 */
import { showDim, subDims } from "./dims.ts";
import type { CheckedBody, FunctionInfo, ParamInfo, Program } from "./program.ts";
import { positionOf, type Span, textOf } from "./source.ts";
import type { Binder, Expr, Let, Pattern } from "./syntax.ts";
import { showType, type Type } from "./types.ts";

/** A name of a function's body and its type. */
export interface TypedName {
  readonly name: string;
  readonly type: Type;
  readonly span: Span;
}

/** The functions of the main file; only the one of that name, if one is given. */
export function printTyped(program: Program, name: string | null = null): string {
  const all = [...program.main.exports.values()].filter((top) => top.kind === "function");
  return all
    .filter((info) => name === null || info.name === name)
    .map(printTypedFunction)
    .join("\n");
}

/** One function with its inferred types. */
export function printTypedFunction(info: FunctionInfo): string {
  const lines = [signatureOf(info)];
  const rows =
    info.body === null
      ? []
      : [...letRows(info.decl.body, info.body), ...indexRows(info.decl.body, info.body)];
  const width = Math.max(0, ...rows.map((row) => String(row.line).length));
  let last = 0;
  for (const row of rows.sort((a, b) => a.line - b.line || a.order - b.order)) {
    lines.push(`  ${(row.line === last ? "" : String(row.line)).padStart(width)}  ${row.text}`);
    last = row.line;
  }
  return `${lines.join("\n")}\n`;
}

/** `fn f[n, T](x: f32[n]) -> f32`: every dimension and type parameter is in the brackets. */
export function signatureOf(info: FunctionInfo): string {
  const variables = [...info.dims.keys(), ...info.types].join(", ");
  const params = info.params.map(showParam).join(", ");
  const result = info.result === null ? "?" : showType(info.result);
  return `fn ${info.name}${variables === "" ? "" : `[${variables}]`}(${params}) -> ${result}`;
}

export function showParam({ name, type }: ParamInfo): string {
  return `${name}: ${showType(type)}`;
}

/** The names that `let` gives in a function's body, in order. */
export function typedNames(info: FunctionInfo): TypedName[] {
  const { body } = info;
  if (body === null) return [];
  return letsIn(info.decl.body).flatMap((binding) => namesOf(binding, body));
}

interface Row {
  readonly line: number;
  readonly order: number;
  readonly text: string;
}

const lineOf = (span: Span): number => positionOf(span.file, span.start).line;

function letRows(root: Expr, body: CheckedBody): Row[] {
  return letsIn(root).flatMap((binding) =>
    namesOf(binding, body).map(({ name, type, span }) => ({
      line: lineOf(span),
      order: 0,
      text: `let ${name}: ${showType(type)}`,
    })),
  );
}

/** One row for the indices of a line. */
function indexRows(root: Expr, body: CheckedBody): Row[] {
  const byLine = new Map<number, string[]>();
  for (const binder of bindersIn(root)) {
    const line = lineOf(binder.span);
    byLine.set(line, [...(byLine.get(line) ?? []), `${binder.name.text}: ${rangeOf(binder, body)}`]);
  }
  return [...byLine].map(([line, shown]) => ({ line, order: 1, text: [...new Set(shown)].join(", ") }));
}

function rangeOf(binder: Binder, body: CheckedBody): string {
  const range = body.ranges.get(binder);
  if (range === undefined) return "?";
  const show = (bound: typeof range.lo, written: Expr | null): string =>
    bound !== null ? showDim(bound) : written === null ? "0" : textOf(written.span);
  const [lo, hi] = [show(range.lo, binder.from), show(range.hi, binder.to)];
  return lo === "0" ? hi : `${lo} .. ${hi}`;
}

function namesOf({ pattern, value }: Let, body: CheckedBody): TypedName[] {
  const type = body.types.get(value);
  if (type === undefined) return [];
  if (pattern.kind !== "indexed") return partsOf(pattern, type);
  const axes = pattern.binders.map((binder) => {
    const range = body.ranges.get(binder);
    return range?.hi == null ? null : range.lo === null ? range.hi : subDims(range.hi, range.lo);
  });
  const withAxes = (t: Type): Type => {
    if (t.kind === "tuple") return { ...t, items: t.items.map(withAxes) };
    if (t.kind !== "tensor") return t;
    return { ...t, shape: [...axes.filter((axis) => axis !== null), ...t.shape] };
  };
  return [{ name: pattern.name.text, type: withAxes(type), span: pattern.name.span }];
}

function partsOf(pattern: Pattern, type: Type): TypedName[] {
  if (pattern.kind !== "tuple") return [{ name: pattern.name.text, type, span: pattern.name.span }];
  return pattern.items.flatMap((item, i) =>
    type.kind === "tuple" && type.items[i] !== undefined ? partsOf(item, type.items[i]) : [],
  );
}

function letsIn(root: Expr): Let[] {
  return walk(root).flatMap((expr) => (expr.kind === "block" ? expr.lets : []));
}

function bindersIn(root: Expr): Binder[] {
  const found = walk(root).flatMap((expr): readonly Binder[] => {
    switch (expr.kind) {
      case "for":
      case "reduce":
        return expr.binders;
      case "fold-count":
        return [expr.binder];
      case "block":
        return expr.lets.flatMap(({ pattern }) => (pattern.kind === "indexed" ? pattern.binders : []));
      default:
        return [];
    }
  });
  return found.sort((a, b) => a.span.start - b.span.start);
}

/** The expression and everything below it, outermost first. */
function walk(expr: Expr): Expr[] {
  const found: Expr[] = [];
  const waiting = [expr];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    found.push(next);
    waiting.push(...below(next).reverse());
  }
  return found;
}

const boundsOf = (binders: readonly Binder[]): Expr[] =>
  binders.flatMap((b) => [b.from, b.to].filter((e) => e !== null));

function below(expr: Expr): Expr[] {
  switch (expr.kind) {
    case "block": {
      const lets = expr.lets.flatMap(({ pattern, value }) => [
        ...(pattern.kind === "indexed" ? boundsOf(pattern.binders) : []),
        value,
      ]);
      return [...lets, expr.result];
    }
    case "for":
    case "reduce":
      return [...boundsOf(expr.binders), expr.body];
    case "if":
      return [expr.condition, expr.yes, expr.no];
    case "fold-list":
      return [expr.init, expr.list, expr.body];
    case "fold-count":
      return [expr.init, ...boundsOf([expr.binder]), expr.body];
    case "unary":
      return [expr.operand];
    case "binary":
      return [expr.left, expr.right];
    case "index":
      return [expr.target, ...expr.indices, ...(expr.padding === null ? [] : [expr.padding])];
    case "field":
      return [expr.target];
    case "call":
      return [expr.callee, ...expr.args];
    case "tuple":
    case "list":
      return [...expr.items];
    case "struct":
      return [...(expr.spread === null ? [] : [expr.spread]), ...expr.fields.map((f) => f.value)];
    case "lambda":
      return [expr.body];
    case "number":
    case "bool":
    case "name":
    case "error":
      return [];
  }
}
