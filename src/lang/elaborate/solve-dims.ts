/** Finds a function's dimensions from the shapes of its arguments. */
import { axisName } from "../axis-name.ts";
import { type Dim, dimNumber, evaluateDim, showDim, subDims, substituteDim } from "../dims.ts";
import { instantiate } from "../instantiate.ts";
import type { FunctionInfo } from "../program.ts";
import { showType, type Type } from "../types.ts";
import type { Shape } from "./shape.ts";

/** Raised when a shape does not fit a parameter; `message` says which and how. */
export class ShapeMismatch extends Error {}

export interface Solved {
  readonly dims: Map<string, number>;
  readonly types: Map<string, Shape>;
}

interface Equation {
  readonly dim: Dim;
  readonly value: number;
  /** `the first axis of x has`, to be followed by the value. */
  readonly where: string;
}

/**
 * The dimensions and type parameters for which arguments of these shapes fit; null stands for an argument whose shape is
 * not known. `known` are dimensions that are given. Throws `ShapeMismatch`.
 */
export function solveDims(
  info: FunctionInfo,
  args: readonly (Shape | null)[],
  known: ReadonlyMap<string, number>,
): Solved {
  const solved: Solved = { dims: new Map(known), types: new Map() };
  const equations: Equation[] = [];
  info.params.forEach((param, i) => {
    const arg = args[i];
    if (arg != null) match(param.type, arg, param.name, equations, solved);
  });
  let progress = true;
  let open = equations;
  while (progress) {
    progress = false;
    for (const equation of open) progress = solveOne(equation, solved.dims) || progress;
    open = open.filter((e) => evaluateDim(e.dim, solved.dims) === null);
  }
  for (const { dim, value, where } of equations) {
    const found = evaluateDim(dim, solved.dims);
    if (found !== null && found !== value)
      throw new ShapeMismatch(`${where} ${value} where ${showDim(dim)} is ${found}`);
  }
  for (const equation of open) {
    const unknown = unknownOf(equation, solved.dims);
    if (unknown === null) continue;
    const { dim, value, where } = equation;
    throw new ShapeMismatch(`${where} ${value}, and no ${unknown.name} gives ${showDim(dim)} = ${value}`);
  }
  return solved;
}

function solveOne(equation: Equation, dims: Map<string, number>): boolean {
  const unknown = unknownOf(equation, dims);
  if (unknown === null || !Number.isInteger(unknown.value) || unknown.value < 0) return false;
  dims.set(unknown.name, unknown.value);
  return true;
}

/**
 * What `dim = value` says of its one unknown if that stands alone, times a number, or plus one; no dimension has a
 * value that is not a natural number. Null for other equations.
 */
function unknownOf(
  { dim, value }: Equation,
  dims: ReadonlyMap<string, number>,
): { name: string; value: number } | null {
  const difference = substituteDim(subDims(dim, dimNumber(value)), (atom) => {
    const known = atom.kind === "variable" ? dims.get(atom.name) : undefined;
    return known === undefined ? null : dimNumber(known);
  });
  const unknowns = [...difference.monomials.values()].filter((m) => m.atoms.length > 0);
  const [unknown] = unknowns;
  const atom = unknown?.atoms[0];
  if (
    unknown === undefined ||
    unknowns.length !== 1 ||
    unknown.atoms.length !== 1 ||
    atom?.kind !== "variable"
  )
    return null;
  const constant = [...difference.monomials.values()].find((m) => m.atoms.length === 0)?.coefficient ?? 0;
  return { name: atom.name, value: -constant / unknown.coefficient };
}

function match(type: Type, shape: Shape, where: string, equations: Equation[], solved: Solved): void {
  const wrong = (found: string): never => {
    throw new ShapeMismatch(`${where} is ${found}, ${showType(type)} is expected`);
  };
  switch (type.kind) {
    case "tensor": {
      if (shape.kind !== "tensor") return wrong(`a ${shape.kind}`);
      if (shape.shape.length !== type.shape.length)
        return wrong(`of ${shape.shape.length} ${shape.shape.length === 1 ? "axis" : "axes"}`);
      type.shape.forEach((dim, i) =>
        equations.push({
          dim,
          value: shape.shape[i]!,
          where: `${axisName(i, type.shape.length)} of ${where} has`,
        }),
      );
      if (type.element.kind === "idx" && shape.element.bound !== null)
        equations.push({
          dim: type.element.bound,
          value: shape.element.bound,
          where: `the bound of ${where} is`,
        });
      return;
    }
    case "tuple":
      if (shape.kind !== "tuple" || shape.items.length !== type.items.length) return wrong(`a ${shape.kind}`);
      type.items.forEach((item, i) => match(item, shape.items[i]!, `${where}.${i}`, equations, solved));
      return;
    case "list":
      if (shape.kind !== "list") return wrong(`a ${shape.kind}`);
      equations.push({ dim: type.length, value: shape.items.length, where: `the length of ${where} is` });
      shape.items.forEach((item, i) => match(type.item, item, `${where}.${i}`, equations, solved));
      return;
    case "struct": {
      if (shape.kind !== "struct") return wrong(`a ${shape.kind}`);
      const dims = new Map(type.decl.dims.map((name, i) => [name, type.dims[i]!]));
      const types = new Map(type.decl.types.map((name, i) => [name, type.types[i]!]));
      for (const field of type.decl.fields) {
        const given = shape.fields.find((f) => f.name === field.name);
        if (given === undefined)
          throw new ShapeMismatch(`${where} has no \`${field.name}\`, which ${type.decl.name} has`);
        match(instantiate(field.type, dims, types), given.shape, `${where}.${field.name}`, equations, solved);
      }
      return;
    }
    case "variable":
      if (!solved.types.has(type.name)) solved.types.set(type.name, shape);
      return;
    case "function":
    case "leaf":
    case "unknown":
    case "error":
      return wrong("something that can't be given");
  }
}
