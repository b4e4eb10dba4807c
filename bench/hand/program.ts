/**
 * A program of hand-written kernels, and how it runs: buffers by name, kernels that name them, one pass.
 *
 *     { kernels: [{ code, buffers: ["x", "y"], workgroups: [512, 1, 1] }], sizes: { y: 4194304 }, results: ["y"] }
 */
/// <reference types="@webgpu/types" />
import { bufferUsage, mapMode } from "../../src/runtime/usage.ts";
import type { Call } from "../timing.ts";

export interface HandKernel {
  readonly code: string;
  /** In the order of its bindings. */
  readonly buffers: readonly string[];
  readonly workgroups: readonly [number, number, number];
}

export interface HandProgram {
  readonly kernels: readonly HandKernel[];
  /** The elements of the buffers that it makes, beside its inputs. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly results: readonly string[];
}

export interface RunningProgram {
  readonly call: Call;
  readonly read: (name: string) => Promise<Float32Array>;
  readonly free: () => void;
}

/** The declarations of a kernel's buffers: `{ x: "vec4f", y: "var vec4f" }`, those with `var` to be written. */
export function declarations(buffers: Readonly<Record<string, string>>): string {
  return Object.entries(buffers)
    .map(([name, type], i) => {
      const [element, access] = type.startsWith("var ") ? [type.slice(4), "read_write"] : [type, "read"];
      return `@group(0) @binding(${i}) var<storage, ${access}> ${name}: array<${element}>;\n`;
    })
    .join("");
}

/** The text of `line` for 0, 1, … `count` - 1: what would be a loop if its variables could be numbered. */
export function unrolled(count: number, line: (i: number) => string, separator = "\n"): string {
  return Array.from({ length: count }, (_, i) => line(i)).join(separator);
}

/** Makes buffers and pipelines. */
export async function openProgram(
  device: GPUDevice,
  program: HandProgram,
  inputs: Readonly<Record<string, Float32Array>>,
): Promise<RunningProgram> {
  const usage = bufferUsage.storage | bufferUsage.copySource | bufferUsage.copyDestination;
  const named = new Set(program.kernels.flatMap(({ buffers }) => buffers));
  const sizes = Object.entries({
    ...Object.fromEntries(Object.entries(inputs).map(([name, { length }]) => [name, length])),
    ...program.sizes,
  });
  const buffers = new Map(
    sizes
      .filter(([name]) => named.has(name))
      .map(([name, size]) => [name, device.createBuffer({ label: name, size: 4 * size, usage })]),
  );
  for (const [name, data] of Object.entries(inputs))
    if (buffers.has(name))
      device.queue.writeBuffer(buffers.get(name)!, 0, data as GPUAllowSharedBufferSource);
  const pipelines = new Map<string, GPUComputePipeline>();
  for (const { code } of program.kernels) {
    if (pipelines.has(code)) continue;
    const module = device.createShaderModule({ code });
    pipelines.set(code, await device.createComputePipelineAsync({ layout: "auto", compute: { module } }));
  }
  const kernels = program.kernels.map((kernel) => {
    const pipeline = pipelines.get(kernel.code)!;
    const entries = kernel.buffers.map((name, binding) => ({
      binding,
      resource: { buffer: buffers.get(name)! },
    }));
    const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    return { pipeline, group, workgroups: kernel.workgroups };
  });
  const call = async (): Promise<void> => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const { pipeline, group, workgroups } of kernels) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...workgroups);
    }
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
  };
  return {
    call,
    read: (name) => readBuffer(device, buffers.get(name)!),
    free: () => buffers.forEach((buffer) => buffer.destroy()),
  };
}

async function readBuffer(device: GPUDevice, buffer: GPUBuffer): Promise<Float32Array> {
  const { size } = buffer;
  const staging = device.createBuffer({ size, usage: bufferUsage.mapRead | bufferUsage.copyDestination });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(mapMode.read);
  const data = new Float32Array(staging.getMappedRange().slice(0));
  staging.destroy();
  return data;
}
