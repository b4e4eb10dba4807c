/**
 * What the lowering of one kernel knows: its open blocks, its variables, where values live, and which nodes are computed where they
 * are read.
 *
 * All nodes of a kernel are written over one set of variables: an inlined node has its axes replaced by the indices at which it is read,
 * a node of a phase by the phase's own variables. A variable may have several instances, where a point of the phase is a tile of points or a
 * loop is unrolled; they are written side by side, so that what they share is loaded once.
 */
import { apply, index as indexExpr } from "../../ir/build.ts";
import type { Comprehension, Expr, ReductionAxis, ValueName, ValueType } from "../../ir/ir.ts";
import { structuralKey } from "../../ir/affine.ts";
import type { Interval } from "../../ir/intervals.ts";
import { contextsOf, emptyContext, type RangeContext, withVariable } from "../../ir/ranges.ts";
import { substituteIndices } from "../../ir/substitute.ts";
import { indicesIn, operands, postorder } from "../../ir/traverse.ts";
import type { KernelExpr, KernelType, Space, WorkgroupArray } from "../kernel.ts";
import type { Staging } from "./fill.ts";
import type { Scopes } from "./scopes.ts";
import type { Sharing } from "./share.ts";

/** One instance of an index variable: it is `base + offset`, and known from a depth on. */
export interface Variable {
  readonly name: string;
  /** Tells instances apart. */
  readonly id: number;
  readonly base: KernelExpr;
  readonly offset: number;
}

/** The instance of each variable at which something is written. */
export type Point = ReadonlyMap<string, Variable>;

/** An array that holds a value: its axes in order, with their strides in elements. Axes that are left out are fixed in a kernel. */
export interface Storage {
  readonly space: Space;
  readonly array: string;
  readonly type: KernelType;
  /** By the axis of the value; null for one that the array does not have. */
  readonly strides: readonly (number | null)[];
}

/** A node over a kernel's variables. */
export interface Instance {
  readonly node: Comprehension;
  readonly key: string;
  /** What stands for the node's axes; null for a keyed one. */
  readonly indices: readonly (Expr | null)[];
  readonly axes: readonly ReductionAxis[];
  readonly keys: readonly { readonly axis: number; readonly at: Expr }[];
  readonly body: Expr;
  /** What holds at the bounds of each reduction axis, and last at the body. */
  readonly contexts: readonly RangeContext[];
  /** The variables that its value depends on. */
  readonly variables: readonly string[];
}

export interface Emission {
  readonly scopes: Scopes;
  readonly storages: ReadonlyMap<ValueName, Storage>;
  /** Types of all values. */
  readonly types: ReadonlyMap<ValueName, ValueType>;
  /** Nodes that are computed at their reads: the inlined ones, and those of the phase that is being written. */
  readonly computed: Map<ValueName, Comprehension>;
  readonly instances: Map<string, Instance>;
  /** Names of variables that are in use. */
  readonly taken: Set<string>;
  /** Subexpressions that are used more than once. */
  readonly shared: Set<Expr>;
  /** How often subexpressions are used in the bodies that are written. */
  readonly uses: Map<Expr, number>;
  /** The range of each variable that is in use, wherever it has an instance. */
  readonly ranges: Map<string, Interval>;
  /** What is known of the variables where it is being written. */
  context: RangeContext;
  /** The loops around that may have no turn: the depth of each one's block, and what is known before it. */
  readonly loops: { readonly depth: number; readonly context: RangeContext }[];
  /** Is it being written outside of such a loop for what is inside? */
  isAhead: boolean;
  /** Instances of each variable that are written side by side. */
  readonly tile: Map<string, readonly Variable[]>;
  /** The variable along which the lanes of a subgroup lie, all others being the same in them; none where it is empty. */
  lane: ReadonlySet<string>;
  /** Who shares the reductions of a phase of one point; null where nobody does. */
  sharing: Sharing | null;
  /** Does the phase that is being written store to what it reads? */
  overwrites: boolean;
  /** Where points are written: the depth of their block, the arrays they are stored to, and the condition under which one is, if any. */
  stored: {
    readonly depth: number;
    readonly arrays: ReadonlySet<string>;
    readonly guardOf: (point: Point) => KernelExpr | null;
  } | null;
  /** The segment sums of the phase that is being written. */
  readonly columns: Set<ValueName>;
  /** Values of a region's only point that all its invocations have at hand. */
  readonly held: Map<ValueName, KernelExpr>;
  /** The variables of the rows and of the columns of the block that is being written; null outside of one. */
  sides: readonly ReadonlySet<string>[] | null;
  /** The operands that the block that is being written stages; null where it stages none. */
  staging: Staging | null;
  /** The names of the arrays through which invocations share reductions, by what they hold. */
  readonly exchanges: Map<string, string>;
  /** Workgroup arrays beside those of values: of staged operands, and of shared reductions. */
  readonly tiles: WorkgroupArray[];
  nextId: number;
  /** About so many evaluations of a reduction's body stand in its loop. */
  bodiesInLoop: number;
  /** So many sums of reductions inside a reduction are kept at once. */
  nestedSums: number;
  /** Turns of a segment sum in memory that are written side by side, at most. */
  readonly turnsOfSegments: number;
  /** Arrays of segment sums that all invocations have cleared together. */
  readonly cleared: Set<string>;
  /** Loops that were written out because their turns are a run in memory; null where they shall stay loops. */
  runs: number | null;
}

/** Nodes inlined into one another deeper than this are not looked into. */
export const deepestInlined = 12;

/** A new instance of a variable. */
export function variable(emission: Emission, name: string, base: KernelExpr, offset = 0): Variable {
  return { name, id: emission.nextId++, base, offset };
}

/** A variable name like the hint that no other variable has. */
export function freshVariableName(emission: Emission, hint: string): string {
  let name = hint;
  for (let n = 1; emission.taken.has(name); n++) name = `${hint}_${n}`;
  emission.taken.add(name);
  return name;
}

/**
 * The node with its axes replaced: `null` stands for keyed axes. It may be computed wherever the variables of its indices are, so that
 * nothing is known in it but their ranges.
 */
export function instantiate(
  emission: Emission,
  node: Comprehension,
  indices: readonly (Expr | null)[],
): Instance {
  const key = `${node.name}[${indices.map((e) => (e === null ? "*" : structuralKey(e))).join(",")}]`;
  const before = emission.instances.get(key);
  if (before !== undefined) return before;
  const values = new Map<string, Expr>();
  node.axes.forEach((axis, i) => {
    const at = indices[i];
    if (at != null) values.set(axis.name, at);
  });
  const axes: ReductionAxis[] = [];
  for (const { name, lo, hi } of inLoopOrder(node)) {
    const fresh = freshVariableName(emission, name);
    axes.push({ name: fresh, lo: substituteIndices(lo, values), hi: substituteIndices(hi, values) });
    values.set(name, indexExpr(fresh));
  }
  const keys = node.keys.map(({ axis, at }) => ({
    axis: node.axes.findIndex((a) => a.name === axis),
    at: substituteIndices(at, values),
  }));
  const over: Comprehension = {
    ...node,
    axes: [],
    keys: [],
    reduction: node.reduction === null ? null : { ...node.reduction, axes },
  };
  const variables = [...indicesIn(indices.filter((e) => e !== null))].sort();
  const outside = variables.reduce(
    (context, name) => withVariable(context, name, emission.ranges.get(name)!),
    emptyContext,
  );
  const contexts = contextsOf(over, outside);
  axes.forEach(({ name }, i) => emission.ranges.set(name, contexts[i + 1]!.variables.get(name)!));
  const instance: Instance = {
    node,
    key,
    indices,
    axes,
    keys,
    body: substituteIndices(node.body, values),
    contexts,
    variables,
  };
  emission.instances.set(key, instance);
  for (const [expr, count] of usesIn(instance.body)) {
    emission.uses.set(expr, (emission.uses.get(expr) ?? 0) + count);
    if (count > 1) emission.shared.add(expr);
  }
  return instance;
}

/**
 * The reduction axes in the order of their loops, outermost first. Those of constant range go innermost, where they are unrolled, unless
 * the range of another depends on one; among them those go last that no condition depends on, so that conditions are tested outside.
 */
function inLoopOrder(node: Comprehension): readonly ReductionAxis[] {
  const axes = node.reduction?.axes ?? [];
  if (axes.length < 2) return axes;
  const isConstant = ({ lo, hi }: ReductionAxis): boolean => lo.kind === "const" && hi.kind === "const";
  const constant = axes.filter(isConstant);
  const varying = axes.filter((axis) => !isConstant(axis));
  const needed = indicesIn(varying.flatMap(({ lo, hi }) => [lo, hi]));
  if (constant.some(({ name }) => needed.has(name))) return axes;
  const tested = indicesIn(conditionsIn(node.body));
  const isTested = ({ name }: ReductionAxis): boolean => tested.has(name);
  return [...varying, ...constant.filter(isTested), ...constant.filter((axis) => !isTested(axis))];
}

/** The conditions of an expression's selects. */
export function conditionsIn(body: Expr): Expr[] {
  return postorder(body).flatMap((expr) => (expr.kind === "select" ? [expr.condition] : []));
}

/** How often each subexpression of a body is an operand in it; the body itself is used once, by whoever asks for it. */
export function usesIn(body: Expr): Map<Expr, number> {
  const uses = new Map<Expr, number>([[body, 1]]);
  for (const expr of postorder(body))
    for (const operand of operands(expr)) uses.set(operand, (uses.get(operand) ?? 0) + 1);
  return uses;
}

/** An index expression kept within an axis of a size. */
export function clampedIndex(at: Expr, size: number): Expr {
  return apply(
    "clamp",
    at,
    { kind: "const", type: "i32", value: 0 },
    { kind: "const", type: "i32", value: Math.max(0, size - 1) },
  );
}
