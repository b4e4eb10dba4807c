/**
 * The WGSL column of the scalar table on a device, against the JavaScript column: every function, over its types, at all combinations
 * of values that include the edges.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as build from "../../src/codegen/build.ts";
import type { Kernel, KernelExpr, KernelFunction, KernelType, Statement } from "../../src/codegen/kernel.ts";
import { type ScalarFunctionName, runtimeFunctions, scalarFunctions } from "../../src/ir/scalar.ts";
import { bindAlone, dispatch, openDevice } from "./device.ts";
import { when } from "./row-sum.ts";

let device: GPUDevice;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device?.destroy());

/** What a kernel may apply: derivatives are taken before. */
type Applied = Exclude<ScalarFunctionName, "stop_gradient">;
const names = Object.keys(scalarFunctions).filter((fn) => fn !== "stop_gradient") as Applied[];

const floats = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  3,
  -3,
  1e-3,
  -1e-3,
  1e-6,
  -1e-6,
  0.99999,
  1.0001,
  0.3,
  -0.28,
  0.45,
  0.7,
  -0.71,
  7,
  -7.25,
  13.6,
  -20,
  88,
  -88,
  100,
  -100,
  1000.5,
  12345.75,
  -7000.25,
  1e10,
  -1e10,
  3e38,
  -3e38,
  1e-30,
  Infinity,
  -Infinity,
  NaN,
];
const integers = [0, 1, -1, 2, -2, 3, -3, 7, -7, 64, 1000003, -1000003, 2147483647, -2147483647, -2147483648];
const words = [
  0, 1, 2, 3, 7, 31, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xcd9e8d57, 0xd2511f53, 0xffffffff,
];
const valuesOf: Readonly<Record<KernelType, readonly number[]>> = {
  f32: floats.map(Math.fround),
  i32: integers,
  u32: words,
  bool: [0, 1],
};
const typesOf = {
  float: ["f32"],
  number: ["f32", "i32", "u32"],
  integer: ["i32", "u32"],
  any: ["f32", "i32", "u32", "bool"],
  bool: ["bool"],
  u32: ["u32"],
} as const;

/** The words of values in memory, and back. */
function toWords(type: KernelType, values: readonly number[]): Uint32Array {
  if (type === "f32") return new Uint32Array(new Float32Array(values).buffer);
  return type === "i32" ? new Uint32Array(new Int32Array(values).buffer) : new Uint32Array(values);
}
function fromWords(type: KernelType, memory: Uint32Array): readonly number[] {
  if (type === "f32") return [...new Float32Array(memory.buffer)];
  return type === "i32" ? [...new Int32Array(memory.buffer)] : [...memory];
}

/** The values that a device gives for an expression of columns of arguments. */
async function evaluate(
  type: KernelType,
  from: KernelType,
  columns: readonly (readonly number[])[],
  body: (args: readonly KernelExpr[]) => KernelExpr,
): Promise<readonly number[]> {
  const length = columns[0]?.length ?? 0;
  const index = build.add(build.mul(build.workgroup, build.integer(64)), build.invocation);
  const inputs = columns.map((_, n) => ({ name: `x${n}`, type: from, length, access: "read" as const }));
  const args = columns.map((_, n) => build.load("device", `x${n}`, index, from));
  const store: Statement = { kind: "store", space: "device", array: "y", index, value: body(args) };
  const kernel: Kernel = {
    name: "function",
    nodes: [],
    origins: [],
    workgroups: Math.ceil(length / 64),
    invocations: 64,
    buffers: [...inputs, { name: "y", type, length, access: "write" }],
    workgroupArrays: [],
    body: [when(build.less(index, build.integer(length)), store)],
  };
  const bound = bindAlone(kernel);
  const pages = [...columns.map((values) => toWords(from, values)), new Uint32Array(length)];
  const after = await dispatch(device, bound, pages, (page) => ({ page, offset: 0 }));
  return fromWords(type, after[columns.length]!);
}

function javascript(
  fn: ScalarFunctionName,
  type: KernelType,
  from: KernelType,
  count: number,
): (...args: number[]) => number {
  const parameters = ["a", "b", "c"].slice(0, count);
  const text = scalarFunctions[fn].js(parameters, type, from);
  return (new Function("f", ...parameters, `return ${text}`) as (...all: unknown[]) => number).bind(
    null,
    runtimeFunctions,
  );
}

/** All combinations, as columns. */
function combinations(values: readonly number[], count: number): readonly (readonly number[])[] {
  const rows = Array.from({ length: count }).reduce<readonly (readonly number[])[]>(
    (shorter) => shorter.flatMap((row) => values.map((value) => [...row, value])),
    [[]],
  );
  return Array.from({ length: count }, (_, n) => rows.map((row) => row[n]!));
}

/** How far from the value a function may be: `absolute`, or relative to the value. */
const tolerances: Partial<
  Record<
    KernelFunction,
    (args: readonly number[]) => { readonly absolute?: number; readonly relative?: number }
  >
> = {
  div: () => ({ relative: 3e-7 }),
  // 3 + 2|x| units in the last place are what WGSL promises.
  exp: ([x]) => ({ relative: (3 + 2 * Math.abs(x!)) * 1.2e-7 }),
  expm1: ([x]) => ({ relative: (6 + 2 * Math.abs(x!)) * 1.2e-7 }),
  log: () => ({ relative: 2e-6 }),
  log1p: () => ({ relative: 2e-6 }),
  sqrt: () => ({ relative: 6e-7 }),
  rsqrt: () => ({ relative: 3e-7 }),
  sin: ([x]) => ({ absolute: 3e-7 + 1e-9 * Math.abs(x!) }),
  cos: ([x]) => ({ absolute: 3e-7 + 1e-9 * Math.abs(x!) }),
  tan: ([x]) => ({
    relative:
      ((1e-6 + 1e-9 * Math.abs(x!)) * (1 + Math.abs(Math.tan(x!)))) / Math.min(1, Math.abs(Math.sin(x!))),
  }),
  tanh: () => ({ relative: 2e-6 }),
  sigmoid: ([x]) => ({ relative: (6 + 2 * Math.abs(x!)) * 1.2e-7 }),
  erf: () => ({ absolute: 1e-6 }),
  pow: ([a, b]) => ({ relative: 1e-6 * (2 + Math.abs(b! * Math.log2(Math.abs(a!)))) }),
  floor_div: () => ({ relative: 3e-7 }),
  // The product may be rounded, or not.
  fma: ([a, b]) => ({ absolute: 1.2e-7 * Math.abs(a! * b!), relative: 1e-7 }),
};

const largest = 3.4028234e38;
const smallest = 1.1754944e-38;

function agrees(fn: KernelFunction, args: readonly number[], found: number, expected: number): boolean {
  const rounded = Math.fround(expected);
  if (Number.isNaN(rounded)) return Number.isNaN(found);
  if (found === rounded) return true;
  // Subnormal numbers may be zero, as an argument, as a value, and on the way to one.
  if (Math.abs(rounded) <= smallest * 4 && Math.abs(found) <= smallest * 4) return true;
  // A product that is rounded overflows, even if the sum would not.
  if (fn === "fma" && Math.abs(Math.fround(args[0]! * args[1]!)) === Infinity) return true;
  const { absolute = 0, relative = 0 } = tolerances[fn]?.(args) ?? {};
  if (Math.abs(found) === Infinity || Math.abs(rounded) === Infinity)
    return (
      Math.sign(found) === Math.sign(rounded) &&
      Math.min(Math.abs(found), Math.abs(expected)) * (1 + relative) >= largest
    );
  return Math.abs(found - expected) <= absolute + (relative + (relative > 0 ? 6e-8 : 0)) * Math.abs(expected);
}

async function compare(
  fn: Applied,
  type: KernelType,
  from: KernelType,
  result: KernelType,
  columns: readonly (readonly number[])[],
): Promise<string[]> {
  const expected = javascript(fn, type, from, columns.length);
  const found = await evaluate(
    result,
    from,
    columns,
    (args) => ({ kind: "apply", fn, type: result, args }) as KernelExpr,
  );
  return found.flatMap((value, n) => {
    const args = columns.map((column) => column[n]!);
    const right = expected(...args);
    return agrees(fn, args, value, right) ? [] : [`${fn}(${args.join(", ")}) is ${value}, not ${right}`];
  });
}

describe.each(names.filter((fn) => fn !== "cast"))("%s", (fn) => {
  const { params, result } = scalarFunctions[fn];
  it.each(typesOf[params[0]!])("of %s", async (from) => {
    const type = result === "bool" ? "bool" : from;
    const values = params.length === 3 ? valuesOf[from].filter((_, n) => n % 3 !== 1) : valuesOf[from];
    expect(await compare(fn, type, from, type, combinations(values, params.length))).toEqual([]);
  });
});

/** `count` numbers between two, evenly. */
function sweep(from: number, to: number, count = 2000): readonly number[] {
  return Array.from({ length: count }, (_, n) => Math.fround(from + ((to - from) * (n + 0.5)) / count));
}

describe.each([
  ["erf", -6, 6],
  ["tanh", -12, 12],
  ["tanh", -0.01, 0.01],
  ["sin", -10, 10],
  ["cos", -10, 10],
  ["sin", 20000, 30000],
  ["tan", -1.4, 1.4],
  ["log", 0.5, 2],
  ["log1p", -0.5, 1],
  ["expm1", -1, 1],
  ["exp", -80, 80],
  ["sigmoid", -80, 80],
  ["round", -4, 4],
  ["sqrt", 0, 3],
] as const)("%s between %d and %d", (fn, from, to) => {
  it("keeps its error", async () =>
    expect(await compare(fn, "f32", "f32", "f32", [sweep(from, to)])).toEqual([]));
});

describe.each(typesOf.any)("cast to %s", (type) => {
  it.each(typesOf.any)("from %s", async (from) => {
    expect(await compare("cast", type, from, type, [valuesOf[from]])).toEqual([]);
  });
});
