/**
 * The nodes of a phase at the points of one invocation, side by side: values first, then the stores.
 *
 *     out[…] = … at (i, k); out[…] = … at (i, k + 1)          a tile of two points
 */
import type { Comprehension } from "../../ir/ir.ts";
import { integer, quotient, remainder } from "../build.ts";
import { keyOf } from "../expression-key.ts";
import type { KernelExpr, Statement } from "../kernel.ts";
import type { Emission, Instance, Point, Variable } from "./emission.ts";
import { linearIndex, lowerInstance } from "./expression.ts";
import { lowerKeyed } from "./keyed.ts";
import { combinations, withVariables } from "./reduction.ts";
import { write } from "./scopes.ts";

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
  if (instance.keys.length > 0) return lowerKeyed(emission, instance, points, guardOf);
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
