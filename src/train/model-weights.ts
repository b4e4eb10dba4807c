/**
 * Weights between files and devices: arrays by official names on one side, trees of tensors on the other.
 *
 *     network.0.0.token_mixer.f.weight f32[96, 32, 1, 1]   ◀──▶   p.stage1[0].mixer.f.weight, on the device
 */
import { argumentsOf, type DeviceArgument, type DeviceValue, isOnDevice } from "../device-value.ts";
import { type NumberArray } from "../formats/array.ts";
import { type Shape } from "../lang/elaborate/shape.ts";
import { type Model } from "../model.ts";
import { type DeviceTensor } from "../runtime/tensor.ts";
import { treeOf } from "../tree.ts";
import { type Arrays } from "./checkpoint.ts";
import { CheckpointError } from "./checkpoint-error.ts";
import { type ExpectedTensor, matchArrays } from "./checkpoint-match.ts";

/** The tensors that a file of weights of a model has. */
export function expectedTensors(model: Pick<Model, "parameters">): ExpectedTensor[] {
  return model.parameters.map(({ name, leaf }) => ({ name, shape: leaf.shape }));
}

/**
 * A tree of parameters, of `shape`, from arrays by name: an argument of the model's functions. `file` is for messages. Throws
 * `CheckpointError` when names, shapes or element types are not the model's.
 */
export function parametersFrom(
  arrays: Arrays,
  model: Pick<Model, "parameters">,
  shape: Shape,
  file: string,
): DeviceArgument {
  const matched = matchArrays(arrays, expectedTensors(model), file);
  matched.forEach(({ type }, i) => {
    if (["f64", "f32", "f16", "bf16"].includes(type)) return;
    throw new CheckpointError(
      file,
      "shapes",
      `${model.parameters[i]!.name} has elements of type ${type}`,
      ["weights are floats: f32, f16, bf16 or f64"],
      "choose the weights of a model, as they were trained",
    );
  });
  return treeOf(shape, matched.values(), ({ data }) => Float32Array.from(data));
}

/** Reads a tree of parameters back, by names, in order. Throws the device's errors. */
export async function arraysFrom(
  value: DeviceValue,
  shape: Shape,
  model: Pick<Model, "parameters">,
): Promise<Map<string, NumberArray>> {
  const data = await Promise.all(tensorsIn(value, shape).map((tensor) => tensor.read()));
  return new Map(
    model.parameters.map(({ name, leaf }, i) => [name, { type: "f32", shape: leaf.shape, data: data[i]! }]),
  );
}

/** The first of the tensors with an element that is not finite; null when there is none. */
export function firstNotFinite(arrays: Arrays): string | null {
  for (const [name, { data }] of arrays) if (!data.every((x) => Number.isFinite(x))) return name;
  return null;
}

/** The tensors of a tree on the device, in the order of its shape. */
function tensorsIn(value: DeviceValue, shape: Shape): DeviceTensor[] {
  return argumentsOf(value, shape, "parameters").filter(isOnDevice);
}
