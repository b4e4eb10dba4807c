/** Names without gaps: after passes have come and gone, `dot.7`, `dot.9` are `dot`, `dot.1` again. Results keep their names. */
import type { Graph, ValueName } from "../ir.ts";
import { namesIn, renameNodes } from "../rename.ts";
import { baseName } from "../names.ts";

export function renumber(graph: Graph): Graph {
  const fixed = new Set([...graph.params.map((p) => p.name), ...graph.results]);
  const taken = new Set(fixed);
  const names = new Map<ValueName, ValueName>();
  const next = new Map<string, number>();
  for (const { name } of graph.nodes.flatMap(namesIn)) {
    if (fixed.has(name) || names.has(name)) continue;
    const base = baseName(name);
    let n = next.get(base) ?? 0;
    const candidate = (): string => (n === 0 ? base : `${base}.${n}`);
    while (taken.has(candidate())) n++;
    taken.add(candidate());
    names.set(name, candidate());
    next.set(base, n + 1);
  }
  return { ...graph, nodes: renameNodes(graph.nodes, names) };
}
