/**
 * The inputs of a workload, drawn from a seed, and the results that they must give. Every system gets the same numbers; none of them
 * is committed.
 *
 *     inputsOf(matmul, matmul.dims)     { a: Float32Array, b: Float32Array }
 */
import { readFileSync } from "node:fs";
import { type Compiled, load, type Value } from "../src/index.ts";
import { type Arrays, arrayOf, type Dims, type Input, sizeOf, type Workload } from "./workloads/workload.ts";

/** With this seed no point of W5 to W7 is so near to two centers that single precision could choose the other. */
const seed = 20260522;

/** All inputs by their names. */
export function inputsOf(workload: Workload, dims: Dims): Arrays {
  return Object.fromEntries(
    workload.inputs(dims).map((input, i) => [input.name, drawn(input, seed + 7919 * i)]),
  );
}

function drawn({ shape, draw }: Input, stream: number): Float32Array {
  const random = uniform(stream);
  const count = sizeOf(shape);
  switch (draw.kind) {
    case "normal":
      return Float32Array.from({ length: count }, () => draw.scale * normal(random));
    case "magnitude":
      return Float32Array.from({ length: count }, () => Math.abs(draw.scale * normal(random)));
    case "constant":
      return new Float32Array(count).fill(draw.value);
    case "one of each row": {
      const columns = shape.at(-1)!;
      const y = new Float32Array(count);
      for (let row = 0; row < count; row += columns) y[row + Math.floor(columns * random())] = 1;
      return y;
    }
  }
}

/** Uniform numbers in (0, 1): a counter through the finaliser of MurmurHash3. */
function uniform(stream: number): () => number {
  let counter = Math.imul(stream, 0x9e3779b9);
  return () => {
    counter = (counter + 0x6d2b79f5) | 0;
    let x = counter;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return (((x ^ (x >>> 16)) >>> 0) + 0.5) / 2 ** 32;
  };
}

/** Box and Muller's transform; of its two numbers one is left. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
}

/** The workload in the language, compiled; with `reassociate`, sums are taken before linear maps. */
export function compileWorkload(workload: Workload, dims: Dims, reassociate = false): Compiled {
  const name = `${workload.file}.fec`;
  const text = readFileSync(new URL(`workloads/${name}`, import.meta.url), "utf8");
  return load({ name, text }).compile(workload.function, { dims, reassociate });
}

/** Its arguments, as the language takes them: inputs in order, the first of them as a struct where it has one. */
export function argumentsOf({ inputs, struct }: Workload, dims: Dims, arrays: Arrays): Value[] {
  const values = inputs(dims).map(({ name, shape }): [string, Value] => {
    const data = arrayOf(arrays, name);
    return [name, shape.length === 0 ? data[0]! : { type: "f32", shape, data }];
  });
  const fields = struct?.fields ?? 0;
  const rest = values.slice(fields).map(([, value]) => value);
  return struct === undefined ? rest : [Object.fromEntries(values.slice(0, fields)), ...rest];
}

/** The results in double precision, flat, one array for each tensor. */
export function referenceOf(workload: Workload, dims: Dims, arrays: Arrays): readonly Float64Array[] {
  const { reference } = workload;
  return reference === "interpreter" ? interpreted(workload, dims, arrays) : reference(dims, arrays);
}

/** What the interpreter makes of the program. */
export function interpreted(workload: Workload, dims: Dims, arrays: Arrays): readonly Float64Array[] {
  const results = compileWorkload(workload, dims).interpret(...argumentsOf(workload, dims, arrays));
  return results.flatMap(numbersOf);
}

/** The tensors of a value, in order. */
export function numbersOf(value: Value): readonly Float64Array[] {
  if (typeof value === "number" || typeof value === "boolean") return [Float64Array.of(Number(value))];
  if (Array.isArray(value)) return value.flatMap(numbersOf);
  const record = value as Exclude<Value, number | boolean | readonly Value[]>;
  if ("data" in record && ArrayBuffer.isView(record.data))
    return [Float64Array.from(record.data as Float64Array)];
  return Object.values(record as Readonly<Record<string, Value>>).flatMap(numbersOf);
}
