/**
 * Segment sums: a reduction that adds each value where its key says.
 *
 *     sum[%a[n]] n<49. %v[n, k]     at k, k + 1, elements 0 … 3 of the keyed axis
 *
 * An invocation owns a whole column: all elements of the keyed axes at one point of the others. Nobody else touches it, so nothing is
 * atomic and the order is always the same. Where the column is short it is kept in registers, an accumulator for each element, of
 * which every turn adds to the one that its key names; else it lies in the array from the start.
 */
import { isWithin } from "../../ir/bounds.ts";
import { index as indexExpr, integer as irInteger } from "../../ir/build.ts";
import type { Expr } from "../../ir/ir.ts";
import { withVariable } from "../../ir/ranges.ts";
import { add, and, apply, constant, integer, invocation, less, load, local, select } from "../build.ts";
import type { KernelExpr, Statement } from "../kernel.ts";
import {
  type Emission,
  freshVariableName,
  type Instance,
  type Point,
  type Storage,
  variable,
} from "./emission.ts";
import { kernelType, lengthOf, linearIndex, lower, rememberRead } from "./expression.ts";
import { applied } from "./fold-constants.ts";
import { combinedOver, isAlike, overAxes, withVariables } from "./reduction.ts";
import { bind, block, declare, freshName, write } from "./scopes.ts";
import { elementsOf, isInRegisters } from "./segments.ts";

/** So many accumulators stand side by side at most. */
const mostAccumulators = 32;

/** Writes the columns at some points, side by side. A point of which `guardOf` gives a condition is stored only under it. */
export function lowerKeyed(
  emission: Emission,
  instance: Instance,
  points: readonly Point[],
  guardOf: (point: Point) => KernelExpr | null,
): void {
  const storage = emission.storages.get(instance.node.name) ?? null;
  const isAccumulated = isInRegisters(emission, instance);
  const together = isAlike(emission, instance)
    ? Math.max(1, Math.floor(mostAccumulators / elementsOf(emission, instance).length))
    : 1;
  if (isAccumulated)
    for (let first = 0; first < points.length; first += together)
      accumulate(emission, instance, storage, points.slice(first, first + together), guardOf);
  else addInMemory(emission, instance, storage!, points);
}

/** An element of a column: the instance's indices with places for the keyed axes. */
function indicesAt(instance: Instance, places: readonly Expr[]): (Expr | null)[] {
  return instance.indices.map((index, axis) => {
    const key = instance.keys.findIndex((one) => one.axis === axis);
    return key < 0 ? index : places[key]!;
  });
}

function accumulate(
  emission: Emission,
  instance: Instance,
  storage: Storage | null,
  points: readonly Point[],
  guardOf: (point: Point) => KernelExpr | null,
): void {
  const { scopes } = emission;
  const {
    element: { scalar },
  } = emission.types.get(instance.node.name)!;
  const type = kernelType(scalar);
  const elements = elementsOf(emission, instance);
  const outside = emission.context;
  const sums = points.map(() =>
    elements.map(() => declare(scopes, instance.node.name, type, constant(type, 0))),
  );
  const isShared = overAxes(emission, instance, points, lower, (at, p) => {
    const value = bind(scopes, lower(emission, instance.body, at), "value");
    const keys = instance.keys.map((key) => lower(emission, key.at, at));
    elements.forEach((element, e) => {
      const isHere = element
        .map((place, k) => applied("eq", [keys[k]!, integer(place)]))
        .reduce((all, one) => and(all, one));
      const total = sums[p]![e]!;
      const named = bind(scopes, isHere, "is_here");
      const sum = apply("add", total, select(named, value, constant(type, 0)));
      write(scopes, { kind: "assign", name: total.name, value: sum });
    });
  });
  emission.context = outside;
  const totals = isShared
    ? sums.map((column) => column.map((sum) => combinedOver(emission, instance, sum)))
    : sums;
  points.forEach((point, p) => {
    const indicesOf = (element: readonly number[]): (Expr | null)[] =>
      indicesAt(
        instance,
        element.map((place) => irInteger(place)),
      );
    elements.forEach((element, e) =>
      rememberRead(emission, instance.node, indicesOf(element), point, totals[p]![e]!),
    );
    if (storage === null) return;
    const stores = elements.map((element, e): Statement => {
      const index = linearIndex(emission, indicesOf(element), storage, point);
      return { kind: "store", space: storage.space, array: storage.array, index, value: totals[p]![e]! };
    });
    const condition = guardOf(point);
    if (condition === null) for (const store of stores) write(scopes, store);
    else write(scopes, { kind: "if", condition, then: stores, else: [] });
  });
}

/** Clears the columns, then adds to what lies in memory. */
function addInMemory(
  emission: Emission,
  instance: Instance,
  storage: Storage,
  points: readonly Point[],
): void {
  const { scopes } = emission;
  const { shape } = emission.types.get(instance.node.name)!;
  const { space, array, type } = storage;
  if (!emission.cleared.has(array)) for (const point of points) clear(emission, instance, storage, point);
  const places = indicesAt(
    instance,
    instance.keys.map(({ at }) => at),
  );
  const outside = emission.context;
  const addAt = (at: Point): void => {
    const value = lower(emission, instance.body, at);
    const index = linearIndex(emission, places, storage, at);
    const sum = apply("add", load(space, array, index, type), value);
    const store: Statement = { kind: "store", space, array, index, value: sum };
    const condition = instance.keys
      .filter((key) => !isWithin(key.at, shape[key.axis]!, emission.context))
      .map((key) => {
        const k = lower(emission, key.at, at);
        return and(applied("ge", [k, integer(0)]), less(k, integer(shape[key.axis]!)));
      })
      .reduce<KernelExpr | null>((all, one) => (all === null ? one : and(all, one)), null);
    if (condition?.kind === "const" && condition.value === 0) return;
    const isCertain = condition === null || condition.kind === "const";
    write(scopes, isCertain ? store : { kind: "if", condition, then: [store], else: [] });
  };
  const walks = isAlike(emission, instance) ? [points] : points.map((point) => [point]);
  for (const walk of walks) overAxes(emission, instance, walk, lower, addAt);
  emission.context = outside;
}

/**
 * Has all invocations of a workgroup fill the columns of segment sums in its memory with zeros, where fewer than they have a column: each
 * would clear its own one element after the other.
 */
export function clearTogether(emission: Emission, instances: readonly Instance[], invocations: number): void {
  const { scopes, cleared } = emission;
  const before = cleared.size;
  for (const { node } of instances) {
    const storage = emission.storages.get(node.name)!;
    const { space, array, type } = storage;
    if (space !== "workgroup" || cleared.has(array)) continue;
    cleared.add(array);
    const length = lengthOf(emission, node.name, storage);
    const whole = length - (length % invocations);
    const store = (first: KernelExpr): Statement => {
      return { kind: "store", space, array, index: add(first, invocation), value: constant(type, 0) };
    };
    if (whole > 0) {
      const index = freshName(scopes, "first");
      const body = block(scopes, [index], () => write(scopes, store(local(index, "i32"))));
      write(scopes, { kind: "for", index, from: integer(0), to: integer(whole), step: invocations, body });
    }
    if (whole === length) continue;
    const condition = less(invocation, integer(length - whole));
    write(scopes, { kind: "if", condition, then: [store(integer(whole))], else: [] });
  }
  if (cleared.size > before) write(scopes, { kind: "barrier" });
}

/** Writes loops over the keyed axes that fill a column with zeros. */
function clear(emission: Emission, instance: Instance, storage: Storage, point: Point): void {
  const { scopes } = emission;
  const { shape } = emission.types.get(instance.node.name)!;
  const { space, array, type } = storage;
  const level = (places: readonly Expr[], around: Point): void => {
    const axis = instance.keys[places.length]?.axis;
    if (axis === undefined) {
      const index = linearIndex(emission, indicesAt(instance, places), storage, around);
      return write(scopes, { kind: "store", space, array, index, value: constant(type, 0) });
    }
    const outside = emission.context;
    const name = freshVariableName(emission, instance.node.axes[axis]!.name);
    emission.context = withVariable(emission.context, name, { lo: 0, hi: shape[axis]! - 1 });
    const index = freshName(scopes, name);
    const body = block(scopes, [index], () =>
      level(
        [...places, indexExpr(name)],
        withVariables(around, [variable(emission, name, local(index, "i32"))]),
      ),
    );
    write(scopes, { kind: "for", index, from: integer(0), to: integer(shape[axis]!), step: 1, body });
    emission.context = outside;
  };
  level([], point);
}
