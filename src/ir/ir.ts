/**
 * The tensor IR: what a program is once its dimensions are numbers.
 *
 * A `Graph` is a list of nodes in dependency order. One kind of node carries nearly everything, the comprehension:
 *
 *     %y : f32[4, 8] = for i<4, k<8. sum l<3. %x[i, l] * %c[k, l]
 *
 * output axes, reduction axes with a reducer (or none), and a scalar body over reads of tensors, index variables and
 * scalar functions. Structs, tuples, calls and functions are gone. Everything is immutable.
 */
import type { ScalarFunctionName } from "./scalar.ts";

/** The types of scalars. In the f64 interpreter `f32` and `f16` are both double precision. */
export type ScalarType = (typeof scalarTypes)[number];

/** All of them. */
export const scalarTypes = ["f32", "f16", "i32", "u32", "bool"] as const;

/**
 * The type of a tensor's elements. `bound` is set for `idx<n>`: an `i32` that is at least 0 and less than `bound`;
 * it is null otherwise.
 */
export interface ElementType {
  readonly scalar: ScalarType;
  readonly bound: number | null;
}

/** The name of a tensor value, without the `%` that the printer puts before it; unique in its graph. */
export type ValueName = string;

/** A value's name, element type and shape (row-major; `[]` is a scalar). */
export interface ValueType {
  readonly name: ValueName;
  readonly element: ElementType;
  readonly shape: readonly number[];
}

/** Where in a source a node comes from; line and column from 1. */
export interface Origin {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/**
 * Scalar expressions. A shared subexpression is one object reached twice: a body is a directed acyclic graph, so
 * whoever walks it must remember what it has seen.
 */
export type Expr =
  /** A literal; booleans are 0 and 1. */
  | { readonly kind: "const"; readonly type: ScalarType; readonly value: number }
  /** An index variable of an enclosing axis, an `i32`. */
  | { readonly kind: "index"; readonly name: string }
  /** One element of a tensor; there are as many indices as the tensor has axes, each an `i32`. */
  | {
      readonly kind: "read";
      readonly tensor: ValueName;
      readonly element: ElementType;
      readonly indices: readonly Expr[];
    }
  /** A scalar function of the table in `scalar.ts`. `type` is the type of the result. */
  | {
      readonly kind: "apply";
      readonly fn: ScalarFunctionName;
      readonly type: ScalarType;
      readonly args: readonly Expr[];
    }
  /** Only the chosen side is evaluated: a read in the other one may lie outside its tensor. */
  | { readonly kind: "select"; readonly condition: Expr; readonly yes: Expr; readonly no: Expr };

/** An output axis: its index variable runs over `0 … size-1`. */
export interface Axis {
  readonly name: string;
  readonly size: number;
}

/**
 * A reduction axis: `lo ≤ name < hi`. The bounds are `i32` expressions over output axes (but not keyed ones) and over
 * the reduction axes before this one; when `hi ≤ lo` there is nothing to reduce.
 */
export interface ReductionAxis {
  readonly name: string;
  readonly lo: Expr;
  readonly hi: Expr;
}

export type ReduceOp = "sum" | "prod" | "max" | "min" | "any" | "all" | "argmax" | "argmin";

/**
 * `argmax` and `argmin` have one reduction axis and give the value of its variable at the first best body; with
 * `bestValue` set, the best body itself is a second result of that name. An empty `max` is -inf, an empty `argmax` is 0.
 */
export interface Reduction {
  readonly op: ReduceOp;
  readonly axes: readonly ReductionAxis[];
  readonly bestValue: ValueName | null;
}

/**
 * Segment form. In `for j<o, k<d. sum i<n at j = %a[i]. %v[i, k]` the output axis `j` is keyed: it is not iterated; each
 * point of the reduction adds to the one element whose `j` is `at`, or to none when `at` is outside the axis. It means
 * `for j<o, k<d. sum i<n. select(%a[i] == j, %v[i, k], 0)` and costs O(n·d) instead of O(n·o·d). Only `sum` has keys. Neither the
 * body nor `at` mentions a keyed axis, and both are evaluated at every point, also where `at` is outside.
 */
export interface Key {
  readonly axis: string;
  readonly at: Expr;
}

/** `for axes. reduction at keys. body`: a tensor by its value at its indices. Its result is `name`, of shape `axes`. */
export interface Comprehension {
  readonly kind: "comprehension";
  readonly name: ValueName;
  readonly element: ElementType;
  readonly axes: readonly Axis[];
  readonly reduction: Reduction | null;
  readonly keys: readonly Key[];
  readonly body: Expr;
  readonly origin: Origin | null;
}

/** A value carried through a loop: `param` is its name inside, `init` the value before, `next` the value after a turn. */
export interface Carry {
  readonly param: ValueName;
  readonly init: ValueName;
  readonly next: ValueName;
  /** The name of the final value, outside. */
  readonly result: ValueName;
  readonly element: ElementType;
  readonly shape: readonly number[];
}

/** A value of the body kept for every turn: outside, `result` has a leading axis of the loop's count. */
export interface Stack {
  readonly value: ValueName;
  readonly result: ValueName;
  readonly element: ElementType;
  /** The shape inside, without the leading axis. */
  readonly shape: readonly number[];
}

/**
 * A `fold` that is too long to unroll: `body` runs `count` times with the index variable `index` at 0, 1, …, count-1.
 * Nodes of the body may read values from outside.
 */
export interface Loop {
  readonly kind: "loop";
  readonly index: string;
  readonly count: number;
  readonly carries: readonly Carry[];
  readonly stacks: readonly Stack[];
  readonly body: readonly Node[];
  readonly origin: Origin | null;
}

/**
 * Values with a derivative of their own. Each of `results` is a copy of a value; to differentiation it is instead a
 * function of `args` whose cotangents are given by `rule`: nodes over `cotangents` (one for each result, of its type)
 * and outer values, giving `argCotangents` (one for each of `args`, of its shape). Gone after differentiation.
 */
export interface Custom {
  readonly kind: "custom";
  readonly results: readonly {
    readonly name: ValueName;
    readonly value: ValueName;
    readonly element: ElementType;
    readonly shape: readonly number[];
  }[];
  readonly args: readonly ValueName[];
  readonly cotangents: readonly ValueName[];
  readonly rule: readonly Node[];
  readonly argCotangents: readonly ValueName[];
  readonly origin: Origin | null;
}

/**
 * A derivative still to be taken, of the values `of` as functions of the values `at` and of nothing else.
 *
 * `vjp`: `seeds` are cotangents, one for each of `of`; `results` are the cotangents of `at`.
 * `jvp`: `seeds` are tangents, one for each of `at`; `results` are the tangents of `of`.
 * The autodiff pass replaces it by ordinary nodes.
 */
export interface Derivative {
  readonly kind: "vjp" | "jvp";
  readonly of: readonly ValueName[];
  readonly at: readonly ValueName[];
  readonly seeds: readonly ValueName[];
  readonly results: readonly ValueType[];
  readonly origin: Origin | null;
}

export type Node = Comprehension | Loop | Custom | Derivative;

/** A program: parameters, nodes in dependency order, and the values that are its results. */
export interface Graph {
  readonly name: string;
  readonly params: readonly ValueType[];
  readonly nodes: readonly Node[];
  readonly results: readonly ValueName[];
}

export const f32: ElementType = { scalar: "f32", bound: null };
export const i32: ElementType = { scalar: "i32", bound: null };
export const u32: ElementType = { scalar: "u32", bound: null };
export const bool: ElementType = { scalar: "bool", bound: null };

/** Is the type differentiable: `f32` or `f16`? */
export function isFloat(type: ScalarType): boolean {
  return type === "f32" || type === "f16";
}

/** The type of an expression's value. */
export function typeOf(expr: Expr): ScalarType {
  switch (expr.kind) {
    case "const":
    case "apply":
      return expr.type;
    case "index":
      return "i32";
    case "read":
      return expr.element.scalar;
    case "select":
      return typeOf(expr.yes);
  }
}

/** The values that a node defines, in order. */
export function definitions(node: Node): ValueType[] {
  switch (node.kind) {
    case "comprehension": {
      const shape = node.axes.map((axis) => axis.size);
      const own = { name: node.name, element: node.element, shape };
      const best = node.reduction?.bestValue ?? null;
      if (best === null) return [own];
      return [own, { name: best, element: { scalar: typeOf(node.body), bound: null }, shape }];
    }
    case "loop":
      return [
        ...node.carries.map((c) => ({ name: c.result, element: c.element, shape: c.shape })),
        ...node.stacks.map((s) => ({ name: s.result, element: s.element, shape: [node.count, ...s.shape] })),
      ];
    case "custom":
      return node.results.map((r) => ({ name: r.name, element: r.element, shape: r.shape }));
    case "vjp":
    case "jvp":
      return [...node.results];
  }
}

/** The number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}
