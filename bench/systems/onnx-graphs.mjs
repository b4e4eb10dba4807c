/** The workloads as ONNX graphs. There are none of W6 and W9: ONNX has no derivatives. */
import { createRequire } from "node:module";
import { adamwRecipe } from "../workloads/adamw.ts";
import { arrayOf, dimensions } from "../workloads/workload.ts";
import { similarityScale } from "../workloads/clustering.ts";
import { poolingMatrix } from "./pooling-matrix.ts";

const { onnx } = createRequire(import.meta.url)("onnx-proto");

/** ONNX's numbers of element types and of attribute types. */
const [float, int64] = [1, 7];
const attribute = (name, value) => {
  if (Array.isArray(value)) return { name, type: 7, ints: value };
  return Number.isInteger(value) ? { name, type: 2, i: value } : { name, type: 1, f: value };
};
const valueInfo = ({ name, dims }) => ({
  name,
  type: { tensorType: { elemType: float, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
});

/** A graph in the making: operations give the names of their results. */
function openGraph() {
  const [node, initializer, inputs] = [[], [], []];
  const nameOf = (list, letter) => `${letter}${list.length}`;
  const constant = (dims, dataType, data) => {
    const name = nameOf(initializer, "c");
    initializer.push({ name, dims, dataType, rawData: Buffer.from(data.buffer) });
    return name;
  };
  return {
    input: (name, ...dims) => {
      inputs.push({ name, dims });
      return name;
    },
    op: (opType, input, attributes = {}) => {
      const name = nameOf(node, "t");
      const list = Object.entries(attributes).map(([key, value]) => attribute(key, value));
      node.push({ opType, name: `n${name}`, input, output: [name], attribute: list });
      return name;
    },
    tensor: (data, dims) => constant(dims, float, Float32Array.from(data)),
    scalar: (value) => constant([], float, Float32Array.of(value)),
    integers: (...values) => constant([values.length], int64, BigInt64Array.from(values.map(BigInt))),
    build: (...outputs) => {
      const output = outputs.map(([name, dims]) => valueInfo({ name, dims }));
      const graph = { name: "workload", node, initializer, input: inputs.map(valueInfo), output };
      const model = { irVersion: 9, opsetImport: [{ domain: "", version: 20 }], graph };
      return { bytes: onnx.ModelProto.encode(onnx.ModelProto.create(model)).finish(), inputs };
    },
  };
}

/** The graph of a workload: its bytes and the inputs that it takes; null if there is none. */
export function graphOf(workload, inputs) {
  const make = graphs[workload.id] ?? (workload.function === "clustering" ? clusterGraph : () => null);
  return make(workload.dims, inputs);
}

const graphs = {
  W1: (dims) => {
    const [m, k, n] = dimensions(dims, "m", "k", "n");
    const g = openGraph();
    return g.build([g.op("MatMul", [g.input("a", m, k), g.input("b", k, n)]), [m, n]]);
  },
  W2: (dims, inputs) => {
    const [b, c, n, h] = dimensions(dims, "b", "c", "n", "h");
    const g = openGraph();
    const side = Math.sqrt(n);
    const weights = (name, ...shape) => g.tensor(arrayOf(inputs, name), shape);
    const x = g.input("x", b, c, side, side);
    const hidden = g.op("Gelu", [g.op("Conv", [x, weights("w1", h, c, 1, 1), weights("b1", h)])]);
    return g.build([g.op("Conv", [hidden, weights("w2", c, h, 1, 1), weights("b2", c)]), [b, c, side, side]]);
  },
  W3: (dims) => {
    const shape = dimensions(dims, "m", "n");
    const g = openGraph();
    return g.build([g.op("Softmax", [g.input("x", ...shape)], { axis: -1 }), shape]);
  },
  W4: (dims, inputs) => {
    const [b, c, n] = dimensions(dims, "b", "c", "n");
    const g = openGraph();
    const flat = g.op("Reshape", [g.input("x", b, c, n), g.integers(b, 1, c * n)]);
    const [one, zero] = [g.tensor([1], [1]), g.tensor([0], [1])];
    const normal = g.op("InstanceNormalization", [flat, one, zero], { epsilon: 1e-5 });
    const gain = g.tensor(arrayOf(inputs, "gain"), [c, 1]);
    const bias = g.tensor(arrayOf(inputs, "bias"), [c, 1]);
    const shaped = g.op("Reshape", [normal, g.integers(b, c, n)]);
    return g.build([g.op("Add", [g.op("Mul", [shaped, gain]), bias]), [b, c, n]]);
  },
  W6: () => null,
  W8: (dims) => {
    const [n] = dimensions(dims, "n");
    const { rate, beta1, beta2, epsilon, decay, step } = adamwRecipe;
    const g = openGraph();
    const [p, gradient, m, v] = ["p", "g", "m", "v"].map((name) => g.input(name, n));
    const scaled = (x, factor) => g.op("Mul", [x, g.scalar(factor)]);
    const mean = g.op("Add", [scaled(m, beta1), scaled(gradient, 1 - beta1)]);
    const squared = scaled(g.op("Mul", [gradient, gradient]), 1 - beta2);
    const square = g.op("Add", [scaled(v, beta2), squared]);
    const root = g.op("Sqrt", [scaled(square, 1 / (1 - beta2 ** step))]);
    const change = g.op("Div", [
      scaled(mean, rate / (1 - beta1 ** step)),
      g.op("Add", [root, g.scalar(epsilon)]),
    ]);
    const next = g.op("Sub", [scaled(p, 1 - rate * decay), change]);
    return g.build([next, [n]], [mean, [n]], [square, [n]]);
  },
};

function clusterGraph(dims) {
  const [groups, d, h, w, side] = dimensions(dims, "g", "d", "h", "w", "side");
  const [n, centers] = [h * w, side * side];
  const g = openGraph();
  const [f, v] = [g.input("f", groups, d, n), g.input("v", groups, d, n)];
  const pool = h % side === 0 ? windowMeans(g, [groups, d, h, w], side) : matrixMeans(g, h, side);
  const axis = g.integers(1);
  const unit = (x) => {
    const length = g.op("ReduceL2", [x, axis], { keepdims: 1 });
    return g.op("Div", [x, g.op("Max", [length, g.scalar(1e-12)])]);
  };
  const [centerF, centerV] = [pool(f), pool(v)];
  const points = g.op("Transpose", [unit(f)], { perm: [0, 2, 1] });
  const cosine = g.op("MatMul", [points, unit(centerF)]);
  const score = g.op("Mul", [cosine, g.scalar(similarityScale.alpha)]);
  const s = g.op("Sigmoid", [g.op("Add", [score, g.scalar(similarityScale.beta)])]);
  const nearest = g.op("ArgMax", [s], { axis: 2, keepdims: 0 });
  const mask = g.op("OneHot", [nearest, g.integers(centers), g.tensor([0, 1], [2])], { axis: -1 });
  const size = g.op("Add", [g.op("ReduceSum", [mask, axis], { keepdims: 1 }), g.scalar(1)]);
  const sums = g.op("Add", [g.op("MatMul", [v, mask]), centerV]);
  const weights = g.op("Transpose", [g.op("Mul", [s, mask])], { perm: [0, 2, 1] });
  return g.build([g.op("MatMul", [g.op("Div", [sums, size]), weights]), [groups, d, n]]);
}

function windowMeans(g, [groups, d, h, w], side) {
  const window = [h / side, w / side];
  return (map) => {
    const image = g.op("Reshape", [map, g.integers(groups, d, h, w)]);
    const means = g.op("AveragePool", [image], { kernel_shape: window, strides: window });
    return g.op("Reshape", [means, g.integers(groups, d, side * side)]);
  };
}

function matrixMeans(g, h, side) {
  const [n, centers, matrix] = [h * h, side * side, poolingMatrix(h, side)];
  const columns = Float32Array.from({ length: n * centers }, (_, i) => {
    const [point, center] = [Math.floor(i / centers), i % centers];
    return matrix[center * n + point];
  });
  const transposed = g.tensor(columns, [n, centers]);
  return (map) => g.op("MatMul", [map, transposed]);
}
