/**
 * A tensor in device memory.
 *
 *     const x = await device.tensor(f32, [2, 3], [1, 2, 3, 4, 5, 6]);
 *     await x.read();     // Float32Array [1, 2, 3, 4, 5, 6]
 *     x.free();
 */
/// <reference types="@webgpu/types" />
import { type ElementType, sizeOf } from "../ir/ir.ts";
import { type HostElements, type ReadElements, fromWords, toWords } from "./elements.ts";
import { LimitError, TensorError } from "./errors.ts";
import { type PlanLimits, bytesOf } from "./memory-plan.ts";
import type { OwnedBuffer, Session } from "./session.ts";
import { bufferUsage, mapMode } from "./usage.ts";

/** A tensor in the memory of one device, row-major, 4 bytes an element. */
export interface DeviceTensor {
  readonly element: ElementType;
  readonly shape: readonly number[];
  /**
   * Waits for what computes the tensor and gives its elements: `bool` as bytes 0 and 1, `f16` as `f32`, `idx`
   * as `i32`.
   *
   * @throws {TensorError} after `free`. @throws {DeviceLostError | CommandError | OutOfMemoryError}
   */
  readonly read: () => Promise<ReadElements>;
  /**
   * Overwrites all elements, after what has been submitted so far.
   *
   * @throws {TensorError} after `free`, or when the number of elements differs. @throws {DeviceLostError}
   */
  readonly write: (data: HostElements) => void;
  /**
   * Gives the memory back. A second call does nothing, nor does one for an output that its executable keeps.
   */
  readonly free: () => void;
}

/** What the runtime knows of a tensor beyond its face. */
interface TensorMemory {
  readonly session: Session;
  readonly owned: OwnedBuffer;
  readonly isFree: () => boolean;
}

/** The property by which a tensor carries its memory, out of its users' sight. */
const memory: unique symbol = Symbol("memory");

/** A tensor as the runtime makes it. */
export interface OwnedTensor extends DeviceTensor {
  readonly [memory]: TensorMemory;
  /** Gives the memory back even when an executable keeps it. */
  readonly discard: () => void;
}

/** `f32[2, 3]`. */
export function describeType(element: ElementType, shape: readonly number[]): string {
  const scalar = element.bound === null ? element.scalar : `idx<${element.bound}>`;
  return `${scalar}[${shape.join(", ")}]`;
}

/**
 * The memory of a tensor of this session.
 *
 * @throws {TensorError} when it was freed or is of another device.
 */
export function memoryOf(session: Session, tensor: DeviceTensor, running: string): OwnedBuffer {
  const type = describeType(tensor.element, tensor.shape);
  const own = isOwnedTensor(tensor) ? tensor[memory] : null;
  if (own === null || own.session !== session)
    throw new TensorError(
      `${running}: a tensor of ${type} lies on another device; read it and write it here`,
    );
  if (own.isFree())
    throw new TensorError(
      `${running}: a tensor of ${type} was freed before; free tensors after their last use, and return from a scope ` +
        "what is used after it",
    );
  return own.owned;
}

/** Is the tensor's memory still there? */
export function isAlive(tensor: DeviceTensor): boolean {
  return isOwnedTensor(tensor) && !tensor[memory].isFree();
}

/** Is this a tensor in some device's memory, not elements of the host? */
export function isDeviceTensor(value: DeviceTensor | HostElements): value is DeviceTensor {
  return "read" in value && isOwnedTensor(value);
}

function isOwnedTensor(tensor: DeviceTensor): tensor is OwnedTensor {
  return memory in tensor;
}

/** The buffer that a tensor needs. */
export function tensorBuffer(shape: readonly number[], label: string): GPUBufferDescriptor {
  return {
    label,
    size: bytesOf(shape),
    usage: bufferUsage.storage | bufferUsage.copySource | bufferUsage.copyDestination,
  };
}

/** Refuses a tensor that no binding could hold. @throws {LimitError} */
export function requireBindable(element: ElementType, shape: readonly number[], limits: PlanLimits): void {
  for (const limit of ["maxStorageBufferBindingSize", "maxBufferSize"] as const) {
    if (bytesOf(shape) <= limits[limit]) continue;
    throw new LimitError(
      `tensor of ${describeType(element, shape)}`,
      limit,
      bytesOf(shape),
      limits[limit],
      "make it smaller, or choose an adapter that binds more",
    );
  }
}

/** A tensor over a buffer; `isKept` when the buffer outlives `free`, as the memory of an executable does. */
export function wrapTensor(
  session: Session,
  element: ElementType,
  shape: readonly number[],
  owned: OwnedBuffer,
  isKept: boolean,
): OwnedTensor {
  let isFree = false;
  const type = describeType(element, shape);
  const discard = (): void => {
    if (isFree) return;
    isFree = true;
    session.release(owned);
  };
  const tensor: OwnedTensor = {
    element,
    shape: [...shape],
    read: async () => {
      const { buffer } = memoryOf(session, tensor, "read");
      const bytes = await readBuffer(session, buffer, 4 * sizeOf(shape), `read of a tensor of ${type}`);
      return fromWords(element, bytes);
    },
    write: (data: HostElements) => {
      const { buffer } = memoryOf(session, tensor, "write");
      session.requireAlive(`write of a tensor of ${type}`);
      const words = toWords(element, sizeOf(shape), data, () => `a tensor of ${type}`);
      session.device.queue.writeBuffer(buffer, 0, words);
    },
    free: () => {
      if (!isKept) discard();
    },
    discard,
    [memory]: { session, owned, isFree: () => isFree },
  };
  return tensor;
}

/** Copies a buffer's first bytes to the host, after all that has been submitted. */
export async function readBuffer(
  session: Session,
  source: GPUBuffer,
  bytes: number,
  running: string,
): Promise<ArrayBuffer> {
  session.requireAlive(running);
  if (bytes === 0) return new ArrayBuffer(0);
  const usage = bufferUsage.mapRead | bufferUsage.copyDestination;
  const [owned] = await session.allocate("tensors", [{ label: running, size: bytes, usage }], running);
  if (owned === undefined) throw new TensorError(`${running}: no buffer`);
  try {
    const encoder = session.device.createCommandEncoder({ label: running });
    encoder.copyBufferToBuffer(source, 0, owned.buffer, 0, bytes);
    session.device.queue.submit([encoder.finish()]);
    await session.wait(owned.buffer.mapAsync(mapMode.read)).catch(async (error: unknown) => {
      throw await session.explain(running, error);
    });
    const copy = owned.buffer.getMappedRange().slice(0);
    session.requireAlive(running);
    return copy;
  } finally {
    session.release(owned);
  }
}
