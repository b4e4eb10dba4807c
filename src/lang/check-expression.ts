/**
 * The types of expressions. Each rule is a function of one form; what is found is recorded in the `Inference`.
 *
 * `expected` is the type that the surroundings want, when they know: it gives index variables their range, and literals
 * and anonymous functions their type. It is a hint; whoever passes it still compares.
 */
import { callableOf, checkCall } from "./check-call.ts";
import { checkIndex, enterBinders, extentOf, typeOfIndex } from "./check-index.ts";
import { checkBinary, checkUnary } from "./check-operator.ts";
import { checkStructLiteral } from "./check-struct.ts";
import { builtinFunctions } from "./callable.ts";
import { type Dim, dimNumber, showDim } from "./dims.ts";
import { dimOfExpression } from "./dim-expression.ts";
import { diagnostic, type Inference } from "./inference.ts";
import { instantiate } from "./instantiate.ts";
import { bind, type IndexVariable, lookup, namesIn, type Scope } from "./scope.ts";
import type { Span } from "./source.ts";
import { closest } from "./suggest.ts";
import type { Expr, Pattern, Reducer } from "./syntax.ts";
import { errorType, isFloatElement, isIntegerElement, isNumeric, isScalar, scalarElement, scalarType, showType, type Type, tensorType } from "./types.ts";
import { callableScalarFunction } from "../ir/scalar.ts";

/** A type for a message: `f32[n, d]`, or `a number` where it is not known. */
export function describe(cx: Inference, type: Type): string {
  return showType(cx.resolve(type));
}

/** Finds and records the type of an expression. */
export function checkExpression(cx: Inference, scope: Scope, expr: Expr, expected: Type | null): Type {
  const type = typeOfForm(cx, scope, expr, expected);
  cx.types.set(expr, type);
  return type;
}

function typeOfForm(cx: Inference, scope: Scope, expr: Expr, expected: Type | null): Type {
  switch (expr.kind) {
    case "number":
      return tensorType(cx.freshLiteral(expr.isInteger));
    case "bool":
      return scalarType("bool");
    case "name":
      return checkName(cx, scope, expr);
    case "block":
      return checkBlock(cx, scope, expr, expected);
    case "for":
      return checkFor(cx, scope, expr, expected);
    case "reduce":
      return checkReduce(cx, scope, expr);
    case "if":
      return checkIf(cx, scope, expr, expected);
    case "fold-list":
    case "fold-count":
      return checkFold(cx, scope, expr, expected);
    case "unary":
      return checkUnary(cx, scope, expr, expected);
    case "binary":
      return checkBinary(cx, scope, expr, expected);
    case "index":
      return checkIndex(cx, scope, expr);
    case "field":
      return checkField(cx, scope, expr);
    case "call":
      return checkCall(cx, scope, expr, expected);
    case "tuple": {
      const wanted = expected === null ? null : cx.resolve(expected);
      const items = wanted?.kind === "tuple" ? wanted.items : [];
      return { kind: "tuple", items: expr.items.map((item, i) => checkExpression(cx, scope, item, items[i] ?? null)) };
    }
    case "struct":
      return checkStructLiteral(cx, scope, expr, expected);
    case "lambda":
      return { kind: "function", callable: { kind: "lambda", expr, scope } };
    case "list":
      return checkList(cx, scope, expr, expected);
    case "error":
      return errorType;
  }
}

/** Checks an expression that must have a given type. */
export function checkAgainst(cx: Inference, scope: Scope, expr: Expr, expected: Type, what: string): Type {
  const found = checkExpression(cx, scope, expr, expected);
  cx.agree(found, expected, () => diagnostic("E0201", expr.span, `${describe(cx, found)} here`, { notes: [`${what} must be ${describe(cx, expected)}`] }));
  return expected;
}

function checkName(cx: Inference, scope: Scope, expr: Extract<Expr, { kind: "name" }>): Type {
  const binding = lookup(scope, expr.name);
  switch (binding?.kind) {
    case "value":
      return binding.type;
    case "index":
      return typeOfIndex(binding.variable);
    case "dim":
      return scalarType("i32");
    case "callable":
      return { kind: "function", callable: binding.callable };
    case undefined:
      break;
  }
  const top = cx.module.names.get(expr.name);
  if (top?.kind === "const") return tensorType(cx.freshLiteral(top.isInteger));
  const callable = callableOf(cx, scope, expr);
  if (callable !== null) return { kind: "function", callable };
  if (top?.kind === "struct") {
    return cx.report("E0322", expr.span, `${expr.name} is a struct`, {
      secondary: [{ span: top.span, text: "declared here" }],
      help: `to make one, write \`${expr.name} { … }\``,
    });
  }
  return reportUnknownName(cx, scope, expr.name, expr.span);
}

/** No such name: suggests the nearest one. */
export function reportUnknownName(cx: Inference, scope: Scope, name: string, span: Span): Type {
  const candidates = [...namesIn(scope), ...cx.module.names.keys(), ...Object.keys(builtinFunctions)];
  const near = closest(name, candidates);
  const known = near === null ? null : (lookup(scope, near)?.span ?? cx.module.names.get(near)?.span ?? null);
  return cx.report("E0301", span, "not found", {
    message: `nothing is called \`${name}\` here`,
    secondary: known === null || near === null ? [] : [{ span: known, text: `\`${near}\` is declared here` }],
    help: near === null ? "declare it, or bring it in with `use`" : `did you mean \`${near}\`?`,
  });
}

function checkBlock(cx: Inference, scope: Scope, expr: Extract<Expr, { kind: "block" }>, expected: Type | null): Type {
  for (const statement of expr.lets) {
    if (statement.pattern.kind === "indexed") {
      const { name, binders } = statement.pattern;
      const type = checkAxes(cx, scope, binders, statement.value, null, statement.span);
      scope = bind(scope, name.text, { kind: "value", type, span: name.span });
    } else {
      const type = checkExpression(cx, scope, statement.value, null);
      scope = bindPattern(cx, scope, statement.pattern, type, statement.value);
    }
  }
  return checkExpression(cx, scope, expr.result, expected);
}

/** Binds the names of a pattern to the parts of a type. */
export function bindPattern(cx: Inference, scope: Scope, pattern: Pattern, type: Type, value: Expr): Scope {
  const resolved = cx.resolve(type);
  if (pattern.kind !== "tuple") {
    if (resolved.kind === "function") {
      return bind(scope, pattern.name.text, { kind: "callable", callable: resolved.callable, span: pattern.name.span });
    }
    return bind(scope, pattern.name.text, { kind: "value", type, span: pattern.name.span });
  }
  if (resolved.kind === "tuple" && resolved.items.length === pattern.items.length) {
    for (const [i, item] of pattern.items.entries()) scope = bindPattern(cx, scope, item, resolved.items[i]!, value);
    return scope;
  }
  if (resolved.kind !== "error") {
    const parts = resolved.kind === "tuple" ? `${resolved.items.length} parts` : "not a tuple";
    cx.report("E0220", pattern.span, `${pattern.items.length} names`, {
      secondary: [{ span: value.span, text: `${describe(cx, resolved)}, ${parts}` }],
      help: resolved.kind === "tuple" ? "give each part a name; `_` for one that is not needed" : "bind it to one name",
    });
  }
  for (const item of pattern.items) scope = bindPattern(cx, scope, item, errorType, value);
  return scope;
}

function checkFor(cx: Inference, scope: Scope, expr: Extract<Expr, { kind: "for" }>, expected: Type | null): Type {
  return checkAxes(cx, scope, expr.binders, expr.body, expected, expr.span);
}

/** `for binders -> body`, and `let y[binders] = body`: the axes are put in front of the body's own. */
function checkAxes(cx: Inference, scope: Scope, binders: Extract<Expr, { kind: "for" }>["binders"], body: Expr, expected: Type | null, span: Span): Type {
  const entered = enterBinders(cx, scope, binders);
  const wanted = expected === null ? null : cx.resolve(expected);
  const inner = wanted?.kind === "tensor" && wanted.shape.length >= binders.length ? tensorType(wanted.element, wanted.shape.slice(binders.length)) : null;
  const type = checkExpression(cx, entered.scope, body, inner);
  if (wanted?.kind === "tensor" && inner !== null) useExpectedRanges(cx, entered.variables, wanted.shape);
  const extents = entered.variables.map((v) => extentOf(cx, v));
  if (extents.some((e) => e === null)) return errorType;
  return putAxesInFront(cx, extents as Dim[], type, body, span);
}

/** An index variable whose range nothing has told yet takes it from the result that is expected. */
function useExpectedRanges(cx: Inference, variables: readonly IndexVariable[], shape: readonly Dim[]): void {
  for (const [i, variable] of variables.entries()) {
    if (!variable.written && variable.evidence.length === 0) cx.metas.unify(variable.hi!, shape[i]!);
  }
}

function putAxesInFront(cx: Inference, extents: readonly Dim[], type: Type, body: Expr, span: Span): Type {
  const resolved = cx.resolve(type);
  switch (resolved.kind) {
    case "tensor":
      return tensorType(resolved.element, [...extents, ...resolved.shape]);
    case "tuple":
      return { kind: "tuple", items: resolved.items.map((item) => putAxesInFront(cx, extents, item, body, span)) };
    case "error":
      return errorType;
    default:
      return cx.report("E0238", body.span, `${describe(cx, resolved)} here`, { help: "the value at an index is a scalar, a tensor, or a tuple of them; make a tensor for each field" });
  }
}

const reducerKinds: Readonly<Record<Reducer, "number" | "float" | "bool">> = {
  sum: "number", prod: "number", max: "number", min: "number", argmax: "number", argmin: "number", mean: "float", count: "bool", any: "bool", all: "bool",
};

function checkReduce(cx: Inference, scope: Scope, expr: Extract<Expr, { kind: "reduce" }>): Type {
  const entered = enterBinders(cx, scope, expr.binders);
  const type = cx.resolve(checkExpression(cx, entered.scope, expr.body, null));
  const positional = expr.reducer === "argmax" || expr.reducer === "argmin";
  if (positional && expr.binders.length !== 1) {
    return cx.report("E0231", expr.head, `${expr.binders.length} indices`, {
      help: `flatten them into one, or take the \`${expr.reducer.slice(3)}\` of the inner ones first`,
    });
  }
  if (type.kind === "error") return errorType;
  if (type.kind !== "tensor") {
    return cx.report("E0216", expr.body.span, `${describe(cx, type)} here`, { secondary: [{ span: expr.head, text: "reduces numbers" }], help: "name the tensor that is to be reduced" });
  }
  const wrong = checkReducedElement(cx, expr, type);
  if (wrong !== null) return wrong;
  if (positional) return tensorType(positionElement(entered.variables[0]!), type.shape);
  if (expr.reducer === "count") return tensorType(scalarElement("i32"), type.shape);
  const element = cx.element(type.element);
  return tensorType(element.kind === "idx" ? scalarElement("i32") : element, type.shape);
}

function positionElement(variable: IndexVariable): Extract<Type, { kind: "tensor" }>["element"] {
  return variable.hi === null ? scalarElement("i32") : { kind: "idx", bound: variable.hi };
}

function checkReducedElement(cx: Inference, expr: Extract<Expr, { kind: "reduce" }>, type: Extract<Type, { kind: "tensor" }>): Type | null {
  const element = cx.element(type.element);
  const wanted = reducerKinds[expr.reducer];
  const isBool = !isNumeric(element);
  if ((wanted === "bool") !== isBool) {
    const help = isBool
      ? expr.reducer === "sum"
        ? "to count, write `count[…]`"
        : "compare booleans with `any` and `all`, count them with `count`"
      : "write a condition, such as `x[i] > 0.0`";
    return cx.report("E0216", expr.body.span, `${describe(cx, type)} here`, { secondary: [{ span: expr.head, text: isBool ? "reduces numbers" : "reduces booleans" }], help });
  }
  if (wanted === "float" && isIntegerElement(element)) {
    return cx.report("E0216", expr.body.span, `${describe(cx, type)} here`, {
      secondary: [{ span: expr.head, text: "a mean is a float" }],
      help: "convert the body with `f32(…)`",
    });
  }
  if (wanted === "float" && element.kind === "literal") cx.agree(tensorType(element), scalarType("f32"), () => diagnostic("E0216", expr.body.span, "here"));
  return null;
}

function checkIf(cx: Inference, scope: Scope, expr: Extract<Expr, { kind: "if" }>, expected: Type | null): Type {
  const condition = cx.resolve(checkExpression(cx, scope, expr.condition, scalarType("bool")));
  if (condition.kind !== "error" && !(isScalar(condition) && condition.element.kind === "scalar" && condition.element.scalar === "bool")) {
    const tensor = condition.kind === "tensor" && condition.shape.length > 0;
    cx.report("E0207", expr.condition.span, `${describe(cx, condition)} here`, {
      help: tensor ? "choose element by element: `for i -> if c[i] then … else …`" : "compare it: `x != 0`",
    });
  }
  cx.guarded++;
  const yes = checkExpression(cx, scope, expr.yes, expected);
  const no = checkExpression(cx, scope, expr.no, expected ?? yes);
  cx.guarded--;
  return joinBranches(cx, yes, no, expr);
}

/** The common type of two branches: an `idx` and an `i32` meet in `i32`. */
function joinBranches(cx: Inference, yes: Type, no: Type, expr: Extract<Expr, { kind: "if" }>): Type {
  const [a, b] = [cx.resolve(yes), cx.resolve(no)];
  const wider = a.kind === "tensor" && b.kind === "tensor" && a.element.kind === "idx" && b.element.kind === "scalar" ? b : a;
  const narrower = wider === a ? b : a;
  cx.agree(narrower, wider, () =>
    diagnostic("E0217", expr.no.span, `${describe(cx, no)} here`, {
      secondary: [{ span: expr.yes.span, text: `${describe(cx, yes)} here` }],
      help: "both sides of an `if` have one type",
    }),
  );
  return wider;
}

function checkFold(cx: Inference, scope: Scope, expr: Extract<Expr, { kind: "fold-list" | "fold-count" }>, expected: Type | null): Type {
  const initial = checkExpression(cx, scope, expr.init, expected);
  if (cx.resolve(initial).kind === "function") return cx.report("E0405", expr.init.span, "a function", { help: "a fold carries values" });
  let inner = scope;
  if (expr.kind === "fold-list") {
    const list = cx.resolve(checkExpression(cx, scope, expr.list, null));
    if (list.kind !== "list" && list.kind !== "error") {
      cx.report("E0219", expr.list.span, `${describe(cx, list)}, not a list`, {
        secondary: [{ span: expr.item.span, text: "one element each turn" }],
        help: list.kind === "tensor" ? `to go through an axis, count: \`for ${expr.item.text}: n -> …\` and index with it` : "a list has the type `[T; n]`",
      });
    }
    inner = bind(inner, expr.item.text, { kind: "value", type: list.kind === "list" ? list.item : errorType, span: expr.item.span });
  } else {
    inner = enterCount(cx, scope, expr);
  }
  inner = bindPattern(cx, inner, expr.accumulator, initial, expr.init);
  const next = checkExpression(cx, inner, expr.body, initial);
  cx.agree(next, initial, (m) =>
    diagnostic("E0218", expr.body.span, `${describe(cx, next)} after a turn`, {
      secondary: [{ span: expr.init.span, text: `${describe(cx, initial)} at the start` }],
      notes: m.kind === "dim" ? [`${showDim(m.found)} is not ${showDim(m.expected)}`] : [],
      help: "every turn gives a value of the type that the fold began with",
    }),
  );
  return initial;
}

function enterCount(cx: Inference, scope: Scope, expr: Extract<Expr, { kind: "fold-count" }>): Scope {
  const { binder } = expr;
  const entered = enterBinders(cx, scope, [binder]);
  const count = binder.to === null ? null : dimOfExpression(cx, scope, binder.to);
  if (count === null || (binder.from !== null && dimOfExpression(cx, scope, binder.from) === null)) {
    cx.report("E0244", binder.span, "the number of turns", { help: "give it as a dimension: `for t: 10 -> …`" });
    // Said once; without this the unknown range would be reported too.
    const [variable] = entered.variables;
    if (variable?.hi != null) cx.metas.unify(variable.hi, dimNumber(1));
  }
  return entered.scope;
}

function checkField(cx: Inference, scope: Scope, expr: Extract<Expr, { kind: "field" }>): Type {
  const target = cx.resolve(checkExpression(cx, scope, expr.target, null));
  if (target.kind === "error") return errorType;
  if (target.kind !== "struct") {
    return cx.report("E0215", expr.target.span, `${describe(cx, target)}, not a struct`, {
      secondary: [{ span: expr.field.span, text: "the field" }],
      help: target.kind === "variable" ? "a type parameter has no known fields; use `tree_map`" : "only structs have fields",
    });
  }
  const field = target.decl.fields.find((f) => f.name === expr.field.text);
  if (field !== undefined) return fieldType(target, field.type);
  const near = closest(expr.field.text, target.decl.fields.map((f) => f.name));
  return cx.report("E0214", expr.field.span, `not a field of ${target.decl.name}`, {
    secondary: [{ span: target.decl.span, text: `${target.decl.name} is declared here` }],
    help: near === null ? `its fields are ${target.decl.fields.map((f) => `\`${f.name}\``).join(", ")}` : `did you mean \`${near}\`?`,
  });
}

/** The type of a field of a struct with these arguments. */
export function fieldType(struct: Extract<Type, { kind: "struct" }>, declared: Type): Type {
  return instantiate(declared, new Map(struct.decl.dims.map((d, i) => [d, struct.dims[i]!])), new Map(struct.decl.types.map((t, i) => [t, struct.types[i]!])));
}

function checkList(cx: Inference, scope: Scope, expr: Extract<Expr, { kind: "list" }>, expected: Type | null): Type {
  const wanted = expected === null ? null : cx.resolve(expected);
  let item: Type = wanted?.kind === "list" ? wanted.item : cx.freshType();
  const [first] = expr.items;
  for (const e of expr.items) {
    const found = checkExpression(cx, scope, e, item);
    cx.agree(found, item, () =>
      diagnostic("E0240", e.span, `${describe(cx, found)} here`, {
        secondary: first === undefined ? [] : [{ span: first.span, text: `${describe(cx, item)} here` }],
        help: "all elements of a list have one type",
      }),
    );
    item = cx.resolve(item);
  }
  return { kind: "list", item, length: dimNumber(expr.items.length) };
}

/** Can a value of the type be differentiated with respect to: does it hold a float? */
export function hasFloats(cx: Inference, type: Type): boolean {
  const t = cx.resolve(type);
  switch (t.kind) {
    case "tensor":
    case "leaf": {
      const element = cx.element(t.element);
      return isFloatElement(element) || element.kind === "literal";
    }
    case "tuple":
      return t.items.some((i) => hasFloats(cx, i));
    case "struct":
      return t.decl.fields.some((f) => hasFloats(cx, fieldType(t, f.type)));
    case "list":
      return hasFloats(cx, t.item);
    case "variable":
    case "unknown":
    case "error":
      return true;
    case "function":
      return false;
  }
}

/** Is there a scalar function of that name, or one of the compiler's own? */
export function isBuiltin(name: string): boolean {
  return Object.hasOwn(builtinFunctions, name) || callableScalarFunction(name) !== null;
}
