/**
 * Structs from the arrays of a checkpoint. The name of a tensor is the path of fields to it, `fc1.weight`,
 * where a field with `@name("…")` goes by that name and a list adds its index; the plain path will do as
 * well.
 */
import type { NumberArray } from "../formats/array.ts";
import type { ElementType } from "../ir/ir.ts";
import type { Shape } from "../lang/elaborate/shape.ts";
import { fieldType } from "../lang/instantiate.ts";
import { closest } from "../lang/suggest.ts";
import type { Type } from "../lang/types.ts";
import { exit, Failure } from "./failure.ts";

export interface Matched {
  readonly shape: Shape;
  /** Those of the shape's leaves, by their paths. */
  readonly arrays: Arrays;
  /** Names in the file that no field has. */
  readonly unused: readonly string[];
}

type Arrays = ReadonlyMap<string, NumberArray>;

/** Finds the arrays of a value of this type. `file` is for messages. */
export function matchCheckpoint(type: Type, arrays: Arrays, file: string): Matched {
  const found = new Map<string, NumberArray>();
  const used = new Set<string>();
  const missing: string[] = [];
  const find = ([name, path]: Names): NumberArray | undefined => {
    const key = arrays.has(name) ? name : path;
    const array = arrays.get(key);
    if (array === undefined) missing.push(name);
    else found.set(path, array);
    used.add(key);
    return array;
  };
  const shape = shapeIn(type, ["", ""], { arrays, find });
  const unused = [...arrays.keys()].filter((name) => !used.has(name));
  if (unused.length > 0 && isWithoutPlaces(type, shape, missing)) throw withoutPlaces(file, type, unused);
  if (missing.length > 0) throw missingFrom(file, missing, unused);
  return { shape, arrays: found, unused };
}

/** The name by checkpoint names, and the plain one. */
type Names = readonly [string, string];

interface Search {
  readonly arrays: Arrays;
  readonly find: (names: Names) => NumberArray | undefined;
}

const below = ([a, b]: Names, own: string | number, plain: string | number = own): Names => [
  join(a, own),
  join(b, plain),
];
const join = (path: string, part: string | number): string =>
  path === "" ? String(part) : `${path}.${part}`;

function shapeIn(type: Type, names: Names, search: Search): Shape {
  switch (type.kind) {
    case "tensor":
      return { kind: "tensor", element: elementOf(type), shape: search.find(names)?.shape ?? [] };
    case "tuple":
      return { kind: "tuple", items: type.items.map((item, i) => shapeIn(item, below(names, i), search)) };
    case "list":
      return {
        kind: "list",
        items: indicesIn(names, search).map((i) => shapeIn(type.item, below(names, i), search)),
      };
    case "struct": {
      const fields = type.decl.fields.map((field) => ({
        name: field.name,
        shape: shapeIn(
          fieldType(type, field.type),
          below(names, field.checkpointName ?? field.name, field.name),
          search,
        ),
      }));
      return { kind: "struct", name: type.decl.name, fields };
    }
    default:
      return anyStruct(names[1], search);
  }
}

function elementOf({ element }: Extract<Type, { kind: "tensor" }>): ElementType {
  if (element.kind === "idx") return { scalar: "i32", bound: null };
  return { scalar: element.kind === "scalar" ? element.scalar : "f32", bound: null };
}

/** 0, 1, … as far as the file has names that go on so. */
function indicesIn(names: Names, { arrays }: Search): number[] {
  const has = (path: string): boolean =>
    arrays.has(path) || [...arrays.keys()].some((name) => name.startsWith(`${path}.`));
  const indices: number[] = [];
  while (names.some((path) => has(join(path, indices.length)))) indices.push(indices.length);
  return indices;
}

/** For a type parameter: a struct made of the names themselves. */
function anyStruct(path: string, search: Search): Shape {
  const prefix = path === "" ? "" : `${path}.`;
  const inside = [...search.arrays.keys()]
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length));
  const parts = [...new Set(inside.map((name) => name.split(".")[0]!))];
  if (search.arrays.has(path) || parts.length === 0) {
    return {
      kind: "tensor",
      element: { scalar: "f32", bound: null },
      shape: search.find([path, path])?.shape ?? [],
    };
  }
  const fields = parts.map((name) => ({ name, shape: anyStruct(join(path, name), search) }));
  return parts.every((name, i) => name === String(i))
    ? { kind: "list", items: fields.map((f) => f.shape) }
    : { kind: "struct", name: "", fields };
}

/** The first few of many names. */
export function some(names: readonly string[]): string {
  return names.slice(0, 5).join(", ") + (names.length > 5 ? `, … (${names.length})` : "");
}

/** Is it a tuple or a list of which the file holds nothing? */
function isWithoutPlaces(type: Type, shape: Shape, missing: readonly string[]): boolean {
  if (shape.kind === "list") return type.kind === "list" && shape.items.length === 0;
  return type.kind === "tuple" && missing.includes("0");
}

function withoutPlaces(file: string, { kind }: Type, names: readonly string[]): Failure {
  return new Failure(exit.inputWrong, `${file} has no tensors of a ${kind}: no name in it begins with 0`, {
    notes: [`it has ${some(names)}`],
    help: `the parts of a ${kind} go by their places, 0, 1, …, as in \`0.${names[0]}\``,
  });
}

function missingFrom(file: string, missing: readonly string[], others: readonly string[]): Failure {
  const near = closest(missing[0]!, others);
  return new Failure(exit.inputWrong, `${file} lacks ${some(missing)}`, {
    notes: others.length === 0 ? [] : [`not used: ${some(others)}`],
    help:
      near === null
        ? "tensors go by the path of fields to them, as in `fc1.weight`, or by `@name` of a field"
        : `is "${near}" meant? give the field that name with \`@name\``,
  });
}
