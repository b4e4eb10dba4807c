/**
 * Contractions by their operands: reductions of which some parts depend on rows alone and others on columns alone.
 *
 *     sum q<64. %w[r, q] * gelu(%x[q, i])       rows r: %w[r, q]       columns i: gelu(%x[q, i])
 *
 * An operand is the largest expression that depends on the turn and on one side alone: padding, a normalisation or a gather is part of it.
 * Reductions over the same turns are one contraction, whose operands are told apart only where they differ.
 */
import { structuralKey } from "../../ir/affine.ts";
import { constantExtent } from "../../ir/extent.ts";
import { index as indexExpr } from "../../ir/build.ts";
import { type Expr, typeOf } from "../../ir/ir.ts";
import { substituteIndices } from "../../ir/substitute.ts";
import { indicesIn, operands as operandsOf, postorder } from "../../ir/traverse.ts";
import { deepestInlined, type Emission, type Instance, instantiate } from "./emission.ts";
import { withGuardedFactors } from "./guarded.ts";
import { arraysStored } from "./reads.ts";

/** The side of a contraction on which an operand depends. */
export type Side = "rows" | "columns";

/** What of a body depends on the turn and on one side. */
export interface Operand {
  readonly expr: Expr;
  readonly side: Side;
  /** What it reads from memory. */
  readonly reads: readonly (Expr & { readonly kind: "read" })[];
}

/** Reductions over the same turns, with operands on both sides. */
export interface Contraction {
  /** They have the same axes, and their conditions stand at the operands. */
  readonly reductions: readonly Instance[];
  /** The turns of each axis; infinitely many where workgroups have different numbers of them, which the innermost axis has not. */
  readonly extents: readonly number[];
  readonly operands: readonly Operand[];
}

/** The contractions in some instances that are computed at the same points, by the variables of rows and of columns. */
export function contractionsOf(
  emission: Emission,
  instances: readonly Instance[],
  rows: readonly string[],
  columns: readonly string[],
): readonly Contraction[] {
  const sides = [new Set(rows), new Set(columns)] as const;
  const stored = arraysStored(emission, instances);
  const found = new Map<string, Contraction>();
  for (const instance of reductionsIn(emission, instances)) {
    const extents = extentsOf(instance, sides);
    if (extents === null) continue;
    const turns = instance.axes.map(({ lo, hi }) => `${structuralKey(lo)} ${structuralKey(hi)}`).join();
    const others = found.get(turns);
    const one = others === undefined ? instance : withAxesOf(instance, others.reductions[0]!);
    const guarded = withGuardedFactors(emission, one, sides);
    const operands = operandsIn(emission, guarded.body, new Set(one.axes.map(({ name }) => name)), sides);
    if (operands === null) continue;
    // What is overwritten is read by the invocation that stores it.
    const isChanged = ({ reads }: Operand): boolean =>
      reads.some(({ tensor }) => stored.has(emission.storages.get(tensor)?.array ?? ""));
    if (operands.some(isChanged)) continue;
    const all = new Map([...(others?.operands ?? []), ...operands].map((o) => [structuralKey(o.expr), o]));
    const reductions = [...(others?.reductions ?? []), guarded];
    found.set(turns, { reductions, extents, operands: [...all.values()] });
  }
  return [...found.values()];
}

/** The reductions that some instances are computed from at their own points, whatever conditions hold. */
function reductionsIn(emission: Emission, instances: readonly Instance[]): readonly Instance[] {
  const found: Instance[] = [];
  const seen = new Set<string>();
  const visit = (instance: Instance, depth: number): void => {
    if (depth > deepestInlined || seen.has(instance.key) || instance.keys.length > 0) return;
    seen.add(instance.key);
    if (instance.axes.length > 0) found.push(instance);
    else visitExpr(instance.body, depth, new Set());
  };
  const visitExpr = (expr: Expr, depth: number, done: Set<Expr>): void => {
    if (done.has(expr)) return;
    done.add(expr);
    const node = expr.kind === "read" ? emission.computed.get(expr.tensor) : undefined;
    if (expr.kind === "read" && node !== undefined)
      visit(instantiate(emission, node, expr.indices), depth + 1);
    const below = expr.kind === "select" ? [expr.condition] : operandsOf(expr);
    for (const operand of below) visitExpr(operand, depth, done);
  };
  for (const instance of instances) visit(instance, 0);
  return found;
}

/** The turns of each axis, as a contraction has them; null where invocations of a workgroup could come to different ones. */
function extentsOf({ axes, contexts }: Instance, sides: readonly ReadonlySet<string>[]): number[] | null {
  const turns = new Set(axes.map(({ name }) => name));
  const extents = axes.map((axis, level) => {
    const bounds = indicesIn([axis.lo, axis.hi]);
    const isFixed = ![turns, ...sides].some((names) => meets(bounds, names));
    if (!isFixed) return 0;
    // A workgroup's number tells its turns, but what it reads does not: barriers stand in no loop that hangs on data.
    const isRead = postorder(axis.lo, axis.hi).some(({ kind }) => kind === "read");
    return constantExtent(axis, contexts[level]!) ?? (isRead ? 0 : Infinity);
  });
  return extents.every((extent) => extent > 0) && extents.at(-1) !== Infinity ? extents : null;
}

/** The same reduction over the axes of another one with the same bounds. */
function withAxesOf(instance: Instance, { axes, contexts }: Instance): Instance {
  const names = new Map(instance.axes.map(({ name }, level) => [name, indexExpr(axes[level]!.name)]));
  return { ...instance, axes, contexts, body: substituteIndices(instance.body, names) };
}

/** The operands of a body; null where there are none on one of the sides. */
function operandsIn(
  emission: Emission,
  body: Expr,
  turns: ReadonlySet<string>,
  [rows, columns]: readonly [ReadonlySet<string>, ReadonlySet<string>],
): readonly Operand[] | null {
  const found = new Map<string, Operand>();
  const seen = new Set<Expr>();
  const visit = (expr: Expr, depth: number): void => {
    if (seen.has(expr) || depth > deepestInlined) return;
    seen.add(expr);
    const names = indicesIn([expr]);
    // What is the same in all turns is in registers anyway.
    if (!meets(names, turns)) return;
    const onRows = meets(names, rows);
    if (onRows !== meets(names, columns)) {
      const reads = readsIn(emission, expr, 0);
      if (reads !== null && reads.length > 0 && typeOf(expr) !== "bool") {
        found.set(structuralKey(expr), { expr, side: onRows ? "rows" : "columns", reads });
        return;
      }
    }
    // What stands under a condition may only be computed where that holds: it is an operand with the condition or not at all.
    if (expr.kind === "apply") for (const arg of expr.args) visit(arg, depth);
    const node = expr.kind === "read" ? emission.computed.get(expr.tensor) : undefined;
    if (expr.kind === "read" && node !== undefined && node.reduction === null)
      visit(instantiate(emission, node, expr.indices).body, depth + 1);
  };
  visit(body, 0);
  const list = [...found.values()];
  const hasBoth = (["rows", "columns"] as const).every((side) => list.some((one) => one.side === side));
  return hasBoth ? list : null;
}

function meets(names: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  return [...names].some((name) => others.has(name));
}

/** What an expression reads from memory; null where it hangs on a reduction, which would be computed again for every element. */
function readsIn(emission: Emission, root: Expr, depth: number): Operand["reads"] | null {
  if (depth > deepestInlined) return null;
  const reads: (Expr & { kind: "read" })[] = [];
  for (const expr of postorder(root)) {
    if (expr.kind !== "read") continue;
    const node = emission.computed.get(expr.tensor);
    if (node === undefined) {
      reads.push(expr);
      continue;
    }
    if (node.reduction !== null) return null;
    const inner = readsIn(emission, instantiate(emission, node, expr.indices).body, depth + 1);
    if (inner === null) return null;
    reads.push(...inner);
  }
  return reads;
}
