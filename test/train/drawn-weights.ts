/** Weights of a model as they are drawn, by their official names, for tests that need some. */
import type { NumberArray } from "../../src/formats/array.ts";
import { type Tensor, tensorsOf, type Value } from "../../src/host-value.ts";
import type { Model } from "../../src/model.ts";

export interface DrawnWeights {
  /** For the model's functions. */
  readonly value: Value;
  /** For a file. */
  readonly arrays: ReadonlyMap<string, NumberArray>;
}

/** The parameters of a seed; the scales of residual branches are 0.5, so that every layer counts. */
export function drawnWeights(model: Model, seed = 1): DrawnWeights {
  const compiled = model.forward({ b: 1, h: 32, w: 32 });
  const value = compiled.init("p", seed);
  const tensors = tensorsOf(value, compiled.params[0]!.shape, "p");
  const arrays = model.parameters.map(({ name, leaf }, i): [string, NumberArray] => {
    const data = tensors[i]!.data as Tensor["data"];
    if (name.includes("layer_scale")) data.fill(0.5);
    return [name, { type: "f32", shape: leaf.shape, data: Float32Array.from(data) }];
  });
  return { value, arrays: new Map(arrays) };
}
