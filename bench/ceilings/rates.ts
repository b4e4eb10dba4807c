/**
 * What the adapter can do at best: the limits that all measurements are held to. Each is the best of a few kernels.
 *
 *     { productRate: 26e9, registerRate: 60e9, memory: [{ bytes: 2 ** 26, copyKernel: 6e9, … }], dispatchSeconds: 15e-6, … }
 */
/// <reference types="@webgpu/types" />
import type { AdapterDescription } from "../../src/runtime/adapter.ts";
import { bufferUsage } from "../../src/runtime/usage.ts";
import { productKernel, productShapes } from "../hand/product.ts";
import { type HandKernel, type HandProgram, openProgram } from "../hand/program.ts";
import type { Ceilings, MemoryRates } from "../measurement.ts";
import { type Call, timesOf } from "../timing.ts";
import { copyKernels, nothingKernel, readKernels, registerKernel } from "./kernels.ts";

const side = 1024;
/** Elements of buffers that a cache may hold, and that none does. */
const memorySizes = [1 << 21, 1 << 24];

export async function measureCeilings(
  device: GPUDevice,
  adapter: AdapterDescription,
  machine: string,
): Promise<Ceilings> {
  const products = await inTurn(productShapes(adapter), async (shape) => {
    const product = { m: side, k: side, n: side, a: "a", b: "b", c: "c" };
    const sizes = { a: side * side, b: side * side, c: side * side };
    const seconds = await secondsOf(device, [productKernel(product, shape)], sizes);
    return { shape, rate: (2 * side ** 3) / seconds };
  });
  const best = products.reduce((a, b) => (b.rate > a.rate ? b : a));
  const register = registerKernel(adapter);
  const registerSeconds = await secondsOf(device, [register.kernel], { y: register.elements });
  const many = Array.from({ length: 1000 }, () => nothingKernel);
  const manySeconds = await secondsOf(device, many, { y: 64 });
  const roundTripSeconds = await secondsOf(device, [nothingKernel], { y: 64 });
  return {
    kind: "ceilings",
    adapter: adapter.name,
    machine,
    productRate: best.rate,
    productShape: best.shape,
    registerRate: register.operations / registerSeconds,
    memory: await inTurn(memorySizes, (elements) => memoryRates(device, elements)),
    dispatchSeconds: (manySeconds - roundTripSeconds) / (many.length - 1),
    roundTripSeconds,
  };
}

async function memoryRates(device: GPUDevice, elements: number): Promise<MemoryRates> {
  const sizes = { x: elements, y: elements };
  const copied = await inTurn(copyKernels(elements), (kernel) => secondsOf(device, [kernel], sizes));
  const wasRead = await inTurn(readKernels(elements), (kernel) => secondsOf(device, [kernel], sizes));
  const bytes = 4 * elements;
  return {
    bytes,
    copyCommand: (2 * bytes) / (await copySeconds(device, bytes)),
    copyKernel: (2 * bytes) / Math.min(...copied),
    readKernel: bytes / Math.min(...wasRead),
  };
}

async function secondsOf(
  device: GPUDevice,
  kernels: readonly HandKernel[],
  sizes: HandProgram["sizes"],
): Promise<number> {
  const { call, free } = await openProgram(device, { kernels, sizes, results: [] }, {});
  const seconds = await bestSeconds(call);
  free();
  return seconds;
}

/** By the command that copies, which drivers have a way of their own for. */
async function copySeconds(device: GPUDevice, size: number): Promise<number> {
  const usage = bufferUsage.copySource | bufferUsage.copyDestination;
  const [from, to] = [0, 1].map(() => device.createBuffer({ size, usage }));
  const seconds = await bestSeconds(async () => {
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(from!, 0, to!, 0, size);
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
  });
  from!.destroy();
  to!.destroy();
  return seconds;
}

/** The fastest of some calls: a ceiling is what can be reached at all. */
async function bestSeconds(call: Call): Promise<number> {
  const { milliseconds } = await timesOf(call, 5);
  return Math.min(...milliseconds) / 1000;
}

/** One after the other: they would disturb each other. */
async function inTurn<From, To>(list: readonly From[], make: (item: From) => Promise<To>): Promise<To[]> {
  const made: To[] = [];
  for (const item of list) made.push(await make(item));
  return made;
}
