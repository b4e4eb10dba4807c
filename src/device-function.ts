/**
 * A compiled function on a device: arguments and results as trees, kernels and memory made ready once.
 *
 *     const f = await device.compile(module.compile("scale", { dims: { n: 3 } }));
 *     const [y] = await f.run(tensor([3], [1, 2, 3]), 2);
 *     await y.read();                                            // Float32Array [2, 4, 6]
 */
import {
  argumentsOf,
  type DeviceArgument,
  type DeviceValue,
  deviceTree,
  isOnDevice,
} from "./device-value.ts";
import type { FusionLevel, LayoutChoice, MemoryChoice } from "./fusion/plan.ts";
import { type InPlace, updatesOf } from "./in-place.ts";
import type { Compiled, FunctionShapes, KernelProgram } from "./module.ts";
import type { Argument } from "./runtime/arguments.ts";
import type { Device as RuntimeDevice } from "./runtime/device.ts";
import type { Executable, LoadOptions } from "./runtime/executable.ts";
import { flatSteps } from "./runtime/memory-plan.ts";
import { shapeLeaves } from "./lang/elaborate/shape.ts";
import type { DeviceTensor } from "./runtime/tensor.ts";
import { type KnownDevice, tuneKernels, type TuneOptions } from "./tune.ts";
import { ArgumentError } from "./tree.ts";

export interface DeviceCompileOptions extends Omit<LoadOptions, "printer"> {
  /** `off`: a kernel for every node; `map`: elementwise chains are one; `full`, the default: everything that pays. */
  readonly fuse?: FusionLevel;
  /** What memory is worth: see `KernelOptions`. */
  readonly memory?: MemoryChoice;
  /** In which order intermediates lie in memory: see `KernelOptions`. */
  readonly layout?: LayoutChoice;
  /**
   * Results that overwrite arguments: `{ p: 0 }` for the first result over the argument p, or `carried` for all that a training step
   * carries. Such an argument must be on the device, is overwritten by each call, and comes back as the result.
   */
  readonly inPlace?: InPlace;
  /**
   * Measure other shapes of its kernels on the device first, and take the fastest: minutes, once for each kernel. Later compilations
   * take what was found without it. Not by default.
   */
  readonly tune?: boolean | TuneOptions;
}

/** A function on a device, ready to run. */
export interface DeviceFunction {
  /** What it was compiled from, with its parameters, results and dimensions. */
  readonly compiled: Compiled;
  readonly params: Compiled["params"];
  readonly results: Compiled["results"];
  /** The plan and the kernels that run. */
  readonly kernels: KernelProgram;
  /** So many dispatches make a call; those of loops count once. */
  readonly kernelCount: number;
  /** Its program on the device: memory plan, shaders, and kernel times by `profile`. */
  readonly executable: Executable;
  /**
   * Runs it without waiting for the numbers. Results are the caller's to free, unless they are arguments (`inPlace`) or the
   * function keeps them (`reuseOutputs`).
   *
   * @throws {ArgumentError | TensorError} when an argument does not fit. @throws {OutOfMemoryError | DeviceLostError | CommandError}
   */
  readonly run: (...args: DeviceArgument[]) => Promise<DeviceValue[]>;
  /**
   * Puts a value for an argument on the device, where it stays: weights, or what is updated in place.
   *
   * @throws {ArgumentError} when it does not fit, or there is no such argument. @throws {OutOfMemoryError | DeviceLostError}
   */
  readonly put: (param: string, value: DeviceArgument) => Promise<DeviceValue>;
  /**
   * Runs it `runs` times (default 5) and gives the median time of each dispatch, in the program's order; null when the adapter has no
   * timestamps. What is updated in place is overwritten at each run. @throws what `run` throws.
   */
  readonly profile: (args: readonly DeviceArgument[], runs?: number) => ReturnType<Executable["profile"]>;
  /** Gives back what it keeps: constants, intermediates, outputs that it reuses. A second call does nothing. */
  readonly free: () => void;
}

/**
 * Tunes the kernels of a function that have not been tuned before, for all compilations after it.
 *
 * @throws {ArgumentError} when `inPlace` names what there is not, or a choice is none of its words. @throws {DeviceLostError}
 */
export async function tuneFunction(
  device: KnownDevice,
  compiled: Compiled,
  {
    fuse = "full",
    memory,
    layout = "chosen",
    inPlace = {},
  }: Pick<DeviceCompileOptions, "fuse" | "memory" | "layout" | "inPlace"> = {},
  options: TuneOptions = {},
): Promise<void> {
  const updates = updatesOf(compiled, inPlace);
  const { plan } = compiled.kernels({
    fuse,
    ...(memory === undefined ? {} : { memory }),
    layout,
    target: device.target,
    updates,
  });
  await tuneKernels(device, plan, updates, options);
}

/**
 * Makes kernels of a compiled function for the device's adapter and loads them.
 *
 * @throws {ArgumentError} when `inPlace` names what there is not, or a choice is none of its words.
 * @throws {LimitError | ShaderError | OutOfMemoryError | DeviceLostError}
 */
export async function compileOnDevice(
  device: RuntimeDevice | KnownDevice,
  compiled: Compiled,
  {
    fuse = "full",
    memory,
    layout = "chosen",
    inPlace = {},
    tune = false,
    ...options
  }: DeviceCompileOptions = {},
): Promise<DeviceFunction> {
  const chosen = { layout, ...(memory === undefined ? {} : { memory }) };
  if (tune !== false && "choices" in device)
    await tuneFunction(device, compiled, { fuse, inPlace, ...chosen }, tune === true ? {} : tune);
  const target = "target" in device ? device.target : device.adapter;
  const kernels = compiled.kernels({ fuse, ...chosen, target, updates: updatesOf(compiled, inPlace) });
  const executable = await device.load(kernels.program, options);
  return {
    compiled,
    params: compiled.params,
    results: compiled.results,
    kernels,
    kernelCount: flatSteps(kernels.program.steps).filter(({ kind }) => kind === "dispatch").length,
    executable,
    run: async (...args) => {
      const tensors = (await executable.run(flattenArguments(compiled, args))).values();
      return compiled.results.map(({ shape }) => deviceTree(shape, tensors));
    },
    profile: async (args, runs) => executable.profile(flattenArguments(compiled, args), runs),
    put: (name, value) => putArgument(device, compiled, name, value),
    free: executable.free,
  };
}

/** The arguments of a call as the executable takes them. @throws {ArgumentError} */
export function flattenArguments(
  { name, params }: FunctionShapes,
  args: readonly DeviceArgument[],
): Argument[] {
  if (args.length === params.length)
    return params.flatMap((param, i) => argumentsOf(args[i] as DeviceArgument, param.shape, param.name));
  const list = params.map((p) => p.name).join(", ");
  throw new ArgumentError(`${name} takes ${params.length} arguments (${list}), ${args.length} given`);
}

/** Puts a value for a parameter on the device. @throws {ArgumentError | OutOfMemoryError | DeviceLostError} */
export async function putArgument(
  device: RuntimeDevice,
  { name: owner, params }: FunctionShapes,
  name: string,
  value: DeviceArgument,
): Promise<DeviceValue> {
  const param = params.find((p) => p.name === name);
  if (param === undefined) {
    const names = params.map((p) => p.name).join(", ");
    throw new ArgumentError(`${owner} has no parameter ${name}; there are ${names}`);
  }
  const leaves = shapeLeaves(param.shape);
  const tensors: DeviceTensor[] = [];
  for (const [i, given] of argumentsOf(value, param.shape, name).entries()) {
    const { element, shape } = leaves[i]!.leaf;
    tensors.push(isOnDevice(given) ? given : await device.tensor(element, shape, given));
  }
  return deviceTree(param.shape, tensors.values());
}
