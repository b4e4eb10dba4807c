/**
 * A function on a device with one dimension left open: compiled for a capacity, run for any size.
 *
 *     const f = await device.compile(module.compile("classify", { dims: { b: 64 } }), { open: "b" });
 *     await f.run(weights, images);                    // 64 images, or 17: rows are filled up, results cut, nothing is compiled
 *     await (await f.at(17)).run(weights, pixels);     // the size said, for elements that have no shape
 *
 * What holds: a size up to the capacity runs the capacity's own kernels, with no new plan and no new pipeline, if every row of the
 * results depends on its own row of the arguments alone (`Compiled.hasRowsOf`: forward functions of models), and what is given for
 * arguments with rows is on the host or on the device alike. Otherwise (a mean over the batch, a gradient, a larger size) a program
 * is compiled for that size, once; its kernels share pipelines with all others of the same text.
 */
import {
  compileOnDevice,
  type DeviceCompileOptions,
  type DeviceFunction,
  flattenArguments,
  putArgument,
} from "./device-function.ts";
import { type DeviceArgument, deviceTree, isOnDevice } from "./device-value.ts";
import { isTensor } from "./host-value.ts";
import { type ElementType, sizeOf } from "./ir/ir.ts";
import { shapeLeaves } from "./lang/elaborate/shape.ts";
import type { Compiled, FunctionShapes } from "./module.ts";
import type { Argument } from "./runtime/arguments.ts";
import type { Device as RuntimeDevice } from "./runtime/device.ts";
import type { KnownDevice } from "./tune.ts";
import { openResizing, type Resizing } from "./resize-rows.ts";
import type { DeviceTensor } from "./runtime/tensor.ts";
import { ArgumentError, isList, isRecord } from "./tree.ts";

export interface OpenOptions {
  /** The dimension that may differ from call to call; what it is in `compiled.dims` is the capacity. */
  readonly open: string;
}

/** A function of any size of its open dimension. */
export interface OpenFunction extends DeviceFunction {
  /** The size for which its kernels were made. */
  readonly capacity: number;
  /**
   * The function for a size, remembered by it; it is freed with this one.
   *
   * @throws {ArgumentError | CompileError} for a size that the function can't have.
   * @throws {LimitError | ShaderError | OutOfMemoryError | DeviceLostError}
   */
  readonly at: (size: number) => Promise<SizedFunction>;
}

/** A function for one size of an open dimension. */
export type SizedFunction = Pick<DeviceFunction, "params" | "results" | "run" | "put">;

interface OwnedSize extends SizedFunction {
  readonly free: () => void;
}

/** A tensor's rows: those of the capacity and those of a smaller size. */
interface Rows {
  readonly element: ElementType;
  readonly large: readonly number[];
  readonly small: readonly number[];
}

/**
 * Compiles a function for the capacity, and for other sizes when they come.
 *
 * @throws {ArgumentError} when there is no such dimension. @throws what `compileOnDevice` throws.
 */
export async function compileOpen(
  device: RuntimeDevice | KnownDevice,
  compiled: Compiled,
  { open, tune, ...options }: DeviceCompileOptions & OpenOptions,
): Promise<OpenFunction> {
  const capacity = compiled.dims[open];
  if (capacity === undefined) {
    const names = Object.keys(compiled.dims).join(", ");
    throw new ArgumentError(`open: ${compiled.name} has no dimension ${open}; there are ${names}`);
  }
  // Other sizes are compiled when they come, when nobody expects to wait for measurements.
  const whole = await compileOnDevice(device, compiled, tune === undefined ? options : { ...options, tune });
  const resizing = openResizing(device);
  const sized = new Map<number, Promise<OwnedSize>>([[capacity, Promise.resolve(whole)]]);
  const updated = new Set(whole.kernels.program.updated);
  const make = async (size: number): Promise<OwnedSize> => {
    const small = compiled.shapesFor({ [open]: size });
    // Rows that are updated in place must be the caller's own, not a copy that is filled up.
    const keepsRows = rowsOf(compiled.params, small.params).some(
      (rows, i) => rows !== null && updated.has(compiled.graph.params[i]?.name ?? ""),
    );
    if (size > 0 && size < capacity && !keepsRows && compiled.hasRowsOf(open, size))
      return partOf(device, whole, small, resizing);
    return compileOnDevice(device, compiled.resize({ [open]: size }), options);
  };
  const at = (size: number): Promise<OwnedSize> => {
    const known = sized.get(size);
    if (known !== undefined) return known;
    const made = make(size);
    sized.set(size, made);
    made.catch(() => sized.delete(size));
    return made;
  };
  const axes = openAxes(compiled, open);
  return {
    ...whole,
    capacity,
    at,
    run: async (...args) => (await at(sizeIn(args, axes, capacity, compiled.name, open))).run(...args),
    free: () => {
      resizing.free();
      for (const one of sized.values()) one.then(({ free }) => free()).catch(() => {});
    },
  };
}

/** A smaller size by the kernels of the whole: arguments are filled up, results are cut. */
function partOf(
  device: RuntimeDevice,
  whole: DeviceFunction,
  small: FunctionShapes,
  resizing: Resizing,
): OwnedSize {
  const inputs = rowsOf(whole.compiled.params, small.params);
  const outputs = rowsOf(whole.compiled.results, small.results);
  const fill = async (given: Argument, rows: Rows): Promise<Argument> =>
    isOnDevice(given)
      ? resizing.resize(given, rows.element, rows.small, rows.large)
      : padded(given, sizeOf(rows.large));
  return {
    params: small.params,
    results: small.results,
    put: (name, value) => putArgument(device, small, name, value),
    free: () => {},
    run: async (...args) => {
      const made: DeviceTensor[] = [];
      const filled: Argument[] = [];
      for (const [i, given] of flattenArguments(small, args).entries()) {
        const rows = inputs[i];
        const argument = rows == null ? given : await fill(given, rows);
        if (rows != null && isOnDevice(argument)) made.push(argument);
        filled.push(argument);
      }
      const cut: DeviceTensor[] = [];
      for (const [i, tensor] of (await whole.executable.run(filled)).entries()) {
        const rows = outputs[i];
        if (rows != null) made.push(tensor);
        cut.push(rows == null ? tensor : await resizing.resize(tensor, rows.element, rows.large, rows.small));
      }
      made.forEach((tensor) => tensor.free());
      const tensors = cut.values();
      return small.results.map(({ shape }) => deviceTree(shape, tensors));
    },
  };
}

/** For each tensor its rows for the two sizes; null for one that has none. */
function rowsOf(large: Compiled["params"], small: Compiled["params"]): readonly (Rows | null)[] {
  const leaves = (parts: Compiled["params"]): ReturnType<typeof shapeLeaves> =>
    parts.flatMap(({ shape }) => shapeLeaves(shape));
  const others = leaves(small);
  return leaves(large).map(({ leaf }, i) => {
    const other = others[i]!.leaf;
    if (leaf.shape.join() === other.shape.join()) return null;
    return { element: leaf.element, large: leaf.shape, small: other.shape };
  });
}

/** The elements with zeros after them. */
function padded(elements: Exclude<Argument, DeviceTensor>, length: number): Float64Array {
  const filled = new Float64Array(length);
  filled.set(elements);
  return filled;
}

/** By argument and path, the tensors whose first axis is the open dimension. */
type OpenAxes = ReadonlyMap<string, number>;

function openAxes(compiled: Compiled, open: string): readonly OpenAxes[] {
  const other = compiled.shapesFor({ [open]: (compiled.dims[open] ?? 0) + 1 });
  return compiled.params.map((param, i) => {
    const leaves = shapeLeaves(other.params[i]!.shape);
    return new Map(
      shapeLeaves(param.shape).flatMap(({ path, leaf }, j) => {
        const larger = leaves[j]!.leaf.shape;
        const axis = leaf.shape.findIndex((n, a) => larger[a] === n + 1);
        return axis < 0 ? [] : [[path, axis] as const];
      }),
    );
  });
}

/** The size of the open dimension that the tensors among the arguments have. */
function sizeIn(
  args: readonly DeviceArgument[],
  axes: readonly OpenAxes[],
  capacity: number,
  name: string,
  open: string,
): number {
  let isUnknown = false;
  for (const [i, paths] of axes.entries()) {
    for (const [path, axis] of paths) {
      const leaf = leafAt(args[i], path);
      if (isTensor(leaf) || isOnDevice(leaf)) return leaf.shape[axis] ?? capacity;
      isUnknown ||= ArrayBuffer.isView(leaf);
    }
  }
  if (!isUnknown) return capacity;
  throw new ArgumentError(
    `${name}: the size of ${open} can't be told from elements without a shape; give a tensor, or say it: (await f.at(n)).run(…)`,
  );
}

function leafAt(value: unknown, path: string): unknown {
  let at = value;
  for (const part of path === "" ? [] : path.split(".")) {
    if (isList(at)) at = at[Number(part)];
    else if (isRecord(at)) at = at[part];
    else return undefined;
  }
  return at;
}
