/**
 * Where statements are written. A scope is a block of statements that is still open; scopes are nested like the loops they stand in,
 * and a value is written into the outermost one in which everything it depends on is known, once:
 *
 *     depth 0   let a = alpha[0]                        the kernel
 *     depth 1     let n = invocation / 24               a point
 *     depth 2       let t = x[n * 24 + k] * a           a turn of a loop
 *
 * So what does not change in a loop is never computed in it, and what is computed twice is computed once.
 */
import type { ValueName } from "../../ir/ir.ts";
import { constant, local, typeOf } from "../build.ts";
import type { KernelExpr, KernelType, Statement } from "../kernel.ts";
import { divisorOf } from "../divisors.ts";
import { keyOf } from "../expression-key.ts";
import { operands } from "../traverse.ts";

/** An open block, and the values that are known in it by their keys. */
export interface Scope {
  readonly statements: Statement[];
  readonly values: Map<string, KernelExpr>;
}

/** The open blocks of a kernel that is being written, outermost first. */
export interface Scopes {
  readonly open: Scope[];
  /** Nothing is written further out than this depth: the depth of the branch that is being written. */
  floor: number;
  /** The depth of each local. */
  readonly depths: Map<string, number>;
  /** What is known to divide each of some locals: 2 or 4. */
  readonly divisors: Map<string, number>;
  /** The number of locals given so far, by base name. */
  readonly counts: Map<string, number>;
}

/** Nothing written yet. */
export function openScopes(): Scopes {
  return {
    open: [{ statements: [], values: new Map() }],
    floor: 0,
    depths: new Map(),
    divisors: new Map(),
    counts: new Map(),
  };
}

/** A local's name that has not been given before. */
export function freshName(scopes: Scopes, hint: string): string {
  const base = hint.replace(/[^A-Za-z0-9_]/g, "_").replace(/(_\d+)+$/, "");
  const n = scopes.counts.get(base) ?? 0;
  scopes.counts.set(base, n + 1);
  return n === 0 ? base : `${base}_${n}`;
}

/** What a value is called in a kernel: the end of its path, without numbers, so that layers that do the same read the same. */
export function kernelName(value: ValueName): string {
  return value
    .split(".")
    .filter((part) => !/^\d+$/.test(part))
    .slice(-2)
    .join("_");
}

/** The depth at which everything that an expression needs is known. */
export function depthOf(scopes: Scopes, expr: KernelExpr): number {
  if (expr.kind === "local") return scopes.depths.get(expr.name) ?? 0;
  // Which points an invocation has is known where points are dealt.
  if (expr.kind === "builtin") return expr.name === "invocation" ? 1 : 0;
  return operands(expr).reduce((depth, operand) => Math.max(depth, depthOf(scopes, operand)), 0);
}

/** The innermost depth. */
export function innermost(scopes: Scopes): number {
  return scopes.open.length - 1;
}

/** Adds a statement to the innermost block. */
export function write(scopes: Scopes, statement: Statement): void {
  scopes.open.at(-1)!.statements.push(statement);
}

/** The value known by a key. */
export function known(scopes: Scopes, key: string): KernelExpr | undefined {
  for (let depth = innermost(scopes); depth >= 0; depth--) {
    const value = scopes.open[depth]!.values.get(key);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Makes a value known from a depth on. */
export function remember(scopes: Scopes, key: string, value: KernelExpr, depth: number): void {
  scopes.open[depth]!.values.set(key, value);
}

/** How a value is bound, where it is not as early as can be. */
interface Binding {
  /** What it is known by; its text unless given. */
  readonly key?: string;
  /** It is written no further out than this depth. */
  readonly least?: number;
  /** It is worked out only where this holds, and zero elsewhere. */
  readonly where?: KernelExpr | null;
}

/** The expression as a local of the outermost block that can have it. Literals and locals stay what they are. */
export function bind(
  scopes: Scopes,
  expr: KernelExpr,
  hint: string,
  { key = keyOf(expr), least = 0, where = null }: Binding = {},
): KernelExpr {
  if (expr.kind === "const" || expr.kind === "local" || expr.kind === "builtin") return expr;
  const before = known(scopes, key);
  if (before !== undefined) return before;
  const depth = Math.max(scopes.floor, least, ...[expr, where ?? expr].map((e) => depthOf(scopes, e)));
  const name = freshName(scopes, hint);
  scopes.depths.set(name, depth);
  const { statements } = scopes.open[depth]!;
  const type = typeOf(expr);
  if (where === null) knowDivisor(scopes, name, expr);
  if (where === null) statements.push({ kind: "let", name, value: expr });
  else
    statements.push(
      { kind: "var", name, type, init: constant(type, 0) },
      { kind: "if", condition: where, then: [{ kind: "assign", name, value: expr }], else: [] },
    );
  const bound = local(name, type);
  remember(scopes, key, bound, depth);
  return bound;
}

/** The local that an equal expression is bound to; where there is none, the expression. */
export function nameOf(scopes: Scopes, expr: KernelExpr): KernelExpr {
  return operands(expr).length === 0 ? expr : (known(scopes, keyOf(expr)) ?? expr);
}

/** The expression as a local of the innermost block, so that everything that needs it is written there. */
export function nameHere(scopes: Scopes, value: KernelExpr, hint: string): KernelExpr {
  if (value.kind === "const") return value;
  const name = freshName(scopes, hint);
  scopes.depths.set(name, innermost(scopes));
  knowDivisor(scopes, name, value);
  write(scopes, { kind: "let", name, value });
  return local(name, typeOf(value));
}

function knowDivisor({ divisors }: Scopes, name: string, value: KernelExpr): void {
  const divisor = typeOf(value) === "i32" ? divisorOf(value, divisors) : 1;
  if (divisor > 1) divisors.set(name, divisor);
}

/** A variable that is assigned to, declared in the innermost block. */
export function declare(
  scopes: Scopes,
  hint: string,
  type: KernelType,
  init: KernelExpr,
): KernelExpr & { kind: "local" } {
  const name = freshName(scopes, hint);
  scopes.depths.set(name, innermost(scopes));
  write(scopes, { kind: "var", name, type, init });
  return { kind: "local", name, type };
}

/** The statements that `fill` writes into a block one deeper. Names in `locals` are known from there on. */
export function block(scopes: Scopes, locals: readonly string[], fill: () => void): Statement[] {
  const scope: Scope = { statements: [], values: new Map() };
  scopes.open.push(scope);
  for (const name of locals) scopes.depths.set(name, innermost(scopes));
  fill();
  scopes.open.pop();
  return scope.statements;
}

/** Writes at a depth further out, with the deeper blocks set aside for the time. */
export function atDepth(scopes: Scopes, depth: number, fill: () => void): void {
  const aside = scopes.open.splice(depth + 1);
  fill();
  scopes.open.push(...aside);
}

/** The statements that `fill` writes as a branch: nothing in it is written further out, as it may only hold there. */
export function branch(scopes: Scopes, fill: () => void): Statement[] {
  const { floor } = scopes;
  scopes.floor = scopes.open.length;
  const statements = block(scopes, [], fill);
  scopes.floor = floor;
  return statements;
}
