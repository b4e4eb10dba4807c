/**
 * The nodes of a phase at the points of one invocation, side by side: values first, then the stores.
 *
 *     out[…] = … at (i, k); out[…] = … at (i, k + 1)          a tile of two points
 */
import { apply as irApply, index as indexExpr, integer as irInteger } from "../../ir/build.ts";
import type { Comprehension, Expr } from "../../ir/ir.ts";
import { withVariable } from "../../ir/ranges.ts";
import { operands } from "../../ir/traverse.ts";
import { integer, quotient, remainder } from "../build.ts";
import { keyOf } from "../expression-key.ts";
import type { KernelExpr, Statement } from "../kernel.ts";
import {
  type Emission,
  freshVariableName,
  type Instance,
  instantiate,
  type Point,
  type Variable,
} from "./emission.ts";
import { linearIndex, lowerInstance } from "./expression.ts";
import { lowerKeyed } from "./keyed.ts";
import { combinations } from "./lists.ts";
import { withVariables } from "./reduction.ts";
import { arraysStored } from "./reads.ts";
import { branch, innermost, write } from "./scopes.ts";

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
  const arrays = arraysStored(emission, instances);
  emission.stored = { depth: innermost(emission.scopes), arrays, guardOf };
  if (emission.overwrites) lowerUnderGuards(emission, instances, points, guardOf);
  else for (const instance of instances) lowerNode(emission, instance, points, guardOf);
  emission.stored = null;
  for (const { name } of variables) emission.tile.delete(name);
}

/**
 * The same where points are stored to what they read: values are worked out under the condition under which they are stored, so that nobody
 * else reads what is overwritten. Reductions come before, and all invocations go through them together; what they read of it, each loads
 * under that condition.
 */
function lowerUnderGuards(
  emission: Emission,
  instances: readonly Instance[],
  points: readonly Point[],
  guardOf: (point: Point) => KernelExpr | null,
): void {
  const groups = new Map<string, { readonly guard: KernelExpr | null; readonly points: Point[] }>();
  for (const point of points) {
    const guard = guardOf(point);
    const key = guard === null ? "" : keyOf(guard);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { guard, points: [point] });
    else group.points.push(point);
  }
  const inside = (own: readonly Point[]): void => {
    emission.stored = { ...emission.stored!, guardOf: () => null };
    for (const instance of instances) lowerNode(emission, instance, own, () => null);
  };
  if ([...groups.values()].every(({ guard }) => guard === null)) return inside(points);
  const { stored, sharing } = emission;
  // Those who share reductions all load what these read, and a barrier parts them from who overwrites it.
  const isParted = sharing?.through === "memory";
  if (isParted) emission.stored = null;
  for (const point of points) {
    const seen = new Set<string>();
    for (const instance of instances) lowerReductions(emission, instance, point, seen);
  }
  if (isParted) write(emission.scopes, { kind: "barrier" });
  emission.stored = stored;
  for (const { guard, points: own } of groups.values())
    if (guard === null) inside(own);
    else {
      const then = branch(emission.scopes, () => inside(own));
      write(emission.scopes, { kind: "if", condition: guard, then, else: [] });
    }
}

/** Writes the reductions that an instance's value takes at a point, but for those that only a condition calls for. */
function lowerReductions(emission: Emission, instance: Instance, point: Point, seen: Set<string>): void {
  if (seen.has(instance.key)) return;
  seen.add(instance.key);
  if (instance.keys.length > 0) return;
  if (instance.node.reduction !== null) {
    lowerInstance(emission, instance, instance.node.name, point);
    return;
  }
  const visited = new Set<Expr>();
  const visit = (expr: Expr): void => {
    if (visited.has(expr)) return;
    visited.add(expr);
    const node = expr.kind === "read" ? emission.computed.get(expr.tensor) : undefined;
    if (expr.kind === "read" && node !== undefined)
      lowerReductions(emission, instantiate(emission, node, expr.indices), point, seen);
    else for (const operand of expr.kind === "select" ? [expr.condition] : operands(expr)) visit(operand);
  };
  visit(instance.body);
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
  // What stands in a branch others don't have.
  if (emission.sharing !== null && emission.scopes.floor === 0)
    results.forEach(({ name }, r) => emission.held.set(name, values[0]![r]!));
  const stores = points.map((point, p) =>
    results.flatMap(({ name, storage }, r): Statement[] => {
      // All invocations have it in a register.
      if (emission.held.has(name) && storage.space === "workgroup") return [];
      const at = linearIndex(emission, instance.indices, storage, point);
      const value = values[p]![r]!;
      return [{ kind: "store", space: storage.space, array: storage.array, index: at, value }];
    }),
  );
  // What is stored under one condition stands in one branch.
  const branches = new Map<string, { readonly condition: KernelExpr; readonly then: Statement[] }>();
  points.forEach((point, p) => {
    const condition = guardOf(point);
    if (stores[p]!.length === 0) return;
    if (condition === null) return stores[p]!.forEach((store) => write(emission.scopes, store));
    const key = keyOf(condition);
    const known = branches.get(key);
    if (known === undefined) branches.set(key, { condition, then: [...stores[p]!] });
    else known.then.push(...stores[p]!);
  });
  for (const { condition, then } of branches.values())
    write(emission.scopes, { kind: "if", condition, then, else: [] });
}

/** Several axes as one variable, with the index of each by it; a single one stays what it is. */
export function flatten(
  emission: Emission,
  axes: readonly PhaseVariable[],
  hint: string,
): { readonly variable: PhaseVariable; readonly indices: readonly Expr[] } {
  const [only] = axes;
  if (axes.length === 1) return { variable: only!, indices: [indexExpr(only!.name)] };
  const size = axes.reduce((product, axis) => product * axis.size, 1);
  const name = freshVariableName(emission, hint);
  const range = { lo: 0, hi: size - 1 };
  emission.ranges.set(name, range);
  emission.context = withVariable(emission.context, name, range);
  let below = 1;
  const indices = [...axes]
    .reverse()
    .map((axis, i): Expr => {
      const above = below === 1 ? indexExpr(name) : irApply("floor_div", indexExpr(name), irInteger(below));
      below *= axis.size;
      return i === axes.length - 1 ? above : irApply("mod", above, irInteger(axis.size));
    })
    .reverse();
  return { variable: { name, size }, indices };
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
