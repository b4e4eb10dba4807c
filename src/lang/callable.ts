/** What can be called: named functions, anonymous ones, and the functions that differentiation makes of them. */
import type { Expr } from "./syntax.ts";
import type { Scope } from "./scope.ts";
import type { Type } from "./types.ts";
import type { FunctionInfo } from "./program.ts";

export type DerivativeOperator = "grad" | "value_and_grad" | "vjp" | "jvp";

export type Callable =
  /** A declared function; `dims` are the expressions in brackets, `reference` is where its instance is recorded. */
  | {
      readonly kind: "named";
      readonly info: FunctionInfo;
      readonly dims: readonly Expr[] | null;
      readonly reference: Expr;
    }
  | { readonly kind: "lambda"; readonly expr: Extract<Expr, { kind: "lambda" }>; readonly scope: Scope }
  /** A parameter of a function type. */
  | { readonly kind: "declared"; readonly params: readonly Type[]; readonly result: Type }
  | { readonly kind: "derivative"; readonly operator: DerivativeOperator; readonly of: Callable }
  /** `vjp(f)(args)` or `jvp(f)(args)`, waiting for cotangents or tangents. */
  | { readonly kind: "linear"; readonly params: readonly Type[]; readonly result: Type }
  /** A scalar function of the table, or one of the language's own (`tree_map`, …). */
  | { readonly kind: "builtin"; readonly name: string };

/** The functions that only the compiler can provide, with what the docs say of them. */
export const builtinFunctions: Readonly<Record<string, string>> = {
  grad: "`grad(f)(x, …)`: the gradient of a scalar-valued `f` with respect to its first argument.",
  value_and_grad: "`value_and_grad(f)(x, …)`: the value of `f` and its gradient.",
  vjp: "`vjp(f)(args…)(cotangents…)`: the cotangents of every floating argument.",
  jvp: "`jvp(f)(args…)(tangents…)`: the tangent of the result.",
  stop_gradient: "Its argument, taken as a constant by differentiation.",
  tree_map: "`tree_map(f, a, b, …)`: `f` of each tensor of structs of one type.",
  tree_sum:
    "`tree_sum(f, a)`: the sum over all tensors of a struct of `f`; a tensor result counts with all its elements.",
  zeros_like: "A value of the same type that is zero everywhere.",
  rank: "The number of axes of a tensor.",
  f32: "Conversion to `f32`.",
  f16: "Conversion to `f16`.",
  i32: "Conversion to `i32`, cutting toward zero.",
  u32: "Conversion to `u32`, cutting toward zero.",
  bool: "Conversion to `bool`: is it different from zero?",
};
