/**
 * Simplification of scalar expressions by what is known of integers where they are evaluated.
 *
 *     (4*i + j) // 4      with 0 ≤ j < 4                        i
 *     select(i < 8, a, b) with i < 8                            a
 *     x * 1.0 + 0.0                                             x
 *
 * Floats are changed only where no value but the sign of a zero can differ.
 */
import { fromAffine, structuralKey } from "../affine.ts";
import { apply, cast, constant, select, truth } from "../build.ts";
import { type Expr, isFloat, type ScalarType, typeOf } from "../ir.ts";
import { readDepth } from "./guards.ts";
import { affineOf, prove, type RangeContext, withCondition } from "../ranges.ts";
import { runtimeFunctions, type ScalarFunctionName } from "../scalar.ts";

type Applied = Extract<Expr, { kind: "apply" }>;

/** Contexts of selects that are nested deeper than this are not told apart. */
const deepestSelect = 6;

/** In one expression so many sides of selects are looked at in contexts of their own: in a long chain of selects each doubles them. */
const mostContexts = 64;

interface Progress {
  readonly depth: number;
  readonly done: Map<Expr, Expr>;
  readonly effort: { contexts: number };
}

/** The expression, simplified by what holds in the context. Shared subexpressions stay shared. */
export function simplifyWithin(expr: Expr, context: RangeContext): Expr {
  return simplify(expr, context, { depth: 0, done: new Map(), effort: { contexts: mostContexts } });
}

function simplify(expr: Expr, context: RangeContext, progress: Progress): Expr {
  const { done } = progress;
  let result = done.get(expr);
  if (result === undefined) {
    const found = simplifyForm(expr, context, progress);
    // What comes out as it was stays the same object: a node that does not change is then seen to be settled.
    result = found !== expr && structuralKey(found) === structuralKey(expr) ? expr : found;
    done.set(expr, result);
  }
  return result;
}

function simplifyForm(expr: Expr, context: RangeContext, progress: Progress): Expr {
  const of = (e: Expr): Expr => simplify(e, context, progress);
  switch (expr.kind) {
    case "const":
    case "index":
      return integerForm(expr, context);
    case "read": {
      const indices = expr.indices.map(of);
      return indices.every((e, i) => e === expr.indices[i]) ? expr : { ...expr, indices };
    }
    case "select":
      return simplifySelect(expr, context, progress, of);
    case "apply": {
      if (typeOf(expr) === "i32" && isArithmetic(expr.fn))
        return integerForm(rebuilt(expr, expr.args.map(of)), context);
      if (typeOf(expr) === "bool") {
        const known = prove(expr, context);
        if (known !== null) return truth(known);
      }
      return simplifyApplied(rebuilt(expr, expr.args.map(of)));
    }
  }
}

function rebuilt(expr: Applied, args: readonly Expr[]): Applied {
  return args.every((a, i) => a === expr.args[i]) ? expr : { ...expr, args };
}

function isArithmetic(fn: ScalarFunctionName): boolean {
  return fn === "add" || fn === "sub" || fn === "mul" || fn === "neg" || fn === "floor_div" || fn === "mod";
}

/** The canonical form of an `i32` expression; itself when that is the same. */
function integerForm(expr: Expr, context: RangeContext): Expr {
  if (expr.kind === "const" || typeOf(expr) !== "i32") return expr;
  const form = fromAffine(affineOf(expr, context));
  return structuralKey(form) === structuralKey(expr) ? expr : form;
}

function simplifySelect(
  expr: Extract<Expr, { kind: "select" }>,
  context: RangeContext,
  { depth, effort }: Progress,
  of: (e: Expr) => Expr,
): Expr {
  const known = prove(expr.condition, context);
  if (known !== null) return of(known ? expr.yes : expr.no);
  const condition = of(expr.condition);
  const side = (e: Expr, truthValue: boolean): Expr => {
    if (e.kind === "const" || depth >= deepestSelect || effort.contexts-- <= 0) return of(e);
    return simplify(e, withCondition(context, expr.condition, truthValue), {
      depth: depth + 1,
      done: new Map(),
      effort,
    });
  };
  const yes = side(expr.yes, true);
  const no = side(expr.no, false);
  if (structuralKey(yes) === structuralKey(no)) return yes;
  if (condition.kind === "apply" && condition.fn === "not") return select(condition.args[0]!, no, yes);
  // if a then (if b then x else 0) else 0  =  if a and b then x else 0, unless a keeps the reads of b inside.
  if (yes.kind === "select" && readDepth(yes.condition) === 0 && structuralKey(yes.no) === structuralKey(no))
    return select(apply("and", condition, yes.condition), yes.yes, no);
  if (condition === expr.condition && yes === expr.yes && no === expr.no) return expr;
  return select(condition, yes, no);
}

const isNumber = (e: Expr, value: number): boolean => e.kind === "const" && e.value === value;

function simplifyApplied(expr: Applied): Expr {
  const [a, b] = expr.args;
  const folded = foldFloat(expr);
  if (folded !== null) return folded;
  switch (expr.fn) {
    case "add":
      if (isNumber(a!, 0)) return b!;
      if (isNumber(b!, 0)) return a!;
      if (b!.kind === "apply" && b!.fn === "neg") return apply("sub", a!, b!.args[0]!);
      if (a!.kind === "apply" && a!.fn === "neg") return apply("sub", b!, a!.args[0]!);
      // Doubling is exact. Derivatives of squares come as two equal terms.
      if (isFloat(expr.type) && structuralKey(a!) === structuralKey(b!))
        return apply("mul", constant(2, expr.type), a!);
      return expr;
    case "sub":
      if (isNumber(b!, 0)) return a!;
      if (isNumber(a!, 0) && isFloat(expr.type)) return apply("neg", b!);
      if (b!.kind === "apply" && b!.fn === "neg") return apply("add", a!, b!.args[0]!);
      return expr;
    case "mul":
      if (isNumber(a!, 1)) return b!;
      if (isNumber(b!, 1)) return a!;
      if (isNumber(a!, -1)) return negate(b!);
      if (isNumber(b!, -1)) return negate(a!);
      return withoutNegations(expr, a!, b!);
    case "div":
      if (isNumber(b!, 1)) return a!;
      return withoutNegations(expr, a!, b!);
    case "neg":
      return negate(a!);
    case "pow":
      return isNumber(b!, 1) ? a! : isNumber(b!, 0) ? constant(1, expr.type) : expr;
    case "and":
      return isNumber(a!, 1)
        ? b!
        : isNumber(b!, 1)
          ? a!
          : isNumber(a!, 0) || isNumber(b!, 0)
            ? truth(false)
            : structuralKey(a!) === structuralKey(b!)
              ? a!
              : expr;
    case "or":
      return isNumber(a!, 0)
        ? b!
        : isNumber(b!, 0)
          ? a!
          : isNumber(a!, 1) || isNumber(b!, 1)
            ? truth(true)
            : expr;
    case "not":
      return a!.kind === "const"
        ? truth(a!.value === 0)
        : a!.kind === "apply" && a!.fn === "not"
          ? a!.args[0]!
          : expr;
    case "cast":
      return cast(expr.type, a!);
    case "stop_gradient":
      return a!;
    default:
      return expr;
  }
}

function negate(e: Expr): Expr {
  if (e.kind === "const" && isFloat(e.type)) return constant(-e.value, e.type);
  if (e.kind === "apply" && e.fn === "neg") return e.args[0]!;
  if (e.kind === "apply" && e.fn === "sub" && isFloat(e.type)) return apply("sub", e.args[1]!, e.args[0]!);
  return apply("neg", e);
}

/** Signs of products and quotients go outward, where they meet and vanish. */
function withoutNegations(expr: Applied, a: Expr, b: Expr): Expr {
  const negA = a.kind === "apply" && a.fn === "neg" ? a.args[0]! : null;
  const negB = b.kind === "apply" && b.fn === "neg" ? b.args[0]! : null;
  if (negA === null && negB === null) return expr;
  const product: Expr = { ...expr, args: [negA ?? a, negB ?? b] };
  return negA !== null && negB !== null ? product : apply("neg", product);
}

const foldable: Partial<Record<ScalarFunctionName, (...args: number[]) => number>> = {
  add: (a, b) => a! + b!,
  sub: (a, b) => a! - b!,
  mul: (a, b) => a! * b!,
  div: (a, b) => a! / b!,
  neg: (a) => -a!,
  sqrt: (a) => Math.sqrt(a!),
  exp: (a) => Math.exp(a!),
  log: (a) => Math.log(a!),
  pow: (a, b) => a! ** b!,
  max: runtimeFunctions.max,
  min: runtimeFunctions.min,
};

/** The value of a function of float constants. */
function foldFloat(expr: Applied): Expr | null {
  const compute = foldable[expr.fn];
  if (compute === undefined || !isFloat(expr.type) || !expr.args.every((a) => a.kind === "const"))
    return null;
  const value = compute(...expr.args.map((a) => (a as Extract<Expr, { kind: "const" }>).value));
  return Number.isFinite(value) ? constant(value, expr.type as ScalarType) : null;
}
