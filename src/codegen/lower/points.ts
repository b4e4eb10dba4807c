/**
 * The nodes of a phase at the points of one invocation, side by side: values first, then the stores.
 *
 *     out[…] = … at (i, k); out[…] = … at (i, k + 1)          a tile of two points
 */
import { index as indexExpr } from "../../ir/build.ts";
import { isWithin } from "../../ir/bounds.ts";
import type { Comprehension, Expr } from "../../ir/ir.ts";
import { withVariable } from "../../ir/ranges.ts";
import { and, apply, constant, integer, less, load, local, quotient, remainder } from "../build.ts";
import { keyOf } from "../expression-key.ts";
import type { KernelExpr, Statement } from "../kernel.ts";
import {
  type Emission,
  freshVariableName,
  type Instance,
  type Point,
  variable,
  type Variable,
} from "./emission.ts";
import { linearIndex, lower, lowerInstance } from "./expression.ts";
import { applied } from "./fold-constants.ts";
import { combinations, isAlike, overAxes, withVariables } from "./reduction.ts";
import { block, freshName, write } from "./scopes.ts";

/** An axis of a phase as a variable, with its size. */
export interface PhaseVariable {
  readonly name: string;
  readonly size: number;
}

/** Every node at every combination of the variables' instances. A point of which `guardOf` gives a condition is stored only under it. */
export function lowerSideBySide(
  emission: Emission,
  variables: readonly PhaseVariable[],
  lists: readonly (readonly Variable[])[],
  instances: readonly Instance[],
  region: Point,
  guardOf: (point: Point) => KernelExpr | null,
): void {
  variables.forEach(({ name }, i) => emission.tile.set(name, lists[i]!));
  const points = combinations<Variable>(lists).map((choice) => withVariables(region, choice));
  for (const instance of instances) lowerNode(emission, instance, points, guardOf);
  for (const { name } of variables) emission.tile.delete(name);
}

/** The names of what a node defines. */
export function namesOf(node: Comprehension): string[] {
  const best = node.reduction?.bestValue ?? null;
  return best === null ? [node.name] : [node.name, best];
}

function lowerNode(
  emission: Emission,
  instance: Instance,
  points: readonly Point[],
  guardOf: (point: Point) => KernelExpr | null,
): void {
  if (instance.keys.length > 0) return lowerKeyed(emission, instance, points);
  const results = namesOf(instance.node).flatMap((name) => {
    const storage = emission.storages.get(name);
    return storage === undefined ? [] : [{ name, storage }];
  });
  // All values before the first store, so that side-by-side points share their loops.
  const values = points.map((point) =>
    results.map(({ name }) => lowerInstance(emission, instance, name, point)),
  );
  const stores = points.map((point, p) =>
    results.map(({ storage }, r): Statement => {
      const at = linearIndex(emission, instance.indices, storage, point);
      return { kind: "store", space: storage.space, array: storage.array, index: at, value: values[p]![r]! };
    }),
  );
  // What is stored under one condition stands in one branch.
  const branches = new Map<string, { readonly condition: KernelExpr; readonly then: Statement[] }>();
  points.forEach((point, p) => {
    const condition = guardOf(point);
    if (condition === null) return stores[p]!.forEach((store) => write(emission.scopes, store));
    const key = keyOf(condition);
    const known = branches.get(key);
    if (known === undefined) branches.set(key, { condition, then: [...stores[p]!] });
    else known.then.push(...stores[p]!);
  });
  for (const { condition, then } of branches.values())
    write(emission.scopes, { kind: "if", condition, then, else: [] });
}

/**
 * A segment sum: the invocation owns a whole column of its array, all elements of the keyed axes at one point of the others. It clears
 * the column, then walks the reduction and adds each value where its key says. Nobody else touches the column, so nothing is atomic
 * and the order is always the same.
 */
function lowerKeyed(emission: Emission, instance: Instance, points: readonly Point[]): void {
  const { scopes } = emission;
  const storage = emission.storages.get(instance.node.name)!;
  const shape = emission.types.get(instance.node.name)!.shape;
  const type = storage.type;
  const keyed = instance.keys.map((key) => key.axis);
  const clear = (level: number, indices: readonly (Expr | null)[], around: Point): void => {
    const axis = keyed[level];
    if (axis === undefined) {
      const at = linearIndex(emission, indices, storage, around);
      write(scopes, {
        kind: "store",
        space: storage.space,
        array: storage.array,
        index: at,
        value: constant(type, 0),
      });
      return;
    }
    const outside = emission.context;
    const name = freshVariableName(emission, instance.node.axes[axis]!.name);
    emission.context = withVariable(emission.context, name, { lo: 0, hi: shape[axis]! - 1 });
    const index = freshName(scopes, name);
    const body = block(scopes, [index], () =>
      clear(
        level + 1,
        indices.map((e, i) => (i === axis ? indexExpr(name) : e)),
        withVariables(around, [variable(emission, name, local(index, "i32"))]),
      ),
    );
    write(scopes, { kind: "for", index, from: integer(0), to: integer(shape[axis]!), step: 1, body });
    emission.context = outside;
  };
  for (const point of points) clear(0, instance.indices, point);

  const places = instance.indices.map((e, i) =>
    keyed.includes(i) ? instance.keys[keyed.indexOf(i)]!.at : e,
  );
  const outside = emission.context;
  const addAt = (at: Point): void => {
    const value = lower(emission, instance.body, at);
    const index = linearIndex(emission, places, storage, at);
    const sum = apply("add", load(storage.space, storage.array, index, type), value);
    const store: Statement = { kind: "store", space: storage.space, array: storage.array, index, value: sum };
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

/** A number taken apart into places of a mixed radix, the last the lowest. */
export function split(number: KernelExpr, counts: readonly number[]): KernelExpr[] {
  let below = 1;
  return counts
    .map((count, i) => ({ count, i }))
    .reverse()
    .map(({ count, i }) => {
      const place =
        i === 0
          ? quotient(number, integer(below))
          : remainder(quotient(number, integer(below)), integer(count));
      below *= count;
      return count === 1 ? integer(0) : place;
    })
    .reverse();
}
