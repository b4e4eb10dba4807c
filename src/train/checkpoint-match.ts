/**
 * Holds the arrays of a checkpoint against the tensors of a model, before anything is trained with the wrong ones.
 *
 *     lacks head.weight; not known: classifier.weight      is "classifier.weight" meant?
 */
import { type NumberArray } from "../formats/array.ts";
import { sizeOf } from "../ir/ir.ts";
import { closest } from "../lang/suggest.ts";
import { type Arrays } from "./checkpoint.ts";
import { CheckpointError } from "./checkpoint-error.ts";

/** A tensor of a model: `checkpointTensors` of `models/names.ts` gives them. */
export interface ExpectedTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/**
 * The arrays of these tensors, in their order; all of them and no others must be there, in their shapes. `file` is for messages.
 * Throws `CheckpointError`.
 */
export function matchArrays(
  arrays: Arrays,
  expected: readonly ExpectedTensor[],
  file: string,
): NumberArray[] {
  const known = new Set(expected.map((tensor) => tensor.name));
  const missing = expected.filter((tensor) => !arrays.has(tensor.name)).map((tensor) => tensor.name);
  const unexpected = [...arrays.keys()].filter((name) => !known.has(name));
  if (missing.length > 0 || unexpected.length > 0) throw wrongNames(file, missing, unexpected);
  const matched = expected.map(({ name, shape }) => ({ name, shape, array: arrays.get(name)! }));
  const wrong = matched.filter(({ shape, array }) => !isSame(shape, array.shape));
  if (wrong.length > 0) throw wrongShapes(file, wrong);
  return matched.map(({ array }) => array);
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

function wrongNames(
  file: string,
  missing: readonly string[],
  unexpected: readonly string[],
): CheckpointError {
  const near = missing.flatMap((name) => {
    const other = closest(name, unexpected);
    return other === null ? [] : [`"${other}" may be what is called "${name}" here`];
  });
  return new CheckpointError(
    file,
    "names",
    missing.length > 0
      ? `it lacks ${countOf(missing)} of this model`
      : `it has ${countOf(unexpected)} that this model does not`,
    [
      ...(missing.length > 0 ? [`missing: ${some(missing)}`] : []),
      ...(unexpected.length > 0 ? [`not known: ${some(unexpected)}`] : []),
      ...near.slice(0, 3),
    ],
    "choose the model that the checkpoint is of, or a checkpoint of this model",
  );
}

interface Mismatch {
  readonly name: string;
  readonly shape: readonly number[];
  readonly array: NumberArray;
}

function wrongShapes(file: string, wrong: readonly Mismatch[]): CheckpointError {
  const first = wrong.slice(0, 5).map(({ name, shape, array }) => {
    const sizes = `[${array.shape.join(", ")}], [${shape.join(", ")}] is expected`;
    return `${name} is ${sizes}${sizeOf(shape) === sizeOf(array.shape) ? " (as many elements)" : ""}`;
  });
  return new CheckpointError(
    file,
    "shapes",
    `${wrong.length === 1 ? "a tensor has" : `${wrong.length} tensors have`} another shape than in this model`,
    wrong.length > first.length ? [...first, `and ${wrong.length - first.length} more`] : first,
    "choose the model, its widths and its number of classes as the checkpoint has them",
  );
}

function countOf(names: readonly string[]): string {
  return names.length === 1 ? "a tensor" : `${names.length} tensors`;
}

/** The first `most` of some names, and how many there are if there are more. */
export function some(names: readonly string[], most = 5): string {
  return names.slice(0, most).join(", ") + (names.length > most ? `, … (${names.length})` : "");
}
