/**
 * A model's forward for a batch, planned for a device before anything is compiled there: does it fit, and if not, which batch would?
 *
 *     error: fec_small with a batch of 256 does not fit llvmpipe
 *       = program fec_small, tensor %x of f32[256, 3, 224, 224]: needs maxStorageBufferBindingSize of 154140672, the device has 134217728
 *       = help: `--batch 128` fits, or choose a smaller --size or another adapter by --device
 */
import { freemem } from "node:os";
import type { Device } from "../device.ts";
import type { FusionLevel, MemoryChoice } from "../fusion/plan.ts";
import { f32 } from "../ir/ir.ts";
import type { Model } from "../model.ts";
import type { Compiled, KernelProgram } from "../module.ts";
import { formatBytes, LimitError, OutOfMemoryError } from "../runtime/errors.ts";
import { type MemoryPlan, planMemory } from "../runtime/memory-plan.ts";
import { exit, Failure } from "./failure.ts";

/** A forward whose kernels and memory are planned. */
export interface PlannedForward {
  readonly compiled: Compiled;
  readonly kernels: KernelProgram;
  readonly memory: MemoryPlan;
}

export interface ForwardSizes {
  readonly batch: number;
  /** The side of the images. */
  readonly size: number;
  readonly fuse: FusionLevel;
  readonly memory?: MemoryChoice;
}

/** Why a batch does not fit, and how many times too large it is, as far as that is known. */
interface Refusal {
  readonly reason: string;
  readonly excess: number;
}

/**
 * Plans a forward. `tried` hears of a batch that is tried in place of one that does not fit. Throws a `Failure` that says which batch
 * would fit, `CompileError`, and the device's errors.
 */
export async function planFitting(
  device: Device,
  model: Model,
  sizes: ForwardSizes,
  tried: (batch: number) => void,
): Promise<PlannedForward> {
  const planned = await planOrRefuse(device, model, sizes);
  if (!isRefusal(planned)) return planned;
  const smaller = await smallerBatch(device, model, sizes, planned, tried);
  const others = "choose a smaller --size, or another adapter by --device";
  throw new Failure(
    exit.deviceCannot,
    `${model.name} with a batch of ${sizes.batch} does not fit ${device.adapter.name}`,
    {
      notes: [planned.reason],
      help: smaller === null ? `no batch fits: ${others}` : `\`--batch ${smaller}\` fits; or ${others}`,
    },
  );
}

/** The largest power of two below a batch that was refused, and within its limit, that fits; null when none does. */
async function smallerBatch(
  device: Device,
  model: Model,
  sizes: ForwardSizes,
  refusal: Refusal,
  tried: (batch: number) => void,
): Promise<number | null> {
  const most = Math.min(sizes.batch - 1, sizes.batch / refusal.excess);
  let batch = most < 1 ? 0 : 2 ** Math.floor(Math.log2(most));
  while (batch >= 1) {
    tried(batch);
    if (!isRefusal(await planOrRefuse(device, model, { ...sizes, batch }))) return batch;
    batch = Math.floor(batch / 2);
  }
  return null;
}

function isRefusal(found: PlannedForward | Refusal): found is Refusal {
  return "reason" in found;
}

async function planOrRefuse(
  device: Device,
  model: Model,
  { batch, size, ...how }: ForwardSizes,
): Promise<PlannedForward | Refusal> {
  const { adapter } = device;
  const compiled = model.forward({ b: batch, h: size, w: size });
  const kernels = compiled.kernels({ ...how, target: device.target });
  let memory: MemoryPlan;
  try {
    memory = planMemory(kernels.program, adapter.limits);
  } catch (error) {
    if (!(error instanceof LimitError)) throw error;
    return { reason: firstPart(error), excess: error.needed / error.available };
  }
  const needed = memory.peakBytes;
  const free = freeBytes();
  // A software driver's memory is the machine's, and some give more than there is.
  if (adapter.kind === "software" && needed > free)
    return {
      reason: `it needs ${formatBytes(needed)}, and this machine has ${formatBytes(free)} free`,
      excess: needed / free,
    };
  const exhausted = await allocates(device, memory);
  return exhausted === null
    ? { compiled, kernels, memory }
    : { reason: `it needs ${formatBytes(needed)}: ${firstPart(exhausted)}`, excess: 1 };
}

/** What is wrong, without the general advice after it. */
function firstPart({ message }: Error): string {
  return message.split("; ", 1)[0] ?? message;
}

function freeBytes(): number {
  const { availableMemory } = process as { readonly availableMemory?: () => number };
  return availableMemory?.() ?? freemem();
}

/** Takes the memory of a plan and gives it back; what the device says when it has not enough. */
async function allocates(device: Device, { pages }: MemoryPlan): Promise<OutOfMemoryError | null> {
  try {
    await device.scope(async () => {
      for (const { bytes } of pages) await device.tensor(f32, [Math.ceil(bytes / 4)]);
    });
    return null;
  } catch (error) {
    if (error instanceof OutOfMemoryError) return error;
    throw error;
  }
}
