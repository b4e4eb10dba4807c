/**
 * Values as JavaScript has them, and the way to the interpreter's tensors and back.
 *
 *     f32[2, 3]          tensor([2, 3], [1, 2, 3, 4, 5, 6])
 *     f32, bool          a number, a boolean
 *     Linear[8, 4]       { weight: tensor([4, 8], …), bias: tensor([4], …) }
 *     (A, B), [T; n]     [a, b]
 */
import { type ElementArray, tensor as tensorData, type TensorData } from "./ir/interpret.ts";
import { type ElementType, isFloat, type ScalarType, scalarTypes, sizeOf } from "./ir/ir.ts";
import type { Shape } from "./lang/elaborate/shape.ts";
import {
  ArgumentError,
  isList,
  isRecord,
  type LeafKind,
  leavesOf,
  showShape,
  type TensorShape,
  type Tree,
  treeOf,
} from "./tree.ts";

export { ArgumentError, showShape };

/** The elements of a tensor, row-major. */
export type TensorElements = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array;

/** A tensor with its numbers; booleans are 0 and 1. */
export interface Tensor {
  readonly type: ScalarType;
  readonly shape: readonly number[];
  readonly data: TensorElements;
}

/** An argument or a result. */
export type Value = Tree<number | boolean | Tensor>;

/** A tensor of the numbers given, row by row; `f32` unless told otherwise. @throws {ArgumentError} */
export function tensor(
  shape: readonly number[],
  numbers: Iterable<number>,
  type: ScalarType = "f32",
): Tensor {
  requireTensor(shape, numbers, type);
  const given = Float64Array.from(numbersOf(numbers));
  const { data } = checked({ scalar: type, bound: null }, shape, given, "tensor");
  if (data.length === sizeOf(shape)) return { type, shape: [...shape], data };
  throw new ArgumentError(
    `a tensor of shape [${shape.join(", ")}] has ${sizeOf(shape)} numbers, ${data.length} given`,
  );
}

/** Callers without types give anything. */
function requireTensor(shape: unknown, numbers: unknown, type: unknown): void {
  if (!scalarTypes.some((one) => one === type))
    throw mismatch("tensor", `one of the types ${scalarTypes.join(", ")}`, type);
  if (!isList(shape)) throw mismatch("tensor", "a shape, as in [2, 3]", shape);
  const size = shape.find((n) => !Number.isSafeInteger(n) || (n as number) < 0);
  if (size !== undefined) throw mismatch("tensor", "whole numbers from 0 in the shape", size);
  const isIterable = typeof numbers === "object" && numbers !== null && Symbol.iterator in numbers;
  if (!isIterable) throw mismatch("tensor", "an array of numbers after the shape", numbers);
}

/** The elements; those of a typed array need no look at each. */
function numbersOf(numbers: Iterable<unknown>): ArrayLike<number> {
  if (ArrayBuffer.isView(numbers) && !(numbers instanceof DataView) && !isOfBigInts(numbers))
    return numbers as unknown as ArrayLike<number>;
  const list = [...numbers];
  for (const one of list)
    if (typeof one !== "number") throw mismatch("tensor", "numbers after the shape", one);
  return list as number[];
}

function isOfBigInts(numbers: unknown): boolean {
  return numbers instanceof BigInt64Array || numbers instanceof BigUint64Array;
}

/** The tensors of a value in the order of its shape's leaves. `where` names the value in errors. @throws {ArgumentError} */
export function tensorsOf(value: Value, shape: Shape, where: string): TensorData[] {
  return leavesOf(value, shape, where, hostLeaves);
}

/** The value of a shape whose leaves are these tensors. Scalars become numbers and booleans. */
export function valueOf(shape: Shape, tensors: Iterator<TensorData>): Value {
  return treeOf(shape, tensors, ({ element, shape: dims, data }) => {
    if (dims.length > 0) return { type: element.scalar, shape: [...dims], data };
    return element.scalar === "bool" ? data[0] !== 0 : data[0]!;
  });
}

const hostLeaves: LeafKind<TensorData> = { isLeaf: isTensor, read: leafOf, describe };

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

function leafOf(value: unknown, shape: TensorShape, where: string): TensorData {
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
        `${where}: expected a whole number from ${least} to ${hi} for ${type}, found ${n}${at}; ${meaningOf(element)}`,
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

/** What integers of a type are, for one who gives others. */
function meaningOf({ scalar, bound }: ElementType): string {
  if (bound !== null) return `an idx[${bound}] is a place on an axis of size ${bound}, counted from 0`;
  if (scalar === "bool") return "booleans are 0 and 1";
  return scalar === "i32" ? "an i32 has 32 bits, one for the sign" : "a u32 has 32 bits and no sign";
}

function mismatch(where: string, expected: string, value: unknown): ArgumentError {
  return new ArgumentError(`${where}: expected ${expected}, found ${describe(value)}`);
}

/** What was found where something else was expected. */
export function describe(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (typeof value === "number" || typeof value === "boolean") return `the ${typeof value} ${value}`;
  if (typeof value === "string") return `the text ${JSON.stringify(briefly(value))}`;
  if (typeof value !== "object") return `a ${typeof value}`;
  if (isTensor(value)) return `${value.type}[${value.shape.join(", ")}]`;
  if (Array.isArray(value))
    return `an array of ${value.length} items; a tensor is \`tensor(shape, numbers)\``;
  if (ArrayBuffer.isView(value)) return `a ${value.constructor.name}; a tensor is \`{ type, shape, data }\``;
  return `an object with ${Object.keys(value).slice(0, 6).join(", ") || "no fields"}`;
}

const briefly = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

/** Is it a tensor of the host? */
export function isTensor(value: unknown): value is Tensor {
  return (
    isRecord(value) &&
    typeof value["type"] === "string" &&
    isList(value["shape"]) &&
    ArrayBuffer.isView(value["data"])
  );
}
