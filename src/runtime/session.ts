/**
 * An open device with its books: what it holds, whether it is lost, and errors of the driver as typed errors.
 *
 *     const [owned] = await session.allocate("tensors", [{ size: 64, usage }], "tensor w");    // or OutOfMemoryError
 *     await session.guarded("program step", () => queue.submit(…));                     // or CommandError
 */
/// <reference types="@webgpu/types" />
import { CommandError, DeviceLostError, OutOfMemoryError } from "./errors.ts";

/** Whose memory it is: tensors of the caller, or what executables keep. */
export type Account = "tensors" | "executables";

/** A buffer with a number of its own, which is never given again. */
export interface OwnedBuffer {
  readonly number: number;
  readonly buffer: GPUBuffer;
  readonly bytes: number;
  readonly account: Account;
}

/** An open device and its books. */
export interface Session {
  readonly device: GPUDevice;
  /** Bytes in use by account. */
  readonly live: (account: Account) => number;
  /**
   * Makes buffers, all or none.
   *
   * @throws {OutOfMemoryError | DeviceLostError}
   */
  readonly allocate: (
    account: Account,
    requests: readonly GPUBufferDescriptor[],
    running: string,
  ) => Promise<readonly OwnedBuffer[]>;
  readonly release: (owned: OwnedBuffer) => void;
  /**
   * Runs commands and waits until the driver has checked them; not until they are done.
   *
   * @throws {CommandError | OutOfMemoryError | DeviceLostError}
   */
  readonly guarded: <T>(running: string, commands: () => T) => Promise<T>;
  /** Calls of programs that have been made and are not recorded yet: what comes later must not overtake them. */
  readonly calls: { waiting: number };
  /** Awaits a promise of the driver that may take long. */
  readonly wait: Wait;
  /**
   * Refuses to go on with a lost device, or after a command that failed unwatched.
   *
   * @throws {DeviceLostError | CommandError | OutOfMemoryError}
   */
  readonly requireAlive: (running: string) => void;
  /** The error that explains a rejected promise of the driver: a loss if there was one. */
  readonly explain: (running: string, error: unknown) => Promise<Error>;
  /** Gives the device back; what runs is lost. */
  readonly close: () => void;
}

/** How the host waits for the driver: the promise that it is given, settled as that is. */
export type Wait = <T>(promise: Promise<T>) => Promise<T>;

/** Drivers tell of a loss a moment after the promises that fail by it. */
const lossDelayMilliseconds = 50;

/** Keeps the books of a device. */
export function openSession(device: GPUDevice, wait: Wait = (promise) => promise): Session {
  const live: Record<Account, number> = { tensors: 0, executables: 0 };
  let loss: { readonly reason: "destroyed" | "unknown"; readonly detail: string } | null = null;
  let unwatched: GPUError | null = null;
  let buffers = 0;

  const lost = device.lost.then((info) => {
    loss ??= { reason: info.reason === "destroyed" ? "destroyed" : "unknown", detail: info.message };
    return null;
  });
  device.addEventListener("uncapturederror", (event) => {
    event.preventDefault();
    unwatched ??= event.error;
  });

  const totalLive = (): number => live.tensors + live.executables;

  const requireAlive = (running: string): void => {
    if (loss !== null) throw new DeviceLostError(running, loss.reason, loss.detail);
    if (unwatched === null) return;
    const error = unwatched;
    unwatched = null;
    throw isOutOfMemory(error)
      ? new OutOfMemoryError(running, 0, totalLive())
      : new CommandError(running, firstLine(error.message));
  };

  const explain = async (running: string, error: unknown): Promise<Error> => {
    await Promise.race([lost, new Promise((resolve) => setTimeout(resolve, lossDelayMilliseconds))]);
    if (loss !== null) return new DeviceLostError(running, loss.reason, loss.detail);
    const words = error instanceof Error ? error.message || error.name : String(error);
    return new CommandError(running, firstLine(words));
  };

  const guarded = async <T>(running: string, commands: () => T, plannedBytes = 0): Promise<T> => {
    requireAlive(running);
    device.pushErrorScope("out-of-memory");
    device.pushErrorScope("validation");
    let result: T;
    let validation: Promise<GPUError | null>;
    let memory: Promise<GPUError | null>;
    try {
      result = commands();
    } finally {
      validation = device.popErrorScope();
      memory = device.popErrorScope();
    }
    const [invalid, exhausted] = await Promise.all([validation, memory]).catch(async (error: unknown) => {
      throw await explain(running, error);
    });
    if (exhausted !== null) throw new OutOfMemoryError(running, plannedBytes, totalLive());
    requireAlive(running);
    if (invalid !== null) throw new CommandError(running, firstLine(invalid.message));
    return result;
  };

  const release = (owned: OwnedBuffer): void => {
    live[owned.account] -= owned.bytes;
    owned.buffer.destroy();
  };

  const allocate = async (
    account: Account,
    requests: readonly GPUBufferDescriptor[],
    running: string,
  ): Promise<readonly OwnedBuffer[]> => {
    const planned = requests.reduce((total, { size }) => total + size, 0);
    const made: GPUBuffer[] = [];
    try {
      await guarded(
        running,
        () => requests.forEach((request) => made.push(device.createBuffer(request))),
        planned,
      );
    } catch (error) {
      made.forEach((buffer) => buffer.destroy());
      // Some drivers throw where others report.
      throw error instanceof RangeError ? new OutOfMemoryError(running, planned, totalLive()) : error;
    }
    live[account] += planned;
    return made.map((buffer) => ({ number: buffers++, buffer, bytes: buffer.size, account }));
  };

  return {
    device,
    live: (account) => live[account],
    allocate,
    release,
    guarded,
    calls: { waiting: 0 },
    wait,
    requireAlive,
    explain,
    close: () => {
      loss ??= { reason: "destroyed", detail: "closed" };
      device.destroy();
    },
  };
}

function isOutOfMemory(error: GPUError): boolean {
  return error.constructor.name === "GPUOutOfMemoryError";
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? text;
}
