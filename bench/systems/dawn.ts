/**
 * The adapter that all systems share, and counters over it. Peers expect a browser's `navigator.gpu`; ours opens the same adapter by
 * itself. All go through Dawn's prototypes, where dispatches and buffers are counted.
 */
/// <reference types="@webgpu/types" />
import { globals } from "webgpu";
import { type AdapterDescription, describeAdapter, deviceRequest } from "../../src/runtime/adapter.ts";
import { chooseAdapter } from "../../src/runtime/node-adapters.ts";

/** What has been done on devices of this process so far. */
export interface Counters {
  dispatches: number;
  /** Bytes of the buffers that are alive, and the most there were since `peak` was last set. */
  bytes: number;
  peak: number;
}

/** Which adapter: `auto`, or what `--device` says. */
export function adapterChoice(): string {
  return process.env["FECIT_DEVICE"] ?? "auto";
}

/** Counts from now on. Call it once. */
export function countDeviceUse(): Counters {
  const counters: Counters = { dispatches: 0, bytes: 0, peak: 0 };
  const sizes = new WeakMap<object, number>();
  const prototypes = globals as unknown as Readonly<Record<string, { prototype: Methods }>>;
  const dispatched = (): void => void counters.dispatches++;
  after(prototypes["GPUComputePassEncoder"]!.prototype, "dispatchWorkgroups", dispatched);
  after(prototypes["GPUComputePassEncoder"]!.prototype, "dispatchWorkgroupsIndirect", dispatched);
  after(prototypes["GPUDevice"]!.prototype, "createBuffer", (_, [descriptor], buffer) => {
    const { size } = descriptor as GPUBufferDescriptor;
    sizes.set(buffer as object, size);
    counters.bytes += size;
    counters.peak = Math.max(counters.peak, counters.bytes);
  });
  after(prototypes["GPUBuffer"]!.prototype, "destroy", (buffer) => {
    counters.bytes -= sizes.get(buffer) ?? 0;
    sizes.delete(buffer);
  });
  return counters;
}

type Methods = Record<string, ((...args: unknown[]) => unknown) | undefined>;

/** Has `then` called after a method of all objects of a kind. */
function after(
  prototype: Methods,
  name: string,
  then: (self: object, args: readonly unknown[], result: unknown) => void,
): void {
  const method = prototype[name];
  if (method === undefined) return;
  prototype[name] = function counted(this: object, ...args: unknown[]): unknown {
    const result = method.apply(this, args);
    then(this, args, result);
    return result;
  };
}

/** Makes this process look like a browser with WebGPU. */
export function pretendBrowser(): void {
  Object.assign(globalThis, globals);
  const gpu = {
    requestAdapter: async () => (await chooseAdapter(adapterChoice())).adapter,
    getPreferredCanvasFormat: () => "bgra8unorm",
    wgslLanguageFeatures: new Set<string>(),
  };
  const navigator = {
    gpu,
    userAgent: "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0",
    platform: "Linux",
    language: "en",
    hardwareConcurrency: 1,
  };
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true, writable: true });
}

/** A plain device of the adapter, with all of its limits. */
export async function openPlainDevice(): Promise<{
  readonly device: GPUDevice;
  readonly adapter: AdapterDescription;
}> {
  const { adapter, name } = await chooseAdapter(adapterChoice());
  const description = describeAdapter(adapter, name);
  const device = await adapter.requestDevice(deviceRequest(description));
  device.addEventListener("uncapturederror", (event) => {
    throw event.error;
  });
  return { device, adapter: description };
}
