/** Forward mode: each node is followed by the one that computes its tangent. */
import { mul } from "./arithmetic.ts";
import { bodyTangent, type Read } from "./body.ts";
import { jvpOfCustom } from "./custom.ts";
import { jvpOfLoop } from "./loop.ts";
import { atBest, atPosition, productOfOthers, type Workspace } from "./transpose.ts";
import { read } from "../ir/build.ts";
import { type Comprehension, type Expr, type Node, typeOf, type ValueName } from "../ir/ir.ts";

/**
 * Emits the tangents of the values `of`, given those of the values `at`, and gives their names: one for each of `of`, null
 * where it is zero everywhere. `nodes` are all nodes between them, in order.
 */
export function forward(
  ws: Workspace,
  nodes: readonly Node[],
  at: readonly ValueName[],
  seeds: readonly ValueName[],
  of: readonly ValueName[],
): (ValueName | null)[] {
  const tangents = new Map(at.map((name, i) => [name, seeds[i]!]));
  const ends = new Set(at);
  const tangentOf = (name: ValueName): ValueName | null => tangents.get(name) ?? null;
  const set = (name: ValueName, tangent: ValueName | null): void => {
    if (tangent !== null && !ends.has(name)) tangents.set(name, tangent);
  };
  for (const node of nodes) {
    switch (node.kind) {
      case "comprehension":
        set(node.reduction?.bestValue ?? node.name, tangentOfNode(ws, node, tangentOf));
        break;
      case "loop":
        for (const [name, tangent] of jvpOfLoop(ws, node, tangentOf)) set(name, tangent);
        break;
      case "custom":
        jvpOfCustom(ws, node, tangentOf).forEach((tangent, i) => set(node.results[i]!.name, tangent));
        break;
      case "vjp":
      case "jvp":
        throw new Error("derivatives are expanded innermost first");
    }
  }
  return of.map(tangentOf);
}

/** Emits the tangent of a node; null if it is zero everywhere. */
function tangentOfNode(
  ws: Workspace,
  node: Comprehension,
  tangentOf: (name: ValueName) => ValueName | null,
): ValueName | null {
  const ofRead = (r: Read): Expr | null => {
    const tangent = tangentOf(r.tensor);
    return tangent === null ? null : read(tangent, { scalar: r.element.scalar, bound: null }, r.indices);
  };
  // Nothing is emitted for a node that no tangent reaches.
  const reached = bodyTangent(node.body, ofRead);
  if (reached === null) return null;
  switch (node.reduction?.op) {
    case undefined:
    case "sum":
      return emitTangent(ws, node, node, reached);
    case "max":
    case "min": {
      const best = atBest(ws, node);
      return emitTangent(ws, node, best, bodyTangent(best.body, ofRead));
    }
    case "argmax":
    case "argmin": {
      if (node.reduction.bestValue === null) return null;
      const best = atPosition(ws, node);
      return emitTangent(ws, node, best, bodyTangent(best.body, ofRead));
    }
    case "prod":
      return emitTangent(
        ws,
        node,
        { ...node, reduction: { ...node.reduction, op: "sum" } },
        mul(reached, productOfOthers(ws, node)),
      );
    case "any":
    case "all":
      return null;
  }
}

function emitTangent(
  ws: Workspace,
  original: Comprehension,
  shaped: Comprehension,
  body: Expr | null,
): ValueName | null {
  if (body === null) return null;
  const name = ws.names.fresh(`t_${original.reduction?.bestValue ?? original.name}`);
  const node: Comprehension = { ...shaped, name, element: { scalar: typeOf(body), bound: null }, body };
  ws.types.set(name, { name, element: node.element, shape: node.axes.map((a) => a.size) });
  ws.emit(node);
  return name;
}
