/**
 * The syntax tree of a `.fec` file, as the parser makes it: names are not resolved, nothing is typed.
 *
 *     fn dot(x: f32[d], y: f32[d]) -> f32 = sum[k] x[k] * y[k]
 *
 * is a `FunctionDecl` whose body is a `reduce` over the binder `k` of a `binary` of two `index` expressions.
 */
import type { Span } from "./source.ts";

/** A name with its place. */
export interface Name {
  readonly text: string;
  readonly span: Span;
}

/** A parsed file. `comments` are all comments in order, for the formatter; doc comments are also on declarations. */
export interface Module {
  readonly span: Span;
  readonly decls: readonly Decl[];
  readonly comments: readonly Comment[];
}

/** A comment from `#` to the end of its line, without the line break. `doc` is true for `##`. */
export interface Comment {
  readonly text: string;
  readonly doc: boolean;
  readonly span: Span;
}

export type Decl = UseDecl | ConstDecl | StructDecl | FunctionDecl;

/** `use nn.{Linear, linear}` or `use ./blocks.{Block}`; `path` is `nn` or `./blocks`. */
export interface UseDecl {
  readonly kind: "use";
  readonly span: Span;
  readonly path: Name;
  readonly names: readonly Name[];
}

/** `const classes = 10` */
export interface ConstDecl {
  readonly kind: "const";
  readonly span: Span;
  readonly doc: string | null;
  readonly name: Name;
  readonly value: Expr;
}

/** `struct Linear[i, o] { weight: f32[o, i] ~ trunc_normal(0.02) … }` */
export interface StructDecl {
  readonly kind: "struct";
  readonly span: Span;
  readonly doc: string | null;
  readonly name: Name;
  /** Dimension parameters begin with a lower-case letter, type parameters with an upper-case one. */
  readonly params: readonly Name[];
  readonly fields: readonly Field[];
}

/** One field of a struct. `checkpointName` is the argument of `@name("…")`. */
export interface Field {
  readonly span: Span;
  readonly doc: string | null;
  readonly checkpointName: (Name & { readonly text: string }) | null;
  readonly name: Name;
  readonly type: TypeExpr;
  readonly init: Distribution | null;
}

/** `~ trunc_normal(0.02)`; `zeros` has no arguments. */
export interface Distribution {
  readonly span: Span;
  readonly name: Name;
  readonly args: readonly Expr[];
}

/** `fn conv2d[s, p](w: …, x: …) -> f32[…] = body  vjp (w, x, ct) -> rule`; a block body is a `block` expression. */
export interface FunctionDecl {
  readonly kind: "function";
  readonly span: Span;
  readonly doc: string | null;
  readonly name: Name;
  /** Dimensions that the caller gives in brackets. */
  readonly dims: readonly Name[];
  readonly params: readonly Param[];
  readonly result: TypeExpr | null;
  readonly body: Expr;
  readonly vjp: CustomVjp | null;
}

export interface Param {
  readonly span: Span;
  readonly name: Name;
  readonly type: TypeExpr;
}

/** The replaced derivative: parameter names (the function's own, then one for each cotangent) and the rule. */
export interface CustomVjp {
  readonly span: Span;
  readonly params: readonly Name[];
  readonly body: Expr;
}

// Types

export type TypeExpr =
  /** `f32`, `key`, `Name`, `Name[d, T]`, `f32[n, d]`; a scalar's arguments are its shape. */
  | {
      readonly kind: "named";
      readonly span: Span;
      readonly name: Name;
      readonly args: readonly TypeArg[] | null;
    }
  /** `idx[n]`, `idx[o][n, m]`: the bound, then the shape (null: a scalar). */
  | {
      readonly kind: "idx";
      readonly span: Span;
      readonly bound: DimExpr;
      readonly shape: readonly DimExpr[] | null;
    }
  | { readonly kind: "tuple"; readonly span: Span; readonly items: readonly TypeExpr[] }
  | { readonly kind: "list"; readonly span: Span; readonly item: TypeExpr; readonly length: DimExpr }
  /** `fn(A, B) -> C`: the type of a parameter that takes a function. */
  | {
      readonly kind: "function";
      readonly span: Span;
      readonly params: readonly TypeExpr[];
      readonly result: TypeExpr;
    };

/** An argument in brackets: a dimension, or a type. A bare name is a `dim`; the checker knows which it is. */
export type TypeArg =
  | { readonly kind: "dim"; readonly dim: DimExpr }
  | { readonly kind: "type"; readonly type: TypeExpr };

export type DimOp = "+" | "-" | "*" | "//" | "/" | "%";

export type DimExpr =
  | { readonly kind: "number"; readonly span: Span; readonly value: number }
  | { readonly kind: "name"; readonly span: Span; readonly name: string }
  | {
      readonly kind: "op";
      readonly span: Span;
      readonly op: DimOp;
      readonly left: DimExpr;
      readonly right: DimExpr;
    };

// Expressions

export type Reducer = "sum" | "prod" | "max" | "min" | "mean" | "argmax" | "argmin" | "count" | "any" | "all";

export type BinaryOp =
  | "or"
  | "and"
  | "=="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "+"
  | "-"
  | "*"
  | "/"
  | "//"
  | "%"
  | "^";

/** An index variable where it is introduced. `i: n` has `to`; `i: lo .. hi` has both; `i` has neither. */
export interface Binder {
  readonly span: Span;
  readonly name: Name;
  readonly from: Expr | null;
  readonly to: Expr | null;
}

/** What a `let` binds: a name, a tuple of patterns, or `y[i, j]`. */
export type Pattern =
  | { readonly kind: "name"; readonly span: Span; readonly name: Name }
  | { readonly kind: "tuple"; readonly span: Span; readonly items: readonly Pattern[] }
  | {
      readonly kind: "indexed";
      readonly span: Span;
      readonly name: Name;
      readonly binders: readonly Binder[];
    };

export interface Let {
  readonly span: Span;
  readonly pattern: Pattern;
  readonly value: Expr;
}

export type Expr =
  /** `3` has `isInteger`; its type comes from its use. */
  | { readonly kind: "number"; readonly span: Span; readonly value: number; readonly isInteger: boolean }
  | { readonly kind: "bool"; readonly span: Span; readonly value: boolean }
  | { readonly kind: "name"; readonly span: Span; readonly name: string }
  | { readonly kind: "block"; readonly span: Span; readonly lets: readonly Let[]; readonly result: Expr }
  | { readonly kind: "for"; readonly span: Span; readonly binders: readonly Binder[]; readonly body: Expr }
  | {
      readonly kind: "reduce";
      readonly span: Span;
      readonly reducer: Reducer;
      /** The span of the reducer's word and its brackets. */
      readonly head: Span;
      readonly binders: readonly Binder[];
      readonly body: Expr;
    }
  | {
      readonly kind: "if";
      readonly span: Span;
      readonly condition: Expr;
      readonly yes: Expr;
      readonly no: Expr;
    }
  /** `fold acc = init for p in list -> body` */
  | {
      readonly kind: "fold-list";
      readonly span: Span;
      readonly accumulator: Pattern;
      readonly init: Expr;
      readonly item: Name;
      readonly list: Expr;
      readonly body: Expr;
    }
  /** `fold acc = init for t: n -> body` */
  | {
      readonly kind: "fold-count";
      readonly span: Span;
      readonly accumulator: Pattern;
      readonly init: Expr;
      readonly binder: Binder;
      readonly body: Expr;
    }
  | { readonly kind: "unary"; readonly span: Span; readonly op: "-" | "not"; readonly operand: Expr }
  | {
      readonly kind: "binary";
      readonly span: Span;
      readonly op: BinaryOp;
      readonly opSpan: Span;
      readonly left: Expr;
      readonly right: Expr;
    }
  /** `x[i, j]`, `x[i + 1 | 0.0]`; also `f[2, 2]` before a call and `xs[3]`: the checker knows which. */
  | {
      readonly kind: "index";
      readonly span: Span;
      readonly target: Expr;
      readonly indices: readonly Expr[];
      readonly padding: Expr | null;
    }
  | { readonly kind: "field"; readonly span: Span; readonly target: Expr; readonly field: Name }
  | { readonly kind: "call"; readonly span: Span; readonly callee: Expr; readonly args: readonly Expr[] }
  | { readonly kind: "tuple"; readonly span: Span; readonly items: readonly Expr[] }
  /** `S { a: x, ...p }`: at most one `spread`, first. */
  | {
      readonly kind: "struct";
      readonly span: Span;
      readonly name: Name;
      readonly spread: Expr | null;
      readonly fields: readonly { readonly name: Name; readonly value: Expr }[];
    }
  | { readonly kind: "lambda"; readonly span: Span; readonly params: readonly Name[]; readonly body: Expr }
  /** `[a, b, c]`: a list of values of one type. */
  | { readonly kind: "list"; readonly span: Span; readonly items: readonly Expr[] }
  /** Put by the parser where an expression is missing or broken; a diagnostic has been made. */
  | { readonly kind: "error"; readonly span: Span };
