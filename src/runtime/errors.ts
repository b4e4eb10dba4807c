/**
 * What can go wrong on a device, each as an error of its own that says what was being run, what was found and
 * what to change.
 *
 *     LimitError: program step, tensor %logits of f32[9000, 9000]: needs maxStorageBufferBindingSize of 324000000, the device has
 *       134217728; make the tensor or the batch smaller, or choose an adapter that binds more
 */

/**
 * The device is gone: closed by `close()`, reset by its driver, or unplugged. Nothing of it can be used
 * again.
 */
export class DeviceLostError extends Error {
  override readonly name = "DeviceLostError";
  constructor(
    /** What was asked of the device when the loss showed. */
    readonly running: string,
    /** `destroyed` when the program closed it, `unknown` when the driver gave it up. */
    readonly reason: "destroyed" | "unknown",
    /** The driver's own words. */
    readonly detail: string,
  ) {
    super(
      reason === "destroyed"
        ? `${running}: the device was closed before; open another with a new call`
        : `${running}: the device was lost (${detail}); open it again, and if this recurs lower ` +
            "dispatchesPerSubmit or the batch, since drivers reset a device that works too long on one submission",
    );
  }
}

/** The device has no memory for what was planned. */
export class OutOfMemoryError extends Error {
  override readonly name = "OutOfMemoryError";
  constructor(
    readonly running: string,
    /** Bytes that were asked for; 0 when the driver ran out of its own. */
    readonly plannedBytes: number,
    /** Bytes that this device held already for the program's tensors and executables. */
    readonly liveBytes: number,
  ) {
    super(
      `${running}: the device could not give ${plannedBytes === 0 ? "more" : formatBytes(plannedBytes)} besides the ${formatBytes(liveBytes)} ` +
        "that are in use; free tensors, make the batch smaller, or choose an adapter with more memory",
    );
  }
}

/** Something needs more than the device's limits allow. Nothing has been allocated for it. */
export class LimitError extends Error {
  override readonly name = "LimitError";
  constructor(
    /** What needs it: a tensor with its shape, a kernel. */
    readonly subject: string,
    /** The limit, by its name in WebGPU. */
    readonly limit: string,
    readonly needed: number,
    readonly available: number,
    /** What to change. */
    readonly advice: string,
  ) {
    super(`${subject}: needs ${limit} of ${needed}, the device has ${available}; ${advice}`);
  }
}

/**
 * The driver refused a kernel's text. It is a fault of the compiler or of the driver, never of the program.
 */
export class ShaderError extends Error {
  override readonly name = "ShaderError";
  constructor(
    /** The kernel's name. */
    readonly kernel: string,
    /** The driver's words. */
    readonly detail: string,
    /** The WGSL around the first fault, with line numbers; empty when the driver named no line. */
    readonly excerpt: string,
  ) {
    super(
      `kernel ${kernel}: the driver refused its shader: ${detail}` +
        (excerpt === "" ? "" : `\n${excerpt}\n`) +
        "; please report it with the program, and try another adapter meanwhile (FECIT_DEVICE=software)",
    );
  }
}

/** There is no adapter of the kind that was asked for. */
export class AdapterError extends Error {
  override readonly name = "AdapterError";
  constructor(
    /** What was asked for. */
    readonly choice: string,
    /** What was tried, in order, each with what came of it. */
    readonly tried: readonly string[],
    /** How to get an adapter on this system. */
    readonly advice: string,
  ) {
    super(
      `no adapter for the device choice "${choice}"\n` +
        tried.map((line) => `  tried ${line}\n`).join("") +
        `  ${advice}`,
    );
  }
}

/**
 * A call does not fit: a tensor that was freed, of another device, or of another shape than the program
 * takes.
 */
export class TensorError extends Error {
  override readonly name = "TensorError";
}

/**
 * The driver refused a command that should have been right; the device goes on. It is a fault of fecit or of
 * the driver.
 */
export class CommandError extends Error {
  override readonly name = "CommandError";
  constructor(
    readonly running: string,
    readonly detail: string,
  ) {
    super(`${running}: the driver refused a command: ${detail}; please report it with the program`);
  }
}

const byteUnits = ["bytes", "KiB", "MiB", "GiB", "TiB"] as const;

/** Bytes for people: `1536` is `1.5 KiB`. */
export function formatBytes(bytes: number): string {
  const steps = bytes < 1024 ? 0 : Math.min(byteUnits.length - 1, Math.floor(Math.log2(bytes) / 10));
  const count = bytes / 1024 ** steps;
  return `${steps === 0 ? count : Number(count.toPrecision(4))} ${byteUnits[steps]}`;
}
