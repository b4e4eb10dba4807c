/**
 * A compiled function as a step of training: which results are the next values of which arguments, and what to leave alone.
 *
 *     step(p: FecMicro, s: Moments[FecMicro], …) -> (FecMicro, Moments[FecMicro], f32, i32)
 *
 * Parameters that no gradient reaches, and all that is carried for them, come back as the very values that went in, as an
 * optimiser of PyTorch skips parameters whose gradient is None.
 */
import { differentiateTraining } from "./autodiff/untrained.ts";
import { rebind } from "./derived.ts";
import type { ValueName } from "./ir/ir.ts";
import { type Shape, shapeLeaves } from "./lang/elaborate/shape.ts";
import type { Binding, Specialised } from "./lang/elaborate/specialise.ts";

/** One tensor that goes from step to step: an argument, and the position among the graph's results of its next value. */
export interface Carried {
  readonly param: ValueName;
  readonly result: number;
  /** The parameter that it is for: itself, or the one whose moment or average it is; null if it is for none. */
  readonly of: ValueName | null;
}

/**
 * What a step carries: each struct among its results is the next value of the first argument of its shape that is not taken
 * yet. The first of them are the parameters; where their shape stands within another's, that one's tensors are for them.
 */
export function carriedBy(compiled: Specialised): Carried[] {
  const free = compiled.params.filter((p) => p.shape.kind === "struct");
  const offsets = positions(compiled.results);
  const pairs = compiled.results.flatMap((result, i) => {
    const at = free.findIndex((p) => isSame(p.shape, result.shape));
    return at < 0 ? [] : [{ param: free.splice(at, 1)[0]!, offset: offsets[i]! }];
  });
  const [parameters] = pairs;
  if (parameters === undefined) return [];
  const { shape, values } = parameters.param;
  return pairs.flatMap(({ param, offset }) => {
    const owners = ownersOf(param.shape, shape, values);
    return param.values.map((name, i) => ({ param: name, result: offset + i, of: owners[i]! }));
  });
}

/** The step with its derivatives taken; what is carried for a parameter without a gradient is returned as it is. */
export function trainingStep(compiled: Specialised): Specialised {
  const { graph, untrained } = differentiateTraining(compiled.graph);
  const results = [...graph.results];
  for (const { param, result, of } of carriedBy(compiled))
    if (of !== null && untrained.has(of)) results[result] = param;
  return rebind(compiled, { ...graph, results });
}

/** The position of each binding's first tensor. */
function positions(bindings: readonly Binding[]): number[] {
  let next = 0;
  return bindings.map(({ values }) => {
    next += values.length;
    return next - values.length;
  });
}

/** For each tensor of a shape the one of the parameters that stands at its place, wherever their shape occurs. */
function ownersOf(shape: Shape, parameters: Shape, names: readonly ValueName[]): (ValueName | null)[] {
  if (isSame(shape, parameters)) return [...names];
  switch (shape.kind) {
    case "tensor":
      return [null];
    case "tuple":
    case "list":
      return shape.items.flatMap((item) => ownersOf(item, parameters, names));
    case "struct":
      return shape.fields.flatMap((field) => ownersOf(field.shape, parameters, names));
  }
}

function isSame(a: Shape, b: Shape): boolean {
  const [left, right] = [shapeLeaves(a), shapeLeaves(b)];
  return (
    left.length === right.length &&
    left.every(({ path, leaf }, i) => {
      const other = right[i]!;
      return (
        path === other.path &&
        leaf.element.scalar === other.leaf.element.scalar &&
        leaf.shape.length === other.leaf.shape.length &&
        leaf.shape.every((n, k) => n === other.leaf.shape[k])
      );
    })
  );
}
