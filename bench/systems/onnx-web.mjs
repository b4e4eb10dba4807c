/** ONNX Runtime's web build on WebGPU. Its 26 MB of WebAssembly take V8 most of a minute to optimise. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { arrayOf } from "../workloads/workload.ts";
import { pretendBrowser } from "./dawn.ts";
import { graphOf } from "./onnx-graphs.mjs";

pretendBrowser();
copySharedMemory();
const folder = dirname(createRequire(import.meta.url).resolve("onnxruntime-web"));
const runtime = await import(pathToFileURL(join(folder, "ort.webgpu.mjs")).href);
runtime.env.wasm.wasmPaths = pathToFileURL(`${folder}/`).href;
runtime.env.wasm.numThreads = 1;
runtime.env.logLevel = "error";

export async function prepare(workload, inputs) {
  const graph = graphOf(workload, inputs);
  if (graph === null) return null;
  const session = await runtime.InferenceSession.create(graph.bytes, {
    executionProviders: ["webgpu"],
    graphOptimizationLevel: "all",
    preferredOutputLocation: "gpu-buffer",
  });
  const device = await runtime.env.webgpu.device;
  const feeds = Object.fromEntries(
    graph.inputs.map(({ name, dims }) => [name, onDevice(device, arrayOf(inputs, name), dims)]),
  );
  const run = async () => {
    const results = await session.run(feeds);
    await device.queue.onSubmittedWorkDone();
    return results;
  };
  return {
    call: async () => Object.values(await run()).forEach((tensor) => tensor.dispose()),
    results: async () => {
      const results = await run();
      return Promise.all(session.outputNames.map((name) => results[name].getData()));
    },
  };
}

function onDevice(device, data, dims) {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const buffer = device.createBuffer({ size: Math.ceil(data.byteLength / 16) * 16, usage });
  device.queue.writeBuffer(buffer, 0, data);
  return runtime.Tensor.fromGpuBuffer(buffer, { dataType: "float32", dims });
}

/** It writes views of its shared memory to buffers, which Dawn does not take. */
function copySharedMemory() {
  const { writeBuffer } = GPUQueue.prototype;
  GPUQueue.prototype.writeBuffer = function write(buffer, offset, data, start = 0, size = undefined) {
    const memory = data.buffer ?? data;
    if (!(memory instanceof SharedArrayBuffer))
      return writeBuffer.call(this, buffer, offset, data, start, size);
    const width = data.BYTES_PER_ELEMENT ?? 1;
    const bytes = (size ?? data.byteLength / width - start) * width;
    const copy = new Uint8Array(memory, (data.byteOffset ?? 0) + start * width, bytes).slice();
    return writeBuffer.call(this, buffer, offset, copy);
  };
}
