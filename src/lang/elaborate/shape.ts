/** The shape of an argument or a result: a tree of tensors, with numbers for dimensions. */
import type { ElementType } from "../../ir/ir.ts";

export type Shape =
  | { readonly kind: "tensor"; readonly element: ElementType; readonly shape: readonly number[] }
  | { readonly kind: "tuple"; readonly items: readonly Shape[] }
  | { readonly kind: "list"; readonly items: readonly Shape[] }
  /** `name` is the struct's; fields in the order of its declaration. */
  | {
      readonly kind: "struct";
      readonly name: string;
      readonly fields: readonly { readonly name: string; readonly shape: Shape }[];
    };

/** The tensors of a shape in order, each with the path of fields and positions that leads to it. */
export function shapeLeaves(
  shape: Shape,
  path = "",
): { readonly path: string; readonly leaf: Extract<Shape, { kind: "tensor" }> }[] {
  const at = (part: string | number): string => (path === "" ? String(part) : `${path}.${part}`);
  switch (shape.kind) {
    case "tensor":
      return [{ path, leaf: shape }];
    case "tuple":
    case "list":
      return shape.items.flatMap((item, i) => shapeLeaves(item, at(i)));
    case "struct":
      return shape.fields.flatMap((f) => shapeLeaves(f.shape, at(f.name)));
  }
}
