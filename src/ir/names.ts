/** Fresh names in a graph that has some already. */
import { type Axis, definitions, type Graph, type Node, type ValueName } from "./ir.ts";

export interface NameSupply {
  /** A name like `hint` that was not given before: `d_x`, then `d_x.1`, `d_x.2`, … */
  readonly fresh: (hint: string) => ValueName;
}

/** A supply that avoids every value name of a graph. */
export function namesFor(graph: Graph): NameSupply {
  const taken = new Set(graph.params.map((p) => p.name));
  const visit = (node: Node): void => {
    for (const d of definitions(node)) taken.add(d.name);
    if (node.kind === "loop") {
      for (const c of node.carries) taken.add(c.param);
      node.body.forEach(visit);
    } else if (node.kind === "custom") {
      for (const c of node.cotangents) taken.add(c);
      node.rule.forEach(visit);
    }
  };
  graph.nodes.forEach(visit);
  const counts = new Map<string, number>();
  const fresh = (hint: string): ValueName => {
    const base = baseName(hint);
    for (;;) {
      const n = counts.get(base) ?? 0;
      counts.set(base, n + 1);
      const name = n === 0 ? base : `${base}.${n}`;
      if (taken.has(name)) continue;
      taken.add(name);
      return name;
    }
  };
  return { fresh };
}

/** A value's name without its number: `dot` for `dot.2`. */
export function baseName(name: ValueName): string {
  return name.replace(/\.\d+$/, "");
}

/** A variable name like `hint` that is not in `taken`; it is added there. */
export function freshVariable(hint: string, taken: Set<string>): string {
  const base = hint.replace(/\d+$/, "");
  let name = hint;
  for (let n = 1; taken.has(name); n++) name = `${base}${n}`;
  taken.add(name);
  return name;
}

/** Axes `i0`, `i1`, … over a shape, named otherwise where those are index variables around. */
export function axesOver(shape: readonly number[], around: Iterable<string>): Axis[] {
  const taken = new Set(around);
  return shape.map((size, i) => ({ name: freshVariable(`i${i}`, taken), size }));
}
