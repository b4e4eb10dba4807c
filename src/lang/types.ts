/**
 * The types of programs, for all dimensions at once: shapes are polynomials (`dims.ts`).
 *
 * `key` is another name of `u32[2]`, two words of state; so `key[n]` is `u32[n, 2]`.
 */
import type { ScalarType } from "../ir/ir.ts";
import { asNumber, type Dim, showDim } from "./dims.ts";
import type { Callable } from "./callable.ts";
import type { StructInfo } from "./program.ts";

/** The type of a tensor's elements. A `literal` is a number whose type its use will tell. */
export type Element =
  | { readonly kind: "scalar"; readonly scalar: ScalarType }
  | { readonly kind: "idx"; readonly bound: Dim }
  | { readonly kind: "literal"; readonly id: number };

export type Type =
  /** A scalar has the shape `[]`. */
  | { readonly kind: "tensor"; readonly element: Element; readonly shape: readonly Dim[] }
  /** Inside `tree_map` and `tree_sum`: one tensor of a tree, of unknown shape; all leaves of one `tree` agree. */
  | { readonly kind: "leaf"; readonly element: Element; readonly tree: number }
  | { readonly kind: "tuple"; readonly items: readonly Type[] }
  | {
      readonly kind: "struct";
      readonly decl: StructInfo;
      readonly dims: readonly Dim[];
      readonly types: readonly Type[];
    }
  | { readonly kind: "list"; readonly item: Type; readonly length: Dim }
  /** A type parameter of the function that is being checked. */
  | { readonly kind: "variable"; readonly name: string }
  /** An unknown of inference. */
  | { readonly kind: "unknown"; readonly id: number }
  | { readonly kind: "function"; readonly callable: Callable }
  /** Stands where a diagnostic has been made; agrees with everything. */
  | { readonly kind: "error" };

export type TensorType = Extract<Type, { kind: "tensor" }>;

export function scalarElement(scalar: ScalarType): Element {
  return { kind: "scalar", scalar };
}

/** A tensor type; without a shape, a scalar. */
export function tensorType(element: Element, shape: readonly Dim[] = []): TensorType {
  return { kind: "tensor", element, shape };
}

export function scalarType(scalar: ScalarType): TensorType {
  return tensorType(scalarElement(scalar));
}

export const errorType: Type = { kind: "error" };

export function isScalar(type: Type): type is TensorType {
  return type.kind === "tensor" && type.shape.length === 0;
}

/** Is a value of this element type a number, as far as is known? */
export function isNumeric(element: Element): boolean {
  return element.kind !== "scalar" || element.scalar !== "bool";
}

/** Is it `f32` or `f16`? */
export function isFloatElement(element: Element): boolean {
  return element.kind === "scalar" && (element.scalar === "f32" || element.scalar === "f16");
}

export type StructType = Extract<Type, { kind: "struct" }>;

/** A tensor, or the leaf of a tree: what elementwise operations take. */
export type Elementwise = Extract<Type, { kind: "tensor" | "leaf" }>;

export function isElementwise(type: Type): type is Elementwise {
  return type.kind === "tensor" || type.kind === "leaf";
}

/** The same shape with other elements. */
export function withElement(type: Elementwise, element: Element): Elementwise {
  return { ...type, element };
}

/** Is it an integer, `idx` included? */
export function isIntegerElement(element: Element): boolean {
  return (
    element.kind === "idx" ||
    (element.kind === "scalar" && (element.scalar === "i32" || element.scalar === "u32"))
  );
}

/** The type as a program would write it; unknown parts show as `_`, and what lies deep inside as `…`. */
export function showType(type: Type): string {
  return showWithin(type, 6);
}

function showWithin(type: Type, depth: number): string {
  if (depth === 0 && (type.kind === "tuple" || type.kind === "struct" || type.kind === "list")) return "…";
  const show = (t: Type): string => showWithin(t, depth - 1);
  switch (type.kind) {
    case "tensor":
      return showTensor(type.element, type.shape);
    case "leaf":
      return `${showElement(type.element)}[…]`;
    case "tuple":
      return `(${type.items.map(show).join(", ")})`;
    case "struct": {
      const args = [...type.dims.map(showDim), ...type.types.map(show)];
      return args.length === 0 ? type.decl.name : `${type.decl.name}[${args.join(", ")}]`;
    }
    case "list":
      return `[${show(type.item)}; ${showDim(type.length)}]`;
    case "variable":
      return type.name;
    case "unknown":
      return "_";
    case "function": {
      const { callable } = type;
      if (callable.kind !== "declared") return "a function";
      return `fn(${callable.params.map(show).join(", ")}) -> ${show(callable.result)}`;
    }
    case "error":
      return "?";
  }
}

function showTensor(element: Element, shape: readonly Dim[]): string {
  const last = shape.at(-1);
  if (element.kind === "scalar" && element.scalar === "u32" && last !== undefined && asNumber(last) === 2) {
    return shape.length === 1 ? "key" : `key[${shape.slice(0, -1).map(showDim).join(", ")}]`;
  }
  const dims = shape.length === 0 ? "" : `[${shape.map(showDim).join(", ")}]`;
  return `${showElement(element)}${dims}`;
}

export function showElement(element: Element): string {
  switch (element.kind) {
    case "scalar":
      return element.scalar;
    case "idx":
      return `idx[${showDim(element.bound)}]`;
    case "literal":
      return "a number";
  }
}

/** What becomes of the parts of a type; `type` gives null for one whose own parts are to be replaced. */
export interface Replacement {
  readonly dim: (d: Dim) => Dim;
  readonly element?: (e: Element) => Element;
  readonly type?: (t: Type) => Type | null;
}

/** Rebuilds a type with its elements, dimensions and leaves of the type structure replaced; shared parts stay shared. */
export function mapType(type: Type, on: Replacement, seen = new Map<Type, Type>()): Type {
  let mapped = seen.get(type);
  if (mapped === undefined) {
    mapped = on.type?.(type) ?? mapParts(type, on, seen);
    seen.set(type, mapped);
  }
  return mapped;
}

function mapParts(type: Type, on: Replacement, seen: Map<Type, Type>): Type {
  const map = (t: Type): Type => mapType(t, on, seen);
  const element = (e: Element): Element => {
    const mapped = on.element?.(e) ?? e;
    return mapped.kind === "idx" ? { kind: "idx", bound: on.dim(mapped.bound) } : mapped;
  };
  switch (type.kind) {
    case "tensor":
      return { kind: "tensor", element: element(type.element), shape: type.shape.map(on.dim) };
    case "leaf":
      return { ...type, element: element(type.element) };
    case "tuple":
      return { kind: "tuple", items: type.items.map(map) };
    case "struct":
      return { ...type, dims: type.dims.map(on.dim), types: type.types.map(map) };
    case "list":
      return { kind: "list", item: map(type.item), length: on.dim(type.length) };
    case "function": {
      const { callable } = type;
      if (callable.kind !== "declared") return type;
      return {
        kind: "function",
        callable: { kind: "declared", params: callable.params.map(map), result: map(callable.result) },
      };
    }
    case "variable":
    case "unknown":
    case "error":
      return type;
  }
}
