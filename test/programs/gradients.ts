/**
 * Derivatives held to each other and to central differences, in double precision:
 *
 *     J t           by jvp, against (f(x + h t) - f(x - h t)) / 2h, with the error of order h² taken out (Richardson)
 *     ⟨Jᵀ ct, t⟩    by vjp, against ⟨ct, J t⟩
 */
import { jvpGraph, vjpGraph } from "../../src/autodiff/differentiate.ts";
import { type Graph, isFloat, sizeOf } from "../../src/ir/ir.ts";
import type { TensorData } from "../../src/ir/interpret.ts";
import { simplify as simplification } from "../../src/ir/rewrite/simplify.ts";
import { type Inputs, run, unsimplified, verified } from "./compile.ts";
import { randomTensor } from "./inputs.ts";
import type { RandomSource } from "./random-source.ts";
import { isFloatTensor } from "./values.ts";

/** A graph with its derivatives, all ready to run. */
export interface Differentiated {
  readonly graph: Graph;
  readonly vjp: Graph;
  readonly jvp: Graph;
}

/** The graph with its two derivatives; simplified unless told otherwise. */
export function differentiated(graph: Graph, simplified = true): Differentiated {
  const ready = (g: Graph): Graph =>
    simplified ? verified(simplification(unsimplified(g))) : unsimplified(g);
  return { graph: ready(graph), vjp: ready(vjpGraph(graph)), jvp: ready(jvpGraph(graph)) };
}

/** The floating parameters, in order; those with a gradient. */
export function floatParams(graph: Graph): string[] {
  return graph.params.filter((p) => isFloat(p.element.scalar)).map((p) => p.name);
}

/** The gradients of the floating parameters in order, for cotangents of the floating results. */
export function gradientsAt(
  d: Differentiated,
  inputs: Inputs,
  cotangents: readonly TensorData[],
): TensorData[] {
  const seeds = d.vjp.params.slice(d.graph.params.length);
  return run(d.vjp, { ...inputs, ...Object.fromEntries(seeds.map((s, i) => [s.name, cotangents[i]!])) });
}

/** The tangents of the floating results in order, for tangents of the floating parameters. */
export function tangentsAt(d: Differentiated, inputs: Inputs, tangents: readonly TensorData[]): TensorData[] {
  const seeds = d.jvp.params.slice(d.graph.params.length);
  return run(d.jvp, { ...inputs, ...Object.fromEntries(seeds.map((s, i) => [s.name, tangents[i]!])) });
}

/** The derivative of the floating results along a direction, by central differences with steps `h` and `2h`. */
export function centralDifference(
  d: Differentiated,
  inputs: Inputs,
  direction: readonly TensorData[],
  h: number,
): TensorData[] {
  const names = floatParams(d.graph);
  const at = (step: number): TensorData[] => {
    const moved = names.map((name, i): [string, TensorData] => [
      name,
      combine(inputs[name]!, direction[i]!, (x, t) => x + step * t),
    ]);
    return run(d.graph, { ...inputs, ...Object.fromEntries(moved) }).filter(isFloatTensor);
  };
  const [near, far] = [h, 2 * h].map((step) => {
    const before = at(-step);
    return at(step).map((y, i) => combine(y, before[i]!, (a, b) => (a - b) / (2 * step)));
  });
  return near!.map((n, i) => combine(n, far![i]!, (a, b) => (4 * a - b) / 3));
}

function combine(a: TensorData, b: TensorData, of: (x: number, y: number) => number): TensorData {
  return { ...a, data: Float64Array.from(a.data, (x, i) => of(x, b.data[i]!)) };
}

/** Σ a b over all tensors, and Σ |a b|: what an error in it is to be compared with. */
export function innerProduct(
  a: readonly TensorData[],
  b: readonly TensorData[],
): { readonly sum: number; readonly size: number } {
  let [sum, size] = [0, 0];
  a.forEach((t, n) => {
    t.data.forEach((x, i) => {
      const product = x * b[n]!.data[i]!;
      sum += product;
      size += Math.abs(product);
    });
  });
  return { sum, size };
}

export interface Accuracy {
  /** Of differences, as a part of the largest tangent. */
  readonly differences: number;
  /** Of vjp against jvp, as a part of the sum's terms. */
  readonly agreement: number;
  readonly directions: number;
  readonly step: number;
}

export const fine: Accuracy = { differences: 1e-6, agreement: 1e-10, directions: 3, step: 1e-4 };

/** Random tangents of a graph's floating parameters, or cotangents of its floating results. */
export function randomLike(tensors: readonly TensorData[], random: RandomSource): TensorData[] {
  return tensors.map((t) => randomTensor(t.element, t.shape, random, [-1, 1]));
}

/** What is wrong with the derivatives at the inputs, in several random directions, and along every coordinate if there are few. */
export function gradientProblems(
  d: Differentiated,
  inputs: Inputs,
  random: RandomSource,
  accuracy: Accuracy = fine,
): string[] {
  const at = floatParams(d.graph).map((name) => inputs[name]!);
  const results = run(d.graph, inputs).filter(isFloatTensor);
  const directions = Array.from({ length: accuracy.directions }, () => randomLike(at, random));
  if (at.reduce((total, t) => total + sizeOf(t.shape), 0) <= 24) directions.push(...unitDirections(at));
  return directions.flatMap((direction) => {
    const cotangents = randomLike(results, random);
    const tangents = tangentsAt(d, inputs, direction);
    const found = [...agreementProblems(d, inputs, direction, cotangents, tangents, accuracy.agreement)];
    const numeric = centralDifference(d, inputs, direction, accuracy.step);
    tangents.forEach((t, i) => {
      const problem = mismatch(t, numeric[i]!, accuracy.differences, largest(results[i]!));
      if (problem !== null) found.push(`jvp of result ${i}: ${problem}`);
    });
    return found;
  });
}

export function agreementProblems(
  d: Differentiated,
  inputs: Inputs,
  direction: readonly TensorData[],
  cotangents: readonly TensorData[],
  tangents: readonly TensorData[],
  accuracy: number,
): string[] {
  const gradients = gradientsAt(d, inputs, cotangents);
  const forward = innerProduct(cotangents, tangents);
  const backward = innerProduct(gradients, direction);
  const allowed = accuracy * Math.max(forward.size, backward.size, 1e-9);
  if (Math.abs(forward.sum - backward.sum) <= allowed) return [];
  return [`vjp gives ${backward.sum}, jvp gives ${forward.sum}`];
}

/** Each coordinate of each tensor in turn. */
function unitDirections(like: readonly TensorData[]): TensorData[][] {
  return like.flatMap((t, n) =>
    Array.from({ length: sizeOf(t.shape) }, (_, at) =>
      like.map((other, m) => ({
        ...other,
        data: Float64Array.from(other.data, (_, i) => (m === n && i === at ? 1 : 0)),
      })),
    ),
  );
}

function largest(t: TensorData): number {
  let most = 0;
  for (const x of t.data) most = Math.max(most, Math.abs(x));
  return most;
}

/** What is wrong with tangents; the rounding error of a difference grows with the size of the values themselves. */
export function mismatch(
  analytic: TensorData,
  numeric: TensorData,
  accuracy: number,
  valueSize: number,
): string | null {
  const allowed = accuracy * Math.max(largest(numeric), 1e-3 * valueSize, 1e-6);
  for (const [i, a] of analytic.data.entries()) {
    const n = numeric.data[i]!;
    if (!(Math.abs(a - n) <= allowed)) return `element ${i} is ${a}, differences give ${n}`;
  }
  return null;
}
