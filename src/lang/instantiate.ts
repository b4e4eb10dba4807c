/** A declared type with its dimension and type parameters replaced. */
import { type Dim, substituteDim } from "./dims.ts";
import { mapType, type Type } from "./types.ts";

/** Names that are not in the maps stay. */
export function instantiate(type: Type, dims: ReadonlyMap<string, Dim>, types: ReadonlyMap<string, Type>): Type {
  return mapType(type, {
    dim: (d) => instantiateDim(d, dims),
    type: (t) => (t.kind === "variable" ? (types.get(t.name) ?? null) : null),
  });
}

/** A dimension with its variables replaced. */
export function instantiateDim(dim: Dim, dims: ReadonlyMap<string, Dim>): Dim {
  return substituteDim(dim, (atom) => (atom.kind === "variable" ? (dims.get(atom.name) ?? null) : null));
}
