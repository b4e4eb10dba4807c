/** A program after its declarations are understood: what the checker fills in and elaboration reads. */
import type { Diagnostic } from "./diagnostic.ts";
import type { Dim } from "./dims.ts";
import type { SourceFile, Span } from "./source.ts";
import type * as syntax from "./syntax.ts";
import type { Type } from "./types.ts";

/** A module with its names resolved. */
export interface ModuleInfo {
  readonly file: SourceFile;
  readonly syntax: syntax.Module;
  /** Then declarations may be missing from `syntax`, in whole or in part. */
  readonly syntaxErrors: readonly Diagnostic[];
  /** Names whose `use` or declaration has a mistake: what follows from that is not reported. */
  readonly missing: Set<string>;
  /** Everything that is visible at the top level: its own declarations, what it uses, and the prelude. */
  readonly names: Map<string, TopLevel>;
  /** Its own declarations only: what others may `use`. */
  readonly exports: Map<string, TopLevel>;
}

export type TopLevel = FunctionInfo | StructInfo | ConstInfo;

export interface ConstInfo {
  readonly kind: "const";
  readonly name: string;
  readonly span: Span;
  readonly value: number;
  readonly isInteger: boolean;
  readonly doc: string | null;
}

export interface FieldInfo {
  readonly name: string;
  readonly span: Span;
  readonly type: Type;
  readonly checkpointName: string | null;
  readonly init: syntax.Distribution | null;
  readonly doc: string | null;
}

export interface StructInfo {
  readonly kind: "struct";
  readonly name: string;
  readonly span: Span;
  readonly module: ModuleInfo;
  readonly dims: readonly string[];
  readonly types: readonly string[];
  /** The parameters in the order in which they are written. */
  readonly params: readonly syntax.Name[];
  /** Filled once, after all structs are known. */
  fields: readonly FieldInfo[];
  readonly doc: string | null;
}

/** A condition on dimensions that could not be decided for all of them. */
export interface Condition {
  /** Are two shapes to be equal, or is a number to be an `idx[n]` (then `number // n` is to be 0)? */
  readonly about: "shapes" | "index";
  readonly left: Dim;
  readonly right: Dim;
  /** What is reported when it does not hold. */
  readonly diagnostic: Diagnostic;
}

/** The dimensions and types with which a generic function is used at one place, in terms of the user's own. */
export interface Instance {
  readonly dims: ReadonlyMap<string, Dim>;
  readonly types: ReadonlyMap<string, Type>;
}

/** The range of an index variable: dimensions, or null where the bounds must be evaluated as expressions. */
export interface Range {
  readonly lo: Dim | null;
  readonly hi: Dim | null;
}

export interface ParamInfo {
  readonly name: string;
  readonly span: Span;
  readonly type: Type;
}

export interface FunctionInfo {
  readonly kind: "function";
  readonly name: string;
  readonly span: Span;
  readonly module: ModuleInfo;
  readonly decl: syntax.FunctionDecl;
  /** Dimensions given in brackets, in order. */
  readonly givenDims: readonly string[];
  /** All dimension variables with the place where each is first named: the given ones and those that arguments fix. */
  readonly dims: ReadonlyMap<string, Span>;
  readonly types: readonly string[];
  readonly params: readonly ParamInfo[];
  /** Null until the body has been checked, when it is not written. */
  result: Type | null;
  /** What the body's check found; null before. */
  body: CheckedBody | null;
}

/** What elaboration needs to know of a checked body. Dimensions are in terms of the function's own. */
export interface CheckedBody {
  readonly types: ReadonlyMap<syntax.Expr, Type>;
  readonly ranges: ReadonlyMap<syntax.Binder, Range>;
  readonly instances: ReadonlyMap<syntax.Expr, Instance>;
  readonly conditions: readonly Condition[];
}

/** The result of checking: modules by name, the main one among them, and all that is wrong. */
export interface Program {
  readonly main: ModuleInfo;
  readonly modules: readonly ModuleInfo[];
  readonly diagnostics: readonly Diagnostic[];
}
