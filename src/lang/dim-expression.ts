/** Expressions and written dimensions as polynomials. */
import { alwaysNonNegative } from "./dim-comparison.ts";
import {
  addDims,
  asNumber,
  type Dim,
  DimensionOverflow,
  dimNumber,
  dimVariable,
  exactDivDims,
  floorDivDims,
  modDims,
  mulDims,
  scaleDim,
  showDim,
  subDims,
} from "./dims.ts";
import { isBroken } from "./check-name.ts";
import type { Inference } from "./inference.ts";
import { closest } from "./suggest.ts";
import type { ModuleInfo } from "./program.ts";
import { lookup, type Scope } from "./scope.ts";
import type { Span } from "./source.ts";
import type { DimExpr, DimOp, Expr } from "./syntax.ts";
import type { Details } from "./inference.ts";
import type { DiagnosticCode } from "./catalogue.ts";

/** Says a mistake; the inference of a body and the reading of declarations both have one. */
export type Report = (code: DiagnosticCode, span: Span, text: string, details?: Details) => unknown;

/** Null when the result is not defined, as for a division by 0. */
function arithmetic(op: DimOp, a: Dim, b: Dim): Dim | null {
  switch (op) {
    case "+":
      return addDims(a, b);
    case "-":
      return subDims(a, b);
    case "*":
      return mulDims(a, b);
    case "//":
      return floorDivDims(a, b);
    case "%":
      return modDims(a, b);
    case "/":
      return exactDivDims(a, b);
  }
}

function arithmeticWithin(op: DimOp, a: Dim, b: Dim): Dim | null | "overflow" {
  try {
    return arithmetic(op, a, b);
  } catch (error) {
    if (error instanceof DimensionOverflow) return "overflow";
    throw error;
  }
}

/** The polynomial of an expression over numbers, constants and dimension variables; null if it is something else. */
export function dimOfExpression(cx: Inference, scope: Scope, expr: Expr): Dim | null {
  switch (expr.kind) {
    case "number":
      return expr.isInteger ? dimNumber(expr.value) : null;
    case "name": {
      const binding = lookup(scope, expr.name);
      if (binding !== null) return binding.kind === "dim" ? binding.dim : null;
      const top = cx.module.names.get(expr.name);
      return top?.kind === "const" && top.isInteger ? dimNumber(top.value) : null;
    }
    case "unary": {
      const operand = expr.op === "-" ? dimOfExpression(cx, scope, expr.operand) : null;
      return operand === null ? null : scaleDim(operand, -1);
    }
    case "binary": {
      if (!["+", "-", "*", "//", "/", "%"].includes(expr.op)) return null;
      const left = dimOfExpression(cx, scope, expr.left);
      const right = left === null ? null : dimOfExpression(cx, scope, expr.right);
      const result = left === null || right === null ? null : arithmeticWithin(expr.op as DimOp, left, right);
      return result === "overflow" ? null : result;
    }
    default:
      return null;
  }
}

/** What a written dimension may mention. */
export interface DimScope {
  readonly report: Report;
  readonly module: ModuleInfo;
  readonly dims: ReadonlySet<string>;
  /** How the declaration would get a dimension of that name, for a help. */
  readonly ownerOf: (name: string) => string;
}

/** A written dimension; null after a mistake, which is reported. */
export function dimOfSyntax(cx: DimScope, expr: DimExpr): Dim | null {
  const dim = dimOfPart(cx, expr);
  if (dim === null || !alwaysNonNegative(subDims(dimNumber(-1), dim))) return dim;
  cx.report("E0321", expr.span, `this is ${showDim(dim)}`, { help: "a dimension is at least 0" });
  return null;
}

function dimOfPart(cx: DimScope, expr: DimExpr): Dim | null {
  switch (expr.kind) {
    case "number":
      return dimNumber(expr.value);
    case "name":
      return cx.dims.has(expr.name) ? dimVariable(expr.name) : constantDim(cx, expr);
    case "op": {
      const left = dimOfPart(cx, expr.left);
      const right = dimOfPart(cx, expr.right);
      return left === null || right === null ? null : dimOfOperation(cx.report, expr, left, right);
    }
  }
}

function constantDim(cx: DimScope, { name, span }: Extract<DimExpr, { kind: "name" }>): Dim | null {
  const { report, module, dims } = cx;
  const top = module.names.get(name);
  if (top?.kind === "const") {
    if (top.isInteger) return dimNumber(top.value);
    report("E0321", span, `${name} is ${top.value}`, {
      secondary: [{ span: top.span, text: "declared here" }],
      help: "a dimension is a natural number",
    });
    return null;
  }
  if (isBroken(module, name)) return null;
  const constants = [...module.names.values()].filter((t) => t.kind === "const").map((t) => t.name);
  const near = closest(name, [...dims, ...constants]);
  report("E0309", span, "not a dimension here", {
    help: near === null ? helpForDim(cx, name) : `did you mean \`${near}\`?`,
  });
  return null;
}

function helpForDim(cx: DimScope, name: string): string {
  if (/^[A-Z]/.test(name)) return `dimensions begin with a lower-case letter: \`${name.toLowerCase()}\``;
  return cx.ownerOf(name);
}

function dimOfOperation(
  report: Report,
  { op, span }: Extract<DimExpr, { kind: "op" }>,
  left: Dim,
  right: Dim,
): Dim | null {
  const result = arithmeticWithin(op, left, right);
  if (result === "overflow") {
    report("E0247", span, "this one", { help: "name a part of it with a dimension of its own" });
    return null;
  }
  if (result !== null) return result;
  const isZero = asNumber(right) === 0;
  report("E0225", span, isZero ? "a division by 0" : `${showDim(left)} is no multiple of ${showDim(right)}`, {
    help: isZero ? "the divisor is at least 1" : "`/` divides dimensions exactly; `//` rounds down",
  });
  return null;
}
