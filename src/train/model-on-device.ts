/**
 * A trained model on a device, to be applied: its forward with the batch open, and its weights.
 *
 *     const weights = weightsOf(await readCheckpoint(file), model, file);
 *     const applied = await openModel(device, model, weights, { batch: 64, height: 32, width: 32, fuse: "full" });
 *     await logitsOf(applied.forward, applied.parameters, images, count);
 */
import { type Device } from "../device.ts";
import { type DeviceArgument, type DeviceValue, free } from "../device-value.ts";
import { type FusionLevel } from "../fusion/plan.ts";
import { type Model } from "../model.ts";
import { type OpenFunction } from "../open-function.ts";
import { type Checkpoint } from "./checkpoint.ts";
import { parametersFrom } from "./model-weights.ts";

export interface AppliedModel {
  readonly forward: OpenFunction;
  readonly parameters: DeviceValue;
  readonly free: () => void;
}

/** The sides of the images, and the most of them at once. */
export interface ModelSizes {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly fuse: FusionLevel;
}

/** A model's parameters, of a checkpoint or of weights alone; `file` is for messages. Throws `CheckpointError`. */
export function weightsOf({ parameters }: Checkpoint, model: Model, file: string): DeviceArgument {
  // Parameters have the same shapes at every size of image.
  const { shape } = model.forward({ b: 1, h: 32, w: 32 }).params[0]!;
  return parametersFrom(parameters, model, shape, file);
}

/** Compiles the model and puts the weights on the device. Throws `CompileError`, and the device's errors. */
export async function openModel(
  device: Device,
  model: Model,
  weights: DeviceArgument,
  { batch, height, width, fuse }: ModelSizes,
): Promise<AppliedModel> {
  const forward = await device.compile(model.forward({ b: batch, h: height, w: width }), { fuse, open: "b" });
  const parameters = await forward.put("p", weights);
  return {
    forward,
    parameters,
    free: () => {
      forward.free();
      free(parameters);
    },
  };
}
