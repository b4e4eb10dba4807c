/**
 * A workload: a function of the language, its inputs, and what it must give, in double precision.
 *
 *     { id: "W3", file: "rows", function: "softmax_rows", dims: { m: 4096, n: 1024 }, inputs: [x: normal], reference }
 */

/** The numbers that a function's dimensions have. */
export type Dims = Readonly<Record<string, number>>;

/** An input: normally distributed numbers, their magnitudes, rows with a single one, or the numbers given. */
export interface Input {
  readonly name: string;
  readonly shape: readonly number[];
  readonly draw:
    | { readonly kind: "normal" | "magnitude"; readonly scale: number }
    | { readonly kind: "one of each row" }
    | { readonly kind: "constant"; readonly value: number };
}

/** Inputs by their names. */
export type Arrays = Readonly<Record<string, Float32Array>>;

export interface Workload {
  readonly id: string;
  readonly title: string;
  /** The program, without `.fec`, and its function. */
  readonly file: string;
  readonly function: string;
  /** As it is measured. */
  readonly dims: Dims;
  /** As it is tested. */
  readonly small: Dims;
  readonly inputs: (dims: Dims) => readonly Input[];
  /**
   * The results, flat, in the order of the function's. Written without the language, so that a mistake in the program shows; the
   * gradients alone are the interpreter's, and the tests hold them to differences of these.
   */
  readonly reference: "interpreter" | ((dims: Dims, inputs: Arrays) => readonly Float64Array[]);
  /** How many numbers the results have together. */
  readonly resultElements: (dims: Dims) => number;
  /** The struct that its first inputs are the fields of, with the number of these. */
  readonly struct?: { readonly name: string; readonly fields: number };
  /** Additions and multiplications that the result takes when nothing is computed twice; 0 where bytes are what counts. */
  readonly operations: (dims: Dims) => number;
}

/** The number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

export function normal(name: string, shape: readonly number[], scale = 1): Input {
  return { name, shape, draw: { kind: "normal", scale } };
}

export function magnitude(name: string, shape: readonly number[], scale = 1): Input {
  return { name, shape, draw: { kind: "magnitude", scale } };
}

export function constant(name: string, value: number): Input {
  return { name, shape: [], draw: { kind: "constant", value } };
}

/** Names of dimensions to their numbers; a name that there is not is a mistake in the workload. */
export function dimension(dims: Dims, name: string): number {
  const size = dims[name];
  if (size === undefined) throw new Error(`the workload has no dimension ${name}`);
  return size;
}

/** The product of some dimensions. */
export function productOf(dims: Dims, ...names: readonly string[]): number {
  return names.reduce((product, name) => product * dimension(dims, name), 1);
}

/** Several dimensions at once, in the order of the names. */
export function dimensions<Names extends readonly string[]>(
  dims: Dims,
  ...names: Names
): { readonly [I in keyof Names]: number } {
  return names.map((name) => dimension(dims, name)) as { readonly [I in keyof Names]: number };
}

/** An input that must be there. */
export function arrayOf(inputs: Arrays, name: string): Float32Array {
  const array = inputs[name];
  if (array === undefined) throw new Error(`the workload has no input ${name}`);
  return array;
}
