/** What the nodes of a phase read from memory, through the nodes that are inlined into them: what schedules are chosen by. */
import { structuralKey } from "../../ir/affine.ts";
import { meanExtent } from "../../ir/extent.ts";
import { affineOf } from "../../ir/ranges.ts";
import { type Comprehension, definitions, type Expr } from "../../ir/ir.ts";
import { indicesIn, postorder, valuesUsed } from "../../ir/traverse.ts";
import { conditionsIn, deepestInlined, type Emission, type Instance, instantiate } from "./emission.ts";

/** A read of a stored value. */
export interface ReadOfMemory {
  readonly read: Extract<Expr, { kind: "read" }>;
  readonly variables: ReadonlySet<string>;
  readonly inReduction: boolean;
  /** How often it is read for a point, on average: in the turns of the loops that it stands in. */
  readonly times: number;
  /** Elements between the places that are read at neighbouring values of a variable, where that is always the same. */
  readonly strides: ReadonlyMap<string, number>;
}

export interface PhaseReads {
  readonly reads: readonly ReadOfMemory[];
  /** The variables on which ranges of reductions depend. */
  readonly loopBounds: ReadonlySet<string>;
  /** The variables on which conditions in reductions depend. */
  readonly tested: ReadonlySet<string>;
  /** Turns of the longest reduction, on average. */
  readonly turns: number;
  /** The number of reductions. */
  readonly reductions: number;
  /** The arrays that are read, and those that are read in turns of reductions. */
  readonly arrays: ReadonlySet<string>;
  readonly arraysInReductions: ReadonlySet<string>;
}

/** The reads of some instances that are computed at the same points. */
export function readsOfMemory(emission: Emission, instances: readonly Instance[]): PhaseReads {
  const reads: ReadOfMemory[] = [];
  const loopBounds = new Set<string>();
  const tested = new Set<string>();
  const seen = new Set<string>();
  const known = new Set<string>();
  let turns = 1;
  const reductions = new Set<Comprehension>();
  const visit = (instance: Instance, around: readonly Loop[], depth: number): void => {
    // It is written at the depth of what it depends on.
    const outer = within(around, new Set(instance.variables));
    const loops = [
      ...outer,
      ...instance.axes.map((axis, level) => ({
        name: axis.name,
        turns: meanExtent(axis, instance.contexts[level]!),
      })),
    ];
    const key = `${instance.key} ${outer.map(({ name }) => name).join()}`;
    if (depth > deepestInlined || seen.has(key)) return;
    seen.add(key);
    const inside = loops.length > 0;
    if (instance.axes.length > 0) {
      reductions.add(instance.node);
      turns = Math.max(turns, turnsOf(loops.slice(outer.length)));
      for (const name of indicesIn(instance.axes.flatMap(({ lo, hi }) => [lo, hi]))) loopBounds.add(name);
    }
    if (inside) for (const name of indicesIn(conditionsIn(instance.body))) tested.add(name);
    const roots: Expr[] = [instance.body, ...instance.keys.map(({ at }) => at)];
    for (const expr of postorder(...roots)) {
      if (expr.kind !== "read") continue;
      const node = emission.computed.get(expr.tensor);
      if (node !== undefined) {
        visit(instantiate(emission, node, expr.indices), loops, depth + 1);
        continue;
      }
      if (emission.columns.has(expr.tensor)) continue;
      const variables = indicesIn(expr.indices);
      const times = turnsOf(within(loops, variables));
      const place = `${inside} ${times} ${structuralKey(expr)}`;
      if (known.has(place)) continue;
      known.add(place);
      const strides = stridesOf(emission, expr);
      reads.push({ read: expr, variables, inReduction: inside, times, strides });
    }
  };
  for (const instance of instances) visit(instance, [], 0);
  const arrays = arraysRead(
    emission,
    instances.map(({ node }) => node),
  );
  const arraysInReductions = arraysRead(emission, [...reductions]);
  return { reads, loopBounds, tested, turns, reductions: reductions.size, arrays, arraysInReductions };
}

/** The arrays that nodes read, themselves and through all that is computed at their reads. */
function arraysRead({ computed, columns, storages }: Emission, nodes: readonly Comprehension[]): Set<string> {
  const arrays = new Set<string>();
  const open = new Set(nodes);
  for (const node of open)
    for (const value of valuesUsed(node)) {
      const inner = computed.get(value);
      const storage = storages.get(value);
      if (inner !== undefined) open.add(inner);
      else if (storage !== undefined && !columns.has(value)) arrays.add(storage.array);
    }
  return arrays;
}

/** The arrays to which instances are stored. */
export function arraysStored({ storages }: Emission, instances: readonly Instance[]): ReadonlySet<string> {
  return new Set(
    instances.flatMap(({ node }) => definitions(node).flatMap(({ name }) => storages.get(name)?.array ?? [])),
  );
}

/** A loop of a reduction, with its turns. */
interface Loop {
  readonly name: string;
  readonly turns: number;
}

/** The loops in which something stands that depends on these variables: all around the innermost of them. */
function within(loops: readonly Loop[], variables: ReadonlySet<string>): readonly Loop[] {
  return loops.slice(0, loops.findLastIndex(({ name }) => variables.has(name)) + 1);
}

function turnsOf(loops: readonly Loop[]): number {
  return loops.reduce((product, { turns }) => product * turns, 1);
}

/** Elements between the places that are read at neighbouring values of each variable; not a number where that is not always the same. */
export function stridesOf(emission: Emission, read: Extract<Expr, { kind: "read" }>): Map<string, number> {
  const strides = new Map<string, number>();
  const storage = emission.storages.get(read.tensor);
  read.indices.forEach((index, axis) => {
    const stride = storage?.strides[axis] ?? 0;
    for (const { atom, coefficient } of affineOf(index, emission.context).terms.values()) {
      if (atom.kind === "index") strides.set(atom.name, (strides.get(atom.name) ?? 0) + coefficient * stride);
      // How often it steps is not known.
      else for (const name of indicesIn([atom])) strides.set(name, Number.NaN);
    }
  });
  return strides;
}
