/**
 * Kernels on a device, for tests of the printed text: pages of memory as arrays of words, buffers placed in them, one dispatch.
 *
 *     const after = await dispatch(device, bound, pages, (buffer) => ({ page: 0, offset: 64 * buffer }))
 */
/// <reference types="@webgpu/types" />
import { globals } from "webgpu";
import { type BoundKernel, bindKernel } from "../../src/codegen/bindings.ts";
import type { Kernel } from "../../src/codegen/kernel.ts";
import { dispatchShape, printWgsl } from "../../src/codegen/wgsl.ts";
import { chooseAdapter } from "../../src/runtime/node-adapters.ts";

/** Where a buffer lies: its page, and its offset there in words. */
export interface Place {
  readonly page: number;
  readonly offset: number;
}

Object.assign(globalThis, globals);

/** A device by the choices of `fecit --device`: "null" runs nothing but checks everything, and needs no driver. */
export async function openDevice(choice = process.env["FECIT_DEVICE"] ?? "auto"): Promise<GPUDevice> {
  const { adapter } = await chooseAdapter(choice);
  return adapter.requestDevice();
}

/** A kernel with every buffer in a page of its own, which is writable when the kernel writes the buffer. */
export function bindAlone(kernel: Kernel): BoundKernel {
  return bindKernel(
    kernel,
    8,
    (buffer) => buffer,
    (page) => kernel.buffers[page]?.access !== "read",
  );
}

/** What the device says of a kernel's text; empty when it is valid. */
export async function problemsOf(device: GPUDevice, bound: BoundKernel): Promise<string[]> {
  device.pushErrorScope("validation");
  const code = printWgsl(bound);
  const module = device.createShaderModule({ code });
  const { messages } = await module.getCompilationInfo();
  device.createComputePipeline({ layout: "auto", compute: { module, entryPoint: "main" } });
  const error = await device.popErrorScope();
  const texts = messages.map(({ lineNum, message }) => `${lineNum}: ${message}`);
  return error === null ? texts : [...texts, error.message, code];
}

/** Runs a kernel over pages of words, and gives the pages after. */
export async function dispatch(
  device: GPUDevice,
  bound: BoundKernel,
  pages: readonly Uint32Array[],
  placeOf: (buffer: number) => Place,
): Promise<Uint32Array[]> {
  const problems = await problemsOf(device, bound);
  if (problems.length > 0) throw new Error(problems.join("\n"));
  const module = device.createShaderModule({ code: printWgsl(bound) });
  const pipeline = device.createComputePipeline({ layout: "auto", compute: { module, entryPoint: "main" } });
  const buffers = pages.map((words) => upload(device, words, GPUBufferUsage.STORAGE));
  const offsets = new Uint32Array(4 * Math.ceil(bound.offsetSlots / 4));
  const entries = bound.bindings.map(({ members }, binding): GPUBindGroupEntry => {
    for (const { buffer, slot } of members) if (slot !== null) offsets[slot] = placeOf(buffer).offset;
    const [{ buffer, slot }] = members as readonly [(typeof members)[number]];
    const { page, offset } = placeOf(buffer);
    const memory = buffers[page]!;
    if (slot !== null) return { binding, resource: { buffer: memory } };
    const size = 4 * bound.kernel.buffers[buffer]!.length;
    return { binding, resource: { buffer: memory, offset: 4 * offset, size } };
  });
  if (bound.offsetSlots > 0) {
    const resource = { buffer: upload(device, offsets, GPUBufferUsage.UNIFORM) };
    entries.push({ binding: bound.bindings.length, resource });
  }
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(...dispatchShape(bound.kernel.workgroups));
  pass.end();
  const copies = buffers.map((buffer) => {
    const copy = device.createBuffer({
      size: buffer.size,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    encoder.copyBufferToBuffer(buffer, 0, copy, 0, buffer.size);
    return copy;
  });
  device.queue.submit([encoder.finish()]);
  return Promise.all(
    copies.map(async (copy) => {
      await copy.mapAsync(GPUMapMode.READ);
      return new Uint32Array(copy.getMappedRange().slice(0));
    }),
  );
}

function upload(device: GPUDevice, words: Uint32Array, usage: GPUBufferUsageFlags): GPUBuffer {
  const all = usage | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const buffer = device.createBuffer({ size: words.byteLength, usage: all });
  device.queue.writeBuffer(buffer, 0, words as Uint32Array<ArrayBuffer>);
  return buffer;
}
