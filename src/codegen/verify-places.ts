/**
 * What is known at each statement of a kernel, in the terms of the tensor IR's `ranges.ts`: kernel expressions become expressions
 * there, whose index variables are `workgroup`, `invocation` and the turns of the loops around.
 *
 *     for k = invocation .. 100 step 64      k is invocation + 64 * k@1, where 0 ≤ k@1 ≤ 1 and k ≤ 99
 *
 * A local is what was last assigned to it; after a branch or a loop that may have changed it, it is something new and unknown. So is
 * an element of an array after a store to it.
 */
import { affineAtom, addAffine, affineConstant, scaleAffine, subAffine } from "../ir/affine.ts";
import * as tensorIr from "../ir/build.ts";
import { type Expr, typeOf as tensorTypeOf } from "../ir/ir.ts";
import {
  type RangeContext,
  affineOf,
  emptyContext,
  prove,
  rangeOf,
  withCondition,
  withFact,
  withVariable,
} from "../ir/ranges.ts";
import { typeOf } from "./build.ts";
import type { Kernel, KernelExpr, KernelType, Space, Statement } from "./kernel.ts";
import { blocksOf, isLaneValue, postorder } from "./traverse.ts";

/** What is known where a statement stands. */
export interface Place {
  readonly context: RangeContext;
  /** Some invocation comes here for all values of the index variables that the context allows, if its facts allow any. */
  readonly isCertain: boolean;
  /** The expression, here, in the tensor IR. */
  readonly translate: (expr: KernelExpr) => Expr;
}

/** Told of each statement that may run, in order, with what is known where it stands. */
export type Visitor = (statement: Statement, place: Place) => void;

/** Goes through the statements of a kernel. Names and types must be right. */
export function visitPlaces(kernel: Kernel, visit: Visitor): void {
  const context = [
    ["workgroup", kernel.workgroups] as const,
    ["invocation", kernel.invocations] as const,
  ].reduce((known, [name, count]) => withVariable(known, name, { lo: 0, hi: count - 1 }), emptyContext);
  const constant = kernel.buffers.filter((b) => b.access === "read").map((b) => arrayKey("device", b.name));
  const walk: Walk = { visit, locals: new Map(), versions: new Map(), constant: new Set(constant), count: 0 };
  if (!context.impossible) visitBlock(kernel.body, context, true, walk);
}

/** Is the index variable one whose values are all taken: a builtin, or the turn of a loop? */
export function isTurn(name: string): boolean {
  return !name.startsWith("?");
}

/** What the walk knows. It changes from statement to statement. */
interface Walk {
  readonly visit: Visitor;
  readonly locals: Map<string, Expr>;
  /** Numbers of the states of arrays, by their keys. */
  readonly versions: Map<string, number>;
  /** The keys of arrays that no statement changes. */
  readonly constant: ReadonlySet<string>;
  count: number;
}

function visitBlock(list: readonly Statement[], context: RangeContext, isCertain: boolean, walk: Walk): void {
  for (const statement of list) {
    if (context.impossible) return;
    const translate = translator(context, walk);
    walk.visit(statement, { context, isCertain, translate });
    visitStatement(statement, context, isCertain, translate, walk);
  }
}

function visitStatement(
  statement: Statement,
  context: RangeContext,
  isCertain: boolean,
  translate: (expr: KernelExpr) => Expr,
  walk: Walk,
): void {
  switch (statement.kind) {
    case "let":
    case "assign":
      walk.locals.set(statement.name, translate(statement.value));
      return;
    case "var":
      walk.locals.set(statement.name, translate(statement.init));
      return;
    case "broadcast":
    case "exchange":
      // What another invocation has, of which only the type is known here.
      walk.locals.set(statement.name, unknown(`${statement.name}@${++walk.count}`, typeOf(statement.value)));
      return;
    case "array":
    case "store":
    case "barrier":
      return forget([statement], walk);
    case "loads":
    case "stores":
      throw new Error("statements over four elements are taken apart before");
    case "for": {
      const [from, to] = [translate(statement.from), translate(statement.to)];
      forget(statement.body, walk);
      const inner = withTurn(statement, from, to, context, walk);
      const bounds = [from, to].every((bound) => isAffineInTurns(bound, context));
      visitBlock(statement.body, inner, isCertain && bounds, walk);
      return forget(statement.body, walk);
    }
    case "if": {
      const condition = translate(statement.condition);
      for (const truth of [true, false]) {
        const block = truth ? statement.then : statement.else;
        const before = [...namesIn(block)].map((name) => [name, walk.locals.get(name)] as const);
        const inner = withCondition(context, condition, truth);
        const known = prove(condition, context) === truth || isComparison(condition, truth, context);
        visitBlock(block, inner, isCertain && known, walk);
        for (const [name, value] of before) {
          if (value === undefined) walk.locals.delete(name);
          else walk.locals.set(name, value);
        }
      }
      forget([...statement.then, ...statement.else], walk);
    }
  }
}

/** The names to which statements give a value. */
function namesIn(list: readonly Statement[], found: Set<string> = new Set()): Set<string> {
  for (const statement of list) {
    if (statement.kind === "for") found.add(statement.index);
    if (
      statement.kind === "let" ||
      statement.kind === "var" ||
      statement.kind === "assign" ||
      isLaneValue(statement)
    )
      found.add(statement.name);
    for (const block of blocksOf(statement)) namesIn(block, found);
  }
  return found;
}

/** Inside a loop, whose index is `from + step * turn`. */
function withTurn(
  { index, step }: Statement & { kind: "for" },
  from: Expr,
  to: Expr,
  context: RangeContext,
  walk: Walk,
): RangeContext {
  const turn = tensorIr.index(`${index}@${++walk.count}`);
  const most = Math.floor((rangeOf(to, context).hi - 1 - rangeOf(from, context).lo) / step);
  const name = turn.kind === "index" ? turn.name : "";
  const inner = withVariable(context, name, { lo: 0, hi: most });
  const scaled = step === 1 ? turn : tensorIr.apply("mul", turn, tensorIr.integer(step));
  walk.locals.set(index, tensorIr.apply("add", from, scaled));
  const room = subAffine(affineOf(to, inner), affineOf(from, inner));
  return withFact(
    inner,
    addAffine(addAffine(room, scaleAffine(affineAtom(turn), -step)), affineConstant(-1)),
  );
}

/** What statements may change is not known any more. */
function forget(list: readonly Statement[], walk: Walk): void {
  for (const statement of list) {
    switch (statement.kind) {
      case "assign": {
        const known = walk.locals.get(statement.name);
        const type = known === undefined ? typeOf(statement.value) : tensorTypeOf(known);
        if (type !== "f16")
          walk.locals.set(statement.name, unknown(`${statement.name}@${++walk.count}`, type));
        break;
      }
      case "array":
        walk.versions.set(arrayKey("private", statement.name), ++walk.count);
        break;
      case "store":
        walk.versions.set(arrayKey(statement.space, statement.array), ++walk.count);
        break;
      case "barrier":
        // Other invocations' stores are seen now, of whichever array.
        for (const key of walk.versions.keys())
          if (!key.startsWith("private")) walk.versions.set(key, ++walk.count);
        break;
      default:
        for (const block of blocksOf(statement)) forget(block, walk);
    }
  }
}

/** A value of which nothing but its type is known. */
function unknown(name: string, type: KernelType): Expr {
  return type === "i32"
    ? tensorIr.index(`?${name}`)
    : tensorIr.read(`?${name}`, { scalar: type, bound: null }, []);
}

function arrayKey(space: Space, array: string): string {
  return `${space} ${array}`;
}

/** The translation of expressions at one place. */
function translator(context: RangeContext, walk: Walk): (expr: KernelExpr) => Expr {
  const done = new Map<KernelExpr, Expr>();
  const translateOne = (expr: KernelExpr): Expr => {
    switch (expr.kind) {
      case "const":
        return expr;
      case "builtin":
        return expr.name === "zero" ? tensorIr.integer(0) : tensorIr.index(expr.name);
      case "local":
        return walk.locals.get(expr.name) ?? unknown(expr.name, expr.type);
      case "load": {
        const key = arrayKey(expr.space, expr.array);
        if (!walk.constant.has(key) && !walk.versions.has(key)) walk.versions.set(key, ++walk.count);
        const state = `?${key}@${walk.versions.get(key) ?? 0}`;
        return tensorIr.read(state, { scalar: expr.type, bound: null }, [done.get(expr.index)!]);
      }
      case "select":
        return tensorIr.select(done.get(expr.condition)!, done.get(expr.yes)!, done.get(expr.no)!);
      case "apply": {
        const { fn, type } = expr;
        const args = expr.args.map((arg) => done.get(arg)!);
        if (fn !== "quotient" && fn !== "remainder") return { kind: "apply", fn, type, args };
        // Below 0 floor and truncation differ.
        const agrees = rangeOf(args[0]!, context).lo >= 0 && rangeOf(args[1]!, context).lo > 0;
        return agrees
          ? { kind: "apply", fn: fn === "quotient" ? "floor_div" : "mod", type, args }
          : tensorIr.read(`?${fn}`, { scalar: "i32", bound: null }, args);
      }
    }
  };
  return (root) => {
    for (const expr of postorder(root)) if (!done.has(expr)) done.set(expr, translateOne(expr));
    return done.get(root)!;
  };
}

function isAffineInTurns(expr: Expr, context: RangeContext): boolean {
  return [...affineOf(expr, context).terms.values()].every(
    ({ atom }) => atom.kind === "index" && isTurn(atom.name),
  );
}

/** Does the condition say nothing but which values index variables have? */
function isComparison(condition: Expr, truth: boolean, context: RangeContext): boolean {
  if (condition.kind !== "apply") return false;
  const [a, b] = condition.args;
  switch (condition.fn) {
    case "not":
      return isComparison(a!, !truth, context);
    case "and":
    case "or":
      return (
        truth === (condition.fn === "and") &&
        isComparison(a!, truth, context) &&
        isComparison(b!, truth, context)
      );
    case "lt":
    case "le":
    case "gt":
    case "ge":
      return [a!, b!].every((side) => tensorTypeOf(side) === "i32" && isAffineInTurns(side, context));
    case "eq":
      return (
        truth && [a!, b!].every((side) => tensorTypeOf(side) === "i32" && isAffineInTurns(side, context))
      );
    default:
      return false;
  }
}
