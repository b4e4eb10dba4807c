/** Common subexpressions: of nodes that compute the same, the first one stays. */
import { structuralKey } from "../affine.ts";
import { index, read } from "../build.ts";
import type { Comprehension, Expr, Graph, Node, ValueName } from "../ir.ts";
import { renameNodes } from "../rename.ts";
import { substituteIndices } from "../substitute.ts";

export function mergeCommonNodes(graph: Graph): Graph {
  const names = new Map<ValueName, ValueName>();
  const kept = new Set(graph.results);
  return { ...graph, nodes: mergeNodes(graph.nodes, new Map(), names, kept) };
}

function mergeNodes(
  nodes: readonly Node[],
  seen: ReadonlyMap<string, Comprehension>,
  names: Map<ValueName, ValueName>,
  kept: ReadonlySet<ValueName>,
): Node[] {
  const known = new Map(seen);
  const done: Node[] = [];
  for (const original of nodes) {
    const node = renameUses(original, names);
    if (node.kind === "loop") {
      done.push({
        ...node,
        body: mergeNodes(node.body, known, names, kept),
        carries: node.carries.map((c) => ({ ...c, next: names.get(c.next) ?? c.next })),
        stacks: node.stacks.map((s) => ({ ...s, value: names.get(s.value) ?? s.value })),
      });
      continue;
    }
    if (node.kind !== "comprehension") {
      done.push(node);
      continue;
    }
    const key = nodeKey(node);
    const same = isCopy(node) ? undefined : known.get(key);
    const replaces =
      same !== undefined && (node.reduction?.bestValue == null || same.reduction?.bestValue != null);
    if (!replaces) {
      if (same === undefined) known.set(key, node);
      done.push(node);
      continue;
    }
    // A result keeps its name, as a copy.
    if (kept.has(node.name)) done.push(copyOf(node, same.name));
    else names.set(node.name, same.name);
    if (node.reduction?.bestValue != null) names.set(node.reduction.bestValue, same.reduction!.bestValue!);
  }
  return done;
}

function isCopy(node: Comprehension): boolean {
  return node.reduction === null && node.body.kind === "read";
}

function copyOf(node: Comprehension, source: ValueName): Comprehension {
  return {
    ...node,
    reduction: null,
    keys: [],
    body: read(
      source,
      node.element,
      node.axes.map((a) => index(a.name)),
    ),
  };
}

/** Renames what a node uses, but not what it defines. */
function renameUses(node: Node, names: ReadonlyMap<ValueName, ValueName>): Node {
  return names.size === 0 ? node : renameNodes([node], names)[0]!;
}

const nodeKeys = new WeakMap<Comprehension, string>();

/** A text that two nodes share when they compute the same, whatever their variables are called. */
export function nodeKey(node: Comprehension): string {
  let key = nodeKeys.get(node);
  if (key === undefined) {
    key = makeKey(node);
    nodeKeys.set(node, key);
  }
  return key;
}

function makeKey(node: Comprehension): string {
  const names = [...node.axes.map((a) => a.name), ...(node.reduction?.axes ?? []).map((a) => a.name)];
  const canonical = new Map(names.map((name, i): [string, Expr] => [name, index(`#${i}`)]));
  const key = (e: Expr): string => structuralKey(substituteIndices(e, canonical));
  const reduction =
    node.reduction === null
      ? ""
      : `${node.reduction.op} ${node.reduction.axes.map((a) => `${key(a.lo)}..${key(a.hi)}`).join(",")}`;
  const keys = node.keys.map((k) => `${names.indexOf(k.axis)}=${key(k.at)}`).join(",");
  return `${node.element.scalar}<${node.element.bound}>[${node.axes.map((a) => a.size).join(",")}] ${reduction} at ${keys} ${key(node.body)}`;
}
