/**
 * How elements travel: every element is 4 bytes on the device, and one of the ordinary arrays of JavaScript
 * here.
 *
 *     f32, f16 ↔ Float32Array     i32, idx ↔ Int32Array     u32 ↔ Uint32Array     bool ↔ Uint8Array (a word 0 or 1 each)
 */
import type { ElementType, ScalarType } from "../ir/ir.ts";
import { TensorError } from "./errors.ts";

/** What `read` gives: one array for each type of element. */
export type ReadElements = Float32Array | Int32Array | Uint32Array | Uint8Array;

/** What may be written; numbers are converted to the tensor's type as a typed array converts them. */
export type HostElements = ReadElements | Float64Array | readonly number[];

/** The elements as the device holds them. */
export type Words = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

interface Transfer {
  readonly toWords: (data: ArrayLike<number>) => Words;
  readonly fromWords: (bytes: ArrayBuffer) => ReadElements;
}

const floats: Transfer = {
  toWords: (data) => new Float32Array(data),
  fromWords: (bytes) => new Float32Array(bytes),
};

/** The transfer of each type of element. */
const transfers: Readonly<Record<ScalarType, Transfer>> = {
  f32: floats,
  f16: floats,
  i32: {
    toWords: (data) => new Int32Array(data),
    fromWords: (bytes) => new Int32Array(bytes),
  },
  u32: {
    toWords: (data) => new Uint32Array(data),
    fromWords: (bytes) => new Uint32Array(bytes),
  },
  bool: {
    toWords: (data) => Uint32Array.from(data, (x) => (x === 0 ? 0 : 1)),
    fromWords: (bytes) => Uint8Array.from(new Uint32Array(bytes)),
  },
};

/**
 * The words of `length` elements.
 *
 * @throws {TensorError} when there are more or fewer, or one that is not in the range of `idx<n>`.
 */
export function toWords(
  element: ElementType,
  length: number,
  data: HostElements,
  describe: () => string,
): Words {
  if (data.length !== length)
    throw new TensorError(`${describe()} has ${length} elements, ${data.length} were given`);
  const words = transfers[element.scalar].toWords(data);
  const { bound } = element;
  if (bound === null) return words;
  const outside = words.findIndex((x: number) => x < 0 || x >= bound);
  if (outside === -1) return words;
  throw new TensorError(
    `${describe()}: element ${outside} is ${words[outside]}, an index from 0 to ${bound - 1} is expected`,
  );
}

/** The elements in the bytes that the device gave. */
export function fromWords(element: ElementType, bytes: ArrayBuffer): ReadElements {
  return transfers[element.scalar].fromWords(bytes);
}
