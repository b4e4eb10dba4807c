/** What a generated expression may mention. Dimensions are texts; equal texts are equal dimensions. */
export type Dim = string;

export interface IndexVariable {
  readonly name: string;
  /** It is at least 0 and less than this. */
  readonly size: Dim;
  /** Set when it has been used alone as an unpadded index: then its range need not be written. */
  tellsRange: boolean;
}

export interface TensorName {
  readonly name: string;
  readonly shape: readonly Dim[];
}

export interface IdxName extends TensorName {
  readonly bound: Dim;
}

export interface Scope {
  readonly dims: readonly Dim[];
  readonly indices: readonly IndexVariable[];
  /** Of f32; scalars have the shape []. */
  readonly tensors: readonly TensorName[];
  readonly idx: readonly IdxName[];
  readonly bools: readonly TensorName[];
  /** Values of the struct `Pair[n] { u: f32[n], w: f32 }`. */
  readonly pairs: readonly { readonly name: string; readonly size: Dim }[];
  /** Functions of one number, as parameters. */
  readonly lambdas: readonly string[];
}

/** The scope without what a name hides. */
function without(scope: Scope, name: string): Scope {
  const other = (x: { readonly name: string }): boolean => x.name !== name && !x.name.startsWith(`${name}.`);
  return {
    ...scope,
    indices: scope.indices.filter(other),
    tensors: scope.tensors.filter(other),
    idx: scope.idx.filter(other),
    bools: scope.bools.filter(other),
    pairs: scope.pairs.filter(other),
    lambdas: scope.lambdas.filter((l) => l !== name),
  };
}

export function withIndex(scope: Scope, variable: IndexVariable): Scope {
  const rest = without(scope, variable.name);
  return { ...rest, indices: [...rest.indices, variable] };
}

export function withTensor(scope: Scope, name: string, shape: readonly Dim[]): Scope {
  const rest = without(scope, name);
  return { ...rest, tensors: [...rest.tensors, { name, shape }] };
}

export function withIdx(scope: Scope, name: string, shape: readonly Dim[], bound: Dim): Scope {
  const rest = without(scope, name);
  return { ...rest, idx: [...rest.idx, { name, shape, bound }] };
}

export function withBool(scope: Scope, name: string, shape: readonly Dim[]): Scope {
  const rest = without(scope, name);
  return { ...rest, bools: [...rest.bools, { name, shape }] };
}

export function withPair(scope: Scope, name: string, size: Dim): Scope {
  const rest = withTensor(withTensor(without(scope, name), `${name}.u`, [size]), `${name}.w`, []);
  return { ...rest, pairs: [...rest.pairs, { name, size }] };
}

export function withLambda(scope: Scope, name: string): Scope {
  const rest = without(scope, name);
  return { ...rest, lambdas: [...rest.lambdas, name] };
}
