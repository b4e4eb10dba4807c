/**
 * Cuts a reduction in two: parts over some of its range, and their sum. It is how a sum over the grid becomes a sum in each region and one
 * small sum over regions, and how a long sum is shared among invocations.
 *
 *     %s = sum b<8, i<3136. f(b, i)      b taken out, i in 64 chunks      %s_part = for b<8, c<64. sum i<49. f(b, 49 * c + i)
 *                                                                         %s = sum b<8, c<64. %s_part[b, c]
 */
import { apply, index, integer, read } from "../ir/build.ts";
import { extentFromZero } from "../ir/extent.ts";
import {
  type Axis,
  type Comprehension,
  type ElementType,
  type Expr,
  type ReductionAxis,
  typeOf,
} from "../ir/ir.ts";
import { baseName, freshVariable, type NameSupply } from "../ir/names.ts";
import { substituteIndices } from "../ir/substitute.ts";

/** A reduction axis, by number, and into how many parts its range goes: all of its turns, or a divisor of them. */
export interface Cut {
  readonly axis: number;
  readonly parts: number;
  /** Do neighbouring parts take neighbouring turns? Otherwise each takes turns that follow one another. */
  readonly interleaved?: boolean;
}

/** Can the node's reduction be cut? Its axes have turns, as many as can be told, from 0 on, and parts can be put together again. */
export function isCuttable(node: Comprehension): boolean {
  const { reduction } = node;
  if (reduction === null || reduction.op === "argmax" || reduction.op === "argmin") return false;
  return reduction.axes.every((axis) => (extentFromZero(axis) ?? 0) > 0);
}

/** The two nodes that give what the one gave. */
export function cutReduction(
  node: Comprehension,
  cuts: readonly Cut[],
  names: NameSupply,
): readonly [part: Comprehension, whole: Comprehension] {
  const reduction = node.reduction!;
  const taken = new Set([...node.axes.map((axis) => axis.name), ...reduction.axes.map((axis) => axis.name)]);
  const outer: Axis[] = [];
  const inner: ReductionAxis[] = [];
  const values = new Map<string, Expr>();
  reduction.axes.forEach((axis, i) => {
    const cut = cuts.find((one) => one.axis === i);
    const extent = extentFromZero(axis)!;
    if (cut === undefined || cut.parts === 1) inner.push(axis);
    else if (cut.parts === extent) outer.push({ name: axis.name, size: extent });
    else {
      const length = extent / cut.parts;
      const chunk = freshVariable(`${axis.name}_chunk`, taken);
      outer.push({ name: chunk, size: cut.parts });
      inner.push({ ...axis, hi: integer(length) });
      const [slow, steps, fast] =
        cut.interleaved === true ? [axis.name, cut.parts, chunk] : [chunk, length, axis.name];
      values.set(axis.name, apply("add", apply("mul", integer(steps), index(slow)), index(fast)));
    }
  });
  const element = node.element;
  const part: Comprehension = {
    ...node,
    name: names.fresh(`${baseName(node.name)}_part`),
    axes: [...outer, ...node.axes],
    reduction: inner.length === 0 ? null : { ...reduction, axes: inner },
    keys: node.keys.map(({ axis, at }) => ({ axis, at: substituteIndices(at, values) })),
    body: substituteIndices(node.body, values),
  };
  const whole: Comprehension = {
    ...node,
    keys: [],
    reduction: {
      ...reduction,
      axes: outer.map(({ name, size }) => ({ name, lo: integer(0), hi: integer(size) })),
    },
    body: read(
      part.name,
      element,
      part.axes.map((axis) => index(axis.name)),
    ),
  };
  return [part, whole];
}

/** Is it the position of the best, of which parts can be put together: of the bests of parts, the first best one's? */
export function isSearch({ reduction }: Comprehension): boolean {
  if (reduction === null || (reduction.op !== "argmax" && reduction.op !== "argmin")) return false;
  return (extentFromZero(reduction.axes[0]!) ?? 0) > 0;
}

/**
 * The nodes that give where the best is, over the range in parts:
 *
 *     %a = argmax m<784. f(m)     ⟶     %a_part, %a_part_best = for c<7. argmax m in 112 * c .. 112 * c + 112. f(m)
 *                                       %a_which = argmax c<7. %a_part_best[c]
 *                                       %a = %a_part[%a_which]
 *
 * The first of equals is in the first of the parts that have it.
 */
function cutSearch(
  node: Comprehension,
  [cut]: readonly Cut[],
  names: NameSupply,
): readonly [part: Comprehension, which: Comprehension, found: Comprehension] {
  const reduction = node.reduction!;
  const [axis] = reduction.axes;
  const { parts } = cut!;
  const length = extentFromZero(axis!)! / parts;
  const taken = new Set([...node.axes.map(({ name }) => name), axis!.name]);
  const chunk = freshVariable(`${axis!.name}_chunk`, taken);
  const base = baseName(node.name);
  const element: ElementType = { scalar: typeOf(node.body), bound: null };
  const lo = apply("mul", integer(length), index(chunk));
  const part: Comprehension = {
    ...node,
    name: names.fresh(`${base}_part`),
    axes: [{ name: chunk, size: parts }, ...node.axes],
    reduction: {
      ...reduction,
      bestValue: names.fresh(`${base}_part_best`),
      axes: [{ name: axis!.name, lo, hi: apply("add", lo, integer(length)) }],
    },
  };
  const own = node.axes.map(({ name }) => index(name));
  const which: Comprehension = {
    ...node,
    name: names.fresh(`${base}_which`),
    element: { scalar: "i32", bound: parts },
    reduction: { ...reduction, axes: [{ name: chunk, lo: integer(0), hi: integer(parts) }] },
    body: read(part.reduction!.bestValue!, element, [index(chunk), ...own]),
  };
  const found: Comprehension = {
    ...node,
    reduction: null,
    body: read(part.name, node.element, [read(which.name, which.element, own), ...own]),
  };
  return [part, which, found];
}

/** The nodes that give what the one gave; the first has its parts. */
export function cutNode(
  node: Comprehension,
  cuts: readonly Cut[],
  names: NameSupply,
): readonly Comprehension[] {
  return isSearch(node) ? cutSearch(node, cuts, names) : cutReduction(node, cuts, names);
}

/** The largest divisor of `n` that is no larger than `most`. */
export function divisorUpTo(n: number, most: number): number {
  let d = Math.max(1, Math.floor(Math.min(n, most)));
  while (n % d !== 0) d--;
  return d;
}

/** The divisor of `n` that is nearest to `wanted`, by ratio. */
export function divisorNear(n: number, wanted: number): number {
  let best = 1;
  for (let d = 1; d <= n; d++) {
    if (n % d !== 0) continue;
    if (Math.abs(Math.log(d / wanted)) < Math.abs(Math.log(best / wanted))) best = d;
    if (d > wanted * 4) break;
  }
  return best;
}
