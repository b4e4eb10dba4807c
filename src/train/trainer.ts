/**
 * A model in training on a device: one compiled program a step, parameters and moments updated in place.
 *
 *     const trainer = await openTrainer(device, model, settings, initial);
 *     await trainer.take(batch, 0, 0.002);          // submitted, not waited for
 *     await trainer.totals.take();                  // the sums of loss and hits of the steps since
 */
import { type Device } from "../device.ts";
import { type DeviceCompileOptions, type DeviceFunction } from "../device-function.ts";
import { type DeviceArgument, type DeviceValue, free } from "../device-value.ts";
import { type NumberArray } from "../formats/array.ts";
import { keyOfSeed } from "../lang/elaborate/init.ts";
import { type Compiled } from "../module.ts";
import { type Model } from "../model.ts";
import { type Arrays, type Checkpoint } from "./checkpoint.ts";
import { CheckpointError } from "./checkpoint-error.ts";
import { type Batch } from "./data/batches.ts";
import { arraysFrom, parametersFrom } from "./model-weights.ts";
import { type TrainingSettings } from "./settings.ts";
import { openTotals, type Totals } from "./totals.ts";

/** What training begins with: drawn from the seed, weights of a file, or a checkpoint with its moments. */
export type Beginning =
  | { readonly kind: "drawn" }
  | { readonly kind: "weights"; readonly arrays: Arrays; readonly file: string }
  | { readonly kind: "checkpoint"; readonly checkpoint: Checkpoint; readonly file: string };

export interface Trainer {
  /** The step as it runs, with its kernels. */
  readonly step: DeviceFunction;
  /** The parameters on the device, as the steps so far have left them; for the model's other functions. */
  readonly parameters: DeviceValue;
  /** Loss (the sum of the batches' means) and hits of the steps. */
  readonly totals: Totals;
  /** Submits a step, number `step` counted from 0. The numbers are not waited for. */
  readonly take: (batch: Batch, step: number, learningRate: number) => Promise<void>;
  /** Reads parameters and moments by their official names, after all steps so far. */
  readonly read: () => Promise<Pick<Checkpoint, "parameters" | "optimizer">>;
  readonly free: () => void;
}

/**
 * Compiles a model's step and puts its parameters on the device.
 *
 * @throws {CheckpointError} when what it begins with is not of this model. @throws {CompileError} for sides that the model can't
 * have. @throws {LimitError | ShaderError | OutOfMemoryError | DeviceLostError}
 */
export async function openTrainer(
  device: Device,
  model: Model,
  settings: TrainingSettings,
  beginning: Beginning,
  compiling: Pick<DeviceCompileOptions, "progress" | "tune"> = {},
): Promise<Trainer> {
  const { size, batch, seed, fuse, memory, weightDecay, labelSmoothing, dropPath } = settings;
  const compiled = model.step({ b: batch, h: size, w: size });
  const { p, m, v } = valuesOf(beginning, model, compiled, seed);
  const step = await device.compile(compiled, {
    fuse,
    memory,
    inPlace: "carried",
    reuseOutputs: true,
    ...compiling,
  });
  const parameters = await step.put("p", p);
  const moments = await step.put("s", { m, v });
  const totals = await openTotals(device);
  const recipe = { weight_decay: weightDecay, label_smoothing: labelSmoothing, drop_path: dropPath };
  const key = Uint32Array.from(keyOfSeed(seed).data);
  const shape = compiled.params[0]!.shape;
  const momentsOf = (name: "m" | "v"): DeviceValue => (moments as Record<"m" | "v", DeviceValue>)[name];
  return {
    step,
    parameters,
    totals,
    take: async ({ images, labels }, number, learningRate) => {
      const results = await step.run(parameters, moments, number, learningRate, recipe, key, images, labels);
      await totals.add(results[2]!, results[3]!);
    },
    read: async () => {
      const read = (value: DeviceValue): Promise<Map<string, NumberArray>> => arraysFrom(value, shape, model);
      const [own, first, second] = await Promise.all([parameters, momentsOf("m"), momentsOf("v")].map(read));
      return {
        parameters: own!,
        optimizer: new Map([
          ["m", first!],
          ["v", second!],
        ]),
      };
    },
    free: () => {
      step.free();
      totals.free();
      free(parameters);
      free(moments);
    },
  };
}

type Values = Readonly<Record<"p" | "m" | "v", DeviceArgument>>;

function valuesOf(beginning: Beginning, model: Model, compiled: Compiled, seed: number): Values {
  const shape = compiled.params[0]!.shape;
  const zeros = compiled.init("s") as Record<"m" | "v", DeviceArgument>;
  switch (beginning.kind) {
    case "drawn":
      return { p: compiled.init("p", seed), m: zeros.m, v: zeros.v };
    case "weights":
      return { p: parametersFrom(beginning.arrays, model, shape, beginning.file), m: zeros.m, v: zeros.v };
    case "checkpoint": {
      const { checkpoint, file } = beginning;
      const [m, v] = ["m", "v"].map((name) =>
        parametersFrom(momentsIn(checkpoint, name, file), model, shape, file),
      );
      return { p: parametersFrom(checkpoint.parameters, model, shape, file), m: m!, v: v! };
    }
  }
}

function momentsIn({ optimizer }: Checkpoint, name: string, file: string): Arrays {
  const arrays = optimizer.get(name);
  if (arrays !== undefined) return arrays;
  throw new CheckpointError(
    file,
    "names",
    "it has no state of the optimiser",
    [`optimizer.${name}.… is missing`],
    "begin a new run with it by --weights",
  );
}
