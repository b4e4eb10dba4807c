/**
 * Are all reads inside their tensors, and all `idx<n>` results below n?
 *
 *     for i<8. if i >= 1 then %x[i - 1] else 0.0        proved for %x: f32[8]
 *     for i<8. %x[i - 1]                                 axis 0 of %x is not: i - 1 is -1 … 6
 *
 * The verifier reports what is not proved as a broken graph, the elaborator as a mistake in the program.
 */
import { addAffine, affineConstant, scaleAffine, structuralKey } from "./affine.ts";
import type { Interval } from "./intervals.ts";
import type { Comprehension, Expr, ValueName, ValueType } from "./ir.ts";
import {
  type RangeContext,
  affineOf,
  contextOf,
  contextsOf,
  emptyContext,
  proveNonNegative,
  rangeOf,
  withCondition,
} from "./ranges.ts";
import { operands, postorder } from "./traverse.ts";

/** A read whose index may lie outside. */
export interface UnprovedRead {
  readonly tensor: ValueName;
  /** Which of the tensor's axes, from 0. */
  readonly axis: number;
  readonly index: Expr;
  /** The size of that axis. */
  readonly size: number;
  /** What is known of the index. */
  readonly range: Interval;
  readonly read: Expr;
}

/** The reads of a comprehension that are not proved to be in bounds. `outer` knows the loop variables around it. */
export function proveReads(
  node: Comprehension,
  types: ReadonlyMap<ValueName, Pick<ValueType, "shape">>,
  outer: RangeContext = emptyContext,
): UnprovedRead[] {
  const contexts = contextsOf(node, outer);
  const inside = contexts.at(-1)!;
  const bounds = (node.reduction?.axes ?? []).flatMap(({ lo, hi }, i) =>
    [lo, hi].flatMap((bound) => unprovedIn(bound, contexts[i]!, types)),
  );
  return [
    ...bounds,
    ...node.keys.flatMap((key) => unprovedIn(key.at, inside, types)),
    ...unprovedIn(node.body, inside, types),
  ];
}

/** Is every element of an `idx<n>` result proved to be an integer below n? True of other elements. */
export function proveElement(node: Comprehension, outer: RangeContext = emptyContext): boolean {
  const { bound } = node.element;
  if (bound === null || node.axes.some((axis) => axis.size === 0)) return true;
  const contexts = contextsOf(node, outer);
  const { reduction } = node;
  switch (reduction?.op) {
    case undefined:
      return isWithin(node.body, bound, contexts[0]!);
    case "argmax":
    case "argmin": {
      // Over nothing the result is 0.
      const [axis] = reduction.axes;
      return (
        bound > 0 &&
        axis !== undefined &&
        isWithin({ kind: "index", name: axis.name }, bound, contextOf(node, outer))
      );
    }
    case "max":
    case "min": {
      const filled = reduction.axes.every(
        ({ lo, hi }, i) => rangeOf(lo, contexts[i]!).hi < rangeOf(hi, contexts[i]!).lo,
      );
      return filled && isWithin(node.body, bound, contextOf(node, outer));
    }
    case "sum":
    case "prod":
    case "any":
    case "all":
      return false;
  }
}

/** Is `0 <= index < size` proved? */
export function isWithin(index: Expr, size: number, context: RangeContext): boolean {
  if (context.impossible) return true;
  const { lo, hi } = rangeOf(index, context);
  if (lo >= 0 && hi < size) return true;
  const affine = affineOf(index, context);
  const room = addAffine(scaleAffine(affine, -1), affineConstant(size - 1));
  return (lo >= 0 || proveNonNegative(affine, context)) && (hi < size || proveNonNegative(room, context));
}

/** A place in an expression: what the selects above it have decided, the innermost last. */
interface Place {
  readonly context: RangeContext;
  readonly parent: Place | null;
  readonly decided: { readonly condition: Expr; readonly truth: boolean } | null;
  readonly depth: number;
}

/** A subexpression used at more places than this is looked at with what they have in common. */
const mostPlaces = 8;

function unprovedIn(
  root: Expr,
  context: RangeContext,
  types: ReadonlyMap<ValueName, Pick<ValueType, "shape">>,
): UnprovedRead[] {
  const found: UnprovedRead[] = [];
  if (context.impossible) return found;
  const places = new Map<Expr, Place[]>([[root, [{ context, parent: null, decided: null, depth: 0 }]]]);
  const use = (expr: Expr, at: readonly Place[]): void => {
    places.set(expr, [...(places.get(expr) ?? []), ...at]);
  };
  const under = (at: readonly Place[], condition: Expr, truth: boolean): Place[] =>
    at
      .map((place) => ({
        context: withCondition(place.context, condition, truth),
        parent: place,
        decided: { condition, truth },
        depth: place.depth + 1,
      }))
      .filter((place) => !place.context.impossible);

  // Users come before what they use, so that all places of an expression are known when it is reached.
  for (const expr of postorder(root).reverse()) {
    const at = weakest(places.get(expr) ?? []);
    if (at.length === 0) continue;
    if (expr.kind === "select") {
      use(expr.condition, at);
      use(expr.yes, under(at, expr.condition, true));
      use(expr.no, under(at, expr.condition, false));
      continue;
    }
    for (const operand of operands(expr)) use(operand, at);
    const shape = expr.kind === "read" ? types.get(expr.tensor)?.shape : undefined;
    if (expr.kind !== "read" || shape === undefined) continue;
    expr.indices.forEach((index, axis) => {
      const size = shape[axis];
      const open = size === undefined ? undefined : at.find((place) => !isWithin(index, size, place.context));
      if (open !== undefined)
        found.push({
          tensor: expr.tensor,
          axis,
          index,
          size: size!,
          range: rangeOf(index, open.context),
          read: expr,
        });
    });
  }
  return found.reverse();
}

/** The places from which all others follow: what is proved there is proved everywhere. */
function weakest(places: readonly Place[]): readonly Place[] {
  const distinct = [...new Set(places)];
  if (distinct.length === 1) return distinct;
  const set = new Set(distinct);
  const isInside = (place: Place): boolean => {
    for (let outer = place.parent; outer !== null; outer = outer.parent) if (set.has(outer)) return true;
    return false;
  };
  const outermost = distinct.filter((place) => !isInside(place));
  return outermost.length <= mostPlaces ? outermost : [shared(outermost, outermost.reduce(common))];
}

/** A place within `outer`, in which all the places lie, with what each of them has decided: a condition may guard many reads. */
function shared(places: readonly Place[], outer: Place): Place {
  const decisions = places.map((place) => {
    const found = new Map<string, NonNullable<Place["decided"]>>();
    for (let at = place; at !== outer; at = at.parent!) {
      const { condition, truth } = at.decided!;
      found.set(`${truth} ${structuralKey(condition)}`, { condition, truth });
    }
    return found;
  });
  const inAll = [...decisions[0]!].filter(([key]) => decisions.every((found) => found.has(key))).reverse();
  return inAll.reduce<Place>(
    (place, [, decided]) => ({
      context: withCondition(place.context, decided.condition, decided.truth),
      parent: place,
      decided,
      depth: place.depth + 1,
    }),
    outer,
  );
}

function common(a: Place, b: Place): Place {
  let [x, y] = [a, b];
  while (x !== y) {
    if (x.depth >= y.depth) x = x.parent!;
    else y = y.parent!;
  }
  return x;
}
