/**
 * Places whose reductions have other turns at every second one, or every third, as two axes: the number of the place among those that are
 * alike, and its residue.
 *
 *     %d[i] = for i<56. sum a: i // 2 .. min((i + 1) // 2 + 1, 28). %y[a] * %w[i + 1 - 2 a]
 *
 *     %d[i, r] = for i<28, r<2. sum a<r + 1. (if i + a < 28 then %y[i + a] else 0) * %w[r + 1 - 2 a]
 *
 * That is how a convolution with a stride looks from its input: its derivative, or a transposed convolution. By residues it is a product of
 * rows and columns like any other, whose weights do not depend on the place and whose bounds are the same for a whole workgroup. (Libraries
 * split such convolutions into one for each residue.) The tensors are what they were: the kernel has a view of them.
 */
import { type AxisOrder, type Group, nodesOf, type Phase } from "../../fusion/plan.ts";
import { asDivision } from "../../ir/affine.ts";
import { apply, index, integer, read } from "../../ir/build.ts";
import { type Axis, type Comprehension, definitions, type Expr, type ValueName } from "../../ir/ir.ts";
import { mapExpressions } from "../../ir/rename.ts";
import { simplifyExpressions } from "../../ir/rewrite/inline.ts";
import { rewriteExpr, substituteIndices } from "../../ir/substitute.ts";
import { expressionsOf, indicesIn, postorder } from "../../ir/traverse.ts";
import { withFixedBounds } from "./fixed-bounds.ts";
import type { View } from "./view.ts";

/** With fewer places of a residue, those at the edges count for too much. */
const fewestPlaces = 4;

/** The view with axes split by residues; null where there is nothing to split, or a workgroup owns a region. */
export function splitByResidues(given: View): View | null {
  if (given.group.owner === "workgroup") return null;
  let view: View | null = null;
  for (;;) {
    const before: View = view ?? given;
    const next = dividedAxes(before.group)
      .map((divided) => split(before, divided))
      .find((one) => one !== null);
    if (next === undefined) return view;
    view = next;
  }
}

/** An axis of a node by whose quotients its reductions are bounded. */
interface DividedAxis {
  readonly node: Comprehension;
  readonly name: string;
  readonly divisor: number;
}

function dividedAxes(group: Group): readonly DividedAxis[] {
  return nodesOf(group).flatMap((node) => {
    if (node.reduction?.op !== "sum") return [];
    const divisions = postorder(...node.reduction.axes.flatMap(({ lo, hi }) => [lo, hi])).flatMap((e) => {
      const division = asDivision(e);
      return division === null ? [] : [{ names: indicesIn([e]), divisor: division.divisor }];
    });
    return node.axes.flatMap(({ name, size }): DividedAxis[] => {
      const own = divisions.find(({ names }) => names.has(name));
      if (own === undefined || size % own.divisor !== 0 || size / own.divisor < fewestPlaces) return [];
      return [{ node, name, divisor: own.divisor }];
    });
  });
}

/** What is split: axes of nodes by their names, of values and of phases by their numbers. */
interface Split {
  readonly divisor: number;
  readonly nodes: ReadonlyMap<Comprehension, ReadonlySet<string>>;
  readonly values: ReadonlyMap<ValueName, ReadonlySet<number>>;
  readonly phases: ReadonlyMap<Phase, ReadonlySet<number>>;
}

/** The view with an axis split, and with it those of all that is computed at its places; null where one of them can't be. */
function split(view: View, { node, name, divisor }: DividedAxis): View | null {
  const all = splitWith(view.group, node, name, divisor);
  if (all === null) return null;
  const nodes = new Map<Comprehension, Comprehension>();
  for (const one of nodesOf(view.group)) {
    const seen = splitNode(one, all);
    if (seen === null) return null;
    nodes.set(one, seen);
  }
  const { group } = view;
  const types = new Map(view.types);
  const orders = new Map(group.orders);
  for (const [value, numbers] of all.values) {
    const type = view.types.get(value);
    const order = group.orders.get(value);
    if (type !== undefined) types.set(value, { ...type, shape: sizesBy(type.shape, numbers, divisor) });
    if (order !== undefined) orders.set(value, orderBy(order, numbers));
  }
  const phases = group.phases.map((phase) => splitPhase(phase, all, nodes));
  const inlined = new Map([...group.inlined].map(([value, one]) => [value, nodes.get(one)!]));
  return { group: { ...group, phases, inlined, orders }, types };
}

/** All that is split with an axis: the values that its node defines, the axes at which they are read, and those of the same phase. */
function splitWith(group: Group, first: Comprehension, name: string, divisor: number): Split | null {
  const nodes = new Map<Comprehension, Set<string>>();
  const values = new Map<ValueName, Set<number>>();
  const phases = new Map<Phase, Set<number>>();
  const open: { readonly node: Comprehension; readonly axis: string }[] = [{ node: first, axis: name }];
  const put = <K, V>(sets: Map<K, Set<V>>, key: K, value: V): void => {
    sets.set(key, (sets.get(key) ?? new Set<V>()).add(value));
  };
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    const { node, axis } = one;
    if (nodes.get(node)?.has(axis) === true) continue;
    put(nodes, node, axis);
    const at = node.axes.findIndex((own) => own.name === axis);
    if (at < 0 || node.axes[at]!.size % divisor !== 0 || node.keys.some((key) => key.axis === axis))
      return null;
    for (const phase of group.phases) {
      const n = phase.nodes.indexOf(node);
      if (n < 0) continue;
      const place = phase.axesOf[n]!.indexOf(axis);
      // An axis of the grid, or one of which a node is computed at every place.
      if (place < 0) return null;
      put(phases, phase, place);
      phase.nodes.forEach((other, i) => open.push({ node: other, axis: phase.axesOf[i]![place]! }));
    }
    for (const { name: value } of definitions(node)) {
      put(values, value, at);
      for (const reader of nodesOf(group))
        for (const expr of postorder(...expressionsOf(reader))) {
          const place = expr.kind === "read" && expr.tensor === value ? expr.indices[at]! : null;
          if (place?.kind === "index" && reader.axes.some((own) => own.name === place.name))
            open.push({ node: reader, axis: place.name });
        }
    }
  }
  return { divisor, nodes, values, phases };
}

function sizesBy(sizes: readonly number[], numbers: ReadonlySet<number>, divisor: number): readonly number[] {
  return sizes.flatMap((size, at) => (numbers.has(at) ? [size / divisor, divisor] : [size]));
}

/** An order of axes, of which some are two that follow one another. */
function orderBy(order: AxisOrder, numbers: ReadonlySet<number>): AxisOrder {
  const before = (axis: number): number => [...numbers].filter((at) => at < axis).length;
  return order.flatMap((axis) => {
    const own = axis + before(axis);
    return numbers.has(axis) ? [own, own + 1] : [own];
  });
}

function splitPhase(
  phase: Phase,
  { divisor, phases }: Split,
  nodes: ReadonlyMap<Comprehension, Comprehension>,
): Phase {
  const numbers = phases.get(phase) ?? new Set<number>();
  return {
    ...phase,
    nodes: phase.nodes.map((node) => nodes.get(node)!),
    axes: sizesBy(phase.axes, numbers, divisor),
    axesOf: phase.axesOf.map((names, n) =>
      names.flatMap((name, at) => (numbers.has(at) ? [name, residueOf(phase.nodes[n]!, name)] : [name])),
    ),
  };
}

/** The name of an axis' residues. */
function residueOf(node: Comprehension, name: string): string {
  const taken = new Set([...node.axes, ...(node.reduction?.axes ?? [])].map((axis) => axis.name));
  let residue = `${name}_residue`;
  while (taken.has(residue)) residue += "_";
  return residue;
}

/** The node with its axes split, and those of what it reads; null where the bounds of a reduction still depend on more than residues. */
function splitNode(node: Comprehension, all: Split): Comprehension | null {
  const { divisor, values } = all;
  const names = all.nodes.get(node) ?? new Set<string>();
  const divide = (e: Expr): readonly Expr[] => [
    apply("floor_div", e, integer(divisor)),
    apply("mod", e, integer(divisor)),
  ];
  const places = new Map(
    [...names].map((name) => [
      name,
      apply("add", apply("mul", integer(divisor), index(name)), index(residueOf(node, name))),
    ]),
  );
  const seen = (root: Expr): Expr =>
    rewriteExpr(substituteIndices(root, places), (e) => {
      const numbers = e.kind === "read" ? values.get(e.tensor) : undefined;
      if (e.kind !== "read" || numbers === undefined) return e;
      const indices = e.indices.flatMap((at, i) => (numbers.has(i) ? divide(at) : [at]));
      return read(e.tensor, e.element, indices);
    });
  const axes = node.axes.flatMap((axis): Axis[] =>
    names.has(axis.name)
      ? [
          { ...axis, size: axis.size / divisor },
          { ...axis, name: residueOf(node, axis.name), size: divisor },
        ]
      : [axis],
  );
  const moved = withFixedBounds(mapExpressions({ ...node, axes }, seen), names);
  return moved && simplifyExpressions(moved);
}
