/**
 * Arguments and results of functions on a device: trees whose leaves are tensors there, or elements on the way to it.
 *
 *     { weight: deviceTensor, bias: new Float32Array(4) }      arguments: leaves of either kind
 *     { weight: deviceTensor, bias: deviceTensor }             results: read(tree) gives their numbers
 */
import { describe, isTensor, type Tensor, type Value } from "./host-value.ts";
import { isFloat, sizeOf } from "./ir/ir.ts";
import type { Shape } from "./lang/elaborate/shape.ts";
import type { Argument } from "./runtime/arguments.ts";
import { type DeviceTensor, describeType, isDeviceTensor } from "./runtime/tensor.ts";
import type { HostElements } from "./runtime/elements.ts";
import { tensorsOf } from "./host-value.ts";
import {
  ArgumentError,
  isList,
  isRecord,
  type LeafKind,
  leavesOf,
  showShape,
  type TensorShape,
  type Tree,
  treeOf,
} from "./tree.ts";

/** Elements without a shape: they take that of the tensor whose place they are given for. */
export type Elements = Exclude<HostElements, readonly number[]>;

/** An argument: tensors of the device, tensors of the host, numbers, or elements in typed arrays. */
export type DeviceArgument = Tree<number | boolean | Tensor | Elements | DeviceTensor>;

/** A result, or an argument that has been put on the device: tensors there, in the shape of the program's value. */
export type DeviceValue = Tree<DeviceTensor>;

/**
 * What the runtime takes for an argument of this shape, in the order of its tensors.
 *
 * @throws {ArgumentError} which names the part that does not fit.
 */
export function argumentsOf(value: DeviceArgument, shape: Shape, where: string): Argument[] {
  return leavesOf(value, shape, where, deviceLeaves);
}

/** The tree of a shape over these tensors. */
export function deviceTree(shape: Shape, tensors: Iterator<DeviceTensor>): DeviceValue {
  return treeOf(shape, tensors, (tensor) => tensor);
}

/**
 * Waits for a tree of tensors and gives their numbers: a scalar as a number or a boolean, others with type and shape.
 *
 * @throws {TensorError} after `free`. @throws {DeviceLostError | CommandError | OutOfMemoryError}
 */
export async function read(value: DeviceValue): Promise<Value> {
  if (isOnDevice(value)) {
    const data = await value.read();
    const { scalar } = value.element;
    if (value.shape.length > 0) return { type: scalar, shape: [...value.shape], data };
    return scalar === "bool" ? data[0] !== 0 : (data[0] ?? 0);
  }
  if (isList(value)) return Promise.all(value.map((item) => read(item as DeviceValue)));
  const fields = Object.entries(value as Readonly<Record<string, DeviceValue>>);
  return Object.fromEntries(await Promise.all(fields.map(async ([name, item]) => [name, await read(item)])));
}

/** Gives the memory of a tree of tensors back. */
export function free(value: DeviceValue): void {
  if (isOnDevice(value)) value.free();
  else if (isList(value)) value.forEach((item) => free(item as DeviceValue));
  else Object.values(value).forEach(free);
}

/** Is it a tensor on a device? */
export function isOnDevice(value: unknown): value is DeviceTensor {
  return isRecord(value) && isDeviceTensor(value as unknown as DeviceTensor);
}

const deviceLeaves: LeafKind<Argument> = {
  isLeaf: (value) => isTensor(value) || isOnDevice(value),
  read: readLeaf,
  describe: (value) =>
    isOnDevice(value) ? `${describeType(value.element, value.shape)} on the device` : describe(value),
};

function readLeaf(value: unknown, shape: TensorShape, where: string): Argument {
  if (isOnDevice(value)) return requireShape(value, shape, where);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const elements = value as Elements;
    if (elements.length === sizeOf(shape.shape)) return elements;
    throw new ArgumentError(
      `${where}: expected ${sizeOf(shape.shape)} elements for ${showShape(shape)}, found ${elements.length}`,
    );
  }
  // Floats go as they are; others are checked number by number.
  if (isTensor(value) && isFloat(shape.element.scalar) && value.type === shape.element.scalar) {
    const sameShape = value.shape.join() === shape.shape.join();
    if (sameShape && value.data.length === sizeOf(shape.shape)) return value.data;
  }
  const [tensor] = tensorsOf(value as Value, shape, where);
  return tensor!.data;
}

function requireShape(tensor: DeviceTensor, shape: TensorShape, where: string): DeviceTensor {
  if (tensor.element.scalar === shape.element.scalar && tensor.shape.join() === shape.shape.join())
    return tensor;
  throw new ArgumentError(
    `${where}: expected ${showShape(shape)}, found ${describeType(tensor.element, tensor.shape)} on the device`,
  );
}
