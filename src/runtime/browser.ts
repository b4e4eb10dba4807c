/**
 * Opens the browser's adapter.
 *
 *     const device = await openBrowserDevice();
 */
/// <reference types="@webgpu/types" />
import { AdapterError } from "./errors.ts";
import { type Device, openDevice } from "./device.ts";

/** How a device is opened in the browser. */
export interface BrowserDeviceOptions {
  /** Which adapter to prefer on a machine that has two; the browser's choice unless given. */
  readonly powerPreference?: GPUPowerPreference;
}

/**
 * Opens a device on the browser's adapter.
 *
 * @throws {AdapterError} when the browser has no WebGPU, or no adapter for it.
 */
export async function openBrowserDevice(options: BrowserDeviceOptions = {}): Promise<Device> {
  const { navigator } = globalThis as { readonly navigator?: { readonly gpu?: GPU } };
  const gpu = navigator?.gpu;
  if (gpu === undefined)
    throw new AdapterError(
      "browser",
      ["navigator.gpu: this browser or this page has none"],
      "use a browser with WebGPU (Chrome or Edge 113, Safari 26, Firefox 141 or newer), over https or from localhost",
    );
  const adapter = await gpu.requestAdapter(options);
  if (adapter === null)
    throw new AdapterError(
      "browser",
      ["navigator.gpu.requestAdapter: it gave none"],
      "turn on hardware acceleration in the browser's settings, and see chrome://gpu or about:support for what keeps it off",
    );
  return openDevice(adapter);
}
