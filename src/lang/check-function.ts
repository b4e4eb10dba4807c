/** One function at a time: its body against its signature, its custom derivative, its conditions on dimensions. */
import { bindName, reportNamedTwice } from "./check-block.ts";
import { checkLambdaBody } from "./check-call.ts";
import {
  checkAgainst,
  checkExpression,
  conversionHelp,
  describe,
  notesOn,
  reportFunction,
} from "./check-expression.ts";
import { settleRange } from "./check-range.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { DimensionOverflow, dimVariable } from "./dims.ts";
import { floatParts, hasFloats, oneOrTuple } from "./floats.ts";
import { diagnostic, Inference } from "./inference.ts";
import { isOpen } from "./metas.ts";
import type { CheckedBody, FunctionInfo, Instance, Range } from "./program.ts";
import { bind, emptyScope, type Scope } from "./scope.ts";
import type { Span } from "./source.ts";
import type { CustomVjp } from "./syntax.ts";
import type * as syntax from "./syntax.ts";
import { traitsOf } from "./type-traits.ts";
import { errorType, showType, type Type } from "./types.ts";

/** What the checks of all functions share. */
export interface CheckState {
  readonly diagnostics: Diagnostic[];
  /** Functions whose bodies are being checked, each because the one before calls it. */
  readonly underWay: FunctionInfo[];
  /** Functions whose checks have begun. */
  readonly begun: Set<FunctionInfo>;
}

/** Callees are checked first, so only functions that call each other in a circle wait for each other. */
const longestCircle = 64;

const states = new WeakMap<Inference, CheckState>();

/** Makes sure that a callee has been checked, so that its result type is known; a circle of calls is reported. */
export function bodyOf(cx: Inference, info: FunctionInfo, at: Span): void {
  const state = states.get(cx)!;
  const start = state.underWay.indexOf(info);
  if (start < 0 && state.underWay.length < longestCircle) {
    checkFunction(state, info);
    return;
  }
  if (start < 0 && state.begun.has(info)) return;
  const circle =
    start < 0 ? [...state.underWay.slice(0, 3), "…", info] : [...state.underWay.slice(start), info];
  cx.report("E0310", at, circle.map((f) => (typeof f === "string" ? f : f.name)).join(" → "), {
    secondary: [{ span: info.span, text: "declared here" }],
    help: "calls are inlined, so none may lead back to itself; repeat with `fold`",
  });
  info.result ??= errorType;
}

/** Checks a function once; what is found goes to the state's diagnostics. */
export function checkFunction(state: CheckState, info: FunctionInfo): void {
  if (info.body !== null || state.begun.has(info)) return;
  state.begun.add(info);
  const cx = new Inference(info.module, info.name);
  states.set(cx, state);
  const depth = state.underWay.push(info);
  try {
    checkBodyAndRule(cx, state, info);
  } catch (error) {
    reportTooMuch(cx, info, error);
    info.result ??= errorType;
    info.body = { types: new Map(), ranges: new Map(), instances: new Map(), conditions: [] };
  }
  state.underWay.splice(depth - 1);
  if (!isMisread(info)) state.diagnostics.push(...cx.diagnostics);
  else if (info.decl.result === null) info.result = errorType;
}

/**
 * Was the function read otherwise than it was meant: with an unknown operator, or cut short by something on its last line? What
 * follows from that is not reported.
 */
function isMisread({ module: { file, syntaxErrors }, decl: { span } }: FunctionInfo): boolean {
  return syntaxErrors.some(({ code, primary: { span: at } }) => {
    if (at.start < span.start) return false;
    return at.start < span.end ? code === "E0101" : !file.text.slice(span.end, at.start).includes("\n");
  });
}

/** The parser bounds how deep a tree is, but not how much of the stack is left. */
function reportTooMuch(cx: Inference, info: FunctionInfo, error: unknown): void {
  if (error instanceof RangeError) {
    cx.report("E0124", info.span, "this function", { help: "give names to the parts with `let` or `fn`" });
  } else if (error instanceof DimensionOverflow) {
    cx.report("E0247", info.span, "in this function", { help: "give its parts dimensions of their own" });
  } else {
    throw error;
  }
}

function checkBodyAndRule(cx: Inference, state: CheckState, info: FunctionInfo): void {
  const scope = parameterScope(info);
  const result = checkBody(cx, scope, info);
  // A rule is no part of the value: it may call the function.
  state.underWay.pop();
  if (info.decl.vjp !== null) {
    if (info.decl.result === null) info.result = cx.resolve(result);
    checkCustomVjp(cx, scope, info, info.decl.vjp, result);
  }
  cx.isSignatureBroken = [...info.params.map((p) => p.type), result].some((type) => traitsOf(type).hasError);
  info.body = settle(cx);
  if (info.decl.result !== null) return;
  info.result = cx.settle(result);
  if (!cx.hasMistake() && !traitsOf(info.result).isClosed) {
    const text = showType(info.result);
    cx.report("E0233", info.span, `gives ${text}`, {
      help: `write the result's type behind the parameters: \`-> ${text.replaceAll("_", "n")}\``,
    });
  }
}

function parameterScope(info: FunctionInfo): Scope {
  let scope = emptyScope;
  for (const [name, span] of info.dims)
    scope = bind(scope, name, { kind: "dim", dim: dimVariable(name), span });
  for (const { name, span, type } of info.params) scope = bindName(scope, { text: name, span }, type);
  return scope;
}

function checkBody(cx: Inference, scope: Scope, info: FunctionInfo): Type {
  const { body } = info.decl;
  const declared = info.decl.result === null ? null : info.result;
  const found = cx.resolve(checkExpression(cx, scope, body, declared));
  const place = body.kind === "block" ? body.result : body;
  if (found.kind === "function") {
    reportFunction(cx, place, found.callable);
    return declared ?? errorType;
  }
  if (declared === null) return found;
  const written = info.decl.result!.span;
  cx.agree(found, declared, (mismatch) =>
    diagnostic("E0232", place.span, `${describe(cx, found)} here`, {
      secondary: [{ span: written, text: `${showType(declared)} is declared` }],
      notes: notesOn(mismatch),
      help: conversionHelp(cx, place, found, declared),
    }),
  );
  return declared;
}

/** The rule's parameters are the function's own and a cotangent for each floating part of the result. */
function checkCustomVjp(
  cx: Inference,
  scope: Scope,
  info: FunctionInfo,
  rule: CustomVjp,
  resultType: Type,
): void {
  const result = cx.resolve(resultType);
  if (traitsOf(result).hasError) return;
  const cotangents = floatParts(cx, result);
  const floats = info.params.map((p) => p.type).filter((type) => hasFloats(cx, type));
  if (cotangents.length === 0 || floats.length === 0) {
    cx.report(
      "E0407",
      rule.span,
      cotangents.length === 0 ? `the result is ${describe(cx, result)}` : "no parameter holds a float",
      {
        secondary: [{ span: info.span, text: "this function" }],
        help: "integers and booleans carry no gradient; leave the rule out",
      },
    );
    return;
  }
  const wanted = info.params.length + cotangents.length;
  if (rule.params.length !== wanted) {
    const rest = cotangents.map((_, i) => (cotangents.length === 1 ? "ct" : `ct${i + 1}`));
    const parameters = info.params.length === 1 ? "1 parameter" : `${info.params.length} parameters`;
    cx.report("E0409", rule.span, rule.params.length === 1 ? "1 name" : `${rule.params.length} names`, {
      secondary: [
        {
          span: info.span,
          text: `${parameters}, and ${cotangents.length} for the cotangents of ${describe(cx, result)}`,
        },
      ],
      help: `write \`vjp (${[...info.params.map((p) => p.name), ...rest].join(", ")}) -> …\``,
    });
    return;
  }
  reportNamedTwice(cx, rule.params);
  const types = [...info.params.map((p) => p.type), ...cotangents];
  let inner = scope;
  for (const [i, name] of rule.params.entries()) inner = bindName(inner, name, types[i]!);
  checkAgainst(
    cx,
    inner,
    rule.body,
    oneOrTuple(floats),
    "the rule gives the cotangents of the floating parameters",
    {
      span: info.span,
      text: "this function",
    },
  );
}

/** All that was left open gets its verdict. */
function settle(cx: Inference): CheckedBody {
  checkUnusedLambdas(cx);
  for (const variable of cx.indexVariables) settleRange(cx, variable);
  const conditions = cx.settleConditions();
  for (const check of cx.atTheEnd) check();
  reportOverflows(cx);
  const types = new Map([...cx.types].map(([expr, type]): [syntax.Expr, Type] => [expr, cx.settle(type)]));
  const ranges = new Map<syntax.Binder, Range>();
  for (const { binder, lo, hi } of cx.indexVariables) {
    ranges.set(binder, {
      lo: lo === null ? null : cx.metas.resolve(lo),
      hi: hi === null ? null : cx.metas.resolve(hi),
    });
  }
  return { types, ranges, instances: settleInstances(cx), conditions };
}

/** An anonymous function that is never called has no types, but its names must stand for something. */
function checkUnusedLambdas(cx: Inference): void {
  for (const [lambda, scope] of cx.lambdaScopes) {
    if (!cx.lambdas.has(lambda))
      checkLambdaBody(
        cx,
        scope,
        lambda,
        lambda.params.map(() => errorType),
      );
  }
}

function reportOverflows(cx: Inference): void {
  for (const { span, value, type, least, most } of cx.literals.overflows()) {
    const help =
      type === "u32" && value < 0 ? "a `u32` has no negatives; convert the other side with `i32(…)`" : null;
    cx.report("E0228", span, `${value} as ${type}`, {
      notes: [`\`${type}\` holds ${least} … ${most}`],
      help: help ?? (type === "i32" ? "use `u32(…)`, or a float such as `1e10`" : "use a wider type"),
    });
  }
}

function settleInstances(cx: Inference): Map<syntax.Expr, Instance> {
  const instances = new Map<syntax.Expr, Instance>();
  for (const [expr, instance] of cx.instances) {
    const dims = new Map([...instance.dims].map(([name, dim]) => [name, cx.metas.resolve(dim)]));
    const types = new Map([...instance.types].map(([name, type]) => [name, cx.settle(type)]));
    const open =
      [...dims].find(([, dim]) => isOpen(dim))?.[0] ?? [...types].find(([, t]) => !traitsOf(t).isClosed)?.[0];
    if (open !== undefined && !cx.hasMistake()) {
      cx.report("E0233", expr.span, `nothing tells \`${open}\``, {
        help: "give the argument's shape, or write the range of its indices",
      });
    }
    instances.set(expr, { dims, types });
  }
  return instances;
}
