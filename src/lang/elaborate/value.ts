/** What expressions stand for during elaboration: dimensions are numbers, structs and functions are still there. */
import type { Callable } from "../callable.ts";
import type { CheckedBody, ModuleInfo, StructInfo } from "../program.ts";
import type * as syntax from "../syntax.ts";
import type { ElementType, Expr } from "../../ir/ir.ts";

/** A scalar or a tensor, by its elements: `at` gives the expression of one, in the scope where it is asked for. */
export interface TensorValue {
  readonly kind: "tensor";
  readonly element: ElementType;
  readonly shape: readonly number[];
  /** As many indices as the shape has axes. */
  readonly at: (indices: readonly Expr[]) => Expr;
}

export interface TupleValue {
  readonly kind: "tuple";
  readonly items: readonly Value[];
}

export interface StructValue {
  readonly kind: "struct";
  /** Null for what stands for a type parameter: that is only ever walked as a tree. */
  readonly decl: StructInfo | null;
  readonly fields: ReadonlyMap<string, Value>;
}

export interface ListValue {
  readonly kind: "list";
  readonly items: readonly Value[];
}

/** A function with the surroundings in which it was written. */
export interface FunctionValue {
  readonly kind: "function";
  readonly closure: Closure;
}

export type Closure =
  /** `dims`: the function's dimension variables, where the reference itself already fixes them. */
  | { readonly kind: "named"; readonly callable: Extract<Callable, { kind: "named" }>; readonly frame: Frame }
  | {
      readonly kind: "lambda";
      readonly expr: Extract<syntax.Expr, { kind: "lambda" }>;
      readonly frame: Frame;
      readonly locals: Locals | null;
    }
  | {
      readonly kind: "derivative";
      readonly operator: "grad" | "value_and_grad" | "vjp" | "jvp";
      readonly of: Closure;
    }
  | { readonly kind: "builtin"; readonly name: string }
  /** `vjp(f)(args)` and `jvp(f)(args)`: what is still to be done when the cotangents or tangents come. */
  | { readonly kind: "linear"; readonly apply: (seeds: readonly Value[]) => Value };

export type Value = TensorValue | TupleValue | StructValue | ListValue | FunctionValue;

/** One use of a function: its dimensions as numbers, and what the checker found of its body. */
export interface Frame {
  readonly module: ModuleInfo;
  readonly body: CheckedBody;
  readonly dims: ReadonlyMap<string, number>;
  /** A name for the nodes that it makes. */
  readonly name: string;
}

/** The local names in scope, innermost last; persistent. */
export interface Locals {
  readonly name: string;
  readonly value: Value;
  readonly outer: Locals | null;
}

/** A scalar by its expression. */
export function scalar(element: ElementType, expr: Expr): TensorValue {
  return { kind: "tensor", element, shape: [], at: () => expr };
}

/** The tensors of a value in order: fields, tuple parts and list elements, depth first. */
export function leaves(value: Value): TensorValue[] {
  switch (value.kind) {
    case "tensor":
      return [value];
    case "tuple":
    case "list":
      return value.items.flatMap(leaves);
    case "struct":
      return [...value.fields.values()].flatMap(leaves);
    case "function":
      return [];
  }
}

/** The same value with its tensors replaced, in the order of `leaves`. */
export function mapLeaves(value: Value, replace: (leaf: TensorValue) => TensorValue): Value {
  switch (value.kind) {
    case "tensor":
      return replace(value);
    case "tuple":
      return { kind: "tuple", items: value.items.map((v) => mapLeaves(v, replace)) };
    case "list":
      return { kind: "list", items: value.items.map((v) => mapLeaves(v, replace)) };
    case "struct":
      return {
        ...value,
        fields: new Map([...value.fields].map(([name, v]) => [name, mapLeaves(v, replace)])),
      };
    case "function":
      return value;
  }
}

export function lookupLocal(locals: Locals | null, name: string): Value | null {
  for (let l = locals; l !== null; l = l.outer) if (l.name === name) return l.value;
  return null;
}
