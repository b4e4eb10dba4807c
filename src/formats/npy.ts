/**
 * NumPy's `.npy`, one array a file: read strictly (versions 1 to 3, little-endian, no objects), written as
 * version 1.
 *
 *     "\x93NUMPY" 1 0  length  {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }  numbers
 *
 * The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
import { arrayTypes, decodeArray, elementCount, FormatError, type NumberArray, storage } from "./array.ts";

const magic = "\x93NUMPY";
/** Longer headers than this only describe records of many fields. */
const longestHeader = 65_536;
const mostAxes = 32;

/** The array of a `.npy` file. Throws `FormatError`. */
export function readNpy(bytes: Uint8Array): NumberArray {
  const { header, start } = headerOf(bytes);
  const { descr, isFortran, shape } = parseHeader(header);
  const type = arrayTypes.find(
    (t) => storage[t].npy === descr.replace(/^=/, "<").replace(/^[<>=](?=[iub]1$)/, "|"),
  );
  if (type === undefined) throw unknownType(descr);
  const count = elementCount(shape);
  const size = storage[type].bytes;
  const found = bytes.length - start;
  if (count === null) throw malformed(header.trim());
  if (count * size !== found) {
    throw new FormatError(
      count * size > found ? "the file is cut short" : "the file goes on after its array",
      [`${count * size} bytes of data are expected for ${descr} of shape ${tupleOf(shape)}, found ${found}`],
      "write or copy the file again",
    );
  }
  const array = decodeArray(type, shape, bytes.subarray(start));
  return isFortran ? { ...array, data: rowMajor(array) } : array;
}

/** The bytes of a `.npy` file. */
export function writeNpy({ type, shape, data }: NumberArray): Uint8Array {
  const { npy, encode } = storage[type];
  if (npy === null) throw new FormatError(`NumPy has no ${type}`, [], "write it as f32");
  const text = `{'descr': '${npy}', 'fortran_order': False, 'shape': ${tupleOf(shape)}, }`;
  // Preamble, header, padding and line break together are a multiple of 64.
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const header = `${text.padEnd(length - 1)}\n`;
  const numbers = encode(data);
  const bytes = new Uint8Array(10 + length + numbers.length);
  bytes.set(Array.from(magic, (c) => c.charCodeAt(0)));
  bytes.set([1, 0, length & 0xff, length >> 8], 6);
  bytes.set(
    Array.from(header, (c) => c.charCodeAt(0)),
    10,
  );
  bytes.set(numbers, 10 + length);
  return bytes;
}

/** A shape as Python writes it. */
function tupleOf(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
}

const again = "write it with `numpy.save(path, array)`";

function headerOf(bytes: Uint8Array): { readonly header: string; readonly start: number } {
  if (latin1(bytes.subarray(0, magic.length)) !== magic) {
    const isArchive = latin1(bytes.subarray(0, 2)) === "PK";
    throw new FormatError(
      isArchive ? "this is an .npz archive, not a .npy file" : "this is not a .npy file",
      [`a .npy file begins with \\x93NUMPY, this one ${bytes.length === 0 ? "is empty" : "does not"}`],
      isArchive ? "save one array a file, with `numpy.save(path, array)`" : again,
    );
  }
  const version = bytes[6];
  if (version !== 1 && version !== 2 && version !== 3) {
    throw new FormatError(
      `the file is of version ${version ?? "?"} of .npy`,
      ["versions 1, 2 and 3 can be read"],
      again,
    );
  }
  const first = version === 1 ? 10 : 12;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length =
    bytes.length < first ? Infinity : version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (Number.isFinite(length) && length > longestHeader) {
    throw new FormatError(`the header has ${length} bytes`, [`at most ${longestHeader} are read`], again);
  }
  if (first + length > bytes.length) {
    throw new FormatError(
      "the file is cut short",
      [`it ends inside its header, after ${bytes.length} bytes`],
      "write or copy the file again",
    );
  }
  return { header: latin1(bytes.subarray(first, first + length)), start: first + length };
}

interface Header {
  readonly descr: string;
  readonly isFortran: boolean;
  readonly shape: readonly number[];
}

const entry =
  /\s*'(descr|fortran_order|shape)'\s*:\s*('[^']*'|True|False|\([\d\s,]*\)|\[[^]*\])\s*(?:,|(?=\}))/y;

/** The header is the text of a Python dictionary with exactly three entries. */
function parseHeader(header: string): Header {
  const text = header.trim();
  const entries = new Map<string, string>();
  let at = 1;
  while (text.startsWith("{") && !/^\s*\}$/.test(text.slice(at))) {
    entry.lastIndex = at;
    const found = entry.exec(text);
    if (found === null || entries.has(found[1]!)) throw malformed(text);
    entries.set(found[1]!, found[2]!);
    at = entry.lastIndex;
  }
  const [descr, order, shape] = ["descr", "fortran_order", "shape"].map((key) => entries.get(key));
  if (descr?.startsWith("[") === true) {
    throw new FormatError(
      "the array holds records",
      ["only arrays of plain numbers can be read"],
      "save one field as an array of its own",
    );
  }
  if (
    descr?.startsWith("'") !== true ||
    (order !== "True" && order !== "False") ||
    shape?.startsWith("(") !== true
  )
    throw malformed(text);
  const parts = shape
    .slice(1, -1)
    .split(",")
    .map((part) => part.trim());
  if (parts.at(-1) === "") parts.pop();
  if (parts.some((part) => !/^\d{1,15}$/.test(part)) || parts.length > mostAxes) throw malformed(text);
  return { descr: descr.slice(1, -1), isFortran: order === "True", shape: parts.map(Number) };
}

function malformed(text: string): FormatError {
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return new FormatError(
    "the header is malformed",
    [
      `expected {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`,
      `found ${shown.replace(/[^ -~…]/g, "�")}`,
    ],
    again,
  );
}

function unknownType(descr: string): FormatError {
  const known = arrayTypes.flatMap((t) => storage[t].npy ?? []);
  const shown = descr.slice(0, 20).replace(/[^ -~]/g, "�");
  if (descr.startsWith(">")) {
    return new FormatError(
      `the numbers are big-endian, ${shown}`,
      [],
      `convert them: \`array.astype("<${shown.slice(1)}")\``,
    );
  }
  return new FormatError(
    `elements of type ${shown} can't be read`,
    [`known are ${known.join(" ")}`],
    'convert them: `array.astype("<f4")`',
  );
}

/** From column-major to row-major. */
function rowMajor({ shape, data }: NumberArray): NumberArray["data"] {
  const result = data.slice();
  const at = shape.map(() => 0);
  for (let i = 0; i < result.length; i++) {
    let from = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) from = from * shape[axis]! + at[axis]!;
    result[i] = data[from]!;
    for (let axis = shape.length - 1; axis >= 0 && ++at[axis]! === shape[axis]; axis--) at[axis] = 0;
  }
  return result;
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
