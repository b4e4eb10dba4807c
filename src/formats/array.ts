/**
 * What an array file holds: numbers with a shape, row-major. One table says of each element type how it is
 * called and stored; the formats (`npy.ts`, `safetensors.ts`) are read and written over it. Numbers are
 * stored little-endian.
 */

/** The element types that files may have. `i64` is read as doubles, `f16` and `bf16` as singles. */
export type ArrayType =
  | "f64"
  | "f32"
  | "f16"
  | "bf16"
  | "i64"
  | "i32"
  | "i16"
  | "i8"
  | "u32"
  | "u16"
  | "u8"
  | "bool";

export type ArrayData = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array;

/** An array of a file. */
export interface NumberArray {
  readonly type: ArrayType;
  readonly shape: readonly number[];
  readonly data: ArrayData;
}

/** What is wrong with a file's bytes: one line, what was expected and found, and what to do. */
export class FormatError extends Error {
  override readonly name = "FormatError";
  constructor(
    message: string,
    readonly notes: readonly string[],
    readonly help: string,
  ) {
    super(message);
  }
}

interface Storage {
  /** Bytes of one element. */
  readonly bytes: number;
  /** The `descr` of NumPy; null where NumPy has no such type. */
  readonly npy: string | null;
  /** The `dtype` of safetensors. */
  readonly safetensors: string;
  /** The numbers that these bytes hold; the bytes begin at an address that fits the type. */
  readonly decode: (bytes: Uint8Array<ArrayBuffer>) => ArrayData;
  readonly encode: (numbers: ArrayLike<number>) => Uint8Array;
}

const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Each element type as it is stored. */
export const storage: Readonly<Record<ArrayType, Storage>> = {
  f64: {
    bytes: 8,
    npy: "<f8",
    safetensors: "F64",
    decode: (bytes) => new Float64Array(bytes.buffer),
    encode: (numbers) => bytesOf(Float64Array.from(numbers)),
  },
  f32: {
    bytes: 4,
    npy: "<f4",
    safetensors: "F32",
    decode: (bytes) => new Float32Array(bytes.buffer),
    encode: (numbers) => bytesOf(Float32Array.from(numbers)),
  },
  f16: {
    bytes: 2,
    npy: "<f2",
    safetensors: "F16",
    decode: (bytes) => Float32Array.from(new Uint16Array(bytes.buffer), fromHalf),
    encode: (numbers) => bytesOf(Uint16Array.from(numbers, toHalf)),
  },
  bf16: {
    bytes: 2,
    npy: null,
    safetensors: "BF16",
    decode: (bytes) =>
      new Float32Array(Uint32Array.from(new Uint16Array(bytes.buffer), (bits) => bits << 16).buffer),
    encode: (numbers) => bytesOf(Uint16Array.from(numbers, toBrainHalf)),
  },
  i64: {
    bytes: 8,
    npy: "<i8",
    safetensors: "I64",
    decode: (bytes) => Float64Array.from(new BigInt64Array(bytes.buffer), Number),
    encode: (numbers) => bytesOf(BigInt64Array.from(Array.from(numbers), (n) => BigInt(Math.trunc(n)))),
  },
  i32: {
    bytes: 4,
    npy: "<i4",
    safetensors: "I32",
    decode: (bytes) => new Int32Array(bytes.buffer),
    encode: (numbers) => bytesOf(Int32Array.from(numbers)),
  },
  i16: {
    bytes: 2,
    npy: "<i2",
    safetensors: "I16",
    decode: (bytes) => Int32Array.from(new Int16Array(bytes.buffer)),
    encode: (numbers) => bytesOf(Int16Array.from(numbers)),
  },
  i8: {
    bytes: 1,
    npy: "|i1",
    safetensors: "I8",
    decode: (bytes) => Int32Array.from(new Int8Array(bytes.buffer)),
    encode: (numbers) => bytesOf(Int8Array.from(numbers)),
  },
  u32: {
    bytes: 4,
    npy: "<u4",
    safetensors: "U32",
    decode: (bytes) => new Uint32Array(bytes.buffer),
    encode: (numbers) => bytesOf(Uint32Array.from(numbers)),
  },
  u16: {
    bytes: 2,
    npy: "<u2",
    safetensors: "U16",
    decode: (bytes) => Uint32Array.from(new Uint16Array(bytes.buffer)),
    encode: (numbers) => bytesOf(Uint16Array.from(numbers)),
  },
  u8: {
    bytes: 1,
    npy: "|u1",
    safetensors: "U8",
    decode: (bytes) => bytes,
    encode: (numbers) => Uint8Array.from(numbers),
  },
  bool: {
    bytes: 1,
    npy: "|b1",
    safetensors: "BOOL",
    decode: (bytes) => bytes,
    encode: (numbers) => Uint8Array.from(numbers, (n) => Number(n !== 0)),
  },
};

/** All element types. */
export const arrayTypes = Object.keys(storage) as ArrayType[];

/** The array that a part of a file holds; there are as many bytes as type and shape ask for. */
export function decodeArray(type: ArrayType, shape: readonly number[], bytes: Uint8Array): NumberArray {
  // A copy begins at address 0, as every element type needs it.
  const own = new Uint8Array(bytes.byteLength);
  own.set(bytes);
  const data = storage[type].decode(own);
  if (type === "bool") {
    const odd = data.find((value) => value > 1);
    if (odd !== undefined) {
      throw new FormatError(
        `a boolean is stored as ${odd}`,
        ["booleans are stored as 0 and 1"],
        "write the file again",
      );
    }
  }
  return { type, shape, data };
}

/** The number of elements, or null when it is too large for any file. */
export function elementCount(shape: readonly number[]): number | null {
  const count = shape.reduce((product, n) => product * n, 1);
  return Number.isSafeInteger(count) && shape.every((n) => Number.isSafeInteger(n) && n >= 0) ? count : null;
}

/** IEEE 754 binary16 to a number. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** A number to IEEE 754 binary16, to nearest, ties to even. */
function toHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | roundToEven(size * 2 ** 24);
  let exponent = Math.floor(Math.log2(size));
  if (2 ** exponent > size) exponent--;
  // A fraction that rounds up to 1024 carries into the exponent, which is right.
  return sign | (((exponent + 15) << 10) + roundToEven((size / 2 ** exponent - 1) * 1024));
}

/** A number to bfloat16: the upper half of its single, to nearest, ties to even. */
function toBrainHalf(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0]!;
  if (Number.isNaN(value)) return 0x7fc0;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
