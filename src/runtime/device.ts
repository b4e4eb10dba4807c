/**
 * An open device: the face of the runtime, the same in Node and in the browser.
 *
 *     const device = await openDevice(adapter);
 *     const add = await device.load(program);
 *     const [sum] = await add.run([await device.tensor(f32, [3], [1, 2, 3]), Float32Array.of(4, 5, 6)]);
 *     await sum.read();     // 5 7 9
 */
/// <reference types="@webgpu/types" />
import type { Program } from "../codegen/program.ts";
import { type ElementType, sizeOf } from "../ir/ir.ts";
import { type AdapterDescription, describeAdapter, deviceRequest } from "./adapter.ts";
import { type HostElements, toWords } from "./elements.ts";
import { AdapterError, TensorError } from "./errors.ts";
import { type Executable, type LoadOptions, loadProgram } from "./executable.ts";
import { openPipelines } from "./pipelines.ts";
import { openScopes } from "./scope.ts";
import { openSession, type Wait } from "./session.ts";
import { type DeviceTensor, describeType, requireBindable, tensorBuffer, wrapTensor } from "./tensor.ts";

export type { Argument } from "./arguments.ts";
export type { HostElements, ReadElements } from "./elements.ts";
export type { Executable, LoadOptions } from "./executable.ts";
export type { KernelTime } from "./profile.ts";
export type { DeviceTensor } from "./tensor.ts";

/** Bytes of device memory in use. */
export interface DeviceMemory {
  /** Of tensors that were made and not freed, outputs of calls included. */
  readonly tensors: number;
  /** Of what executables keep: constants, intermediates, outputs that they reuse. */
  readonly executables: number;
  readonly total: number;
}

/** An open device. */
export interface Device {
  /** The adapter, with the limits and features that the device was given. */
  readonly adapter: AdapterDescription;
  /**
   * Makes a tensor, of zeros without `data`.
   *
   * @throws {LimitError} when no binding can hold it. @throws {TensorError} when the number of elements
   * differs.
   * @throws {OutOfMemoryError | DeviceLostError}
   */
  readonly tensor: (
    element: ElementType,
    shape: readonly number[],
    data?: HostElements,
  ) => Promise<DeviceTensor>;
  /**
   * Compiles a program for this device and allocates its memory.
   *
   * @throws {LimitError | ShaderError | OutOfMemoryError | DeviceLostError}
   */
  readonly load: (program: Program, options?: LoadOptions) => Promise<Executable>;
  /**
   * Runs `body` and frees the tensors that were made in it and are not in its result (itself, or in arrays,
   * maps and plain objects of it); all of them when it throws. Scopes nest: await one before you begin
   * another beside it.
   */
  readonly scope: <T>(body: () => Promise<T>) => Promise<T>;
  readonly memory: () => DeviceMemory;
  /** Waits until all that was submitted is done. @throws {DeviceLostError | CommandError} */
  readonly finished: () => Promise<void>;
  /** Gives the device back with all memory. What is used of it afterwards throws a DeviceLostError. */
  readonly close: () => void;
}

/**
 * Opens a device with all of its adapter's limits and the features that fecit uses.
 *
 * @param name the system's name of the adapter where it is known
 * @param waitOn how to wait for an adapter, where awaiting is not enough
 * @throws {AdapterError} when the adapter gives no device.
 */
export async function openDevice(
  adapter: GPUAdapter,
  name: string | null = null,
  waitOn?: (adapter: AdapterDescription) => Wait,
): Promise<Device> {
  const description = describeAdapter(adapter, name);
  const gpuDevice = await adapter.requestDevice(deviceRequest(description)).catch((error: unknown) => {
    throw new AdapterError(
      description.name,
      [`${description.name}: ${error instanceof Error ? error.message : String(error)}`],
      "update the adapter's driver, or choose another adapter",
    );
  });
  const session = openSession(gpuDevice, waitOn?.(description));
  const scopes = openScopes();
  const host = {
    session,
    scopes,
    pipelines: openPipelines(session),
    limits: description.limits,
    hasTimestamps: description.features.includes("timestamp-query"),
  };

  const tensor = async (
    element: ElementType,
    shape: readonly number[],
    data?: HostElements,
  ): Promise<DeviceTensor> => {
    const type = describeType(element, shape);
    requireBindable(element, shape, description.limits);
    const words =
      data === undefined ? null : toWords(element, sizeOf(shape), data, () => `a tensor of ${type}`);
    const [owned] = await session.allocate("tensors", [tensorBuffer(shape, type)], `tensor of ${type}`);
    if (owned === undefined) throw new TensorError(`tensor of ${type}: no memory was given`);
    if (words !== null) session.device.queue.writeBuffer(owned.buffer, 0, words);
    const made = wrapTensor(session, element, shape, owned, false);
    scopes.enter(made);
    return made;
  };

  const finished = async (): Promise<void> => {
    const running = "waiting for the device";
    session.requireAlive(running);
    await session.wait(gpuDevice.queue.onSubmittedWorkDone()).catch(async (error: unknown) => {
      throw await session.explain(running, error);
    });
    session.requireAlive(running);
  };

  return {
    adapter: description,
    tensor,
    load: (program, options = {}) => loadProgram(host, program, options),
    scope: scopes.run,
    memory: () => {
      const [tensors, executables] = [session.live("tensors"), session.live("executables")];
      return { tensors, executables, total: tensors + executables };
    },
    finished,
    close: session.close,
  };
}
