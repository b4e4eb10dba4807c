/** Kernels of WGSL written by hand for each workload: what somebody who knows the adapter gets out of it. */
import type { AdapterDescription } from "../../src/runtime/adapter.ts";
import { clusteringGradientProgram } from "../hand/clustering-gradient.ts";
import { clusteringProgram } from "../hand/clustering.ts";
import { productKernel, productShapes } from "../hand/product.ts";
import { type HandProgram, openProgram } from "../hand/program.ts";
import { adamwProgram, groupNormProgram, softmaxProgram } from "../hand/rows.ts";
import { type Arrays, dimensions, type Dims, type Workload } from "../workloads/workload.ts";
import { openPlainDevice } from "./dawn.ts";
import type { Prepared } from "./system.ts";

type Maker = (dims: Dims, adapter: AdapterDescription) => HandProgram;

const makers: Readonly<Record<string, Maker>> = {
  W1: matmulProgram,
  W2: perceptronProgram,
  W3: (dims, adapter) => softmaxProgram(adapter, ...dimensions(dims, "m", "n")),
  W4: (dims, adapter) => groupNormProgram(adapter, dimensions(dims, "b", "c", "n")),
  W5: (_, adapter) => clusteringProgram(adapter),
  W6: clusteringGradientProgram,
  W8: (dims) => adamwProgram(...dimensions(dims, "n")),
};

export async function prepare(workload: Workload, inputs: Arrays): Promise<Prepared | null> {
  const maker = makers[workload.id];
  if (maker === undefined) return null;
  const { device, adapter } = await openPlainDevice();
  const program = maker(workload.dims, adapter);
  const { call, read } = await openProgram(device, program, inputs);
  return {
    call,
    results: async () => {
      await call();
      return Promise.all(program.results.map(read));
    },
  };
}

function matmulProgram(dims: Dims, adapter: AdapterDescription): HandProgram {
  const [m, k, n] = dimensions(dims, "m", "k", "n");
  const [shape] = productShapes(adapter);
  return {
    kernels: [productKernel({ m, k, n, a: "a", b: "b", c: "out" }, shape!)],
    sizes: { out: m * n },
    results: ["out"],
  };
}

/** Two products with what stands after them; the hidden layer goes through memory. */
function perceptronProgram(dims: Dims, adapter: AdapterDescription): HandProgram {
  const [b, c, n, h] = dimensions(dims, "b", "c", "n", "h");
  const [shape] = productShapes(adapter);
  const first = { m: h, k: c, n, batch: b, a: "w1", b: "x", c: "hidden", bias: "b1", isGelu: true };
  const second = { m: c, k: h, n, batch: b, a: "w2", b: "hidden", c: "out", bias: "b2" };
  return {
    kernels: [productKernel(first, shape!), productKernel(second, shape!)],
    sizes: { hidden: b * h * n, out: b * c * n },
    results: ["out"],
  };
}
