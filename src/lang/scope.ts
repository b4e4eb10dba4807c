/** The local names that an expression can see. Scopes are persistent: entering a binder makes a new one. */
import type { Callable } from "./callable.ts";
import type { Dim } from "./dims.ts";
import type { Span } from "./source.ts";
import type { Binder } from "./syntax.ts";
import type { Type } from "./types.ts";

/** Where an index variable's range was seen: it indexed an axis of this size. */
export interface Evidence {
  readonly span: Span;
  readonly dim: Dim;
  /** Said behind the dimension, as in `d here, from x: f32[d]`. */
  readonly from: () => string;
}

/** An index variable while its body is checked. */
export interface IndexVariable {
  readonly binder: Binder;
  /** The lower bound; null when it depends on more than dimensions. 0 unless written. */
  readonly lo: Dim | null;
  /** The upper bound, excluded; an unknown of inference until evidence is found; null when it depends on more than dimensions. */
  readonly hi: Dim | null;
  readonly written: boolean;
  readonly evidence: Evidence[];
  /** Taken when nothing else tells the range: the bound of an `idx` that it was compared with. */
  readonly hints: Evidence[];
}

export type Binding =
  | { readonly kind: "value"; readonly type: Type; readonly span: Span }
  | { readonly kind: "index"; readonly variable: IndexVariable; readonly span: Span }
  | { readonly kind: "callable"; readonly callable: Callable; readonly span: Span }
  /** A dimension variable of the function. */
  | { readonly kind: "dim"; readonly dim: Dim; readonly span: Span };

export interface Scope {
  readonly name: string;
  readonly binding: Binding | null;
  readonly outer: Scope | null;
}

export const emptyScope: Scope = { name: "", binding: null, outer: null };

export function bind(scope: Scope, name: string, binding: Binding): Scope {
  return { name, binding, outer: scope };
}

export function lookup(scope: Scope, name: string): Binding | null {
  for (let s: Scope | null = scope; s !== null; s = s.outer) {
    if (s.name === name && s.binding !== null) return s.binding;
  }
  return null;
}

/** All visible names, innermost first. */
export function namesIn(scope: Scope): string[] {
  const names: string[] = [];
  for (let s: Scope | null = scope; s !== null; s = s.outer) if (s.binding !== null) names.push(s.name);
  return names;
}
