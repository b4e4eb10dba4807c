/** One function at a time: its body against its signature, its custom derivative, its conditions on dimensions. */
import { checkAgainst, checkExpression, describe, hasFloats } from "./check-expression.ts";
import { floatParts, oneOrTuple } from "./check-derivative.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { asNumber, dimVariable, mentions, showDim, subDims } from "./dims.ts";
import { diagnostic, Inference } from "./inference.ts";
import type { CheckedBody, FunctionInfo, Instance, Range } from "./program.ts";
import { bind, emptyScope, type IndexVariable, type Scope } from "./scope.ts";
import type { Span } from "./source.ts";
import type { CustomVjp } from "./syntax.ts";
import type * as syntax from "./syntax.ts";
import { errorType, showType, type Type } from "./types.ts";

/** Diagnostics of bodies that were checked because a caller needed their result, and the functions under way. */
export interface CheckState {
  readonly diagnostics: Diagnostic[];
  readonly underWay: FunctionInfo[];
}

const states = new WeakMap<Inference, CheckState>();

/** Makes sure that a callee has been checked, so that its result type is known; a circle of calls is reported. */
export function bodyOf(cx: Inference, info: FunctionInfo, at: Span): void {
  const state = states.get(cx)!;
  const start = state.underWay.indexOf(info);
  if (start < 0) {
    checkFunction(state, info);
    return;
  }
  const circle = [...state.underWay.slice(start), info].map((f) => f.name).join(" → ");
  cx.report("E0310", at, circle, {
    secondary: [{ span: info.span, text: "declared here" }],
    help: "calls are inlined, so none may lead back to itself; repeat with `fold`",
  });
  info.result ??= errorType;
}

/** Checks a function's body once; what is found goes to the state's diagnostics. */
export function checkFunction(state: CheckState, info: FunctionInfo): void {
  if (info.body !== null) return;
  const cx = new Inference(info.module);
  states.set(cx, state);
  state.underWay.push(info);
  const scope = parameterScope(info);
  const result = checkBody(cx, scope, info);
  if (info.decl.vjp !== null) checkCustomVjp(cx, scope, info, info.decl.vjp, result);
  state.underWay.pop();
  const body = settle(cx);
  info.result ??= cx.settle(result);
  reportOpenResult(cx, info);
  info.body = body;
  state.diagnostics.push(...cx.diagnostics);
}

function parameterScope(info: FunctionInfo): Scope {
  let scope = emptyScope;
  for (const [name, span] of info.dims) scope = bind(scope, name, { kind: "dim", dim: dimVariable(name), span });
  for (const param of info.params) {
    const { type, span } = param;
    scope = bind(scope, param.name, type.kind === "function" ? { kind: "callable", callable: type.callable, span } : { kind: "value", type, span });
  }
  return scope;
}

function checkBody(cx: Inference, scope: Scope, info: FunctionInfo): Type {
  const declared = info.result;
  const found = checkExpression(cx, scope, info.decl.body, declared);
  if (cx.resolve(found).kind === "function") return cx.report("E0405", info.decl.body.span, "a function", { help: "a function gives values; call it" });
  if (declared === null) return found;
  const body = info.decl.body;
  const place = body.kind === "block" ? body.result.span : body.span;
  const written = info.decl.result!.span;
  cx.agree(found, declared, (m) =>
    diagnostic("E0232", place, `${describe(cx, found)} here`, {
      secondary: [{ span: written, text: `${showType(declared)} is declared` }],
      notes: m.kind === "dim" ? [`${showDim(cx.metas.resolve(m.found))} is not ${showDim(cx.metas.resolve(m.expected))}`] : [],
    }),
  );
  return declared;
}

/** The rule's parameters are the function's own and a cotangent for each floating part of the result. */
function checkCustomVjp(cx: Inference, scope: Scope, info: FunctionInfo, rule: CustomVjp, result: Type): void {
  const cotangents = floatParts(cx, cx.resolve(result));
  const wanted = info.params.length + cotangents.length;
  if (rule.params.length !== wanted) {
    cx.report("E0409", rule.span, `${rule.params.length} names`, {
      secondary: [{ span: info.span, text: `${info.params.length} parameters, and ${cotangents.length} cotangents for ${describe(cx, result)}` }],
      help: `write \`vjp (${[...info.params.map((p) => p.name), ...cotangents.map((_, i) => (cotangents.length === 1 ? "ct" : `ct${i}`))].join(", ")}) -> …\``,
    });
    return;
  }
  const types = [...info.params.map((p) => p.type), ...cotangents];
  for (const [i, name] of rule.params.entries()) scope = bind(scope, name.text, { kind: "value", type: types[i]!, span: name.span });
  const floats = info.params.filter((p) => hasFloats(cx, p.type)).map((p) => p.type);
  checkAgainst(cx, scope, rule.body, oneOrTuple(floats), "the cotangents of the floating parameters");
}

function settle(cx: Inference): CheckedBody {
  for (const variable of cx.indexVariables) settleRange(cx, variable);
  const conditions = cx.settleConditions();
  const types = new Map([...cx.types].map(([expr, type]): [syntax.Expr, Type] => [expr, cx.settle(type)]));
  const ranges = new Map<syntax.Binder, Range>();
  for (const v of cx.indexVariables) {
    ranges.set(v.binder, { lo: v.lo === null ? null : cx.metas.resolve(v.lo), hi: v.hi === null ? null : cx.metas.resolve(v.hi) });
  }
  const instances = new Map<syntax.Expr, Instance>();
  for (const [expr, instance] of cx.instances) {
    const dims = new Map([...instance.dims].map(([name, dim]) => [name, cx.metas.resolve(dim)]));
    const open = [...dims].find(([, dim]) => mentions(dim, (atom) => atom.kind === "meta"));
    if (open !== undefined && cx.diagnostics.length === 0) {
      cx.report("E0233", expr.span, `nothing tells \`${open[0]}\``, { help: "give the argument's shape, or write the range of its indices" });
    }
    instances.set(expr, { dims, types: new Map([...instance.types].map(([name, type]) => [name, cx.settle(type)])) });
  }
  return { types, ranges, instances, conditions };
}

/** A range that neither use nor expectation told: a comparison with an `idx` may; otherwise it is a mistake. */
function settleRange(cx: Inference, variable: IndexVariable): void {
  const { hi, lo, binder } = variable;
  if (hi === null) return;
  const open = (): boolean => mentions(cx.metas.resolve(hi), (atom) => atom.kind === "meta");
  const [hint] = variable.hints;
  if (!variable.written && open() && hint !== undefined) cx.metas.unify(hi, hint.dim);
  if (open()) {
    if (cx.diagnostics.length > 0) return;
    const name = binder.name.text;
    cx.report("E0204", binder.span, `\`${name}\` never stands alone as an index`, { help: `write its range: \`${name}: n\`` });
    return;
  }
  if (lo === null || !variable.written) return;
  const extent = subDims(cx.metas.resolve(hi), cx.metas.resolve(lo));
  if ((asNumber(extent) ?? 0) < 0) {
    cx.report("E0246", binder.span, `${showDim(lo)} .. ${showDim(hi)} is empty`, { help: "the upper bound is excluded, and not below the lower one" });
  }
}

function reportOpenResult(cx: Inference, info: FunctionInfo): void {
  if (info.result === null || cx.diagnostics.length > 0) return;
  const text = showType(info.result);
  if (/(^|[^A-Za-z0-9])_([^A-Za-z0-9]|$)/.test(text)) {
    cx.report("E0233", info.span, `gives ${text}`, { help: "write the result's type behind the parameters: `-> f32[n]`" });
  }
}
