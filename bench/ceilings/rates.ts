/**
 * What the adapter can do at best: the limits that all measurements are held to. Each is the best of a few kernels.
 *
 *     { productRate: 26e9, registerRate: 60e9, copyRate: 33e9, copyKernelRate: 6e9, readKernelRate: 11e9, dispatchSeconds: 15e-6, … }
 */
/// <reference types="@webgpu/types" />
import type { AdapterDescription } from "../../src/runtime/adapter.ts";
import { bufferUsage } from "../../src/runtime/usage.ts";
import { productKernel, productShapes } from "../hand/product.ts";
import { type HandKernel, type HandProgram, openProgram } from "../hand/program.ts";
import { type Ceilings, median } from "../measurement.ts";
import { type Call, timesOf } from "../timing.ts";
import { copyKernels, nothingKernel, readKernels, registerKernel } from "./kernels.ts";

const side = 1024;
/** Larger than the caches. */
const elements = 1 << 24;

export async function measureCeilings(device: GPUDevice, adapter: AdapterDescription): Promise<Ceilings> {
  const products = await inTurn(productShapes(adapter), async (shape) => {
    const product = { m: side, k: side, n: side, a: "a", b: "b", c: "c" };
    const sizes = { a: side * side, b: side * side, c: side * side };
    const seconds = await secondsOf(device, [productKernel(product, shape)], sizes);
    return { shape, rate: (2 * side ** 3) / seconds };
  });
  const best = products.reduce((a, b) => (b.rate > a.rate ? b : a));
  const register = registerKernel(adapter);
  const registerSeconds = await secondsOf(device, [register.kernel], { y: register.elements });
  const sizes = { x: elements, y: elements };
  const copied = await inTurn(copyKernels(elements), (kernel) => secondsOf(device, [kernel], sizes));
  const wasRead = await inTurn(readKernels(elements), (kernel) => secondsOf(device, [kernel], sizes));
  const many = Array.from({ length: 1000 }, () => nothingKernel);
  const manySeconds = await secondsOf(device, many, { y: 64 });
  const roundTripSeconds = await secondsOf(device, [nothingKernel], { y: 64 });
  return {
    kind: "ceilings",
    adapter: adapter.name,
    productRate: best.rate,
    productShape: best.shape,
    registerRate: register.operations / registerSeconds,
    copyRate: (8 * elements) / (await copySeconds(device)),
    copyKernelRate: (8 * elements) / Math.min(...copied),
    readKernelRate: (4 * elements) / Math.min(...wasRead),
    dispatchSeconds: (manySeconds - roundTripSeconds) / (many.length - 1),
    roundTripSeconds,
  };
}

async function secondsOf(
  device: GPUDevice,
  kernels: readonly HandKernel[],
  sizes: HandProgram["sizes"],
): Promise<number> {
  const { call, free } = await openProgram(device, { kernels, sizes, results: [] }, {});
  const seconds = await medianSeconds(call);
  free();
  return seconds;
}

/** By the command that copies, which drivers have a way of their own for. */
async function copySeconds(device: GPUDevice): Promise<number> {
  const usage = bufferUsage.copySource | bufferUsage.copyDestination;
  const [from, to] = [0, 1].map(() => device.createBuffer({ size: 4 * elements, usage }));
  const seconds = await medianSeconds(async () => {
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(from!, 0, to!, 0, 4 * elements);
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
  });
  from!.destroy();
  to!.destroy();
  return seconds;
}

async function medianSeconds(call: Call): Promise<number> {
  const { milliseconds } = await timesOf(call, 5);
  return median(milliseconds) / 1000;
}

/** One after the other: they would disturb each other. */
async function inTurn<From, To>(list: readonly From[], make: (item: From) => Promise<To>): Promise<To[]> {
  const made: To[] = [];
  for (const item of list) made.push(await make(item));
  return made;
}
