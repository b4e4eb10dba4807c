/** Nodes with other names for their values, and with tensors replaced by expressions. */
import {
  type Comprehension,
  definitions,
  type Expr,
  type Node,
  type ValueName,
  type ValueType,
} from "./ir.ts";
import { rewriteExpr } from "./substitute.ts";
import { expressionsOf } from "./traverse.ts";

/** The nodes with values renamed, both where they are defined and where they are used; other names stay. */
export function renameNodes(nodes: readonly Node[], names: ReadonlyMap<ValueName, ValueName>): Node[] {
  const of = (name: ValueName): ValueName => names.get(name) ?? name;
  const expr = (e: Expr): Expr =>
    rewriteExpr(e, (x) => (x.kind === "read" && names.has(x.tensor) ? { ...x, tensor: of(x.tensor) } : x));
  return nodes.map((node): Node => {
    switch (node.kind) {
      case "comprehension": {
        const mapped = mapExpressions(node, expr);
        const renamesOwn =
          names.has(node.name) || (node.reduction?.bestValue != null && names.has(node.reduction.bestValue));
        if (mapped === node && !renamesOwn) return node;
        const reduction =
          mapped.reduction === null || mapped.reduction.bestValue === null
            ? mapped.reduction
            : { ...mapped.reduction, bestValue: of(mapped.reduction.bestValue) };
        return { ...mapped, name: of(node.name), reduction };
      }
      case "loop":
        return {
          ...node,
          carries: node.carries.map((c) => ({
            ...c,
            param: of(c.param),
            init: of(c.init),
            next: of(c.next),
            result: of(c.result),
          })),
          stacks: node.stacks.map((s) => ({ ...s, value: of(s.value), result: of(s.result) })),
          body: renameNodes(node.body, names),
        };
      case "custom":
        return {
          ...node,
          results: node.results.map((r) => ({ ...r, name: of(r.name), value: of(r.value) })),
          args: node.args.map(of),
          cotangents: node.cotangents.map(of),
          rule: renameNodes(node.rule, names),
          argCotangents: node.argCotangents.map(of),
        };
      case "vjp":
      case "jvp":
        return {
          ...node,
          of: node.of.map(of),
          at: node.at.map(of),
          seeds: node.seeds.map(of),
          results: node.results.map((r) => ({ ...r, name: of(r.name) })),
        };
    }
  });
}

/** A comprehension with every expression (bounds, keys, body) mapped; itself when none changes. */
export function mapExpressions(node: Comprehension, map: (e: Expr) => Expr): Comprehension {
  const exprs = expressionsOf(node);
  const mapped = new Map(exprs.map((e) => [e, map(e)]));
  if (exprs.every((e) => mapped.get(e) === e)) return node;
  return withExpressions(node, (e) => mapped.get(e)!);
}

function withExpressions(node: Comprehension, map: (e: Expr) => Expr): Comprehension {
  const reduction =
    node.reduction === null
      ? null
      : { ...node.reduction, axes: node.reduction.axes.map((a) => ({ ...a, lo: map(a.lo), hi: map(a.hi) })) };
  return { ...node, reduction, keys: node.keys.map((k) => ({ ...k, at: map(k.at) })), body: map(node.body) };
}

/** Everything that a node names: its results, and what is named inside loops and rules, which a copy must name anew. */
export function namesIn(node: Node): ValueType[] {
  const own = definitions(node);
  if (node.kind === "loop") {
    const params = node.carries.map((c) => ({ name: c.param, element: c.element, shape: c.shape }));
    return [...own, ...params, ...node.body.flatMap(namesIn)];
  }
  if (node.kind === "custom") {
    const cotangents = node.results.map((r, i) => ({
      name: node.cotangents[i]!,
      element: r.element,
      shape: r.shape,
    }));
    return [...own, ...cotangents, ...node.rule.flatMap(namesIn)];
  }
  return own;
}
