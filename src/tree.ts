/**
 * Trees of tensors as JavaScript has them, walked by the shape that a program gives them.
 *
 *     Linear[8, 4]       { weight: leaf, bias: leaf }          (A, B), [T; n]       [a, b]
 */
import type { Shape } from "./lang/elaborate/shape.ts";
import { closest } from "./lang/suggest.ts";

/** A leaf, a list or tuple of trees, or a struct of them by field. */
export type Tree<Leaf> = Leaf | readonly Tree<Leaf>[] | { readonly [field: string]: Tree<Leaf> };

/** The shape of one tensor. */
export type TensorShape = Extract<Shape, { kind: "tensor" }>;

/** Raised for an argument that does not fit; the message names it and says what was expected and found. */
export class ArgumentError extends Error {
  override readonly name = "ArgumentError";
}

/** What a kind of tree has for leaves. */
export interface LeafKind<Leaf> {
  /** Is it one, and not a struct? */
  readonly isLeaf: (value: unknown) => boolean;
  /** Reads what stands at a tensor's place. @throws {ArgumentError} when it does not fit. */
  readonly read: (value: unknown, shape: TensorShape, where: string) => Leaf;
  /** What was found, for messages. */
  readonly describe: (value: unknown) => string;
}

/** A shape as a program would write it, with numbers for dimensions. */
export function showShape(shape: Shape): string {
  switch (shape.kind) {
    case "tensor": {
      const { scalar, bound } = shape.element;
      const dims = shape.shape.length === 0 ? "" : `[${shape.shape.join(", ")}]`;
      return `${bound === null ? scalar : `idx[${bound}]`}${dims}`;
    }
    case "tuple":
      return `(${shape.items.map(showShape).join(", ")})`;
    case "list":
      return shape.items[0] === undefined ? "[]" : `[${showShape(shape.items[0])}; ${shape.items.length}]`;
    case "struct":
      return `${shape.name} { ${shape.fields.map((f) => f.name).join(", ")} }`;
  }
}

/**
 * The leaves of a value in the order of its shape's. `where` names the value in errors.
 *
 * @throws {ArgumentError} where the value is not as its shape.
 */
export function leavesOf<Leaf>(value: unknown, shape: Shape, where: string, kind: LeafKind<Leaf>): Leaf[] {
  const mismatch = (expected: string): ArgumentError =>
    new ArgumentError(`${where}: expected ${expected}, found ${kind.describe(value)}`);
  switch (shape.kind) {
    case "tensor":
      return [kind.read(value, shape, where)];
    case "tuple":
    case "list": {
      if (!isList(value)) throw mismatch(`${showShape(shape)}, as an array`);
      if (value.length !== shape.items.length) {
        throw new ArgumentError(`${where}: expected ${shape.items.length} items, found ${value.length}`);
      }
      return shape.items.flatMap((item, i) => leavesOf(value[i], item, `${where}[${i}]`, kind));
    }
    case "struct": {
      if (!isRecord(value) || kind.isLeaf(value)) throw mismatch(showShape(shape));
      const names = shape.fields.map((f) => f.name);
      const unknown = Object.keys(value).find((key) => !names.includes(key));
      if (unknown !== undefined) {
        const near = closest(unknown, names);
        const hint = near === null ? `it has ${names.join(", ")}` : `did you mean ${near}?`;
        throw new ArgumentError(`${where}: ${shape.name || "the struct"} has no field ${unknown}; ${hint}`);
      }
      return shape.fields.flatMap((field) => {
        if (!Object.hasOwn(value, field.name)) {
          throw new ArgumentError(`${where}.${field.name} is missing; expected ${showShape(field.shape)}`);
        }
        return leavesOf(value[field.name], field.shape, `${where}.${field.name}`, kind);
      });
    }
  }
}

/** The tree of a shape whose leaves are these; `leaf` makes each of what is next. */
export function treeOf<Given, Leaf>(
  shape: Shape,
  leaves: Iterator<Given>,
  leaf: (given: Given, shape: TensorShape) => Leaf,
): Tree<Leaf> {
  switch (shape.kind) {
    case "tensor":
      return leaf(leaves.next().value as Given, shape);
    case "tuple":
    case "list":
      return shape.items.map((item) => treeOf(item, leaves, leaf));
    case "struct":
      return Object.fromEntries(shape.fields.map((field) => [field.name, treeOf(field.shape, leaves, leaf)]));
  }
}

/** Is it an array, but none of elements? */
export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

/** Is it an object with fields? */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}
