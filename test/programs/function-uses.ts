/**
 * Every function of the examples and the library that has a derivative, with dimensions and ranges for random inputs: the
 * dimensions of its cases, and those below for functions without one.
 */
import type { RangeOf } from "./inputs.ts";
import { loadProgram } from "./compile.ts";
import { compileCase, programFiles, root, suites } from "./suites.ts";
import type { Shape } from "../../src/lang/elaborate/shape.ts";
import type { FunctionInfo } from "../../src/lang/program.ts";
import { isFloatElement, type Type } from "../../src/lang/types.ts";

export interface FunctionUse {
  readonly title: string;
  readonly file: string;
  readonly name: string;
  readonly dims: ReadonlyMap<string, number>;
  readonly types: ReadonlyMap<string, Shape>;
  readonly rangeOf: RangeOf;
}

type Dims = Readonly<Record<string, number>>;

/** Dimensions of the functions without a case. Any other dimension is 3. */
const dimensions: Readonly<Record<string, Dims>> = {
  multi_head_attention: { d: 4, heads: 2, size: 2, n: 3, m: 2 },
  causal_multi_head_attention: { d: 4, heads: 2, size: 2, n: 3 },
  grouped: { groups: 2, c: 4, h: 2, w: 2 },
};

/** A struct of a matrix and a vector stands for every type parameter. */
const anyStruct: Shape = {
  kind: "struct",
  name: "",
  fields: [
    { name: "weight", shape: { kind: "tensor", element: { scalar: "f32", bound: null }, shape: [2, 3] } },
    { name: "bias", shape: { kind: "tensor", element: { scalar: "f32", bound: null }, shape: [2] } },
  ],
};

/** Parameters that a function takes a root or a logarithm of, divides by, or has as a probability; integers that count. */
const ranges: readonly {
  readonly of: RegExp;
  readonly params: RegExp;
  readonly range: readonly [number, number];
}[] = [
  { of: /adamw/, params: /^s\.v\b/, range: [0.2, 1] },
  { of: /adamw/, params: /^beta/, range: [0.5, 0.9] },
  { of: /adamw/, params: /^epsilon$/, range: [0.1, 0.2] },
  { of: /batch_norm|normalised/, params: /running_var$/, range: [0.2, 1] },
  { of: /standardized/, params: /^deviation$/, range: [0.5, 1.5] },
  { of: /keep_factor|dropout|drop_path/, params: /^rate$/, range: [0.2, 0.6] },
  { of: /warmup|cosine/, params: /length$/, range: [2, 4] },
  { of: /warmup|cosine/, params: /^t$/, range: [0.5, 1.5] },
  { of: /resized_place/, params: /^(from|to)$/, range: [3, 7] },
];

export function functionUses(): FunctionUse[] {
  const known = dimensionsOfCases();
  return programFiles().flatMap((file) => {
    const { main } = loadProgram(`${root}${file}`);
    const functions = [...main.exports.values()].filter(
      (top): top is FunctionInfo => top.kind === "function",
    );
    return functions.filter(hasDerivative).flatMap((info) => {
      const uses = known.get(`${file} ${info.name}`) ?? [defaultDims(info)];
      return uses.map((dims) => ({
        title: `${file} ${info.name}${dims.size === 0 ? "" : `[${[...dims].map(([d, n]) => `${d} = ${n}`).join(", ")}]`}`,
        file,
        name: info.name,
        dims,
        types: new Map(info.types.map((t) => [t, anyStruct])),
        rangeOf: rangesOf(info.name),
      }));
    });
  });
}

function defaultDims(info: FunctionInfo): Map<string, number> {
  return new Map([...info.dims.keys()].map((d) => [d, dimensions[info.name]?.[d] ?? 3]));
}

function rangesOf(name: string): RangeOf {
  const own = ranges.filter((r) => r.of.test(name));
  return (param) => own.find((r) => r.params.test(param.name))?.range;
}

/** The dimensions that the cases of each function have, each once. */
function dimensionsOfCases(): Map<string, ReadonlyMap<string, number>[]> {
  const found = new Map<string, Map<string, ReadonlyMap<string, number>>>();
  for (const { file, cases } of suites()) {
    for (const c of cases) {
      const key = `${file} ${c.text.function}`;
      const { dims } = compileCase(c).specialised;
      const uses = found.get(key) ?? new Map<string, ReadonlyMap<string, number>>();
      found.set(key, uses.set(JSON.stringify([...dims].sort()), dims));
    }
  }
  return new Map([...found].map(([key, uses]) => [key, [...uses.values()]]));
}

function hasDerivative(info: FunctionInfo): boolean {
  if (info.params.some((p) => p.type.kind === "function")) return false;
  return info.params.some((p) => holdsFloat(p.type)) && info.result !== null && holdsFloat(info.result);
}

function holdsFloat(type: Type): boolean {
  switch (type.kind) {
    case "tensor":
      return isFloatElement(type.element);
    case "tuple":
      return type.items.some(holdsFloat);
    case "list":
      return holdsFloat(type.item);
    case "struct":
      return type.decl.fields.some((f) => holdsFloat(f.type)) || type.types.some(holdsFloat);
    case "variable":
      return true;
    default:
      return false;
  }
}
