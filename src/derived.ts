/**
 * The derivative of a compiled function as a function of its own: how its arguments and results map to the
 * graph's values.
 *
 *     f(x: f32[n], p: Linear) -> f32[n]      vjp     f_vjp(x, p, ct: f32[n]) -> (d_x: f32[n], d_p: Linear)
 *                                            jvp     f_jvp(x, p, t_x, t_p) -> t_f: f32[n]
 *
 * Integers and booleans carry no gradient: a struct of cotangents has the floating fields only.
 */
import { jvpGraph, vjpGraph } from "./autodiff/differentiate.ts";
import { type Graph, isFloat } from "./ir/ir.ts";
import { type Shape, shapeLeaves } from "./lang/elaborate/shape.ts";
import type { Binding, Specialised } from "./lang/elaborate/specialise.ts";

export type DerivativeKind = "vjp" | "jvp";

/**
 * The function's vjp or jvp, still to be taken: `differentiate` expands the marker that the graph ends with.
 */
export function withDerivative(compiled: Specialised, kind: DerivativeKind): Specialised {
  const taken = new Set(compiled.params.map((p) => p.name));
  const inputs = floatParts(compiled.params);
  const outputs = floatParts(compiled.results);
  if (kind === "vjp") {
    const seeds = outputs.map((part, i) => ({
      ...part,
      name: fresh(outputs.length === 1 ? "ct" : `ct${i}`, taken),
    }));
    const results = inputs.map((part) => ({ ...part, name: `d_${part.name}` }));
    return rebind({ ...compiled, params: [...compiled.params, ...seeds], results }, vjpGraph(compiled.graph));
  }
  const seeds = inputs.map((part) => ({ ...part, name: fresh(`t_${part.name}`, taken) }));
  const results = outputs.map((part) => ({ ...part, name: `t_${part.name}` }));
  return rebind({ ...compiled, params: [...compiled.params, ...seeds], results }, jvpGraph(compiled.graph));
}

/**
 * The same function with another graph that has as many parameters and results; they are found by position.
 */
export function rebind(compiled: Specialised, graph: Graph): Specialised {
  const params = deal(
    compiled.params,
    graph.params.map((p) => p.name),
  );
  return { ...compiled, graph, params, results: deal(compiled.results, graph.results) };
}

function deal(bindings: readonly Binding[], names: readonly string[]): Binding[] {
  let next = 0;
  return bindings.map((binding) => {
    const count = shapeLeaves(binding.shape).length;
    next += count;
    return { ...binding, values: names.slice(next - count, next) };
  });
}

function floatParts(bindings: readonly Binding[]): Binding[] {
  return bindings.flatMap((binding) => {
    const shape = floatPart(binding.shape);
    return shape === null ? [] : [{ ...binding, shape }];
  });
}

/** The shape without the tensors that hold no floats; null when nothing is left. */
function floatPart(shape: Shape): Shape | null {
  switch (shape.kind) {
    case "tensor":
      return isFloat(shape.element.scalar) ? shape : null;
    case "tuple":
    case "list": {
      const items = shape.items.map(floatPart).filter((item) => item !== null);
      return items.length === 0 ? null : { ...shape, items };
    }
    case "struct": {
      const fields = shape.fields.flatMap(({ name, shape: inner }) => {
        const part = floatPart(inner);
        return part === null ? [] : [{ name, shape: part }];
      });
      return fields.length === 0 ? null : { ...shape, fields };
    }
  }
}

function fresh(hint: string, taken: Set<string>): string {
  let name = hint;
  for (let n = 1; taken.has(name); n++) name = `${hint}.${n}`;
  taken.add(name);
  return name;
}
