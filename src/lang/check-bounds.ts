/**
 * Reads that leave the tensor whatever the dimensions are. What only some dimensions allow is seen when compiling.
 *
 *     sum[k] x[k + 1]     with k < n and x: f32[n] goes up to n
 */
import { axisName } from "./axis-name.ts";
import { describe } from "./check-expression.ts";
import { dimOfExpression } from "./dim-expression.ts";
import { alwaysNonNegative } from "./dim-comparison.ts";
import { addDims, asNumber, type Dim, dimNumber, mulDims, showDim, subDims } from "./dims.ts";
import type { Inference } from "./inference.ts";
import { lookup, type IndexVariable, type Scope } from "./scope.ts";
import { type Span, textOf } from "./source.ts";
import type { Expr } from "./syntax.ts";
import type { TensorType } from "./types.ts";

type Read = Extract<Expr, { kind: "index" }>;

/** The index variable that an expression is, by itself. */
export function soleVariable(scope: Scope, index: Expr): IndexVariable | null {
  if (index.kind !== "name") return null;
  const binding = lookup(scope, index.name);
  return binding?.kind === "index" ? binding.variable : null;
}

/** Once all ranges are known, reports the read if one index of it always lies outside on its axis. */
export function checkBounds(
  cx: Inference,
  scope: Scope,
  read: Read,
  target: TensorType,
  index: Expr,
  axis: number,
): void {
  if (cx.guarded > 0) return;
  cx.atTheEnd.push(() => {
    const range = rangeOf(cx, scope, index);
    if (range === null) return;
    const size = cx.metas.resolve(target.shape[axis]!);
    const isAbove = alwaysNonNegative(subDims(range.most, size));
    const isBelow = alwaysNonNegative(subDims(dimNumber(-1), range.least));
    if (!isAbove && !isBelow) return;
    const extreme = isAbove ? `goes up to ${showDim(range.most)}` : `goes down to ${showDim(range.least)}`;
    const single = asNumber(subDims(range.most, range.least)) === 0;
    cx.report("E0210", index.span, single ? `this is ${showDim(range.most)}` : extreme, {
      secondary: [
        {
          span: read.target.span,
          text: `${nameOfAxis(target, axis)} ${showDim(size)}: ${describe(cx, target)}`,
        },
        ...writtenRange(scope, index),
      ],
      help: helpOutside(read, single, isAbove, size),
    });
  });
}

function nameOfAxis(target: TensorType, axis: number): string {
  return target.shape.length === 1 ? "it has size" : `${axisName(axis, target.shape.length)} has size`;
}

function writtenRange(scope: Scope, index: Expr): { span: Span; text: string }[] {
  const variable = soleVariable(scope, index);
  return variable?.written === true ? [{ span: variable.binder.span, text: "its range" }] : [];
}

function helpOutside(read: Read, single: boolean, isAbove: boolean, size: Dim): string {
  const padded = paddedForm(read);
  if (!single) return `give the value outside, \`${padded}\`, or write a shorter range`;
  const last = showDim(subDims(size, dimNumber(1)));
  return isAbove
    ? `indices begin at 0; the last one is ${last}`
    : `the last index is ${last}; for a value outside, read \`${padded}\``;
}

function paddedForm(read: Read): string {
  const indices = read.indices.map((i) => textOf(i.span)).join(", ");
  return `${textOf(read.target.span)}[${indices} | 0.0]`;
}

/** The least and the largest value of an index, both taken for some choice of the index variables. */
interface SymbolicRange {
  readonly least: Dim;
  readonly most: Dim;
}

function rangeOf(cx: Inference, scope: Scope, expr: Expr): SymbolicRange | null {
  const dim = dimOfExpression(cx, scope, expr);
  if (dim !== null) {
    const known = cx.metas.resolve(dim);
    return { least: known, most: known };
  }
  const variable = soleVariable(scope, expr);
  if (variable !== null) return rangeOfVariable(cx, variable);
  if (expr.kind !== "binary" || (expr.op !== "+" && expr.op !== "-" && expr.op !== "*")) return null;
  const a = rangeOf(cx, scope, expr.left);
  const b = a === null ? null : rangeOf(cx, scope, expr.right);
  if (a === null || b === null) return null;
  if (expr.op === "+") return { least: addDims(a.least, b.least), most: addDims(a.most, b.most) };
  if (expr.op === "-") return { least: subDims(a.least, b.most), most: subDims(a.most, b.least) };
  return isSingle(a) ? scaled(b, a.least) : isSingle(b) ? scaled(a, b.least) : null;
}

/** Null also when the range may be empty: then nothing is read. */
function rangeOfVariable(cx: Inference, { lo, hi }: IndexVariable): SymbolicRange | null {
  if (lo === null || hi === null) return null;
  const least = cx.metas.resolve(lo);
  const most = subDims(cx.metas.resolve(hi), dimNumber(1));
  return alwaysNonNegative(subDims(most, least)) ? { least, most } : null;
}

function isSingle(range: SymbolicRange): boolean {
  return asNumber(subDims(range.most, range.least)) === 0;
}

function scaled(range: SymbolicRange, factor: Dim): SymbolicRange | null {
  if (!alwaysNonNegative(factor)) return null;
  return { least: mulDims(factor, range.least), most: mulDims(factor, range.most) };
}
