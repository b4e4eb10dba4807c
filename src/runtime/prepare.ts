/**
 * Makes a program ready for a device: shaders, pipelines, and for every dispatch what its bindings hold.
 *
 *     dispatch k0(x, w, h)  →  pipeline of k0, bindings [page 0, page 1, page 3 at byte 256], 8 workgroups
 */
/// <reference types="@webgpu/types" />
import { type Kernel, workgroupBytes } from "../codegen/kernel.ts";
import type { Offset, Program, ProgramStep } from "../codegen/program.ts";
import type { ValueName } from "../ir/ir.ts";
import type { DeviceLimits } from "./adapter.ts";
import { LimitError, TensorError } from "./errors.ts";
import { type MemoryPlan, flatSteps } from "./memory-plan.ts";
import type { Placed } from "./packing.ts";
import type { CompiledShader, Pipelines } from "./pipelines.ts";
import type { Shader, ShaderPrinter } from "./shader.ts";

/** Bytes of a page, or of the buffer of offsets when `page` is null. */
export interface BoundRange {
  readonly page: number | null;
  readonly offset: number;
  readonly size: number;
}

/** A dispatch with its pipeline and what it binds. */
export interface PreparedDispatch {
  readonly kind: "dispatch";
  /** Its number among the program's dispatches, which is that of its bind group. */
  readonly number: number;
  readonly kernel: number;
  readonly compiled: CompiledShader;
  readonly ranges: readonly BoundRange[];
  readonly workgroups: readonly [number, number, number];
}

/** A copy with the places of its ends. */
export interface PreparedCopy {
  readonly kind: "copy";
  readonly from: Placed;
  readonly to: Placed;
  readonly bytes: number;
  readonly fromOffset: Offset;
  readonly toOffset: Offset;
}

/** A step of a program, ready to be recorded. */
export type PreparedStep =
  | PreparedDispatch
  | PreparedCopy
  | {
      readonly kind: "loop";
      readonly turn: string;
      readonly count: number;
      readonly steps: readonly PreparedStep[];
    };

/** A program, ready to be recorded. */
export interface PreparedProgram {
  readonly steps: readonly PreparedStep[];
  readonly dispatches: readonly PreparedDispatch[];
  /** What the buffer of offsets holds; empty when no binding is shared. */
  readonly offsets: Uint32Array<ArrayBuffer>;
  /** The texts of the kernels, one for each way in which its buffers lie in pages. */
  readonly shaders: readonly { readonly kernel: string; readonly code: string }[];
}

/** Uniform bindings start at multiples of so many words: 256 bytes, which every device allows. */
const uniformWords = 64;

/**
 * Prints, compiles and lays out all dispatches. `progress` hears of every kernel that is compiled.
 *
 * @throws {LimitError | ShaderError | DeviceLostError}
 */
export async function prepareProgram(
  program: Program,
  plan: MemoryPlan,
  limits: DeviceLimits,
  pipelines: Pipelines,
  printer: ShaderPrinter,
  progress: (done: number, total: number) => void,
): Promise<PreparedProgram> {
  for (const kernel of program.kernels) requireRunnable(kernel, limits);
  const placeOf = (name: ValueName): Placed => {
    const place = plan.places.get(name);
    if (place === undefined)
      throw new TensorError(`program ${program.name}: step over %${name}, which is no value of it`);
    return place;
  };

  const shaders = new Map<string, { readonly kernel: string; readonly shader: Shader }>();
  const keys = new Map<ProgramStep, string>();
  for (const step of flatSteps(program.steps)) {
    if (step.kind !== "dispatch") continue;
    const kernel = program.kernels[step.kernel];
    if (kernel === undefined)
      throw new TensorError(`program ${program.name}: there is no kernel ${step.kernel}`);
    const view = viewPages(kernel, step.values.map(placeOf), plan);
    requireBindable(kernel, view.pageCount, limits.maxStorageBuffersPerShaderStage);
    const key = `${step.kernel} ${view.key}`;
    keys.set(step, key);
    if (shaders.has(key)) continue;
    const shader = printer(kernel, { ...view, limit: limits.maxStorageBuffersPerShaderStage });
    shaders.set(key, { kernel: kernel.name, shader });
  }

  let done = 0;
  progress(0, shaders.size);
  const compiled = new Map(
    await Promise.all(
      [...shaders].map(async ([key, { kernel, shader }]) => {
        const result = await pipelines.get(kernel, shader);
        progress(++done, shaders.size);
        return [key, { shader, result }] as const;
      }),
    ),
  );

  const dispatches: PreparedDispatch[] = [];
  const offsets: number[] = [];
  const prepare = (step: ProgramStep): PreparedStep => {
    switch (step.kind) {
      case "dispatch": {
        const found = compiled.get(keys.get(step) ?? "");
        if (found === undefined) throw new TensorError(`program ${program.name}: a step without its kernel`);
        const places = step.values.map(placeOf);
        const dispatch: PreparedDispatch = {
          kind: "dispatch",
          number: dispatches.length,
          kernel: step.kernel,
          compiled: found.result,
          ranges: boundRanges(found.shader, places, plan, offsets),
          workgroups: found.shader.dispatch,
        };
        dispatches.push(dispatch);
        return dispatch;
      }
      case "copy":
        return {
          kind: "copy",
          from: placeOf(step.from),
          to: placeOf(step.to),
          bytes: 4 * step.length,
          fromOffset: step.fromOffset,
          toOffset: step.toOffset,
        };
      case "loop":
        return { ...step, steps: step.steps.map(prepare) };
    }
  };
  const steps = program.steps.map(prepare);
  const texts = [...shaders.values()].map(({ kernel, shader }) => ({ kernel, code: shader.code }));
  return { steps, dispatches, offsets: Uint32Array.from(offsets), shaders: texts };
}

/**
 * A kernel's pages, numbered in the order of its buffers so that dispatches that lie alike print alike. A
 * page that belongs to one value is writable when this kernel writes it; a shared one when any kernel does,
 * since one buffer can't be bound for reading and for writing in one dispatch.
 */
function viewPages(
  kernel: Kernel,
  places: readonly Placed[],
  plan: MemoryPlan,
): {
  readonly key: string;
  readonly pageCount: number;
  readonly pageOf: (buffer: number) => number;
  readonly isWritable: (page: number) => boolean;
} {
  const numbers = [...new Set(places.map(({ page }) => page))];
  const buffers = places.map(({ page }) => numbers.indexOf(page));
  const writable = numbers.map((number, local) => {
    const page = plan.pages[number];
    const isWrittenHere = kernel.buffers.some((b, i) => buffers[i] === local && b.access !== "read");
    const isShared = page?.role === "intermediate" || page?.role === "staged";
    return isWrittenHere || (isShared && page.isWritten);
  });
  return {
    key: `${buffers.join(",")} ${writable.map(Number).join("")}`,
    pageCount: numbers.length,
    pageOf: (buffer) => buffers[buffer] ?? 0,
    isWritable: (page) => writable[page] ?? true,
  };
}

/** What each binding of a dispatch holds. Its offsets are added to those of the program. */
function boundRanges(
  shader: Shader,
  places: readonly Placed[],
  plan: MemoryPlan,
  offsets: number[],
): readonly BoundRange[] {
  const start = Math.ceil(offsets.length / uniformWords) * uniformWords;
  const slots = Array.from({ length: 4 * Math.ceil(shader.offsetSlots / 4) }, () => 0);
  const ranges = shader.bindings.map(({ members }): BoundRange => {
    let range: BoundRange = { page: null, offset: 0, size: 0 };
    for (const { buffer, slot } of members) {
      const place = places[buffer];
      if (place === undefined) continue;
      if (slot === null) range = { page: place.page, offset: place.offset, size: place.bytes };
      else {
        slots[slot] = place.offset / 4;
        range = { page: place.page, offset: 0, size: plan.pages[place.page]?.bytes ?? 0 };
      }
    }
    return range;
  });
  if (slots.length === 0) return ranges;
  while (offsets.length < start) offsets.push(0);
  offsets.push(...slots);
  return [...ranges, { page: null, offset: 4 * start, size: 4 * slots.length }];
}

/** What of a kernel is bound by which limit. */
const kernelNeeds: readonly {
  readonly limit: keyof DeviceLimits;
  readonly needed: (kernel: Kernel) => number;
  readonly advice: string;
}[] = [
  {
    limit: "maxComputeInvocationsPerWorkgroup",
    needed: ({ invocations }) => invocations,
    advice: "compile it for this device's limits",
  },
  {
    limit: "maxComputeWorkgroupSizeX",
    needed: ({ invocations }) => invocations,
    advice: "compile it for this device's limits",
  },
  {
    limit: "maxComputeWorkgroupStorageSize",
    needed: workgroupBytes,
    advice: "compile it for this device's limits, so that its tiles are smaller",
  },
];

function requireRunnable(kernel: Kernel, limits: DeviceLimits): void {
  for (const { limit, needed, advice } of kernelNeeds)
    if (needed(kernel) > limits[limit])
      throw new LimitError(`kernel ${kernel.name}`, limit, needed(kernel), limits[limit], advice);
}

/** Buffers in one page can share a binding, so a kernel needs a binding for each page at the least. */
function requireBindable(kernel: Kernel, pages: number, limit: number): void {
  if (pages > limit)
    throw new LimitError(
      `kernel ${kernel.name}, whose ${kernel.buffers.length} buffers lie in ${pages} pages of memory`,
      "maxStorageBuffersPerShaderStage",
      pages,
      limit,
      "fuse less, make the batch smaller so that fewer pages are needed, or choose an adapter that binds more",
    );
}
