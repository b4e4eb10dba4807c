/**
 * The models that come with the package, by name, ready to be compiled.
 *
 *     const { forward } = loadModel("fec_micro");
 *     forward({ b: 8, h: 96, w: 96 }).params.map((p) => p.name)        // ["p", "x"]
 *
 * Forward takes parameters and a batch of images; the step of training is the function of `src/models/train.fec`.
 */
import type { Loader } from "./lang/check.ts";
import { type CheckpointTensor, checkpointTensors } from "./models/names.ts";
import { modelSources } from "./models/sources.ts";
import { closest } from "./lang/suggest.ts";
import { type Compiled, type LoadedModule, loadModule, type LoadOptions } from "./module.ts";
import { ArgumentError } from "./tree.ts";

/** The dimensions of a batch of images. */
export interface ImageBatch {
  readonly b: number;
  readonly h: number;
  readonly w: number;
}

/** A model of the package. */
export interface Model {
  readonly name: string;
  /** `p, x: f32[b, 3, h, w]` to the logits. Throws `CompileError` for sides that the model can't have. */
  readonly forward: (dims: ImageBatch) => Compiled;
  /** A step of training, compiled as such. Throws `CompileError`. */
  readonly step: (dims: ImageBatch) => Compiled;
  /** The parameters' tensors in order, with their names in checkpoints. */
  readonly parameters: readonly CheckpointTensor[];
}

/** Models with a step of training. */
export const modelNames: readonly string[] = [
  ...(modelSources["train"] ?? "").matchAll(/^fn (\w+)_step\(p: /gm),
].map(([, name = ""]) => name);

/** `use ./fec.{…}` finds the models beside. */
const embedded: Loader = {
  load(path) {
    const name = path.replace("./", "");
    const text = modelSources[name];
    return text === undefined ? null : { name: `${name}.fec`, text };
  },
};

/** How models are compiled. */
export interface ModelOptions extends Pick<LoadOptions, "trace" | "verify"> {
  /** Take sums before linear maps where that is cheaper; it moves roundings. */
  readonly reassociate?: boolean;
}

/**
 * Loads a model.
 *
 * @throws {ArgumentError} when there is none of that name.
 */
export function loadModel(name: string, { reassociate = false, ...options }: ModelOptions = {}): Model {
  if (!modelNames.includes(name)) {
    const near = closest(name, modelNames);
    const hint = near === null ? `there are ${modelNames.join(", ")}` : `did you mean ${near}?`;
    throw new ArgumentError(`there is no model ${name}; ${hint}`);
  }
  const moduleOf = (file: string): LoadedModule =>
    loadModule({ name: `${file}.fec`, text: modelSources[file] ?? "" }, { ...options, loader: embedded });
  const forwardModule = moduleOf("fec");
  const forward = (dims: ImageBatch): Compiled =>
    forwardModule.compile(name, { dims: { ...dims }, reassociate });
  return {
    name,
    forward,
    step: (dims) =>
      moduleOf("train").compile(`${name}_step`, { dims: { ...dims }, training: true, reassociate }),
    get parameters() {
      const top = forwardModule.program.main.exports.get(name);
      const first = top?.kind === "function" ? top.params[0] : undefined;
      const shapes = forwardModule.shapes(name, { dims: { b: 1, h: 32, w: 32 } });
      return first === undefined ? [] : checkpointTensors(first.type, shapes.params[0]!.shape);
    },
  };
}
