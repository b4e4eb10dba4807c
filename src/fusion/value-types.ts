/** What is known by name while a plan is made and lowered. */
import { definitions, type Graph, i32, type Node, type ValueName, type ValueType } from "../ir/ir.ts";
import { turnValue } from "./turns.ts";

/** The values that kernels of a graph may read or write, by name: parameters, what nodes define, and what loops carry and count. */
export function typesOf({ params, nodes }: Graph): Map<ValueName, ValueType> {
  const types = new Map<ValueName, ValueType>(params.map((param) => [param.name, param]));
  const collect = (list: readonly Node[]): void => {
    for (const node of list) {
      for (const value of definitions(node)) types.set(value.name, value);
      if (node.kind !== "loop") continue;
      types.set(turnValue(node), { name: turnValue(node), element: i32, shape: [] });
      for (const { param, element, shape } of node.carries) types.set(param, { name: param, element, shape });
      collect(node.body);
    }
  };
  collect(nodes);
  return types;
}
