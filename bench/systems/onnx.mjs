/** ONNX Runtime's native build on the processor, with as many threads as this process may use: not the adapter, but what is left to win. */
import { availableParallelism } from "node:os";
import { createRequire } from "node:module";
import { arrayOf } from "../workloads/workload.ts";
import { graphOf } from "./onnx-graphs.mjs";

const runtime = createRequire(import.meta.url)("onnxruntime-node");

export async function prepare(workload, inputs) {
  const graph = graphOf(workload, inputs);
  if (graph === null) return null;
  const session = await runtime.InferenceSession.create(graph.bytes, {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    intraOpNumThreads: availableParallelism(),
  });
  const feeds = Object.fromEntries(
    graph.inputs.map(({ name, dims }) => [name, new runtime.Tensor("float32", arrayOf(inputs, name), dims)]),
  );
  return {
    call: async () => void (await session.run(feeds)),
    results: async () => {
      const results = await session.run(feeds);
      return session.outputNames.map((name) => results[name].data);
    },
  };
}
