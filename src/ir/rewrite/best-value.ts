/**
 * A value read at its own argmax is its maximum, and a `max` and an `argmax` of one body are one reduction with two results.
 *
 *     %a = for i<49. argmax j<4. %m[i, j]      … %m[i, %a[i]] …      becomes      %a, %best = for i<49. argmax j<4. %m[i, j]   … %best[i] …
 */
import { structuralKey } from "../affine.ts";
import { apply, read } from "../build.ts";
import {
  type Comprehension,
  type ElementType,
  type Expr,
  type Graph,
  isFloat,
  type Node,
  typeOf,
  type ValueName,
} from "../ir.ts";
import { baseName, type NameSupply, namesFor } from "../names.ts";
import { contextsOf, rangeOf } from "../ranges.ts";
import { mapExpressions } from "../rename.ts";
import { rewriteExpr, substituteIndices } from "../substitute.ts";
import { postorder } from "../traverse.ts";
import { nodeKey } from "./cse.ts";

const positions = { max: "argmax", min: "argmin" } as const;

export function shareBestValues(graph: Graph): Graph {
  const names = namesFor(graph);
  return { ...graph, nodes: inScope(mergeWithPositions(graph.nodes), names) };
}

function isPosition(node: Node): node is Comprehension {
  return node.kind === "comprehension" && positionOp(node) !== null;
}

/**
 * Is there always a candidate? Over an empty range the position is 0 and the best value infinite. Integers are left alone: a best
 * value has no bound, and one that was read may have had.
 */
function isFound(node: Comprehension): boolean {
  const [axis] = node.reduction!.axes;
  const extent = apply("sub", axis!.hi, axis!.lo);
  return isFloat(typeOf(node.body)) && rangeOf(extent, contextsOf(node)[0]!).lo >= 1;
}

function positionOp(node: Comprehension): "argmax" | "argmin" | null {
  const op = node.reduction?.op;
  return op === "argmax" || op === "argmin" ? op : null;
}

/** Puts an `argmax` in the place of the `max` of the same body, if that comes first; the `max` is its best value. */
function mergeWithPositions(nodes: readonly Node[]): Node[] {
  const wanted = new Map<string, Comprehension>();
  for (const node of nodes)
    if (isPosition(node) && node.reduction!.bestValue === null && isFloat(typeOf(node.body)))
      wanted.set(bodyKey(node, positionOp(node)!), node);
  const merged = new Set<Node>();
  const done: Node[] = [];
  for (const node of nodes) {
    if (merged.has(node)) continue;
    if (node.kind === "loop") {
      done.push({ ...node, body: mergeWithPositions(node.body) });
      continue;
    }
    const op = node.kind === "comprehension" ? node.reduction?.op : undefined;
    const position =
      op === "max" || op === "min" ? wanted.get(bodyKey(node as Comprehension, positions[op])) : undefined;
    if (position === undefined || merged.has(position)) {
      done.push(node);
      continue;
    }
    const best: Comprehension = {
      ...position,
      reduction: { ...position.reduction!, bestValue: (node as Comprehension).name },
    };
    // If the position stood before, it grows there; otherwise it moves here, where its operands are known too.
    const before = done.indexOf(position);
    if (before >= 0) done[before] = best;
    else done.push(best);
    merged.add(position);
  }
  return done;
}

/** The key of a node over one reduction axis as if its reduction were `op`, whatever type its result has. */
function bodyKey(node: Comprehension, op: "argmax" | "argmin"): string {
  if (node.reduction!.axes.length !== 1 || node.keys.length > 0) return node.name;
  return nodeKey({
    ...node,
    element: { scalar: typeOf(node.body), bound: null },
    reduction: { ...node.reduction!, op },
  });
}

/** Replaces bodies at their own best position by the best value. */
function inScope(nodes: readonly Node[], names: NameSupply): Node[] {
  const found = new Map<ValueName, Comprehension>();
  const maps = new Map<ValueName, Comprehension>();
  const best = new Map<ValueName, ValueName>();
  const replaced = nodes.map((node): Node => {
    if (node.kind === "loop") return { ...node, body: inScope(node.body, names) };
    if (node.kind !== "comprehension") return node;
    const result = mapExpressions(node, (e) => readBest(e, { positions: found, maps }, best, names));
    if (isPosition(node) && isFound(node)) found.set(node.name, node);
    if (node.reduction === null) maps.set(node.name, node);
    return result;
  });
  return replaced.map((node) => {
    const name = node.kind === "comprehension" ? best.get(node.name) : undefined;
    return name === undefined
      ? node
      : { ...(node as Comprehension), reduction: { ...(node as Comprehension).reduction!, bestValue: name } };
  });
}

interface Known {
  readonly positions: ReadonlyMap<ValueName, Comprehension>;
  /** The nodes without reduction: a body that reads one may also stand as what that one computes. */
  readonly maps: ReadonlyMap<ValueName, Comprehension>;
}

function readBest(root: Expr, known: Known, best: Map<ValueName, ValueName>, names: NameSupply): Expr {
  const targets = new Map<
    string,
    { readonly of: Comprehension; readonly element: ElementType; readonly indices: readonly Expr[] }
  >();
  for (const e of postorder(root)) {
    const node = e.kind === "read" ? known.positions.get(e.tensor) : undefined;
    if (node === undefined || e.kind !== "read") continue;
    const [axis] = node.reduction!.axes;
    const values = new Map<string, Expr>([
      ...node.axes.map((a, i): [string, Expr] => [a.name, e.indices[i]!]),
      [axis!.name, e],
    ]);
    const body = substituteIndices(node.body, values);
    const element = { scalar: typeOf(node.body), bound: null };
    const target = { of: node, element, indices: e.indices };
    targets.set(structuralKey(body), target);
    const source = body.kind === "read" ? known.maps.get(body.tensor) : undefined;
    if (source === undefined || body.kind !== "read") continue;
    const written = substituteIndices(
      source.body,
      new Map(source.axes.map((a, i) => [a.name, body.indices[i]!])),
    );
    if (written.kind === "apply") targets.set(structuralKey(written), target);
  }
  if (targets.size === 0) return root;
  return rewriteExpr(root, (e) => {
    const target = e.kind === "const" || e.kind === "index" ? undefined : targets.get(structuralKey(e));
    if (target === undefined) return e;
    const name =
      target.of.reduction!.bestValue ??
      best.get(target.of.name) ??
      names.fresh(`${baseName(target.of.name)}_best`);
    best.set(target.of.name, name);
    return read(name, target.element, target.indices);
  });
}
