/** A declared type with its dimension and type parameters replaced. */
import { type Dim, substituteDim } from "./dims.ts";
import { mapType, type StructType, type Type } from "./types.ts";

/** Names that are not in the maps stay. */
export function instantiate(
  type: Type,
  dims: ReadonlyMap<string, Dim>,
  types: ReadonlyMap<string, Type>,
): Type {
  return mapType(type, {
    dim: (d) => instantiateDim(d, dims),
    type: (t) => (t.kind === "variable" ? (types.get(t.name) ?? null) : null),
  });
}

/** A dimension with its variables replaced. */
export function instantiateDim(dim: Dim, dims: ReadonlyMap<string, Dim>): Dim {
  return substituteDim(dim, (atom) => (atom.kind === "variable" ? (dims.get(atom.name) ?? null) : null));
}

/** The type of a field, declared as `declared`, of a struct with these arguments. */
export function fieldType(struct: StructType, declared: Type): Type {
  const dims = new Map(struct.decl.dims.map((name, i) => [name, struct.dims[i]!]));
  const types = new Map(struct.decl.types.map((name, i) => [name, struct.types[i]!]));
  return instantiate(declared, dims, types);
}
