import { describe, expect, it } from "vitest";
import { type ArrayType, FormatError, type NumberArray } from "../../src/formats/array.ts";
import { readNpy, writeNpy } from "../../src/formats/npy.ts";

/** A file of version 1 with this header and these bytes of data. */
function file(header: string, data: readonly number[] = [], preamble = [1, 0]): Uint8Array {
  const length = preamble[0] === 1 ? [header.length & 0xff, header.length >> 8] : [header.length, 0, 0, 0];
  const text = [..."\x93NUMPY"].map((c) => c.charCodeAt(0));
  return Uint8Array.from([
    ...text,
    ...preamble,
    ...length,
    ...[...header].map((c) => c.charCodeAt(0)),
    ...data,
  ]);
}

function messageOf(bytes: Uint8Array): string {
  try {
    readNpy(bytes);
  } catch (error) {
    if (error instanceof FormatError) return [error.message, ...error.notes].join("; ");
    throw error;
  }
  return "no error";
}

const header = (descr: string, shape: string, order = "False"): string =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }\n`;

describe("reading .npy", () => {
  it("reads what NumPy writes", () => {
    const bytes = file(header("<f4", "(2, 1)"), [0, 0, 128, 63, 0, 0, 32, 192]);
    expect(readNpy(bytes)).toEqual({ type: "f32", shape: [2, 1], data: Float32Array.of(1, -2.5) });
  });

  it("reads versions 2 and 3, whose header's length has four bytes", () => {
    expect(readNpy(file(header("|u1", "(2,)"), [7, 8], [2, 0])).data).toEqual(Uint8Array.of(7, 8));
    expect(readNpy(file(header("|u1", "()"), [9], [3, 0])).shape).toEqual([]);
  });

  it("turns column-major into row-major", () => {
    const bytes = file(header("|u1", "(2, 3)", "True"), [1, 4, 2, 5, 3, 6]);
    expect([...readNpy(bytes).data]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it.each<[ArrayType, number[]]>([
    ["f64", [0.1, -1e300]],
    ["f32", [0.5, -3]],
    ["f16", [1, -0.5, 65504, 2 ** -24]],
    ["i64", [-(2 ** 40), 3]],
    ["i32", [-5, 6]],
    ["u32", [2 ** 32 - 1, 0]],
    ["u8", [0, 255]],
    ["bool", [1, 0]],
  ])("reads back %s as it was written", (type, numbers) => {
    const array = { type, shape: [numbers.length], data: Float64Array.from(numbers) };
    const again = readNpy(writeNpy(array));
    expect({ ...again, data: [...again.data] }).toEqual({ ...array, data: numbers });
  });

  it("rounds to f16 as IEEE 754 does: to nearest, ties to even", () => {
    const numbers = [65519.9, 65520, 2 ** -25, 3 * 2 ** -26, 1 + 2 ** -11, 1 + 3 * 2 ** -11, -0, NaN];
    const array: NumberArray = { type: "f16", shape: [numbers.length], data: Float64Array.from(numbers) };
    const wanted = [65504, Infinity, 0, 2 ** -24, 1, 1 + 2 ** -9, -0, NaN];
    expect([...readNpy(writeNpy(array)).data]).toEqual(wanted);
  });

  it("keeps a scalar and an empty array", () => {
    expect(readNpy(writeNpy({ type: "f32", shape: [], data: Float32Array.of(3) })).shape).toEqual([]);
    expect(readNpy(writeNpy({ type: "f32", shape: [0, 3], data: new Float32Array(0) })).shape).toEqual([
      0, 3,
    ]);
  });

  it("aligns its data to 64 bytes", () => {
    expect((writeNpy({ type: "u8", shape: [1], data: Uint8Array.of(1) }).length - 1) % 64).toBe(0);
  });
});

describe("files that are not as they should be", () => {
  it.each([
    ["an empty file", new Uint8Array(0)],
    ["another file", Uint8Array.of(1, 2, 3)],
    ["an archive", Uint8Array.from([..."PK\x03\x04"].map((c) => c.charCodeAt(0)))],
    ["a version of the future", file(header("<f4", "()"), [], [9, 0])],
    ["a cut preamble", file("").subarray(0, 9)],
    ["a cut header", file(header("<f4", "(3,)")).subarray(0, 20)],
    ["cut data", file(header("<f4", "(3,)"), [0, 0, 0])],
    ["too much data", file(header("|u1", "(1,)"), [0, 0])],
    ["a shape beyond all files", file(header("<f8", "(999999999999999, 999999999999999)"))],
    ["a negative size", file(header("<f4", "(-1,)"))],
    ["a missing key", file("{'descr': '<f4', 'shape': (1,), }\n")],
    ["a key twice", file("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (), }\n")],
    ["code in the header", file("__import__('os')\n")],
    ["big-endian numbers", file(header(">f4", "()"), [0, 0, 0, 0])],
    ["complex numbers", file(header("<c8", "()"))],
    ["objects", file(header("|O", "()"))],
    ["records", file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }\n")],
    ["a boolean that is none", file(header("|b1", "(1,)"), [2])],
  ])("%s", (_, bytes) => {
    expect(messageOf(bytes)).toMatchSnapshot();
  });

  it("a header too long to be one", () => {
    const bytes = file("", [], [2, 0]);
    new DataView(bytes.buffer).setUint32(8, 0xffffffff, true);
    expect(messageOf(bytes)).toBe("the header has 4294967295 bytes; at most 65536 are read");
  });
});
