/**
 * How `init` draws a value: each float from the distribution of its field, in a random stream of its own.
 *
 *     struct Linear[i, o] { weight: f32[o, i] ~ trunc_normal(0.02)  bias: f32[o] ~ zeros }
 *
 * The stream of a leaf comes from the seed and the leaf's path (`p.weight`), so that a field added or moved
 * changes no other. The numbers come from the prelude's own `normal`, `uniform` and `split`, compiled and
 * interpreted: they are what a program would draw.
 */
import { operations } from "../constants.ts";
import { type Dim, evaluateDim } from "../dims.ts";
import { check, noFiles } from "../check.ts";
import type { Program, StructInfo } from "../program.ts";
import type { Distribution, Expr } from "../syntax.ts";
import type { Type } from "../types.ts";
import { type Shape, shapeLeaves } from "./shape.ts";
import { findFunction, specialise, type Specialised } from "./specialise.ts";
import { interpret, tensor, type TensorData, zeros } from "../../ir/interpret.ts";
import { type ElementType, f32, i32, isFloat, u32 } from "../../ir/ir.ts";

/** What the numbers of a tensor are drawn from. `bits` is for `u32`: all values, equally likely. */
export type Draw =
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "uniform"; readonly lo: number; readonly hi: number }
  | { readonly kind: "normal"; readonly std: number }
  /** Cut at ±`bound`. */
  | { readonly kind: "truncated"; readonly std: number; readonly bound: number }
  | { readonly kind: "whole"; readonly below: number }
  | { readonly kind: "bits" };

/** A tensor of a value and what it is drawn from; null when its field does not say. */
export interface PlannedLeaf {
  readonly path: string;
  readonly leaf: Extract<Shape, { kind: "tensor" }>;
  readonly draw: Draw | null;
}

/** The tensors of a value of this type, in order, each with its distribution. */
export function planInit(
  type: Type,
  shape: Shape,
  path: string,
  dims: ReadonlyMap<string, number>,
): PlannedLeaf[] {
  return planWithin(type, shape, path, { dims, types: new Map() }, null);
}

/**
 * The numbers of a tensor. `seed` is a whole number from 0. As a program would have them, floats are singles.
 */
export function drawTensor(
  element: ElementType,
  shape: readonly number[],
  draw: Draw,
  seed: number,
  path: string,
): TensorData {
  const result = zeros(element, shape);
  const { data } = result;
  if (draw.kind === "constant") {
    data.fill(isFloat(element.scalar) ? Math.fround(draw.value) : draw.value);
    return result;
  }
  const key = streamOf(seed, path);
  for (let at = 0; at < data.length;) {
    const drawn = drawBlock(draw, key, at, data.length - at);
    for (let i = 0; i < drawn.length && at < data.length; i++, at++) {
      data[at] = isFloat(element.scalar) ? Math.fround(drawn[i]!) : drawn[i]!;
    }
  }
  return result;
}

/**
 * The names of a struct's declaration: numbers for its dimensions, and what stands for its type parameters.
 */
interface Scope {
  readonly dims: ReadonlyMap<string, number>;
  readonly types: ReadonlyMap<string, { readonly type: Type; readonly scope: Scope }>;
}

/** `outer` is the distribution of the field that holds this: in `m: T ~ zeros` it goes for all of T. */
function planWithin(type: Type, shape: Shape, path: string, scope: Scope, outer: Draw | null): PlannedLeaf[] {
  const at = (part: string | number): string => (path === "" ? String(part) : `${path}.${part}`);
  if (type.kind === "variable") {
    const bound = scope.types.get(type.name);
    if (bound !== undefined) return planWithin(bound.type, shape, path, bound.scope, outer);
    return shapeLeaves(shape, path).map((leaf) => ({ ...leaf, draw: outer }));
  }
  switch (shape.kind) {
    case "tensor":
      return [{ path, leaf: shape, draw: outer }];
    case "tuple":
    case "list":
      return shape.items.flatMap((item, i) => {
        const inner = type.kind === "tuple" ? type.items[i]! : type.kind === "list" ? type.item : type;
        return planWithin(inner, item, at(i), scope, outer);
      });
    case "struct": {
      if (type.kind !== "struct") return shapeLeaves(shape, path).map((leaf) => ({ ...leaf, draw: outer }));
      const inside = scopeWithin(type, scope);
      return type.decl.fields.flatMap((field, i) => {
        const draw = outer ?? (field.init === null ? null : drawOf(field.init, type.decl, inside.dims));
        return planWithin(field.type, shape.fields[i]!.shape, at(field.name), inside, draw);
      });
    }
  }
}

function scopeWithin(type: Extract<Type, { kind: "struct" }>, scope: Scope): Scope {
  const number = (dim: Dim): number => evaluateDim(dim, scope.dims) ?? NaN;
  return {
    dims: new Map(type.decl.dims.map((name, i) => [name, number(type.dims[i]!)])),
    types: new Map(type.decl.types.map((name, i) => [name, { type: type.types[i]!, scope }])),
  };
}

function drawOf(distribution: Distribution, decl: StructInfo, dims: ReadonlyMap<string, number>): Draw {
  const [a = 0, b = 0] = distribution.args.map((arg) => numberOf(arg, decl, dims));
  switch (distribution.name.text) {
    case "ones":
      return { kind: "constant", value: 1 };
    case "constant":
      return { kind: "constant", value: a };
    case "uniform":
      return { kind: "uniform", lo: a, hi: b };
    case "normal":
      return { kind: "normal", std: a };
    case "trunc_normal":
      // As timm's `trunc_normal_`: the cut is at ±2 itself, not at two standard deviations.
      return { kind: "truncated", std: a, bound: 2 };
    case "kaiming_uniform": {
      // PyTorch's layers draw with gain √(1/3): √3 √(1/3) / √fan = 1/√fan (He et al., arXiv 1502.01852).
      const bound = a > 0 ? 1 / Math.sqrt(a) : 0;
      return { kind: "uniform", lo: -bound, hi: bound };
    }
    default:
      return { kind: "constant", value: 0 };
  }
}

/**
 * The value of an argument of a distribution: arithmetic on numbers, constants and the struct's dimensions.
 */
function numberOf(expr: Expr, decl: StructInfo, dims: ReadonlyMap<string, number>): number {
  switch (expr.kind) {
    case "number":
      return expr.value;
    case "name": {
      const constant = decl.module.names.get(expr.name);
      return dims.get(expr.name) ?? (constant?.kind === "const" ? constant.value : NaN);
    }
    case "unary":
      return -numberOf(expr.operand, decl, dims);
    case "binary":
      return operations[expr.op]?.(numberOf(expr.left, decl, dims), numberOf(expr.right, decl, dims)) ?? NaN;
    default:
      return NaN;
  }
}

/** The draws, in the language. `n` numbers of a stream from its number `first` on. */
const samplers = `
use random.{whole_below, uniform_between}

fn stream(seed: key, high: i32, low: i32) -> key = split(split(seed, high), low)

fn draw_uniform[n](k: key, first: i32, lo: f32, hi: f32) -> f32[n] =
  for i: n -> uniform_between(split(k, first + i), lo, hi)

fn draw_normal[n](k: key, first: i32, std: f32) -> f32[n] = for i: n -> std * normal(split(k, first + i))

fn draw_truncated[n](k: key, first: i32, std: f32, bound: f32) -> f32[n] =
  for i: n -> std * truncated(uniform(split(k, first + i)), bound / std)

fn draw_whole[n](k: key, first: i32, below: i32) -> i32[n] =
  for i: n -> whole_below(split(k, first + i), below)

fn draw_bits[n](k: key, first: i32) -> u32[n] = for i: n -> bits(split(k, first + i))

## Φ(x), the distribution of a standard normal number.
fn below(x: f32) -> f32 = 0.5 + 0.5 * erf(0.7071067811865476 * x)

## The standard normal number, cut at ±bound, below which a fraction u of all lies: Φ inverted by bisection.
fn truncated(u: f32, bound: f32) -> f32 {
  let outside = below(-bound)
  let wanted = outside + u * (1.0 - 2.0 * outside)
  let (lo, hi) = fold (lo, hi) = (-bound, bound) for t: 32 -> {
    let middle = 0.5 * (lo + hi)
    (if below(middle) < wanted then middle else lo, if below(middle) < wanted then hi else middle)
  }
  0.5 * (lo + hi)
}
`;

/** The largest number that the prelude's `normal` gives is √(48 log 2): a cut beyond it cuts nothing. */
const largestNormal = 5.78;

function drawBlock(
  draw: Exclude<Draw, { kind: "constant" }>,
  key: TensorData,
  at: number,
  wanted: number,
): TensorData["data"] {
  const single = (value: number): TensorData => tensor(f32, [], [value]);
  const whole = (value: number): TensorData => tensor(i32, [], [value]);
  const first = whole(at);
  // Few sizes, so that few graphs are compiled.
  const n = Math.min(65_536, 2 ** Math.ceil(Math.log2(wanted)));
  switch (draw.kind) {
    case "uniform":
      return call("draw_uniform", n, [key, first, single(draw.lo), single(draw.hi)]).data;
    case "normal":
      return call("draw_normal", n, [key, first, single(draw.std)]).data;
    case "truncated":
      if (!(draw.bound < largestNormal * draw.std))
        return call("draw_normal", n, [key, first, single(draw.std)]).data;
      return call("draw_truncated", n, [key, first, single(draw.std), single(draw.bound)]).data;
    case "whole":
      return call("draw_whole", n, [key, first, whole(draw.below)]).data;
    case "bits":
      return call("draw_bits", n, [key, first]).data;
  }
}

function streamOf(seed: number, path: string): TensorData {
  const hash = fnv1a(path);
  const part = (shift: bigint): TensorData => tensor(i32, [], [Number((hash >> shift) & 0x7fffffffn)]);
  return call("stream", 0, [keyOfSeed(seed), part(31n), part(0n)]);
}

/** The key of a seed from 0 to 2^53: its two halves. */
export function keyOfSeed(seed: number): TensorData {
  return tensor(u32, [2], [seed % 2 ** 32, Math.floor(seed / 2 ** 32)]);
}

/** FNV-1a, 64 bits (Fowler, Noll & Vo). */
function fnv1a(text: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}

let program: Program | null = null;
const compiled = new Map<string, Specialised>();

/** Calls one of the samplers. */
function call(name: string, n: number, args: readonly TensorData[]): TensorData {
  const id = `${name} ${n}`;
  let made = compiled.get(id);
  if (made === undefined) {
    program ??= check({ name: "init.fec", text: samplers }, noFiles);
    const info = findFunction(program, name);
    const result = "code" in info ? [info] : specialise(info, { dims: new Map([["n", n]]) });
    if (!("graph" in result)) throw new Error(`${name}: ${result[0]?.message}`);
    made = result;
    compiled.set(id, made);
  }
  const { graph } = made;
  const inputs = Object.fromEntries(graph.params.map((param, i) => [param.name, args[i]!]));
  return interpret(graph, inputs)[graph.results[0]!]!;
}
