/**
 * The autodiff pass: every `vjp` and `jvp` marker becomes ordinary nodes, innermost first; custom derivatives, once used,
 * are plain copies of their values.
 *
 *     differentiate(graph)                          expands the markers
 *     differentiate(vjpGraph(graph, ["x"]))         the vjp of a whole graph
 */
import { forward } from "./jvp.ts";
import type { Workspace } from "./transpose.ts";
import { reverse, zerosLike } from "./vjp.ts";
import { index, read } from "../ir/build.ts";
import {
  type Comprehension,
  type Derivative,
  type Graph,
  isFloat,
  type Node,
  type ValueName,
  type ValueType,
} from "../ir/ir.ts";
import { axesOver, namesFor } from "../ir/names.ts";
import { emptyContext, withVariable } from "../ir/ranges.ts";
import { namesIn } from "../ir/rename.ts";

/** A graph without derivative markers and custom derivatives, that computes the same. */
export function differentiate(graph: Graph): Graph {
  return differentiateNoting(graph).graph;
}

/**
 * The same, and which cotangents are zero because nothing leads to them: of values that matter to no result of `of`, or only
 * through integers and `stop_gradient`. They are named as the markers' results.
 */
export function differentiateNoting(graph: Graph): {
  readonly graph: Graph;
  readonly unreached: ReadonlySet<ValueName>;
} {
  const types = new Map<ValueName, ValueType>(graph.params.map((p) => [p.name, p]));
  for (const d of graph.nodes.flatMap(namesIn)) types.set(d.name, d);
  const unreached = new Set<ValueName>();
  const expanded = expand(graph.nodes, { names: namesFor(graph), types, outer: emptyContext, unreached });
  return { graph: { ...graph, nodes: withoutCustom(expanded, []) }, unreached };
}

interface Shared extends Omit<Workspace, "emit"> {
  /** Grows by the results of `vjp` markers that nothing leads to. */
  readonly unreached: Set<ValueName>;
}

function expand(nodes: readonly Node[], shared: Shared): Node[] {
  const done: Node[] = [];
  const ws: Workspace = { ...shared, emit: (node) => done.push(node) };
  for (const node of nodes) {
    switch (node.kind) {
      case "comprehension":
        done.push(node);
        break;
      case "loop":
        done.push({
          ...node,
          body: expand(node.body, {
            ...shared,
            outer: withVariable(shared.outer, node.index, { lo: 0, hi: node.count - 1 }),
          }),
        });
        break;
      case "custom":
        done.push({ ...node, rule: expand(node.rule, shared) });
        break;
      case "vjp":
      case "jvp":
        expandMarker(ws, node, [...done], shared.unreached);
    }
  }
  return done;
}

function expandMarker(
  ws: Workspace,
  marker: Derivative,
  before: readonly Node[],
  unreached: Set<ValueName>,
): void {
  const found =
    marker.kind === "vjp"
      ? reverse(ws, before, marker.of, marker.seeds, marker.at)
      : forward(ws, before, marker.at, marker.seeds, marker.of);
  const likes = marker.kind === "vjp" ? marker.at : marker.of;
  marker.results.forEach((result, i) => {
    const value = found[i] ?? null;
    if (value === null && marker.kind === "vjp") unreached.add(result.name);
    ws.emit(copyNode(result, value ?? zerosLike(ws, likes[i]!, result.name), ws.outer.variables.keys()));
  });
}

/** A node that copies a value under another name. */
function copyNode(to: ValueType, from: ValueName, around: Iterable<string>): Comprehension {
  const axes = axesOver(to.shape, around);
  const body = read(
    from,
    to.element,
    axes.map((a) => index(a.name)),
  );
  return {
    kind: "comprehension",
    name: to.name,
    element: to.element,
    axes,
    reduction: null,
    keys: [],
    body,
    origin: null,
  };
}

function withoutCustom(nodes: readonly Node[], around: readonly string[]): Node[] {
  return nodes.flatMap((node): Node[] => {
    if (node.kind === "custom") return node.results.map((r) => copyNode(r, r.value, around));
    return node.kind === "loop"
      ? [{ ...node, body: withoutCustom(node.body, [...around, node.index]) }]
      : [node];
  });
}

/**
 * The graph with cotangents of its floating results as further parameters (`ct`, or `ct0`, `ct1`, …), and the cotangents of
 * its floating parameters as its results, in order.
 */
export function vjpGraph(graph: Graph): Graph {
  const names = namesFor(graph);
  const types = typesOf(graph);
  const of = graph.results.filter((r) => isFloat(types.get(r)!.element.scalar));
  const at = graph.params.filter((p) => isFloat(p.element.scalar));
  const seeds = of.map((r, i): ValueType => ({
    ...types.get(r)!,
    name: names.fresh(of.length === 1 ? "ct" : `ct${i}`),
  }));
  const results = at.map((p): ValueType => ({ ...p, name: names.fresh(`d_${p.name}`) }));
  return withMarker(graph, { kind: "vjp", of, at: at.map((p) => p.name), seeds, results });
}

/** The graph with tangents of its floating parameters as further parameters, and the tangents of its floating results as its results. */
export function jvpGraph(graph: Graph): Graph {
  const names = namesFor(graph);
  const types = typesOf(graph);
  const at = graph.params.filter((p) => isFloat(p.element.scalar));
  const of = graph.results.filter((r) => isFloat(types.get(r)!.element.scalar));
  const seeds = at.map((p): ValueType => ({ ...p, name: names.fresh(`t_${p.name}`) }));
  const results = of.map((r): ValueType => ({ ...types.get(r)!, name: names.fresh(`t_${r}`) }));
  return withMarker(graph, { kind: "jvp", of, at: at.map((p) => p.name), seeds, results });
}

/** The graph whose further parameters are the seeds of a derivative, and whose results are that derivative's. */
function withMarker(
  graph: Graph,
  {
    seeds,
    ...marker
  }: Pick<Derivative, "kind" | "of" | "at" | "results"> & { readonly seeds: readonly ValueType[] },
): Graph {
  const node: Derivative = { ...marker, seeds: seeds.map((s) => s.name), origin: null };
  return {
    name: `${graph.name}_${marker.kind}`,
    params: [...graph.params, ...seeds],
    nodes: [...graph.nodes, node],
    results: marker.results.map((r) => r.name),
  };
}

function typesOf(graph: Graph): Map<ValueName, ValueType> {
  return new Map([...graph.params, ...graph.nodes.flatMap(namesIn)].map((v) => [v.name, v]));
}
