/**
 * Where an expression is elaborated, and the nodes that come of it.
 *
 * Under `for i -> …` a node that depends on `i` receives `i` as a leading axis; one that does not is made without it, which
 * hoists it. Inside such a node the axis has the index variable's own name, so an expression needs no renaming to become
 * a body; outside, the node is read at the variable's value.
 */
import type { Diagnostic } from "../diagnostic.ts";
import type { FunctionInfo } from "../program.ts";
import { positionOf, type Span, textOf } from "../source.ts";
import { proveReads, type UnprovedRead } from "../../ir/bounds.ts";
import { apply, index, integer, read, select, zeroOf } from "../../ir/build.ts";
import {
  type Axis,
  type Comprehension,
  type ElementType,
  type Expr,
  type Node,
  type Origin,
  type Reduction,
  typeOf,
  type ValueName,
  type ValueType,
} from "../../ir/ir.ts";
import { emptyContext, type RangeContext, withVariable } from "../../ir/ranges.ts";
import { scalarFunctions } from "../../ir/scalar.ts";
import { substituteIndices } from "../../ir/substitute.ts";
import { expressionsOf, indicesIn, postorder } from "../../ir/traverse.ts";
import type { TensorValue } from "./value.ts";

/** An index variable in scope, `lo ≤ name < hi`. One that counts a loop's turns never becomes an axis. */
export interface ScopeAxis {
  readonly name: string;
  readonly lo: number;
  readonly hi: number;
  readonly isLoop: boolean;
}

/** The index variables in scope, outermost first, and the conditions under which the expression is needed. */
export interface Site {
  readonly axes: readonly ScopeAxis[];
  readonly guards: readonly Expr[];
}

export const topSite: Site = { axes: [], guards: [] };

/**
 * What is known of the index variables that expressions mention. Others don't matter: where one of them is empty, anything would
 * be true, but a node that does not mention it is computed all the same.
 */
export function contextAt(site: Site, exprs: readonly Expr[]): RangeContext {
  const mentioned = indicesIn(exprs);
  return site.axes
    .filter((a) => mentioned.has(a.name))
    .reduce((context, a) => withVariable(context, a.name, { lo: a.lo, hi: a.hi - 1 }), emptyContext);
}

/** A node still to be placed: its axes are the value's own, the lifted ones are found from what it mentions. */
export interface Draft {
  readonly hint: string;
  readonly element: ElementType;
  readonly axes: readonly Axis[];
  readonly reduction: Reduction | null;
  readonly body: Expr;
  readonly span: Span;
  /** Take every index variable in scope as an axis, whether it is mentioned or not. */
  readonly liftAll?: boolean;
  /** Make a node even of a plain copy. */
  readonly keep?: boolean;
}

/** Raised when the program grows beyond what can be compiled. */
export class TooManyNodes extends Error {}

/** As many nodes as a program may have, unless told otherwise. */
export const mostNodes = 200_000;

/** Collects nodes, names them, and knows the types of all values. */
export class GraphBuilder {
  nodes: Node[] = [];
  readonly types = new Map<ValueName, ValueType>();
  readonly diagnostics: Diagnostic[] = [];
  /** Where a read stands in the source, for messages. */
  readonly readSpans = new WeakMap<Expr, Span>();
  /** The functions whose own derivatives are being elaborated, outermost first. */
  readonly rulesUnderWay: FunctionInfo[] = [];
  private readonly counts = new Map<string, number>();
  private total = 0;

  constructor(private readonly limit: number = mostNodes) {}

  /** A value name that is not used yet: `x`, then `x.1`, `x.2`, … */
  fresh(hint: string): ValueName {
    for (;;) {
      const n = this.counts.get(hint) ?? 0;
      this.counts.set(hint, n + 1);
      const name = n === 0 ? hint : `${hint}.${n}`;
      if (!this.types.has(name)) return name;
    }
  }

  /** A name for an index variable that differs from all in scope. */
  variable(site: Site, hint: string, taken: ReadonlySet<string> = new Set()): string {
    const used = new Set([...site.axes.map((a) => a.name), ...taken]);
    if (!used.has(hint)) return hint;
    let n = 1;
    while (used.has(`${hint}${n}`)) n++;
    return `${hint}${n}`;
  }

  define(value: ValueType): void {
    this.types.set(value.name, value);
  }

  push(node: Node): void {
    this.nodes.push(node);
    if (++this.total > this.limit) throw new TooManyNodes();
  }

  /** Runs an action whose nodes go to a list of their own. */
  collect<T>(action: () => T): { readonly result: T; readonly nodes: Node[] } {
    const outer = this.nodes;
    this.nodes = [];
    try {
      const result = action();
      return { result, nodes: this.nodes };
    } finally {
      this.nodes = outer;
    }
  }

  /** Places a node and gives its value over its own axes. */
  emit(site: Site, draft: Draft): TensorValue {
    const shape = draft.axes.map((a) => a.size);
    if (draft.reduction === null && draft.liftAll !== true && draft.keep !== true) {
      const view = viewOf(draft, this.types);
      if (view !== null) return { kind: "tensor", element: draft.element, shape, at: view };
    }
    const guarded = this.withGuards(site, draft);
    const lifted = liftedAxes(site, guarded);
    const node = this.comprehension(guarded, lifted);
    this.define({ name: node.name, element: node.element, shape: node.axes.map((a) => a.size) });
    this.push(node);
    const prefix = lifted.map((a) => offset(index(a.name), -a.lo));
    return {
      kind: "tensor",
      element: draft.element,
      shape,
      at: (indices) => read(node.name, draft.element, [...prefix, ...indices]),
    };
  }

  private comprehension(draft: Draft, lifted: readonly ScopeAxis[]): Comprehension {
    const axes = [...lifted.map((a) => ({ name: a.name, size: a.hi - a.lo })), ...draft.axes];
    const shifted = new Map(
      lifted.filter((a) => a.lo !== 0).map((a): [string, Expr] => [a.name, offset(index(a.name), a.lo)]),
    );
    const shift = (expr: Expr): Expr => (shifted.size === 0 ? expr : substituteIndices(expr, shifted));
    const reduction =
      draft.reduction === null
        ? null
        : {
            ...draft.reduction,
            axes: draft.reduction.axes.map((r) => ({ ...r, lo: shift(r.lo), hi: shift(r.hi) })),
          };
    return {
      kind: "comprehension",
      name: this.fresh(draft.hint),
      element: draft.element,
      axes,
      reduction,
      keys: [],
      body: shift(draft.body),
      origin: originOf(draft.span),
    };
  }

  /**
   * A node made in a branch of an `if` is computed at every index, also where the branch is not taken. If its reads need the
   * condition to stay inside, or if its slope may be infinite where the branch is not taken (and 0 times that is NaN), the
   * condition goes into its body. A read that is still not proved is a mistake.
   */
  private withGuards(site: Site, draft: Draft): Draft {
    const unproved = this.unproved(site, draft);
    const mustGuard = site.guards.length > 0 && isUnbounded(draft.body);
    if (unproved.length === 0 && !mustGuard) return draft;
    if (site.guards.length > 0) {
      // An outer condition may be what keeps the reads of an inner one inside.
      const zero = zeroOf(typeOf(draft.body));
      const guarded = {
        ...draft,
        body: site.guards.reduceRight((inner, guard) => select(guard, inner, zero), draft.body),
      };
      const left = this.unproved(site, guarded);
      this.reportReads(left, draft);
      return guarded;
    }
    this.reportReads(unproved, draft);
    return draft;
  }

  private unproved(site: Site, draft: Draft): UnprovedRead[] {
    const node: Comprehension = {
      kind: "comprehension",
      name: "",
      element: draft.element,
      axes: draft.axes,
      reduction: draft.reduction,
      keys: [],
      body: draft.body,
      origin: null,
    };
    return proveReads(node, this.types, contextAt(site, expressionsOf(node)));
  }

  private reportReads(reads: readonly UnprovedRead[], draft: Draft): void {
    for (const r of reads) {
      const span = this.readSpans.get(r.read) ?? draft.span;
      const range =
        Number.isFinite(r.range.lo) && Number.isFinite(r.range.hi)
          ? `goes from ${r.range.lo} to ${r.range.hi}`
          : "may be anything";
      if (
        this.diagnostics.some((d) => d.primary.span.start === span.start && d.primary.span.file === span.file)
      )
        continue;
      this.diagnostics.push({
        code: "E0503",
        severity: "error",
        message: "a read may leave the tensor",
        primary: { span, text: `index ${r.axis + 1} ${range}, the axis has ${r.size}` },
        secondary: [],
        notes: [],
        help: `read with padding, \`${paddedText(span)}\`, or guard the read with \`if\``,
      });
    }
  }
}

function isUnbounded(body: Expr): boolean {
  return postorder(body).some((e) => e.kind === "apply" && scalarFunctions[e.fn].isUnbounded === true);
}

/** The read as it would be written with padding. */
function paddedText(span: Span): string {
  const text = textOf(span);
  return /^[^\n]{1,60}\]$/.test(text) ? `${text.slice(0, -1)} | 0.0]` : "x[… | 0.0]";
}

/** The line and column of a span's start. */
export function originOf(span: Span): Origin {
  const { line, column } = positionOf(span.file, span.start);
  return { file: span.file.name, line, column };
}

/** `expr + n`. */
export function offset(expr: Expr, n: number): Expr {
  if (n === 0) return expr;
  return n > 0 ? apply("add", expr, integer(n)) : apply("sub", expr, integer(-n));
}

/** The index variables in scope that a draft mentions, outermost first. */
function liftedAxes(site: Site, draft: Draft): ScopeAxis[] {
  const candidates = site.axes.filter((a) => !a.isLoop);
  if (draft.liftAll === true) return candidates;
  const own = new Set([
    ...draft.axes.map((a) => a.name),
    ...(draft.reduction?.axes.map((a) => a.name) ?? []),
  ]);
  const mentioned = indicesIn([draft.body, ...(draft.reduction?.axes.flatMap((a) => [a.lo, a.hi]) ?? [])]);
  return candidates.filter((a) => mentioned.has(a.name) && !own.has(a.name));
}

/** A body that only reads a whole tensor (or a row of one) at its own axes needs no node: it is that tensor. */
function viewOf(draft: Draft, types: ReadonlyMap<ValueName, ValueType>): TensorValue["at"] | null {
  const { body, axes } = draft;
  if (body.kind !== "read" || body.indices.length < axes.length) return null;
  const shape = types.get(body.tensor)!.shape;
  const first = body.indices.length - axes.length;
  const own = new Set(axes.map((a) => a.name));
  const whole = axes.every((a, i) => {
    const e = body.indices[first + i]!;
    return e.kind === "index" && e.name === a.name && shape[first + i] === a.size;
  });
  const prefix = body.indices.slice(0, first);
  if (!whole || [...indicesIn(prefix)].some((name) => own.has(name))) return null;
  return (indices) => read(body.tensor, body.element, [...prefix, ...indices]);
}
