/**
 * The unknowns of one function's check, and what is found out about them: dimension metas, literals whose type is not
 * yet known, type unknowns, the types of expressions, and conditions that wait for more knowledge.
 */
import type { Callable } from "./callable.ts";
import type { DiagnosticCode } from "./catalogue.ts";
import { catalogue } from "./catalogue.ts";
import type { Diagnostic, Label } from "./diagnostic.ts";
import { type Dim, dimKey, mentions, Metas } from "./dims.ts";
import type { Condition, Instance, ModuleInfo } from "./program.ts";
import type { IndexVariable } from "./scope.ts";
import type { Span } from "./source.ts";
import type * as syntax from "./syntax.ts";
import { type Element, errorType, mapType, scalarElement, type Type } from "./types.ts";

/** Why two types do not agree: in a dimension, or altogether. */
export type Mismatch = { readonly kind: "dim"; readonly found: Dim; readonly expected: Dim } | { readonly kind: "type" };

/** The parts of a diagnostic that are not its code and place. */
export interface Details {
  readonly message?: string;
  readonly secondary?: readonly Label[];
  readonly notes?: readonly string[];
  readonly help?: string | null;
}

/** Makes an error of the catalogue. */
export function diagnostic(code: DiagnosticCode, span: Span, text: string, details: Details = {}): Diagnostic {
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

interface Deferred {
  readonly left: Dim;
  readonly right: Dim;
  readonly report: () => Diagnostic;
}

interface Literal {
  readonly isInteger: boolean;
  solution: Element | null;
}

export class Inference {
  readonly metas = new Metas();
  readonly diagnostics: Diagnostic[] = [];
  readonly types = new Map<syntax.Expr, Type>();
  readonly indexVariables: IndexVariable[] = [];
  readonly instances = new Map<syntax.Expr, Instance>();
  /** Anonymous functions that were applied, with the parameter types of the first time. */
  readonly lambdas = new Map<syntax.Expr, { readonly params: readonly Type[]; readonly result: Type }>();
  readonly callables = new Map<syntax.Expr, Callable>();
  /** Greater than 0 inside a branch of an `if`, where a read may be guarded by the condition. */
  guarded = 0;
  private readonly literals: Literal[] = [];
  private readonly unknowns: (Type | null)[] = [];
  private deferred: Deferred[] = [];
  private trees = 0;

  constructor(readonly module: ModuleInfo) {}

  report(code: DiagnosticCode, span: Span, text: string, details: Details = {}): Type {
    this.diagnostics.push(diagnostic(code, span, text, details));
    return errorType;
  }

  freshLiteral(isInteger: boolean): Element {
    this.literals.push({ isInteger, solution: null });
    return { kind: "literal", id: this.literals.length - 1 };
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
    if (element.kind !== "literal") return element;
    const solution = this.literals[element.id]!.solution;
    return solution === null ? element : this.element(solution);
  }

  /** A type with all that is known put in. */
  resolve(type: Type): Type {
    return mapType(type, {
      dim: (d) => this.metas.resolve(d),
      element: (e) => this.element(e),
      type: (t) => {
        if (t.kind !== "unknown") return null;
        const solution = this.unknowns[t.id] ?? null;
        return solution === null ? t : this.resolve(solution);
      },
    });
  }

  /** Resolved, with literals that nothing decided as `i32` or `f32`. */
  settle(type: Type): Type {
    const defaulted = (e: Element): Element => {
      const known = this.element(e);
      if (known.kind !== "literal") return known;
      return scalarElement(this.literals[known.id]!.isInteger ? "i32" : "f32");
    };
    return mapType(this.resolve(type), { dim: (d) => d, element: defaulted });
  }

  /**
   * Makes `found` usable where `expected` is wanted, choosing unknowns. An `idx` may stand where an `i32` is expected.
   * Dimensions that can't be decided yet are kept; `report` says what to report should they turn out to differ.
   */
  agree(found: Type, expected: Type, report: (mismatch: Mismatch) => Diagnostic): boolean {
    const mismatch = this.unify(this.resolve(found), this.resolve(expected), report);
    if (mismatch === null) return true;
    this.diagnostics.push(report(mismatch));
    return false;
  }

  /** As `agree`, but says nothing when it fails. */
  attempt(found: Type, expected: Type): boolean {
    const silent = (): Diagnostic => diagnostic("E0201", this.module.syntax.span, "");
    return this.unify(this.resolve(found), this.resolve(expected), silent) === null;
  }

  /** Makes two dimensions equal, now or later. */
  agreeDims(found: Dim, expected: Dim, report: () => Diagnostic): boolean {
    switch (this.metas.unify(found, expected)) {
      case "equal":
        return true;
      case "undecided":
        this.deferred.push({ left: found, right: expected, report });
        return true;
      case "different":
        this.diagnostics.push(report());
        return false;
    }
  }

  private unify(found: Type, expected: Type, report: (m: Mismatch) => Diagnostic): Mismatch | null {
    if (found.kind === "error" || expected.kind === "error") return null;
    if (expected.kind === "unknown") return this.solveType(expected.id, found);
    if (found.kind === "unknown") return this.solveType(found.id, expected);
    switch (found.kind) {
      case "tensor": {
        if (expected.kind !== "tensor" || found.shape.length !== expected.shape.length) return { kind: "type" };
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
        return this.unifyDims(found.dims, expected.dims, report) ?? this.unifyLists(found.types, expected.types, report);
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

  private solveType(id: number, type: Type): null {
    const self = this.resolve({ kind: "unknown", id });
    if (self.kind === "unknown" && !(type.kind === "unknown" && type.id === self.id)) this.unknowns[self.id] = type;
    return null;
  }

  private unifyLists(found: readonly Type[], expected: readonly Type[], report: (m: Mismatch) => Diagnostic): Mismatch | null {
    if (found.length !== expected.length) return { kind: "type" };
    for (const [i, type] of found.entries()) {
      const wrong = this.unify(this.resolve(type), this.resolve(expected[i]!), report);
      if (wrong !== null) return wrong;
    }
    return null;
  }

  private unifyDims(found: readonly Dim[], expected: readonly Dim[], report: (m: Mismatch) => Diagnostic): Mismatch | null {
    for (const [i, dim] of found.entries()) {
      const wanted = expected[i]!;
      const mismatch: Mismatch = { kind: "dim", found: dim, expected: wanted };
      switch (this.metas.unify(dim, wanted)) {
        case "equal":
          break;
        case "different":
          return mismatch;
        case "undecided":
          this.deferred.push({ left: dim, right: wanted, report: () => report(this.resolveMismatch(mismatch)) });
      }
    }
    return null;
  }

  private resolveMismatch(mismatch: Mismatch): Mismatch {
    if (mismatch.kind === "type") return mismatch;
    return { kind: "dim", found: this.metas.resolve(mismatch.found), expected: this.metas.resolve(mismatch.expected) };
  }

  private unifyElements(found: Element, expected: Element, report: (m: Mismatch) => Diagnostic): Mismatch | null {
    const a = this.element(found);
    const b = this.element(expected);
    if (a.kind === "literal") return this.solveLiteral(a.id, b);
    if (b.kind === "literal") return this.solveLiteral(b.id, a);
    if (a.kind === "idx") {
      if (b.kind === "idx") return this.unifyDims([a.bound], [b.bound], report);
      return b.scalar === "i32" ? null : { kind: "type" };
    }
    return b.kind === "scalar" && a.scalar === b.scalar ? null : { kind: "type" };
  }

  private solveLiteral(id: number, element: Element): Mismatch | null {
    const literal = this.literals[id]!;
    if (element.kind === "literal") {
      if (element.id === id) return null;
      // The stricter of the two decides: a float literal can't become an integer.
      if (literal.isInteger) literal.solution = element;
      else this.literals[element.id]!.solution = { kind: "literal", id };
      return null;
    }
    const fits = element.kind === "idx" ? literal.isInteger : element.scalar !== "bool" && (literal.isInteger || element.scalar === "f32" || element.scalar === "f16");
    if (!fits) return { kind: "type" };
    literal.solution = element.kind === "idx" ? scalarElement("i32") : element;
    return null;
  }

  /** Gives every deferred condition its verdict; what still depends on dimensions to be given is returned. */
  settleConditions(): Condition[] {
    let before: number;
    do {
      before = this.deferred.length;
      const waiting = this.deferred;
      this.deferred = [];
      for (const d of waiting) this.agreeDims(d.left, d.right, d.report);
    } while (this.deferred.length < before);
    const conditions = new Map<string, Condition>();
    for (const d of this.deferred) {
      const left = this.metas.resolve(d.left);
      const right = this.metas.resolve(d.right);
      const key = `${dimKey(left)}=${dimKey(right)}`;
      const open = [left, right].some((dim) => mentions(dim, (atom) => atom.kind === "meta"));
      if (!open && !conditions.has(key)) conditions.set(key, { left, right, diagnostic: d.report() });
    }
    return [...conditions.values()];
  }
}
