/**
 * W5, W6 and W7: FEC's clustering of many groups, channels first. W5 has many small maps, W6 is its vector-Jacobian product, and
 * W7 has few large ones; W7s1 is what the first stage of FEC small really has.
 */
import {
  arrayOf,
  type Arrays,
  constant,
  type Dims,
  dimensions,
  type Input,
  normal,
  productOf,
  type Workload,
} from "./workload.ts";

/** What scales and moves the similarities. */
export const similarityScale = { alpha: 1.3, beta: 0.1 };

type Sizes = readonly [groups: number, channels: number, map: number, side: number];

const dimsOf = ([g, d, h, side]: Sizes): Dims => ({ g, d, h, w: h, side });
const small = dimsOf([2, 3, 5, 2]);

export const clustering = forward(
  "W5",
  "FEC's clustering, 2048 maps of 32 × 7², 4 centers",
  [2048, 32, 7, 2],
);
export const clusteringsOfLargeMaps: readonly Workload[] = [
  forward("W7o4", "the same, 32 maps of 32 × 28², 4 centers", [32, 32, 28, 2]),
  forward("W7o16", "32 maps of 32 × 28², 16 centers", [32, 32, 28, 4]),
  forward("W7o49", "32 maps of 32 × 28², 49 centers", [32, 32, 28, 7]),
  forward("W7s1", "32 maps of 32 × 56², 16 centers", [32, 32, 56, 4]),
];

export const clusteringGradient: Workload = {
  ...clustering,
  id: "W6",
  title: "W5 and its vector-Jacobian product",
  function: "clustering_vjp",
  inputs: (dims) => {
    const [g, d, h, w] = dimensions(dims, "g", "d", "h", "w");
    return [...clusteringInputs(dims), normal("ct", [g, d, h * w])];
  },
  reference: "interpreter",
  resultElements: (dims) => 2 * productOf(dims, "g", "d", "h", "w") + 2,
  operations: (dims) => 3 * operations(dims),
};

function forward(id: string, title: string, sizes: Sizes): Workload {
  return {
    id,
    title,
    file: "clustering",
    function: "clustering",
    dims: dimsOf(sizes),
    small,
    inputs: clusteringInputs,
    reference: clusterMaps,
    resultElements: (dims) => productOf(dims, "g", "d", "h", "w"),
    operations,
  };
}

function clusteringInputs(dims: Dims): readonly Input[] {
  const shape = dimensions(dims, "g", "d", "h", "w");
  const { alpha, beta } = similarityScale;
  return [normal("f", shape), normal("v", shape), constant("alpha", alpha), constant("beta", beta)];
}

/** Similarities, and a sum over all points each for norms, aggregation and both poolings. */
function operations(dims: Dims): number {
  const [g, d, h, w, side] = dimensions(dims, "g", "d", "h", "w", "side");
  return 2 * g * d * h * w * (side * side + 4);
}

/** The clustering of all groups. */
function clusterMaps(dims: Dims, inputs: Arrays): readonly Float64Array[] {
  const [g, d, h, w] = dimensions(dims, "g", "d", "h", "w");
  const size = d * h * w;
  const out = new Float64Array(g * size);
  for (let i = 0; i < g; i++) {
    const [f, v] = ["f", "v"].map((name) => arrayOf(inputs, name).subarray(i * size, (i + 1) * size));
    out.set(clusterMap(dims, f!, v!, arrayOf(inputs, "alpha")[0]!, arrayOf(inputs, "beta")[0]!), i * size);
  }
  return [out];
}

/** The clustering of one group: out[k, n] = s[n, a(n)] · g[a(n), k]. */
function clusterMap(dims: Dims, f: Float32Array, v: Float32Array, alpha: number, beta: number): Float64Array {
  const [d, h, w, side] = dimensions(dims, "d", "h", "w", "side");
  const [points, centers] = [h * w, side * side];
  const [meanF, meanV] = [f, v].map((map) => windowMeans(map, [d, h, w], side));
  const lengths = (map: ArrayLike<number>, count: number): number[] =>
    Array.from({ length: count }, (_, i) => Math.max(Math.sqrt(dot(map, i, map, i, d, count, count)), 1e-12));
  const [pointLengths, centerLengths] = [lengths(f, points), lengths(meanF!, centers)];
  const [nearest, similarity] = [new Int32Array(points), new Float64Array(points)];
  const [sizes, sums] = [new Float64Array(centers).fill(1), Float64Array.from(meanV!)];
  for (let n = 0; n < points; n++) {
    for (let m = 0; m < centers; m++) {
      const cosine = dot(f, n, meanF!, m, d, points, centers) / (pointLengths[n]! * centerLengths[m]!);
      const s = 1 / (1 + Math.exp(-(alpha * cosine + beta)));
      if (m === 0 || s > similarity[n]!) [nearest[n], similarity[n]] = [m, s];
    }
    const m = nearest[n]!;
    sizes[m]! += 1;
    for (let k = 0; k < d; k++) sums[k * centers + m]! += v[k * points + n]!;
  }
  return Float64Array.from({ length: d * points }, (_, i) => {
    const [k, n] = [Math.floor(i / points), i % points];
    const m = nearest[n]!;
    return (similarity[n]! * sums[k * centers + m]!) / sizes[m]!;
  });
}

/** ⟨a[:, i], b[:, j]⟩ over d rows of the lengths given. */
function dot(
  a: ArrayLike<number>,
  i: number,
  b: ArrayLike<number>,
  j: number,
  d: number,
  lengthA: number,
  lengthB: number,
): number {
  let total = 0;
  for (let k = 0; k < d; k++) total += a[k * lengthA + i]! * b[k * lengthB + j]!;
  return total;
}

/** The means over the windows of a `side` × `side` grid: window p of an axis of h covers ⌊ph/side⌋ … ⌈(p+1)h/side⌉ - 1. */
function windowMeans(
  map: Float32Array,
  [d, h, w]: readonly [number, number, number],
  side: number,
): Float64Array {
  const window = (p: number, length: number): readonly [number, number] => [
    Math.floor((p * length) / side),
    Math.ceil(((p + 1) * length) / side),
  ];
  return Float64Array.from({ length: d * side * side }, (_, i) => {
    const [k, p, q] = [Math.floor(i / side ** 2), Math.floor(i / side) % side, i % side];
    const [[top, bottom], [left, right]] = [window(p, h), window(q, w)];
    let total = 0;
    for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) total += map[(k * h + y) * w + x]!;
    return total / ((bottom - top) * (right - left));
  });
}
