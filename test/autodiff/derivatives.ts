/**
 * Derivatives of small programs, through the public interface and in double precision. Every program has a function `f`.
 *
 *     expectDerivatives(text)            vjp against central differences, element by element, and against jvp
 *     gradientsOf(text, args, cts)       the numbers that its vjp gives, one list for each floating argument
 */
import { expect } from "vitest";
import { tensorsOf, valueOf } from "../../src/host-value.ts";
import {
  type Compiled,
  load,
  type Parameter,
  type Shape,
  shapeOf,
  tensor,
  type Tensor,
  type TensorData,
  type Value,
} from "../../src/index.ts";
import { isFloat } from "../../src/ir/ir.ts";
import { randomTensor } from "../programs/inputs.ts";
import { type RandomSource, randomSource } from "../programs/random-source.ts";

export interface Check {
  readonly dims?: Readonly<Record<string, number>>;
  /** Arguments by name; the others are random. */
  readonly args?: Readonly<Record<string, Value>>;
  /** Where random floats come from. */
  readonly range?: readonly [lo: number, hi: number];
  readonly seed?: number;
}

/** `f` of a program without mistakes, for dimensions. */
export function compiled(text: string, dims: Readonly<Record<string, number>> = {}): Compiled {
  const module = load(text);
  expect(module.diagnostics).toEqual([]);
  return module.compile("f", { dims });
}

/** `f` for the shapes of its arguments. */
export function compiledFor(
  text: string,
  args: readonly Value[],
  dims: Readonly<Record<string, number>> = {},
): Compiled {
  const module = load(text);
  expect(module.diagnostics).toEqual([]);
  return module.compile("f", { dims, args: args.map(shapeOf) });
}

export const vector = (...numbers: number[]): Tensor => tensor([numbers.length], numbers);

export const matrix = (...rows: number[][]): Tensor => tensor([rows.length, rows[0]!.length], rows.flat());

export const integers = (...numbers: number[]): Tensor => tensor([numbers.length], numbers, "i32");

/** Every number of a value, in order. */
export function numbersOf(value: Value): number[] {
  if (typeof value === "number" || typeof value === "boolean") return [Number(value)];
  if ("data" in value && ArrayBuffer.isView(value.data)) return [...(value as Tensor).data];
  return Object.values(value).flatMap((part: Value) => numbersOf(part));
}

/** What `f` computes: the numbers of each result. */
export function valuesOf(
  text: string,
  args: readonly Value[],
  dims: Readonly<Record<string, number>> = {},
): number[][] {
  return compiledFor(text, args, dims)
    .interpret(...args)
    .map(numbersOf);
}

/** The cotangents of the floating arguments of `f`. */
export function gradientsOf(
  text: string,
  args: readonly Value[],
  cotangents: readonly Value[] = [1],
  dims: Readonly<Record<string, number>> = {},
): number[][] {
  return compiledFor(text, args, dims)
    .vjp()
    .interpret(...args, ...cotangents)
    .map(numbersOf);
}

/** The tangents of the floating results of `f`. */
export function tangentsOf(
  text: string,
  args: readonly Value[],
  tangents: readonly Value[],
  dims: Readonly<Record<string, number>> = {},
): number[][] {
  return compiledFor(text, args, dims)
    .jvp()
    .interpret(...args, ...tangents)
    .map(numbersOf);
}

/** Lists of numbers, compared one by one; NaN is equal to nothing. */
export function expectClose(
  found: readonly (readonly number[])[],
  expected: readonly (readonly number[])[],
  accuracy = 1e-10,
): void {
  expect(found.map((list) => list.length)).toEqual(expected.map((list) => list.length));
  found.forEach((list, i) => {
    const size = Math.max(1, ...expected[i]!.map(Math.abs));
    list.forEach((x, j) => {
      const message = `number ${j} of value ${i} is ${x}, expected ${expected[i]![j]}`;
      expect(Math.abs(x - expected[i]![j]!) <= accuracy * size, message).toBe(true);
    });
  });
}

/** Does a graph's result come from a node that is nothing but a zero? */
export function isStructuralZero({ graph }: Compiled, name: string): boolean {
  const node = graph.nodes.find((n) => n.kind === "comprehension" && n.name === name);
  return (
    node?.kind === "comprehension" &&
    node.reduction === null &&
    node.body.kind === "const" &&
    node.body.value === 0
  );
}

/** Holds `f`'s vjp to central differences (relative 1e-6) and to its jvp (relative 1e-10), at random inputs. */
export function expectDerivatives(
  text: string,
  { dims = {}, args = {}, range = [-1.2, 1.2], seed = 1 }: Check = {},
): void {
  const f = compiled(text, dims);
  const random = randomSource(seed);
  const inputs = f.params.map((p) => args[p.name] ?? randomValue(p.shape, random, range));
  const [vjp, jvp] = [f.vjp(), f.jvp()];
  const cotangents = vjp.params.slice(f.params.length).map((p) => randomValue(p.shape, random, [-1, 1]));
  const tangents = jvp.params.slice(f.params.length).map((p) => randomValue(p.shape, random, [-1, 1]));
  const gradient = floats(vjp.results, vjp.interpret(...inputs, ...cotangents));
  const forward = floats(jvp.results, jvp.interpret(...inputs, ...tangents));
  const ct = floats(vjp.params.slice(f.params.length), cotangents);
  const t = floats(jvp.params.slice(f.params.length), tangents);
  expectSame("⟨ct, J t⟩ and ⟨Jᵀ ct, t⟩", dot(ct, forward), dot(gradient, t));

  const columns = centralDifferences(f, inputs);
  expect(gradient.length).toBe(columns.length);
  const numeric = columns.map((column) => dot(ct, column).sum);
  const allowed = 1e-6 * Math.max(1e-2, ...numeric.map(Math.abs));
  // A program whose derivative is zero everywhere would say nothing here.
  expect(numeric.some((x) => Math.abs(x) > 1e-4)).toBe(true);
  gradient.forEach((g, i) => {
    expect(
      Math.abs(g - numeric[i]!) <= allowed,
      `cotangent ${i} is ${g}, differences give ${numeric[i]}`,
    ).toBe(true);
  });
}

function randomValue(shape: Shape, random: RandomSource, range: readonly [number, number]): Value {
  const leaves = (s: Shape): TensorData[] => {
    if (s.kind === "tensor")
      return [randomTensor(s.element, s.shape, random, isFloat(s.element.scalar) ? range : undefined)];
    return s.kind === "struct" ? s.fields.flatMap((field) => leaves(field.shape)) : s.items.flatMap(leaves);
  };
  return valueOf(shape, leaves(shape).values());
}

/** All floats of values, in the order of their shapes' leaves. */
function floats(of: readonly Parameter[], values: readonly Value[]): number[] {
  return of.flatMap((p, i) =>
    tensorsOf(values[i]!, p.shape, p.name).flatMap((t) => (isFloat(t.element.scalar) ? [...t.data] : [])),
  );
}

/** The columns of the Jacobian, one for each float of the inputs. */
function centralDifferences(f: Compiled, inputs: readonly Value[]): number[][] {
  const leaves = f.params.map((p, i) => tensorsOf(inputs[i]!, p.shape, p.name));
  const at = (leaf: TensorData, element: number, x: number): number[] => {
    const moved = leaves.map((of) =>
      of.map((t) =>
        t === leaf ? { ...t, data: Float64Array.from(t.data, (y, i) => (i === element ? x : y)) } : t,
      ),
    );
    return floats(f.results, f.interpret(...f.params.map((p, i) => valueOf(p.shape, moved[i]!.values()))));
  };
  return leaves
    .flat()
    .filter((t) => isFloat(t.element.scalar))
    .flatMap((leaf) =>
      Array.from(leaf.data, (x, i) => {
        const h = 1e-5 * Math.max(1, Math.abs(x));
        const before = at(leaf, i, x - h);
        return at(leaf, i, x + h).map((y, k) => (y - before[k]!) / (2 * h));
      }),
    );
}

interface InnerProduct {
  readonly sum: number;
  readonly size: number;
}

/** Σ a b, and Σ |a b|: what an error in it is compared with. */
function dot(a: readonly number[], b: readonly number[]): InnerProduct {
  expect(a.length).toBe(b.length);
  const products = a.map((x, i) => x * b[i]!);
  return { sum: products.reduce((s, x) => s + x, 0), size: products.reduce((s, x) => s + Math.abs(x), 0) };
}

function expectSame(what: string, a: InnerProduct, b: InnerProduct): void {
  const same = Math.abs(a.sum - b.sum) <= 1e-10 * Math.max(a.size, b.size, 1e-6);
  expect(same, `${what} are ${a.sum} and ${b.sum}`).toBe(true);
}
