/** Goes through a graph in order, loops included, and replaces each comprehension by what a rewrite makes of it. */
import {
  type Comprehension,
  definitions,
  type Graph,
  type Node,
  type ValueName,
  type ValueType,
} from "../ir.ts";
import { type NameSupply, namesFor } from "../names.ts";
import { emptyContext, type RangeContext, withVariable } from "../ranges.ts";
import { valuesUsed } from "../traverse.ts";

/** What is visible where a node stands. */
export interface Scope {
  /** Loop variables around the node. */
  readonly outer: RangeContext;
  /** The comprehensions before it, as rewritten, by each value that they define. */
  readonly definitions: ReadonlyMap<ValueName, Comprehension>;
  /** Of values from outside of loops around the node: how many times the node is computed for each time that they are. */
  readonly turns: ReadonlyMap<ValueName, number>;
  readonly types: ReadonlyMap<ValueName, ValueType>;
  readonly names: NameSupply;
  /** Values that are used by name and not only read: results, and what loops carry. */
  readonly kept: ReadonlySet<ValueName>;
}

/** A rewrite of one node: the nodes that take its place, of which one defines its name. */
export type NodeRewrite = (node: Comprehension, scope: Scope) => readonly Comprehension[];

/** Applies a rewrite to every comprehension, in order. */
export function rewriteGraph(graph: Graph, rewrite: NodeRewrite): Graph {
  const names = namesFor(graph);
  const types = new Map(graph.params.map((p): [ValueName, ValueType] => [p.name, p]));
  const kept = new Set([...graph.results, ...usedByName(graph.nodes)]);
  return {
    ...graph,
    nodes: rewriteNodes(graph.nodes, rewrite, {
      outer: emptyContext,
      definitions: new Map(),
      turns: new Map(),
      types,
      names,
      kept,
    }),
  };
}

function rewriteNodes(nodes: readonly Node[], rewrite: NodeRewrite, scope: Scope): Node[] {
  const known = new Map(scope.definitions);
  const types = new Map(scope.types);
  const inner: Scope = { ...scope, definitions: known, types };
  const done: Node[] = [];
  const add = (node: Node): void => {
    done.push(node);
    for (const d of definitions(node)) types.set(d.name, d);
    if (node.kind !== "comprehension") return;
    known.set(node.name, node);
    if (node.reduction?.bestValue != null) known.set(node.reduction.bestValue, node);
  };
  for (const node of nodes) {
    if (node.kind === "comprehension") {
      for (const made of rewrite(node, inner)) add(made);
    } else if (node.kind === "loop") {
      const bodyTypes = new Map(types);
      for (const c of node.carries)
        bodyTypes.set(c.param, { name: c.param, element: c.element, shape: c.shape });
      const outer = withVariable(inner.outer, node.index, { lo: 0, hi: node.count - 1 });
      const turns = new Map(
        [...known.keys()].map((name) => [name, node.count * (inner.turns.get(name) ?? 1)]),
      );
      add({ ...node, body: rewriteNodes(node.body, rewrite, { ...inner, outer, turns, types: bodyTypes }) });
    } else {
      add(node);
    }
  }
  return done;
}

function usedByName(nodes: readonly Node[]): ValueName[] {
  return nodes.flatMap((node): ValueName[] => {
    switch (node.kind) {
      case "comprehension":
        return [];
      case "loop":
        return [
          ...node.carries.flatMap((c) => [c.init, c.next]),
          ...node.stacks.map((s) => s.value),
          ...usedByName(node.body),
        ];
      case "custom":
        return [
          ...node.results.map((r) => r.value),
          ...node.args,
          ...node.argCotangents,
          ...usedByName(node.rule),
        ];
      case "vjp":
      case "jvp":
        return [...node.of, ...node.at, ...node.seeds];
    }
  });
}

/**
 * The same rewrite, but a node that it once gave back as it was is not looked at again while what it reads is defined by the
 * same nodes.
 */
export function leavingSettled(rewrite: NodeRewrite): NodeRewrite {
  const settled = new WeakMap<Comprehension, readonly (Comprehension | undefined)[]>();
  return (node, scope) => {
    const sources = [...valuesUsed(node)].map((name) => scope.definitions.get(name));
    const before = settled.get(node);
    if (before !== undefined && before.every((source, i) => source === sources[i])) return [node];
    const made = rewrite(node, scope);
    if (made.length === 1 && made[0] === node) settled.set(node, sources);
    return made;
  };
}
