/**
 * An open device that compiles and runs functions; the same in Node and in the browser.
 *
 *     const device = await openDevice();                                     // from "fecit" in a browser, from "fecit/node" in Node
 *     const step = await device.compile(compiled, { inPlace: { p: 0 } });
 *     const p = await step.put("p", weights);
 *     await device.scope(async () => { const [, loss] = await step.run(p, images, labels); … });
 */
import type { ChoiceStore } from "./codegen/tuner.ts";
import {
  compileOnDevice,
  type DeviceCompileOptions,
  type DeviceFunction,
  tuneFunction,
} from "./device-function.ts";
import type { MeasuredRates } from "./fusion/calibrate.ts";
import type { Compiled } from "./module.ts";
import { compileOpen, type OpenFunction, type OpenOptions } from "./open-function.ts";
import type { Device as RuntimeDevice } from "./runtime/device.ts";
import { choicesInMemory, type KnownDevice, type TuneOptions } from "./tune.ts";

/** What was measured of an adapter before. */
export interface Knowledge {
  /** Its rates, by which programs are planned; without them by what is usual of its kind. */
  readonly rates?: MeasuredRates | null;
  /** Where the shapes of kernels are kept that tuning finds; without it as long as the device is open. */
  readonly choices?: ChoiceStore;
}

export interface Device extends KnownDevice {
  /**
   * Compiles a function for this adapter and loads it. With `open` one dimension, the batch, may be smaller or larger in a call than
   * it was compiled for: see `OpenFunction`.
   *
   * @throws {ArgumentError} when `inPlace` or `open` name what there is not, or a choice is none of its words.
   * @throws {LimitError | ShaderError | OutOfMemoryError | DeviceLostError}
   */
  compile(compiled: Compiled, options: DeviceCompileOptions & OpenOptions): Promise<OpenFunction>;
  compile(compiled: Compiled, options?: DeviceCompileOptions): Promise<DeviceFunction>;
  /**
   * Measures other shapes of a function's kernels, of those that have not been measured before, and keeps the fastest for every later
   * compilation: as the option `tune` of `compile` does before it compiles.
   *
   * @throws {ArgumentError} when `inPlace` names what there is not, or a choice is none of its words. @throws {DeviceLostError}
   */
  readonly tune: (
    compiled: Compiled,
    options?: Pick<DeviceCompileOptions, "fuse" | "layout" | "memory" | "inPlace">,
    tuning?: TuneOptions,
  ) => Promise<void>;
}

/** The device with the compiler before it. */
export function withCompiler(
  device: RuntimeDevice,
  { rates = null, choices = choicesInMemory() }: Knowledge = {},
): Device {
  const known: KnownDevice = { ...device, target: { ...device.adapter, rates, choices }, choices };
  function compile(compiled: Compiled, options: DeviceCompileOptions & OpenOptions): Promise<OpenFunction>;
  function compile(compiled: Compiled, options?: DeviceCompileOptions): Promise<DeviceFunction>;
  function compile(
    compiled: Compiled,
    options: DeviceCompileOptions & Partial<OpenOptions> = {},
  ): Promise<DeviceFunction | OpenFunction> {
    const { open, ...others } = options;
    return open === undefined
      ? compileOnDevice(known, compiled, others)
      : compileOpen(known, compiled, { ...others, open });
  }
  const tune: Device["tune"] = (compiled, options, tuning) => tuneFunction(known, compiled, options, tuning);
  return { ...known, compile, tune };
}
