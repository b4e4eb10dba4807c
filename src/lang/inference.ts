/**
 * The unknowns of one function's check, and what is found out about them: dimensions (`metas.ts`), numbers whose type
 * is not yet known (`literals.ts`), type unknowns, the types of expressions, and what waits for more knowledge.
 */
import type { Callable } from "./callable.ts";
import type { DiagnosticCode } from "./catalogue.ts";
import { catalogue } from "./catalogue.ts";
import type { Diagnostic, Label } from "./diagnostic.ts";
import { type Dim, dimNumber, floorDivDims } from "./dims.ts";
import { Equations } from "./equations.ts";
import { Literals } from "./literals.ts";
import { Metas } from "./metas.ts";
import type { Condition, Instance, ModuleInfo } from "./program.ts";
import type { IndexVariable, Scope } from "./scope.ts";
import type { Span } from "./source.ts";
import type * as syntax from "./syntax.ts";
import { traitsOf } from "./type-traits.ts";
import { type Element, errorType, mapType, type Type } from "./types.ts";

/** Why two types do not agree: in a dimension, in a number that is no `idx` of the bound, or altogether. */
export type Mismatch =
  | { readonly kind: "dim"; readonly found: Dim; readonly expected: Dim }
  | { readonly kind: "bound"; readonly value: number; readonly bound: Dim }
  | { readonly kind: "type" };

/** The parts of a diagnostic that are not its code and place. */
export interface Details {
  readonly message?: string;
  readonly secondary?: readonly Label[];
  readonly notes?: readonly string[];
  readonly help?: string | null;
}

/** Makes an error of the catalogue. */
export function diagnostic(
  code: DiagnosticCode,
  span: Span,
  text: string,
  details: Details = {},
): Diagnostic {
  return {
    code,
    severity: "error",
    message: details.message ?? catalogue[code].title,
    primary: { span, text },
    secondary: details.secondary ?? [],
    notes: details.notes ?? [],
    help: details.help ?? null,
  };
}

type Lambda = Extract<syntax.Expr, { kind: "lambda" }>;

export class Inference {
  readonly metas = new Metas();
  readonly literals = new Literals();
  readonly diagnostics: Diagnostic[] = [];
  readonly types = new Map<syntax.Expr, Type>();
  readonly indexVariables: IndexVariable[] = [];
  readonly instances = new Map<syntax.Expr, Instance>();
  /** Every anonymous function, with the scope in which it stands. */
  readonly lambdaScopes = new Map<Lambda, Scope>();
  /** Anonymous functions that were applied, with the parameter types of the first time. */
  readonly lambdas = new Map<syntax.Expr, { readonly params: readonly Type[]; readonly result: Type }>();
  readonly callables = new Map<syntax.Expr, Callable>();
  /** Names that were reported as unknown: once is enough. */
  readonly unknownNames = new Set<string>();
  /** What can be judged only when all ranges are known, in order. */
  readonly atTheEnd: (() => void)[] = [];
  /** Greater than 0 where a condition may keep an expression from being evaluated. */
  guarded = 0;
  /** Was a mistake found in the parameters' types or the result's? */
  isSignatureBroken = false;
  private readonly unknowns: (Type | null)[] = [];
  private readonly equations = new Equations(this.metas);
  private trees = 0;

  /** `functionName` is the function being checked: it may not call itself. */
  constructor(
    readonly module: ModuleInfo,
    readonly functionName: string,
  ) {}

  report(code: DiagnosticCode, span: Span, text: string, details: Details = {}): Type {
    this.diagnostics.push(diagnostic(code, span, text, details));
    return errorType;
  }

  /** Has anything been reported that may be why something else stays unknown? */
  hasMistake(): boolean {
    return (
      this.diagnostics.length > 0 ||
      this.isSignatureBroken ||
      [...this.types.values()].some((t) => traitsOf(t).hasError)
    );
  }

  freshType(): Type {
    this.unknowns.push(null);
    return { kind: "unknown", id: this.unknowns.length - 1 };
  }

  freshTree(): number {
    return this.trees++;
  }

  /** An element type with a solved literal replaced. */
  element(element: Element): Element {
    return this.literals.resolve(element);
  }

  /** A type with all that is known put in. */
  resolve(type: Type): Type {
    if (traitsOf(type).isClosed) return type;
    return mapType(type, {
      dim: (d) => this.metas.resolve(d),
      element: (e) => this.element(e),
      type: (t) => {
        if (traitsOf(t).isClosed) return t;
        if (t.kind !== "unknown") return null;
        const solution = this.unknowns[t.id] ?? null;
        return solution === null ? t : this.resolve(solution);
      },
    });
  }

  /** Resolved, with literals that nothing decided as `i32` or `f32`. */
  settle(type: Type): Type {
    return mapType(this.resolve(type), {
      dim: (d) => d,
      element: (e) => this.literals.settle(e),
      type: (t) => (traitsOf(t).isClosed ? t : null),
    });
  }

  /**
   * Makes `found` usable where `expected` is wanted, choosing unknowns. An `idx` may stand where an `i32` is expected.
   * Dimensions that can't be decided yet are kept; `report` says what to report should they turn out to differ.
   */
  agree(found: Type, expected: Type, report: (mismatch: Mismatch) => Diagnostic): boolean {
    const [a, b] = [this.resolve(found), this.resolve(expected)];
    const mismatch = this.unify(a, b, report);
    if (mismatch === null) return true;
    // A part that is wrong in itself has been reported.
    if (!traitsOf(a).hasError && !traitsOf(b).hasError) this.diagnostics.push(report(mismatch));
    return false;
  }

  /** As `agree`, but says nothing when it fails, and forgets what can't be decided yet. */
  attempt(found: Type, expected: Type): boolean {
    const silent = (): Diagnostic => diagnostic("E0201", this.module.syntax.span, "");
    return this.equations.without(
      () => this.unify(this.resolve(found), this.resolve(expected), silent) === null,
    );
  }

  /** Makes two dimensions equal, now or later. */
  agreeDims(found: Dim, expected: Dim, report: () => Diagnostic): boolean {
    if (this.equations.require(found, expected, report) !== "different") return true;
    this.diagnostics.push(report());
    return false;
  }

  private unify(found: Type, expected: Type, report: (m: Mismatch) => Diagnostic): Mismatch | null {
    if (found === expected || found.kind === "error" || expected.kind === "error") return null;
    if (expected.kind === "unknown") return this.solveType(expected, found);
    if (found.kind === "unknown") return this.solveType(found, expected);
    switch (found.kind) {
      case "tensor": {
        if (expected.kind !== "tensor" || found.shape.length !== expected.shape.length)
          return { kind: "type" };
        const wrong = this.unifyElements(found.element, expected.element, report);
        return wrong ?? this.unifyDims(found.shape, expected.shape, report);
      }
      case "leaf":
        if (expected.kind !== "leaf" || expected.tree !== found.tree) return { kind: "type" };
        return this.unifyElements(found.element, expected.element, report);
      case "tuple":
        if (expected.kind !== "tuple") return { kind: "type" };
        return this.unifyLists(found.items, expected.items, report);
      case "struct":
        if (expected.kind !== "struct" || found.decl !== expected.decl) return { kind: "type" };
        return (
          this.unifyDims(found.dims, expected.dims, report) ??
          this.unifyLists(found.types, expected.types, report)
        );
      case "list": {
        if (expected.kind !== "list") return { kind: "type" };
        const wrong = this.unifyLists([found.item], [expected.item], report);
        return wrong ?? this.unifyDims([found.length], [expected.length], report);
      }
      case "variable":
        return expected.kind === "variable" && expected.name === found.name ? null : { kind: "type" };
      case "function":
        return { kind: "type" };
    }
  }

  private solveType(unknown: Extract<Type, { kind: "unknown" }>, type: Type): Mismatch | null {
    if (type.kind === "unknown" && type.id === unknown.id) return null;
    if (type.kind === "function" || holdsUnknown(type, unknown.id)) return { kind: "type" };
    this.unknowns[unknown.id] = type;
    return null;
  }

  private unifyLists(
    found: readonly Type[],
    expected: readonly Type[],
    report: (m: Mismatch) => Diagnostic,
  ): Mismatch | null {
    if (found.length !== expected.length) return { kind: "type" };
    for (const [i, type] of found.entries()) {
      const wrong = this.unify(this.resolve(type), this.resolve(expected[i]!), report);
      if (wrong !== null) return wrong;
    }
    return null;
  }

  private unifyDims(
    found: readonly Dim[],
    expected: readonly Dim[],
    report: (m: Mismatch) => Diagnostic,
  ): Mismatch | null {
    for (const [i, dim] of found.entries()) {
      const wanted = expected[i]!;
      const mismatch = (): Mismatch => ({
        kind: "dim",
        found: this.metas.resolve(dim),
        expected: this.metas.resolve(wanted),
      });
      const wrong = this.requireEqual(dim, wanted, mismatch, report);
      if (wrong !== null) return wrong;
    }
    return null;
  }

  /** An equation that is part of a larger comparison. */
  private requireEqual(
    a: Dim,
    b: Dim,
    mismatch: () => Mismatch,
    report: (m: Mismatch) => Diagnostic,
    about: Condition["about"] = "shapes",
  ): Mismatch | null {
    return this.equations.require(a, b, () => report(mismatch()), about) === "different" ? mismatch() : null;
  }

  private unifyElements(
    found: Element,
    expected: Element,
    report: (m: Mismatch) => Diagnostic,
  ): Mismatch | null {
    const a = this.element(found);
    const b = this.element(expected);
    if (a.kind === "literal") {
      if (b.kind === "idx") return this.fitNumber(a.id, b, report);
      return this.literals.solve(a.id, b) ? null : { kind: "type" };
    }
    if (b.kind === "literal") return this.literals.solve(b.id, a) ? null : { kind: "type" };
    if (a.kind === "idx") {
      if (b.kind === "idx") return this.unifyDims([a.bound], [b.bound], report);
      return b.scalar === "i32" ? null : { kind: "type" };
    }
    return b.kind === "scalar" && a.scalar === b.scalar ? null : { kind: "type" };
  }

  /** A written number is an `idx[n]` if it is less than n: if `number // n` is 0. */
  private fitNumber(
    id: number,
    idx: Extract<Element, { kind: "idx" }>,
    report: (m: Mismatch) => Diagnostic,
  ): Mismatch | null {
    const value = this.literals.wholeValue(id);
    if (value === null) return { kind: "type" };
    const mismatch = (): Mismatch => ({ kind: "bound", value, bound: this.metas.resolve(idx.bound) });
    const quotient = value < 0 ? null : floorDivDims(dimNumber(value), this.metas.resolve(idx.bound));
    this.literals.solve(id, idx);
    return quotient === null
      ? mismatch()
      : this.requireEqual(quotient, dimNumber(0), mismatch, report, "index");
  }

  /** Gives every open equation its verdict; what depends on dimensions to be given is returned. */
  settleConditions(): Condition[] {
    return this.equations.settle(this.diagnostics);
  }
}

/** Would the unknown contain itself? */
function holdsUnknown(type: Type, id: number): boolean {
  let found = false;
  mapType(type, {
    dim: (d) => d,
    type: (t) => {
      found ||= t.kind === "unknown" && t.id === id;
      return found || traitsOf(t).isClosed ? t : null;
    },
  });
  return found;
}
