/** The VALUEs of the JSON files (see README.md), as shapes and as the tensors of a graph. */
import { type ElementType, isFloat, type ScalarType } from "../../src/ir/ir.ts";
import { tensor, type TensorData } from "../../src/ir/interpret.ts";
import type { Shape } from "../../src/lang/elaborate/shape.ts";

export type Value =
  | {
      readonly type: ScalarType;
      readonly shape: readonly number[];
      readonly data: readonly (number | boolean)[];
    }
  | { readonly struct: Readonly<Record<string, Value>> }
  | { readonly tuple: readonly Value[] }
  | { readonly list: readonly Value[] };

/** What is known of an argument's shape: not the bound of an `idx`, nor the name of a struct. */
export function shapeOf(value: Value): Shape {
  if ("struct" in value) {
    return {
      kind: "struct",
      name: "",
      fields: Object.entries(value.struct).map(([name, v]) => ({ name, shape: shapeOf(v) })),
    };
  }
  if ("tuple" in value) return { kind: "tuple", items: value.tuple.map(shapeOf) };
  if ("list" in value) return { kind: "list", items: value.list.map(shapeOf) };
  return { kind: "tensor", element: { scalar: value.type, bound: null }, shape: value.shape };
}

/** The tensors of a value in the order of the leaves of `shape`, with their element types. */
export function tensorsOf(value: Value, shape: Shape): TensorData[] {
  switch (shape.kind) {
    case "tensor": {
      if (!("type" in value)) throw new Error("the expectation is no tensor");
      return [dataOf(value, shape.element)];
    }
    case "struct": {
      if (!("struct" in value)) throw new Error("the expectation is no struct");
      return shape.fields.flatMap((f) => tensorsOf(value.struct[f.name] ?? missing(f.name), f.shape));
    }
    case "tuple":
    case "list": {
      const items = "tuple" in value ? value.tuple : "list" in value ? value.list : missing(shape.kind);
      if (items.length !== shape.items.length) throw new Error(`the expectation has ${items.length} items`);
      return shape.items.flatMap((item, i) => tensorsOf(items[i]!, item));
    }
  }
}

function missing(what: string): never {
  throw new Error(`the expectation has no ${what}`);
}

function dataOf(value: Extract<Value, { type: ScalarType }>, element: ElementType): TensorData {
  if (value.type !== element.scalar)
    throw new Error(`the expectation is of ${value.type}, the program's of ${element.scalar}`);
  return tensor(element, value.shape, value.data.map(Number));
}

export function isFloatTensor(t: TensorData): boolean {
  return isFloat(t.element.scalar);
}
