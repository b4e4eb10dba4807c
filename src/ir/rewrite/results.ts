/**
 * Plain copies of computed values that are used by name. A result that is one: the value takes the result's name, and the copy
 * goes. What a loop carries or stacks: the loop takes the value that was copied.
 */
import {
  type Comprehension,
  definitions,
  type Graph,
  type Node,
  type ValueName,
  type ValueType,
} from "../ir.ts";
import { renameNodes } from "../rename.ts";

export function nameResults(graph: Graph): Graph {
  const forwarded = {
    ...graph,
    nodes: forwardCopies(graph.nodes, new Map(graph.params.map((p) => [p.name, p]))),
  };
  const results = new Set(graph.results);
  const types = new Map<ValueName, ValueType>(forwarded.nodes.flatMap(definitions).map((d) => [d.name, d]));
  const names = new Map<ValueName, ValueName>();
  const dropped = new Set<Node>();
  for (const node of forwarded.nodes) {
    const source = node.kind === "comprehension" && results.has(node.name) ? copied(node, types) : null;
    if (source === null || results.has(source) || names.has(source)) continue;
    names.set(source, (node as Comprehension).name);
    dropped.add(node);
  }
  if (dropped.size === 0) return forwarded;
  return {
    ...forwarded,
    nodes: renameNodes(
      forwarded.nodes.filter((n) => !dropped.has(n)),
      names,
    ),
  };
}

/** Loops with the values that were copied in the place of the copies. */
function forwardCopies(nodes: readonly Node[], outer: ReadonlyMap<ValueName, ValueType>): Node[] {
  const types = new Map(outer);
  const sources = new Map<ValueName, ValueName>();
  const of = (name: ValueName): ValueName => sources.get(name) ?? name;
  return nodes.map((node): Node => {
    for (const d of definitions(node)) types.set(d.name, d);
    if (node.kind === "comprehension") {
      const source = copied(node, types);
      if (source !== null) sources.set(node.name, of(source));
      return node;
    }
    if (node.kind !== "loop") return node;
    const inside = new Map(types);
    for (const c of node.carries) inside.set(c.param, { name: c.param, element: c.element, shape: c.shape });
    const body = forwardCopies(node.body, inside);
    for (const d of body.flatMap(definitions)) inside.set(d.name, d);
    const inner = copiesIn(body, inside);
    return {
      ...node,
      body,
      carries: node.carries.map((c) => ({ ...c, init: of(c.init), next: inner(c.next) })),
      stacks: node.stacks.map((s) => ({ ...s, value: inner(s.value) })),
    };
  });
}

/** What the nodes of a body copy; a value from outside of the loop is not taken as the body's own. */
function copiesIn(
  body: readonly Node[],
  types: ReadonlyMap<ValueName, ValueType>,
): (name: ValueName) => ValueName {
  const own = new Set(body.flatMap(definitions).map((d) => d.name));
  const sources = new Map<ValueName, ValueName>();
  for (const node of body) {
    const source = node.kind === "comprehension" ? copied(node, types) : null;
    if (source !== null && own.has(source))
      sources.set((node as Comprehension).name, sources.get(source) ?? source);
  }
  return (name) => sources.get(name) ?? name;
}

/** The value that a node copies element by element, if it does that and nothing else. */
function copied(node: Comprehension, types: ReadonlyMap<ValueName, ValueType>): ValueName | null {
  const { body } = node;
  if (node.reduction !== null || body.kind !== "read" || body.indices.length !== node.axes.length)
    return null;
  if (!body.indices.every((e, i) => e.kind === "index" && e.name === node.axes[i]!.name)) return null;
  const source = types.get(body.tensor);
  const same =
    source !== undefined &&
    source.shape.every((size, i) => size === node.axes[i]!.size) &&
    source.element.bound === node.element.bound;
  return same ? source.name : null;
}
