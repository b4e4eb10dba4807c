/**
 * The idx format of MNIST: a magic number, the sizes of the axes, bytes. Files may be gzip'ed.
 *
 *     0 0 8 3 | 10000 | 28 | 28 | bytes            u8[10000, 28, 28]; sizes are 32-bit, big-endian
 *
 * The format: the end of http://yann.lecun.com/exdb/mnist/.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { DataError } from "./data-error.ts";

export interface Idx {
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

const help = "install or copy the file again";

/** Reads a file of bytes. Throws `DataError`. */
export function readIdx(file: string): Idx {
  let content: Uint8Array;
  try {
    content = readFileSync(file);
    if (content[0] === 0x1f && content[1] === 0x8b) content = gunzipSync(content);
  } catch (error) {
    throw new DataError(`${file} can't be read: ${(error as Error).message}`, [], help);
  }
  return parseIdx(content, file);
}

/** The array of a file's content; `file` is for messages. Throws `DataError`. */
export function parseIdx(content: Uint8Array, file: string): Idx {
  const [zero0, zero1, type, rank] = content;
  if (zero0 !== 0 || zero1 !== 0 || type !== 8 || rank === undefined || content.length < 4 + 4 * rank) {
    const found = Array.from(content.subarray(0, 4)).join(" ") || "an empty file";
    throw new DataError(
      `${file} is not an idx file of bytes`,
      [`it should begin with 0 0 8 and the number of its axes, found ${found}`],
      help,
    );
  }
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const bytes = content.subarray(4 + 4 * rank);
  const expected = shape.reduce((product, n) => product * n, 1);
  if (bytes.length !== expected) {
    throw new DataError(
      `${file} is ${bytes.length < expected ? "cut short" : "too long"}`,
      [`[${shape.join(", ")}] takes ${expected} bytes, found ${bytes.length}`],
      help,
    );
  }
  return { shape, bytes };
}

/** The content of a file, not compressed. */
export function writeIdx({ shape, bytes }: Idx): Uint8Array {
  const content = new Uint8Array(4 + 4 * shape.length + bytes.length);
  content.set([0, 0, 8, shape.length]);
  const view = new DataView(content.buffer);
  shape.forEach((size, i) => view.setUint32(4 + 4 * i, size));
  content.set(bytes, 4 + 4 * shape.length);
  return content;
}
