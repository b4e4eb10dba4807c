/** Does an argument fit its parameter? */
import type { Callable } from "./callable.ts";
import { applyCallable, type Argument, argumentType } from "./check-call.ts";
import { conversionHelp, describe, notesOn, reportFunction } from "./check-expression.ts";
import type { Diagnostic, Label } from "./diagnostic.ts";
import { diagnostic, type Inference } from "./inference.ts";
import type { FunctionInfo, ParamInfo } from "./program.ts";
import type { Scope } from "./scope.ts";
import { textOf } from "./source.ts";
import type { Expr } from "./syntax.ts";
import { traitsOf } from "./type-traits.ts";
import { showType, type Type } from "./types.ts";

/**
 * Fits all arguments to the types wanted; false when one was reported. Functions come last: what the other arguments tell gives their parameters
 * types. `info` is the declared function that is called, if there is one; `first` is where it got its types, when an
 * earlier call has given them.
 */
export function fitArguments(
  cx: Inference,
  scope: Scope,
  args: readonly Argument[],
  wanted: readonly Type[],
  info: FunctionInfo | null,
  first: Expr | null = null,
): boolean {
  let isFitting = true;
  const isFunction = (i: number): boolean => wanted[i]!.kind === "function";
  const order = [...args.keys()].sort((a, b) => Number(isFunction(a)) - Number(isFunction(b)) || a - b);
  for (const i of order) {
    const param = info?.params[i] ?? null;
    const type = wanted[i]!;
    if (type.kind === "function" && type.callable.kind === "declared") {
      isFitting = fitsFunction(cx, scope, args[i]!, type.callable, param) && isFitting;
    } else {
      isFitting = fitsValue(cx, scope, args[i]!, type, info, param, first) && isFitting;
    }
    if (!isFitting && first !== null) return false;
  }
  return isFitting;
}

function fitsValue(
  cx: Inference,
  scope: Scope,
  arg: Argument,
  wanted: Type,
  info: FunctionInfo | null,
  param: ParamInfo | null,
  first: Expr | null,
): boolean {
  const found = cx.resolve(argumentType(cx, scope, arg, wanted));
  if (found.kind === "function" && arg.expr !== null) {
    reportFunction(cx, arg.expr, found.callable);
    return false;
  }
  return cx.agree(found, wanted, (mismatch) => {
    if (first !== null) return calledWithTwoTypes(cx, arg, found, wanted, info, first);
    const text = mismatch.kind === "bound" ? `${mismatch.value} here` : `${describe(cx, found)} here`;
    return diagnostic("E0403", arg.span, text, {
      secondary: originOf(param),
      notes: [...(param === null ? [`${describe(cx, wanted)} is expected`] : []), ...notesOn(mismatch)],
      help: mismatch.kind === "bound" ? null : helpFor(cx, arg, found, wanted, info),
    });
  });
}

function calledWithTwoTypes(
  cx: Inference,
  arg: Argument,
  found: Type,
  wanted: Type,
  info: FunctionInfo | null,
  first: Expr,
): Diagnostic {
  const name = info === null ? "the function" : `\`${info.name}\``;
  return diagnostic("E0412", arg.span, `${describe(cx, found)} here`, {
    secondary: [{ span: first.span, text: `takes ${describe(cx, wanted)} since its first call` }],
    help: `a name given by \`let\` has one type; call ${name} itself to use it with several`,
  });
}

function originOf(param: ParamInfo | null): Label[] {
  return param === null
    ? []
    : [{ span: param.span, text: `${param.name}: ${showType(param.type)} is expected` }];
}

/** A batch given to a function of one example, and a number of the wrong type, are the most common slips. */
function helpFor(
  cx: Inference,
  arg: Argument,
  found: Type,
  wantedType: Type,
  info: FunctionInfo | null,
): string | null {
  const wanted = cx.resolve(wantedType);
  if (found.kind !== "tensor" || wanted.kind !== "tensor") return null;
  const extra = found.shape.length - wanted.shape.length;
  if (extra > 0) {
    const names = ["i", "j", "k"].slice(0, extra).join(", ");
    const text = arg.expr?.kind === "name" ? textOf(arg.span) : "x";
    return `call it for each: \`for ${names} -> ${info?.name ?? "f"}(${text}[${names}])\``;
  }
  const [from, to] = [cx.element(found.element), cx.element(wanted.element)];
  if (extra < 0 || to.kind === "literal") return null;
  if (to.kind === "idx") {
    return from.kind === "idx"
      ? null
      : `an \`${describe(cx, { ...wanted, shape: [] })}\` is an index variable, or what \`argmax\` gives`;
  }
  return conversionHelp(cx, arg.expr, found, wanted);
}

/** A function as an argument is applied to what its parameter's type promises. */
function fitsFunction(
  cx: Inference,
  scope: Scope,
  arg: Argument,
  wanted: Extract<Callable, { kind: "declared" }>,
  param: ParamInfo | null,
): boolean {
  const given = cx.resolve(argumentType(cx, scope, arg, null));
  if (given.kind === "error") return false;
  const secondary = originOf(param);
  if (given.kind !== "function") {
    cx.report("E0403", arg.span, `${describe(cx, given)} here`, {
      secondary,
      help: "give a function's name, or `fn (x) -> …`",
    });
    return false;
  }
  const at = arg.expr;
  if (at === null || wanted.params.some((type) => traitsOf(type).hasError)) return false;
  const args = wanted.params.map((type): Argument => ({ span: arg.span, expr: null, type }));
  const result = cx.resolve(applyCallable(cx, scope, given.callable, args, at, wanted.result));
  if (result.kind === "function") {
    cx.report("E0403", arg.span, "gives a function", { secondary, help: "it must give a value" });
    return false;
  }
  return cx.agree(result, wanted.result, (mismatch) =>
    diagnostic("E0403", arg.span, `gives ${describe(cx, result)}`, {
      secondary,
      notes: [`${describe(cx, { kind: "function", callable: wanted })} is expected`, ...notesOn(mismatch)],
    }),
  );
}
