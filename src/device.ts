/**
 * An open device that compiles and runs functions; the same in Node and in the browser.
 *
 *     const device = await openDevice();                                     // from "fecit" in a browser, from "fecit/node" in Node
 *     const step = await device.compile(compiled, { inPlace: { p: 0 } });
 *     const p = await step.put("p", weights);
 *     await device.scope(async () => { const [, loss] = await step.run(p, images, labels); … });
 */
import { compileOnDevice, type DeviceCompileOptions, type DeviceFunction } from "./device-function.ts";
import type { Compiled } from "./module.ts";
import { compileOpen, type OpenFunction, type OpenOptions } from "./open-function.ts";
import type { Device as RuntimeDevice } from "./runtime/device.ts";

export interface Device extends RuntimeDevice {
  /**
   * Compiles a function for this adapter and loads it. With `open` one dimension, the batch, may be smaller or larger in a call than
   * it was compiled for: see `OpenFunction`.
   *
   * @throws {ArgumentError} when `inPlace` or `open` name what there is not.
   * @throws {LimitError | ShaderError | OutOfMemoryError | DeviceLostError}
   */
  compile(compiled: Compiled, options: DeviceCompileOptions & OpenOptions): Promise<OpenFunction>;
  compile(compiled: Compiled, options?: DeviceCompileOptions): Promise<DeviceFunction>;
}

/** The device with the compiler before it. */
export function withCompiler(device: RuntimeDevice): Device {
  function compile(compiled: Compiled, options: DeviceCompileOptions & OpenOptions): Promise<OpenFunction>;
  function compile(compiled: Compiled, options?: DeviceCompileOptions): Promise<DeviceFunction>;
  function compile(
    compiled: Compiled,
    options: DeviceCompileOptions & Partial<OpenOptions> = {},
  ): Promise<DeviceFunction | OpenFunction> {
    const { open, ...others } = options;
    return open === undefined
      ? compileOnDevice(device, compiled, others)
      : compileOpen(device, compiled, { ...others, open });
  }
  return { ...device, compile };
}
