/**
 * Values as JavaScript has them, and the way to the interpreter's tensors and back.
 *
 *     f32[2, 3]          tensor([2, 3], [1, 2, 3, 4, 5, 6])
 *     f32, bool          a number, a boolean
 *     Linear[8, 4]       { weight: tensor([4, 8], …), bias: tensor([4], …) }
 *     (A, B), [T; n]     [a, b]
 */
import { type ElementArray, tensor as tensorData, type TensorData } from "./ir/interpret.ts";
import { type ElementType, isFloat, type ScalarType, sizeOf } from "./ir/ir.ts";
import type { Shape } from "./lang/elaborate/shape.ts";
import { closest } from "./lang/suggest.ts";

/** The elements of a tensor, row-major. */
export type TensorElements = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array;

/** A tensor with its numbers; booleans are 0 and 1. */
export interface Tensor {
  readonly type: ScalarType;
  readonly shape: readonly number[];
  readonly data: TensorElements;
}

/** An argument or a result. */
export type Value = number | boolean | Tensor | readonly Value[] | { readonly [field: string]: Value };

/** Raised for an argument that does not fit; the message names it and says what was expected and found. */
export class ArgumentError extends Error {
  override readonly name = "ArgumentError";
}

/** A tensor of the numbers given, row by row; `f32` unless told otherwise. */
export function tensor(
  shape: readonly number[],
  numbers: Iterable<number>,
  type: ScalarType = "f32",
): Tensor {
  const given = Float64Array.from(numbers);
  const { data } = checked({ scalar: type, bound: null }, shape, given, "tensor");
  if (data.length === sizeOf(shape)) return { type, shape: [...shape], data };
  throw new ArgumentError(
    `a tensor of shape [${shape.join(", ")}] has ${sizeOf(shape)} numbers, ${data.length} given`,
  );
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
 * The tensors of a value in the order of its shape's leaves. `where` names the value in errors. Throws
 * `ArgumentError`.
 */
export function tensorsOf(value: Value, shape: Shape, where: string): TensorData[] {
  switch (shape.kind) {
    case "tensor":
      return [leafOf(value, shape, where)];
    case "tuple":
    case "list": {
      if (!isList(value)) throw mismatch(where, `${showShape(shape)}, as an array`, value);
      if (value.length !== shape.items.length) {
        throw new ArgumentError(`${where}: expected ${shape.items.length} items, found ${value.length}`);
      }
      return shape.items.flatMap((item, i) => tensorsOf(value[i]!, item, `${where}[${i}]`));
    }
    case "struct": {
      if (!isRecord(value) || isTensor(value)) throw mismatch(where, showShape(shape), value);
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
        return tensorsOf(value[field.name]!, field.shape, `${where}.${field.name}`);
      });
    }
  }
}

/** The value of a shape whose leaves are these tensors. Scalars become numbers and booleans. */
export function valueOf(shape: Shape, tensors: Iterator<TensorData>): Value {
  switch (shape.kind) {
    case "tensor": {
      const { element, shape: dims, data } = tensors.next().value as TensorData;
      if (dims.length > 0) return { type: element.scalar, shape: [...dims], data };
      return element.scalar === "bool" ? data[0] !== 0 : data[0]!;
    }
    case "tuple":
    case "list":
      return shape.items.map((item) => valueOf(item, tensors));
    case "struct":
      return Object.fromEntries(shape.fields.map((field) => [field.name, valueOf(field.shape, tensors)]));
  }
}

/** The shape that a value has, as far as it shows: a tensor's `idx` bound and a struct's name do not. */
export function shapeOf(value: Value): Shape {
  const plain = (scalar: ScalarType): ElementType => ({ scalar, bound: null });
  if (typeof value === "number") return { kind: "tensor", element: plain("f32"), shape: [] };
  if (typeof value === "boolean") return { kind: "tensor", element: plain("bool"), shape: [] };
  if (isList(value)) return { kind: "list", items: value.map(shapeOf) };
  if (isTensor(value)) return { kind: "tensor", element: plain(value.type), shape: value.shape };
  return {
    kind: "struct",
    name: "",
    fields: Object.entries(value).map(([name, v]) => ({ name, shape: shapeOf(v) })),
  };
}

function leafOf(value: Value, shape: Extract<Shape, { kind: "tensor" }>, where: string): TensorData {
  const { element } = shape;
  const isScalar = shape.shape.length === 0;
  if (typeof value === "boolean" && isScalar && element.scalar === "bool")
    return tensorData(element, [], [Number(value)]);
  if (typeof value === "number" && isScalar && element.scalar !== "bool")
    return checked(element, [], [value], where);
  if (!isTensor(value)) throw mismatch(where, showShape(shape), value);
  const sameShape =
    value.shape.length === shape.shape.length && value.shape.every((n, i) => n === shape.shape[i]);
  if (!sameShape || value.type !== element.scalar) throw mismatch(where, showShape(shape), value);
  if (value.data.length !== sizeOf(shape.shape)) {
    throw new ArgumentError(
      `${where}: expected ${sizeOf(shape.shape)} numbers for ${showShape(shape)}, found ${value.data.length}`,
    );
  }
  return checked(element, shape.shape, value.data, where);
}

const limits: Readonly<Record<Exclude<ScalarType, "f32" | "f16">, readonly [number, number]>> = {
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
  bool: [0, 1],
};

/** A tensor whose numbers are all of the element's type. */
function checked(
  element: ElementType,
  shape: readonly number[],
  numbers: ArrayLike<number>,
  where: string,
): TensorData {
  const { scalar, bound } = element;
  if (!isFloat(scalar)) {
    const [lo, most] = limits[scalar as keyof typeof limits];
    const [least, hi] = bound === null ? [lo, most] : [0, bound - 1];
    for (let i = 0; i < numbers.length; i++) {
      const n = numbers[i]!;
      if (Number.isInteger(n) && n >= least && n <= hi) continue;
      const type = bound === null ? scalar : `idx[${bound}]`;
      const at = shape.length === 0 ? "" : ` (element ${i})`;
      throw new ArgumentError(
        `${where}: expected a whole number from ${least} to ${hi} for ${type}, found ${n}${at}`,
      );
    }
  }
  // An array of the right kind is used as it is.
  const own = isFloat(scalar)
    ? Float64Array
    : scalar === "i32"
      ? Int32Array
      : scalar === "u32"
        ? Uint32Array
        : Uint8Array;
  if (numbers instanceof own) return { element, shape, data: numbers as ElementArray };
  return tensorData(element, shape, Array.from(numbers));
}

function mismatch(where: string, expected: string, value: unknown): ArgumentError {
  return new ArgumentError(`${where}: expected ${expected}, found ${describe(value)}`);
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (typeof value === "number" || typeof value === "boolean") return `the ${typeof value} ${value}`;
  if (typeof value !== "object") return `a ${typeof value}`;
  if (isTensor(value)) return `${value.type}[${value.shape.join(", ")}]`;
  if (Array.isArray(value))
    return `an array of ${value.length} items; a tensor is \`tensor(shape, numbers)\``;
  if (ArrayBuffer.isView(value)) return `a ${value.constructor.name}; a tensor is \`{ type, shape, data }\``;
  return `an object with ${Object.keys(value).slice(0, 6).join(", ") || "no fields"}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, Value>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function isList(value: unknown): value is readonly Value[] {
  return Array.isArray(value);
}

function isTensor(value: unknown): value is Tensor {
  return (
    isRecord(value) &&
    typeof value["type"] === "string" &&
    isList(value["shape"]) &&
    ArrayBuffer.isView(value["data"])
  );
}
