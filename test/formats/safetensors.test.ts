import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FormatError, type NumberArray } from "../../src/formats/array.ts";
import { readSafetensors, writeSafetensors } from "../../src/formats/safetensors.ts";

/** A file with this header and this many bytes of data. */
function file(header: unknown, bytes = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const result = new Uint8Array(8 + text.length + bytes);
  new DataView(result.buffer).setBigUint64(0, BigInt(text.length), true);
  result.set(text, 8);
  return result;
}

function messageOf(bytes: Uint8Array): string {
  try {
    readSafetensors(bytes);
  } catch (error) {
    if (error instanceof FormatError) return [error.message, ...error.notes].join("; ");
    throw error;
  }
  return "no error";
}

const f32 = (shape: readonly number[], begin: number, end: number): object => ({
  dtype: "F32",
  shape,
  data_offsets: [begin, end],
});

describe("safetensors", () => {
  it("reads back what it wrote, names and order included", () => {
    const arrays = new Map<string, NumberArray>([
      ["fc1.weight", { type: "f32", shape: [2, 1], data: Float32Array.of(1, -2) }],
      ["labels", { type: "i64", shape: [1], data: Float64Array.of(-7) }],
      ["half", { type: "bf16", shape: [], data: Float32Array.of(1.5) }],
      ["mask", { type: "bool", shape: [3], data: Uint8Array.of(1, 0, 1) }],
    ]);
    const read = readSafetensors(writeSafetensors(arrays, { format: "pt" }));
    expect(read).toEqual({ arrays, metadata: { format: "pt" } });
    expect([...read.arrays.keys()]).toEqual([...arrays.keys()]);
  });

  it("reads arrays in the order of their bytes, whatever that of the header", () => {
    const bytes = file({ b: f32([1], 4, 8), a: f32([1], 0, 4) }, 8);
    expect([...readSafetensors(bytes).arrays.keys()]).toEqual(["a", "b"]);
  });

  it.each([
    ["an empty file", new Uint8Array(0)],
    ["a pickle", Uint8Array.of(0x80, 2, 0, 0, 0, 0, 0, 0, 0, 0)],
    ["a header longer than the file", file({}).fill(9, 0, 1)],
    ["a header longer than any", file({}).fill(0xff, 0, 8)],
    ["a header that is no JSON", file("{oops")],
    ["a list", file("{}").fill(0x5b, 8, 9)],
    ["an entry that is no object", file({ a: 3 })],
    ["a type of the future", file({ a: { dtype: "F4", shape: [2], data_offsets: [0, 1] } }, 1)],
    ["a negative size", file({ a: f32([-1], 0, 4) }, 4)],
    ["a fractional offset", file({ a: f32([1], 0.5, 4.5) }, 4)],
    ["a shape beyond all files", file({ a: f32([2 ** 52, 2 ** 52], 0, 4) }, 4)],
    ["bytes that do not fit the shape", file({ a: f32([2], 0, 4) }, 4)],
    ["an overlap", file({ a: f32([1], 0, 4), b: f32([1], 2, 6) }, 6)],
    ["a gap", file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12)],
    ["cut data", file({ a: f32([2], 0, 8) }, 4)],
    ["too much data", file({ a: f32([1], 0, 4) }, 5)],
    ["metadata that is no text", file({ __metadata__: { a: 1 } })],
  ])("does not believe %s", (_, bytes) => {
    expect(messageOf(bytes)).toMatchSnapshot();
  });

  it("takes any bytes without a crash", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(typeof messageOf(bytes)).toBe("string");
      }),
    );
  });
});
