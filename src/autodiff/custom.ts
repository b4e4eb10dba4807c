/** Values with a derivative of their own: the rule's nodes stand in for the derivative of what computed them. */
import type { Cotangent, Workspace } from "./transpose.ts";
import { reverse, zerosLike } from "./vjp.ts";
import { namesIn, renameNodes } from "../ir/rename.ts";
import type { Custom, Node, ValueName } from "../ir/ir.ts";

/** Emits the rule's nodes with the cotangents put in. */
export function vjpOfCustom(
  ws: Workspace,
  node: Custom,
  total: (name: ValueName) => ValueName | null,
): Cotangent[] {
  const cotangents = node.results.map((r) => total(r.name) ?? zerosLike(ws, r.name, `d_${r.name}`));
  const { nodes, renamed } = instantiateRule(ws, node, cotangents);
  for (const n of nodes) ws.emit(n);
  return node.args.map((arg, i) => ({ to: arg, value: renamed(node.argCotangents[i]!) }));
}

/**
 * The tangents of the results. The rule is linear in its cotangents and computes Jᵀ·ct; its own transpose with respect to
 * them, given the arguments' tangents, is J·t.
 */
export function jvpOfCustom(
  ws: Workspace,
  node: Custom,
  tangentOf: (name: ValueName) => ValueName | null,
): (ValueName | null)[] {
  if (node.args.every((a) => tangentOf(a) === null)) return node.results.map(() => null);
  const places = node.results.map((r) => zerosLike(ws, r.name, `ct_${r.name}`));
  const { nodes, renamed } = instantiateRule(ws, node, places);
  for (const n of nodes) ws.emit(n);
  const tangents = node.args.map((arg) => tangentOf(arg) ?? zerosLike(ws, arg, `t_${arg}`));
  return reverse(ws, nodes, node.argCotangents.map(renamed), tangents, places);
}

function instantiateRule(
  ws: Workspace,
  node: Custom,
  cotangents: readonly ValueName[],
): { readonly nodes: Node[]; readonly renamed: (name: ValueName) => ValueName } {
  const names = new Map(node.cotangents.map((c, i) => [c, cotangents[i]!]));
  for (const d of node.rule.flatMap(namesIn)) names.set(d.name, ws.names.fresh(d.name));
  const nodes = renameNodes(node.rule, names);
  for (const d of nodes.flatMap(namesIn)) ws.types.set(d.name, d);
  return { nodes, renamed: (name) => names.get(name) ?? name };
}
