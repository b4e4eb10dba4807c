/** The models compiled for tests, with portable weights for parameters. */
import { readFileSync } from "node:fs";
import type { TensorData } from "../../src/ir/interpret.ts";
import { check, type Loader } from "../../src/lang/check.ts";
import type { Specialised } from "../../src/lang/elaborate/specialise.ts";
import type { Program } from "../../src/lang/program.ts";
import { renderDiagnostics } from "../../src/lang/render.ts";
import { type CheckpointTensor, checkpointTensors } from "../../src/models/names.ts";
import { modelSources } from "../../src/models/sources.ts";
import { compileFunction } from "../programs/compile.ts";
import { portableImages, portableWeight } from "./portable-weights.ts";

/** `use ./fec.{…}` finds the embedded models. */
const embeddedModels: Loader = {
  load(path) {
    const name = path.replace("./", "");
    const text = modelSources[name];
    return text === undefined ? null : { name: `${name}.fec`, text };
  },
};

const programs = new Map<string, Program>();

/** A model by its name, or a program of this folder that uses some. */
export function modelProgram(name: string): Program {
  let program = programs.get(name);
  if (program === undefined) {
    const text = modelSources[name] ?? readFileSync(new URL(`${name}.fec`, import.meta.url), "utf8");
    program = check({ name: `${name}.fec`, text }, embeddedModels);
    if (program.diagnostics.length > 0) throw new Error(renderDiagnostics(program.diagnostics));
    programs.set(name, program);
  }
  return program;
}

/** A function of a model program. */
export function compileModel(
  program: string,
  name: string,
  dims: Readonly<Record<string, number>>,
): Specialised {
  return compileFunction(modelProgram(program), name, { dims: new Map(Object.entries(dims)) });
}

/** The tensors of the first parameter, with their names in checkpoints. */
export function weightsOf(compiled: Specialised): CheckpointTensor[] {
  return checkpointTensors(compiled.function.params[0]!.type, compiled.params[0]!.shape);
}

/** Portable weights for the first parameter and a portable image for the second. */
export function portableInputs(compiled: Specialised, seed = 1): Record<string, TensorData> {
  const names = compiled.params[0]!.values;
  const weights = weightsOf(compiled).map(
    ({ name, leaf }, i) => [names[i]!, portableWeight(name, leaf.shape, seed)] as const,
  );
  const image = compiled.graph.params.find((p) => p.name === compiled.params[1]!.values[0])!;
  return { ...Object.fromEntries(weights), [image.name]: portableImages(image.shape, seed) };
}
