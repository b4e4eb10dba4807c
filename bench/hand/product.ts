/**
 * Products of matrices, c = activation(a b + bias), in the shapes that have been fastest on some adapter:
 *
 *     broadcast   8 lanes side by side hold 16 rows × 32 columns; each loads its own rows of a and sends them to the others;
 *                 four terms of a sum at once
 *     rows        the same without subgroups: all lanes load the same elements of a
 *     tiles       a workgroup of 16 × 16 lanes copies tiles of a and b to its own memory
 */
import type { AdapterDescription } from "../../src/runtime/adapter.ts";
import { declarations, type HandKernel, unrolled } from "./program.ts";

export type ProductShape = "broadcast" | "rows" | "tiles";

export interface Product {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  /** So many products of the same a with different b. */
  readonly batch?: number;
  /** Its buffers. A bias has an element for each row. */
  readonly a: string;
  readonly b: string;
  readonly c: string;
  readonly bias?: string;
  readonly isGelu?: boolean;
}

/** The shapes that an adapter can run, those first that should be fastest. */
export function productShapes({ kind, subgroupSizes }: AdapterDescription): readonly ProductShape[] {
  if (subgroupSizes?.every((size) => size === 8) === true) return ["broadcast", "rows", "tiles"];
  return kind === "software" ? ["tiles", "rows"] : ["tiles"];
}

export function productKernel(product: Product, shape: ProductShape): HandKernel {
  return shape === "tiles" ? tiledProduct(product) : rowProduct(product, shape);
}

/** Erf by Abramowitz and Stegun's 7.1.26, to 1.5e-7. */
const geluText = `
fn erf(x: vec4f) -> vec4f {
  let a = abs(x);
  let t = 1.0 / (1.0 + 0.3275911 * a);
  let series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return sign(x) * (1.0 - series * exp(-a * a));
}
fn gelu(x: vec4f) -> vec4f { return 0.5 * x * (1.0 + erf(0.70710678118 * x)); }
`;

/** Rows of a workgroup of `broadcast` and `rows`. */
const rows = 16;

function rowProduct(product: Product, shape: "broadcast" | "rows"): HandKernel {
  const { m, k, n, batch = 1 } = product;
  const isBroadcast = shape === "broadcast";
  const loads = isBroadcast
    ? unrolled(rows / 8, (q) => `let own${q} = a[(row + ${8 * q} + lane.x) * ${k / 4} + l];`)
    : unrolled(rows, (i) => `let own${i} = a[(row + ${i}) * ${k / 4} + l];`);
  const factor = (i: number, part: number): string =>
    isBroadcast ? `subgroupBroadcast(own${i >> 3}[${part}], ${i & 7})` : `own${i}[${part}]`;
  // All four terms of a sum follow each other: there are more sums than registers, and each is fetched once for the four.
  const termsOf = (i: number): string =>
    unrolled(4, (part) => `let f${i}_${part} = ${factor(i, part)};`) +
    ["x", "y", "z", "w"]
      .map((lane) =>
        unrolled(4, (part) => `c${i}.${lane} = fma(f${i}_${part}, b${part}.${lane}, c${i}.${lane});`),
      )
      .join("");
  const code = `${isBroadcast ? "enable subgroups;\n" : ""}${declare(product)}
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let row = group.y * ${rows};
  let column = group.x * 8 + lane.x;
  ${unrolled(rows, (i) => `var c${i} = ${start(product, `row + ${i}`)};`)}
  for (var l = 0u; l < ${k / 4}; l++) {
    ${loads}
    ${unrolled(4, (part) => `let b${part} = b[group.z * ${(k * n) / 4} + (4 * l + ${part}) * ${n / 4} + column];`)}
    ${unrolled(rows, (i) => termsOf(i))}
  }
  ${unrolled(rows, (i) => `c[group.z * ${(m * n) / 4} + (row + ${i}) * ${n / 4} + column] = ${end(product, `c${i}`)};`)}
}`;
  return { code, buffers: buffersOf(product), workgroups: [n / 32, m / rows, batch] };
}

/** Of `tiles`: a workgroup computes `tile` × `tile` elements, `depth` of the sum at a time. */
const tile = 64;
const depth = 16;

function tiledProduct(product: Product): HandKernel {
  const { m, k, n, batch = 1 } = product;
  const code = `${declare(product)}
var<workgroup> tile_a: array<vec4f, ${(tile * depth) / 4}>;
var<workgroup> tile_b: array<vec4f, ${(depth * tile) / 4}>;
@compute @workgroup_size(16, 16)
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(local_invocation_index) index: u32,
        @builtin(workgroup_id) group: vec3u) {
  let row = group.y * ${tile};
  let column = group.x * ${tile / 4};
  ${unrolled(4, (i) => `var c${i} = ${start(product, `row + 4 * lane.y + ${i}`)};`)}
  for (var l = 0u; l < ${k}; l += ${depth}) {
    tile_a[index] = a[(row + index / ${depth / 4}) * ${k / 4} + l / 4 + index % ${depth / 4}];
    tile_b[index] = b[group.z * ${(k * n) / 4} + (l + index / ${tile / 4}) * ${n / 4} + column + index % ${tile / 4}];
    workgroupBarrier();
    for (var q = 0u; q < ${depth / 4}; q++) {
      ${unrolled(4, (i) => `let a${i} = tile_a[(4 * lane.y + ${i}) * ${depth / 4} + q];`)}
      ${unrolled(4, (part) => {
        const row = `let b${part} = tile_b[(4 * q + ${part}) * ${tile / 4} + lane.x];\n`;
        return row + unrolled(4, (i) => `c${i} = fma(vec4f(a${i}[${part}]), b${part}, c${i});`);
      })}
    }
    workgroupBarrier();
  }
  ${unrolled(
    4,
    (i) =>
      `c[group.z * ${(m * n) / 4} + (row + 4 * lane.y + ${i}) * ${n / 4} + column + lane.x] = ${end(product, `c${i}`)};`,
  )}
}`;
  return { code, buffers: buffersOf(product), workgroups: [n / tile, m / tile, batch] };
}

function declare({ bias, isGelu }: Product): string {
  const buffers = { a: "vec4f", b: "vec4f", c: "var vec4f", ...(bias === undefined ? {} : { bias: "f32" }) };
  return declarations(buffers) + (isGelu === true ? geluText : "");
}

function buffersOf({ a, b, c, bias }: Product): readonly string[] {
  return bias === undefined ? [a, b, c] : [a, b, c, bias];
}

function start({ bias }: Product, row: string): string {
  return bias === undefined ? "vec4f()" : `vec4f(bias[${row}])`;
}

function end({ isGelu }: Product, value: string): string {
  return isGelu === true ? `gelu(${value})` : value;
}
