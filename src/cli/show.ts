/**
 * Values in short, as NumPy shows arrays: a long axis by its ends.
 *
 *     cluster: f32[49, 3]
 *     [[ 0.125   -1.5     0.25]
 *      …
 *      [     2      1   -0.75]]
 */
import { showShape, tensorsOf, type Value } from "../host-value.ts";
import type { TensorData } from "../ir/interpret.ts";
import { sizeOf } from "../ir/ir.ts";
import { type Shape, shapeLeaves } from "../lang/elaborate/shape.ts";

/** Axes longer than this are shown by this many elements at each end. */
const longestAxis = 8;
const shownEnd = 3;

/** A value with its name, shape and type; each tensor of a struct with its path. */
export function showValue(name: string, shape: Shape, value: Value): string {
  const tensors = tensorsOf(value, shape, name);
  const parts = shapeLeaves(shape, name).map(({ path, leaf }, i) => {
    const content = showTensor(tensors[i]!);
    return `${path}: ${showShape(leaf)}${leaf.shape.length === 0 ? ` = ${content}` : `\n${content}`}\n`;
  });
  return parts.join("");
}

function showTensor({ element, shape, data }: TensorData): string {
  const show = (n: number): string =>
    element.scalar === "bool" ? (n === 0 ? "false" : "true") : showNumber(n);
  if (shape.length === 0) return show(data[0]!);
  if (sizeOf(shape) === 0) return "[]";
  const offsets = shownOffsets(shape);
  const width = Math.max(...offsets.map((at) => show(data[at]!).length));
  const rows = (axis: number, at: number): string => {
    const size = shape[axis]!;
    const stride = sizeOf(shape.slice(axis + 1));
    const isLast = axis === shape.length - 1;
    const items = shownIndices(size).map((i) => {
      if (i === null) return "…";
      return isLast ? show(data[at + i]!).padStart(width) : rows(axis + 1, at + i * stride);
    });
    const apart = isLast ? "  " : `${"\n".repeat(shape.length - axis - 1)}${" ".repeat(axis + 1)}`;
    return `[${items.join(apart)}]`;
  };
  return rows(0, 0);
}

/** Six digits, as few of them as tell the number. */
function showNumber(n: number): string {
  return Number.isInteger(n) && Math.abs(n) < 1e15 ? String(n) : String(Number(n.toPrecision(6)));
}

/** The positions of an axis that are shown; null stands for those between. */
function shownIndices(size: number): (number | null)[] {
  const all = Array.from({ length: Math.min(size, longestAxis) }, (_, i) => i);
  if (size <= longestAxis) return all;
  const first = all.slice(0, shownEnd);
  return [...first, null, ...first.map((i) => size - shownEnd + i)];
}

function shownOffsets(shape: readonly number[]): number[] {
  return shape.reduce<number[]>(
    (offsets, size) =>
      offsets.flatMap((at) => shownIndices(size).flatMap((i) => (i === null ? [] : [at * size + i]))),
    [0],
  );
}
