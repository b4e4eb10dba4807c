/**
 * The adapter that all systems share, and counters over it. Peers expect a browser's `navigator.gpu`; ours opens the same adapter by
 * itself. All go through Dawn's prototypes, where dispatches and buffers are counted.
 */
/// <reference types="@webgpu/types" />
import { globals } from "webgpu";
import { type AdapterDescription, describeAdapter, deviceRequest } from "../../src/runtime/adapter.ts";
import { chooseAdapter } from "../../src/runtime/node-adapters.ts";
import { openPatience, patienceWith } from "../../src/runtime/node-patience.ts";

/** What has been done on devices of this process so far. */
export interface Counters {
  dispatches: number;
  /** Bytes of the buffers that are alive, and the most there were since `peak` was last set. */
  bytes: number;
  peak: number;
}

type Methods = Record<string, ((...args: unknown[]) => unknown) | undefined>;

const prototypes = globals as unknown as Readonly<Record<string, { prototype: Methods }>>;

/** Which adapter: `auto`, or what `--device` says. */
export function adapterChoice(): string {
  return process.env["FECIT_DEVICE"] ?? "auto";
}

/** Counts from now on. Call it once. */
export function countDeviceUse(): Counters {
  const counters: Counters = { dispatches: 0, bytes: 0, peak: 0 };
  const sizes = new WeakMap<object, number>();
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

let isPatient = false;

/** Has this process wait for its adapter as our runtime does, whoever waits: else what it burns is taken from a software driver. */
function waitPatiently({ kind }: AdapterDescription): void {
  if (isPatient) return;
  isPatient = true;
  const wait = openPatience(patienceWith(kind));
  for (const [type, name] of [
    ["GPUQueue", "onSubmittedWorkDone"],
    ["GPUBuffer", "mapAsync"],
    ["GPUDevice", "createComputePipelineAsync"],
  ] as const) {
    const { prototype } = prototypes[type]!;
    const method = prototype[name]!;
    prototype[name] = function awaited(this: object, ...args: unknown[]): unknown {
      return wait(method.apply(this, args) as Promise<unknown>);
    };
  }
}

/** Makes this process look like a browser with WebGPU. */
export function pretendBrowser(): void {
  Object.assign(globalThis, globals);
  const gpu = {
    requestAdapter: async () => {
      const { adapter, name } = await chooseAdapter(adapterChoice());
      waitPatiently(describeAdapter(adapter, name));
      return adapter;
    },
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
  waitPatiently(description);
  const device = await adapter.requestDevice(deviceRequest(description));
  device.addEventListener("uncapturederror", (event) => {
    throw event.error;
  });
  return { device, adapter: description };
}
