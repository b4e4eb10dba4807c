/**
 * safetensors, many named arrays a file: the length of a JSON header, the header, the arrays' bytes without
 * gaps.
 *
 *     8 bytes  {"fc1.weight": {"dtype": "F32", "shape": [8, 4], "data_offsets": [0, 128]}, …}  bytes
 *
 * The format: https://github.com/huggingface/safetensors. Everything the header says is tested before it is
 * believed.
 */
import {
  type ArrayType,
  arrayTypes,
  decodeArray,
  elementCount,
  FormatError,
  type NumberArray,
  storage,
} from "./array.ts";

/** The limit of the reference implementation. */
const longestHeader = 100_000_000;

/** A file's arrays by name, in the order of their bytes, and its own remarks. */
export interface Safetensors {
  readonly arrays: ReadonlyMap<string, NumberArray>;
  readonly metadata: Readonly<Record<string, string>>;
}

const again = "write it again with `safetensors.numpy.save_file(arrays, path)`, or copy it anew";

/** Reads a file. Throws `FormatError`. */
export function readSafetensors(bytes: Uint8Array): Safetensors {
  const { header, start } = headerOf(bytes);
  const metadata: Record<string, string> = {};
  const entries: Entry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") Object.assign(metadata, stringsOf(value));
    else entries.push(entryOf(name, value));
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  for (const entry of entries) {
    if (entry.begin !== end)
      throw wrong(`"${entry.name}" begins at byte ${entry.begin} of the data, not at ${end}`);
    end = entry.end;
  }
  const found = bytes.length - start;
  if (end !== found) {
    const message = end > found ? "the file is cut short" : "the file goes on after its arrays";
    throw new FormatError(message, [`${end} bytes of data are expected, found ${found}`], again);
  }
  const arrays = new Map<string, NumberArray>();
  for (const { name, type, shape, begin, end: last } of entries) {
    arrays.set(name, decodeArray(type, shape, bytes.subarray(start + begin, start + last)));
  }
  return { arrays, metadata };
}

/** The bytes of a file. */
export function writeSafetensors(
  arrays: ReadonlyMap<string, NumberArray>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header: Record<string, unknown> =
    Object.keys(metadata).length === 0 ? {} : { __metadata__: metadata };
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const [name, { type, shape, data }] of arrays) {
    const bytes = storage[type].encode(data);
    header[name] = { dtype: storage[type].safetensors, shape, data_offsets: [end, end + bytes.length] };
    parts.push(bytes);
    end += bytes.length;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  // Spaces after the header let the data begin at a multiple of 8.
  const length = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(8 + length + end).fill(0x20, 8, 8 + length);
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true);
  file.set(text, 8);
  let at = 8 + length;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

interface Entry {
  readonly name: string;
  readonly type: ArrayType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function headerOf(bytes: Uint8Array): { readonly header: object; readonly start: number } {
  if (bytes.length < 8)
    throw new FormatError("this is not a safetensors file", [`it has ${bytes.length} bytes`], again);
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true);
  const isJson = bytes[8] === 0x7b;
  if (!isJson) {
    const isPickle = bytes[0] === 0x80 || (bytes[0] === 0x50 && bytes[1] === 0x4b);
    throw new FormatError(
      "this is not a safetensors file",
      ["after 8 bytes a safetensors file has a header that begins with {"],
      isPickle ? "it seems to be PyTorch's: `safetensors.torch.save_file(torch.load(path), …)`" : again,
    );
  }
  if (length > BigInt(longestHeader)) {
    throw new FormatError(`the header has ${length} bytes`, [`at most ${longestHeader} are read`], again);
  }
  const start = 8 + Number(length);
  if (start > bytes.length) {
    throw new FormatError(
      "the file is cut short",
      [`its header needs ${length} bytes, found ${bytes.length - 8}`],
      again,
    );
  }
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, start)));
  } catch {
    throw wrong("it is not JSON in UTF-8");
  }
  if (!isObject(header)) throw wrong("it is not an object");
  return { header, start };
}

function entryOf(name: string, value: unknown): Entry {
  if (!isObject(value)) throw wrong(`"${name}" is not an object`);
  const {
    dtype,
    shape,
    data_offsets: offsets,
  } = value as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
  const type = arrayTypes.find((t) => storage[t].safetensors === dtype);
  if (type === undefined) {
    const known = arrayTypes.map((t) => storage[t].safetensors).join(" ");
    const shown = JSON.stringify(dtype ?? null).slice(0, 20);
    throw new FormatError(
      `"${name}" has elements of type ${shown}`,
      [`known are ${known}`],
      "convert it to F32",
    );
  }
  if (!isNaturals(shape)) throw wrong(`the shape of "${name}" is not a list of whole numbers`);
  if (!isNaturals(offsets) || offsets.length !== 2)
    throw wrong(`the data_offsets of "${name}" are not two whole numbers`);
  const [begin, end] = offsets as readonly [number, number];
  const count = elementCount(shape);
  if (count === null || count * storage[type].bytes !== end - begin) {
    throw wrong(
      `"${name}" has ${end - begin} bytes, which is not ${String(dtype)} of shape [${shape.join(", ")}]`,
    );
  }
  return { name, type, shape, begin, end };
}

function stringsOf(value: unknown): Record<string, string> {
  if (!isObject(value) || Object.values(value).some((v) => typeof v !== "string")) {
    throw wrong("its __metadata__ is not an object of strings");
  }
  return value as Record<string, string>;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNaturals(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function wrong(what: string): FormatError {
  return new FormatError("the header is wrong", [what], again);
}
