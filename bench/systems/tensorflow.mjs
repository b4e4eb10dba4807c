/**
 * The workloads in TensorFlow.js on WebGPU. It asks for some of a browser's classes by name. Groups are g, channels d, points n,
 * centers o.
 */
import { createRequire } from "node:module";
import { adamwRecipe } from "../workloads/adamw.ts";
import { arrayOf, dimensions } from "../workloads/workload.ts";
import { trainingRate } from "../workloads/training.ts";
import { pretendBrowser } from "./dawn.ts";
import { poolingMatrix } from "./pooling-matrix.ts";

pretendBrowser();
for (const name of [
  "HTMLVideoElement",
  "HTMLCanvasElement",
  "HTMLImageElement",
  "ImageBitmap",
  "OffscreenCanvas",
  "ImageData",
  "VideoFrame",
])
  globalThis[name] ??= function absent() {};
const require = createRequire(import.meta.url);
const tf = require("@tensorflow/tfjs");
const { WebGPUBackend } = require("@tensorflow/tfjs-backend-webgpu");

export async function prepare(workload, inputs) {
  const make = forms[workload.id] ?? (workload.file === "clustering" ? clusterForm : undefined);
  if (make === undefined) return null;
  await tf.setBackend("webgpu");
  await tf.ready();
  if (!(tf.backend() instanceof WebGPUBackend)) throw new Error(`TensorFlow.js took ${tf.getBackend()}`);
  const shapes = new Map(workload.inputs(workload.dims).map(({ name, shape }) => [name, shape]));
  const put = (name, shape = shapes.get(name)) => tf.tensor(arrayOf(inputs, name), shape);
  const compute = make(workload.dims, put);
  await finished();
  return {
    call: async () => {
      const results = [tf.tidy(compute)].flat();
      await finished();
      results.forEach((tensor) => tensor.dispose());
    },
    results: async () => Promise.all([tf.tidy(compute)].flat().map((tensor) => tensor.data())),
  };
}

/** Submits what is recorded and waits for it. */
async function finished() {
  const backend = tf.backend();
  if (backend.commandEncoder) {
    backend.endComputePassEncoder();
    backend.submitQueue();
  }
  await backend.device.queue.onSubmittedWorkDone();
}

/** Each puts its inputs on the device and gives the computation. */
const forms = {
  W1: (_, put) => {
    const [a, b] = [put("a"), put("b")];
    return () => tf.matMul(a, b);
  },
  W2: (dims, put) => {
    const [c, h] = dimensions(dims, "c", "h");
    const [x, w1, b1] = [put("x"), put("w1", [1, h, c]), put("b1", [h, 1])];
    const [w2, b2] = [put("w2", [1, c, h]), put("b2", [c, 1])];
    return () => tf.matMul(w2, gelu(tf.matMul(w1, x).add(b1))).add(b2);
  },
  W3: (_, put) => {
    const x = put("x");
    return () => tf.softmax(x);
  },
  W4: (dims, put) => {
    const [c] = dimensions(dims, "c");
    const [x, gain, bias] = [put("x"), put("gain", [c, 1]), put("bias", [c, 1])];
    return () => {
      const { mean, variance } = tf.moments(x, [1, 2], true);
      return x
        .sub(mean)
        .mul(tf.rsqrt(variance.add(1e-5)))
        .mul(gain)
        .add(bias);
    };
  },
  W6: (dims, put) => {
    const [g, d, h, w] = dimensions(dims, "g", "d", "h", "w");
    const ct = put("ct", [g, d, h * w]);
    const { args, compute } = clusterParts(dims, put);
    const gradients = tf.grads((...values) =>
      compute(...values)
        .mul(ct)
        .sum(),
    );
    return () => gradients(args);
  },
  W8: (_, put) => adamw(put("p"), put("g"), put("m"), put("v")),
  W9: (dims, put) => {
    const [b, s] = dimensions(dims, "b", "s");
    const parameters = ["wp", "bp", "w1", "c1", "w2", "c2", "w3", "c3"].map((name) => put(name));
    const [x, y] = [put("x"), put("y")];
    const lossAndGradients = tf.valueAndGrads((...p) => networkLoss(b, s, p, x, y));
    return () => {
      const { value, grads } = lossAndGradients(parameters);
      return [value, ...grads.map((gradient, i) => parameters[i].sub(gradient.mul(trainingRate)))];
    };
  },
};

const gelu = (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));

function clusterForm(dims, put) {
  const { args, compute } = clusterParts(dims, put);
  return () => compute(...args);
}

function clusterParts(dims, put) {
  const [g, d, h, w, side] = dimensions(dims, "g", "d", "h", "w", "side");
  const args = [put("f", [g, d, h * w]), put("v", [g, d, h * w]), put("alpha"), put("beta")];
  const pool = pooled(h, side);
  return { args, compute: (f, v, alpha, beta) => cluster(f, v, alpha, beta, pool) };
}

function pooled(h, side) {
  if (h % side === 0) {
    const length = h / side;
    return (map) => {
      const [g, d] = map.shape;
      const means = tf.avgPool(map.reshape([g * d, h, h, 1]), length, length, "valid");
      return means.reshape([g, d, side * side]);
    };
  }
  const matrix = tf.tensor(poolingMatrix(h, side), [side * side, h * h]);
  return (map) => {
    const [g, d, n] = map.shape;
    return tf.matMul(map.reshape([g * d, n]), matrix, false, true).reshape([g, d, side * side]);
  };
}

/** The largest of each row as ones and zeros: the WebGPU backend can't transpose the integers of `oneHot(argMax(s))`. */
const largestOfRow = tf.customGrad((s) => ({
  value: tf.sub(1, tf.step(tf.sub(tf.max(s, 2, true), s))),
  gradFunc: () => tf.zeros(s.shape),
}));

function cluster(f, v, alpha, beta, pool) {
  const unit = (x) => x.div(tf.maximum(tf.sqrt(tf.sum(tf.square(x), 1, true)), 1e-12));
  const [centerF, centerV] = [pool(f), pool(v)];
  const cosine = tf.matMul(unit(f), unit(centerF), true, false);
  const s = tf.sigmoid(tf.add(tf.mul(cosine, alpha), beta));
  const mask = largestOfRow(s);
  const size = tf.sum(mask, 1, true).add(1);
  const representatives = tf.matMul(v, mask).add(centerV).div(size);
  return tf.matMul(representatives, s.mul(mask), false, true);
}

function adamw(p, g, m, v) {
  const { rate, beta1, beta2, epsilon, decay, step } = adamwRecipe;
  return () => {
    const mean = m.mul(beta1).add(g.mul(1 - beta1));
    const square = v.mul(beta2).add(g.square().mul(1 - beta2));
    const root = square
      .mul(1 / (1 - beta2 ** step))
      .sqrt()
      .add(epsilon);
    const next = p.mul(1 - rate * decay).sub(mean.mul(rate / (1 - beta1 ** step)).div(root));
    return [next, mean, square];
  };
}

function networkLoss(b, s, [wp, bp, w1, c1, w2, c2, w3, c3], x, y) {
  const h0 = gelu(tf.matMul(x, wp).add(bp));
  const h1 = gelu(tf.matMul(h0, w1).add(c1));
  const h2 = h0.add(tf.matMul(h1, w2)).add(c2);
  const logits = tf.matMul(tf.mean(h2.reshape([b, s, -1]), 1), w3).add(c3);
  return tf
    .logSoftmax(logits)
    .mul(y)
    .sum()
    .mul(-1 / b);
}
