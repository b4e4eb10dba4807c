/**
 * The classes of a model and of a data set. A model tells as many apart as the last dimension of what its forward gives; which they are
 * is the order in which its training data had them.
 *
 *     fec_small(p, x: f32[b, 3, h, w]) -> f32[b, 1000]        1000
 */
import { type Model } from "../model.ts";
import { some } from "./checkpoint-match.ts";
import { DataError } from "./data/data-error.ts";
import { type Dataset } from "./data/dataset.ts";

/** The number of classes; `size` is the side of its images. Throws `CompileError` for a side that it can't have. */
export function classCount(model: Model, size: number): number {
  const shape = model.forward({ b: 1, h: size, w: size }).results[0]?.shape;
  return shape?.kind === "tensor" ? (shape.shape.at(-1) ?? 1) : 1;
}

/** A model's head is as wide as its configuration says; classes beyond the data's stay unused. Throws `DataError`. */
export function requireClasses(model: Model, classes: number, data: string, size: number): void {
  const most = classCount(model, size);
  if (classes <= most) return;
  throw new DataError(
    `${data} has ${classes} classes, ${model.name} tells ${most} apart`,
    [],
    "choose a model with a wider head (fec_small has 1000), or fewer classes",
  );
}

/** A message names so many classes at most. */
const shownClasses = 8;

/**
 * Classes are numbered in the order of their names: were one added or gone, each answer would be taken for another class. `known` are
 * those that `file` was trained on, if it says so. Throws `DataError`.
 */
export function requireSameClasses(
  known: readonly string[] | null,
  { name, classes }: Pick<Dataset, "name" | "classes">,
  file: string,
): void {
  if (known === null || (known.length === classes.length && known.every((one, i) => one === classes[i])))
    return;
  const [gone, added] = [
    known.filter((one) => !classes.includes(one)),
    classes.filter((one) => !known.includes(one)),
  ];
  throw new DataError(
    `${name} has other classes than ${file} was trained on`,
    [
      ...(gone.length > 0 ? [`not there: ${some(gone, shownClasses)}`] : []),
      ...(added.length > 0 ? [`not known: ${some(added, shownClasses)}`] : []),
      ...(gone.length + added.length === 0 ? [`in another order: ${some(classes, shownClasses)}`] : []),
    ],
    "put the classes back as they were; on others, `fecit train --weights` begins a new run with these weights",
  );
}
