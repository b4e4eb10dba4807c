/** Expressions and written dimensions as polynomials. */
import { addDims, asNumber, type Dim, DimensionOverflow, dimNumber, dimVariable, exactDivDims, floorDivDims, modDims, mulDims, scaleDim, showDim, subDims } from "./dims.ts";
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

/** A written dimension. `variables` are those in scope; an unknown name is reported and counts as a variable. */
export function dimOfSyntax(report: Report, module: ModuleInfo, variables: ReadonlySet<string>, expr: DimExpr): Dim {
  switch (expr.kind) {
    case "number":
      return dimNumber(expr.value);
    case "name": {
      if (variables.has(expr.name)) return dimVariable(expr.name);
      const top = module.names.get(expr.name);
      if (top?.kind === "const") {
        if (top.isInteger) return dimNumber(top.value);
        report("E0321", expr.span, `${top.name} is ${top.value}`, {
          secondary: [{ span: top.span, text: "declared here" }],
          help: "a dimension is a natural number",
        });
        return dimNumber(1);
      }
      if (isBroken(module, expr.name)) return dimNumber(1);
      const candidates = [...variables, ...[...module.names.values()].filter((t) => t.kind === "const").map((t) => t.name)];
      const near = closest(expr.name, candidates);
      report("E0309", expr.span, "not a dimension here", {
        help: near === null ? "dimensions come from the parameters' shapes, or from brackets behind the function's name" : `did you mean \`${near}\`?`,
      });
      return dimVariable(expr.name);
    }
    case "op": {
      const left = dimOfSyntax(report, module, variables, expr.left);
      const right = dimOfSyntax(report, module, variables, expr.right);
      const result = arithmeticWithin(expr.op, left, right);
      if (result === "overflow") {
        report("E0247", expr.span, "this one", { help: "name a part of it with a dimension of its own" });
      } else if (result === null) {
        const isZero = asNumber(right) === 0;
        report("E0225", expr.span, isZero ? "a division by 0" : `${showDim(left)} is no multiple of ${showDim(right)}`, {
          help: isZero ? "the divisor is at least 1" : "`/` divides dimensions exactly; `//` rounds down",
        });
      } else {
        return result;
      }
      return dimNumber(1);
    }
  }
}
