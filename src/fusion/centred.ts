/**
 * Sums of squared differences from a mean, cut before the mean is known.
 *
 *     %mu = (sum i<3136. %x[i]) / 3136             a pass over %x
 *     %v = sum i<3136. (%x[i] - %mu) ^ 2           and another, which waits for the first
 *
 * Where both sums are cut into the same parts, each part takes the differences from its own mean, in the kernel that has its sum. With n
 * turns in a part,
 *
 *     sum i. (x[i] - mu)² = sum of parts p. (sum i in p. (x[i] - mean[p])²) + n (mean[p] - mu)²
 *
 * whatever mu is, since the differences from a part's own mean add up to nothing (Chan, Golub & LeVeque, Updating formulae and a pairwise
 * algorithm for computing sample variances, 1979). Nothing cancels: all terms are squares.
 */
import { structuralKey } from "../ir/affine.ts";
import { apply, constant, index, read } from "../ir/build.ts";
import { extentFromZero } from "../ir/extent.ts";
import { type Comprehension, type Expr, type Node, typeOf, type ValueName } from "../ir/ir.ts";
import type { NameSupply } from "../ir/names.ts";
import { substituteIndices } from "../ir/substitute.ts";
import { indicesIn, postorder, valuesUsed } from "../ir/traverse.ts";
import { type Cut, cutReduction } from "./cut.ts";

/** A square of a difference, as the body of a sum over its turns. */
interface SquaredDifference {
  readonly value: Expr;
  /** What does not change with the turn. */
  readonly centre: Expr;
}

function squaredDifference({ reduction, keys, body }: Comprehension): SquaredDifference | null {
  if (reduction?.op !== "sum" || keys.length > 0 || body.kind !== "apply" || typeOf(body) !== "f32")
    return null;
  const [a, b] = body.args;
  const isSquare =
    (body.fn === "pow" && b!.kind === "const" && b!.value === 2) ||
    (body.fn === "mul" && structuralKey(a!) === structuralKey(b!));
  if (!isSquare || a!.kind !== "apply" || a!.fn !== "sub") return null;
  const [value, centre] = a!.args;
  const names = indicesIn([centre!]);
  return reduction.axes.some(({ name }) => names.has(name)) ? null : { value: value!, centre: centre! };
}

/**
 * For the sums among nodes that are to be cut into parts which can take differences from means of their own: the sums that make those means,
 * cut alike.
 */
export function sumsOfMeans(
  nodes: readonly Node[],
  cutsOf: (name: ValueName) => readonly Cut[] | undefined,
): ReadonlyMap<ValueName, Comprehension> {
  const found = new Map<ValueName, Comprehension>();
  const sums: Comprehension[] = [];
  for (const node of nodes) {
    if (node.kind !== "comprehension" || node.reduction?.op !== "sum" || node.keys.length > 0) continue;
    const cuts = cutsOf(node.name);
    // Parts of one turn have no differences from their means.
    if (cuts === undefined || !leavesTurns(node, cuts)) continue;
    const difference = squaredDifference(node);
    const sum =
      difference === null
        ? undefined
        : sums.find(
            (one) =>
              JSON.stringify(cutsOf(one.name)) === JSON.stringify(cuts) &&
              isSumOf(one, difference.value, node) &&
              dependsOn(nodes, difference.centre, one.name),
          );
    if (sum !== undefined) found.set(node.name, sum);
    sums.push(node);
  }
  return found;
}

/** Does a part have turns of its own, if a sum is cut so? */
function leavesTurns({ reduction }: Comprehension, cuts: readonly Cut[]): boolean {
  return reduction!.axes.some(
    (axis, i) => cuts.find((cut) => cut.axis === i)?.parts !== extentFromZero(axis),
  );
}

/** Does a sum add up these values, over the same turns at the same points as another one? */
function isSumOf(sum: Comprehension, value: Expr, other: Comprehension): boolean {
  const [axes, others] = [sum, other].map((node) => [...node.axes, ...node.reduction!.axes]);
  const isAlike =
    sum.axes.length === other.axes.length &&
    axes!.length === others!.length &&
    sum.axes.every(({ size }, i) => size === other.axes[i]!.size) &&
    sum.reduction!.axes.every(
      (axis, i) => extentFromZero(axis) === extentFromZero(other.reduction!.axes[i]!),
    );
  if (!isAlike) return false;
  const names = new Map(axes!.map(({ name }, i) => [name, index(others![i]!.name)]));
  return structuralKey(substituteIndices(sum.body, names)) === structuralKey(value);
}

/** Does an expression need a value, be it through other nodes? */
function dependsOn(nodes: readonly Node[], expr: Expr, value: ValueName): boolean {
  const needed = new Set(postorder(expr).flatMap((e) => (e.kind === "read" ? [e.tensor] : [])));
  for (const node of [...nodes].reverse())
    if (node.kind === "comprehension" && needed.has(node.name))
      for (const used of valuesUsed(node)) needed.add(used);
  return needed.has(value);
}

/** The parts of a sum of squared differences, each from its own mean, and what they come to; `sums` has the sums of the same parts. */
export function cutCentred(
  node: Comprehension,
  sums: Comprehension,
  cuts: readonly Cut[],
  names: NameSupply,
): readonly [part: Comprehension, whole: Comprehension] {
  const { value, centre } = squaredDifference(node)!;
  const [part, whole] = cutReduction({ ...node, body: value }, cuts, names);
  const turns = part.reduction!.axes.reduce((product, axis) => product * extentFromZero(axis)!, 1);
  const count = constant(turns, "f32");
  const at = part.axes.map(({ name }) => index(name));
  const mean = apply("div", read(sums.name, sums.element, at), count);
  const square = (e: Expr): Expr => apply("pow", e, constant(2, "f32"));
  const aside = apply("mul", count, square(apply("sub", mean, centre)));
  return [
    { ...part, body: square(apply("sub", part.body, mean)) },
    { ...whole, body: apply("add", whole.body, aside) },
  ];
}
