/**
 * The names under which checkpoints know the tensors of a parameter: the path of fields to each, where a field with `@name("…")`
 * goes by that name and a list adds its index.
 *
 *     p.stage1[0].mixer.f.weight of a FecSmall        network.0.0.token_mixer.f.weight        f32[96, 32, 1, 1]
 */
import type { Shape } from "../lang/elaborate/shape.ts";
import { fieldType } from "../lang/instantiate.ts";
import type { Type } from "../lang/types.ts";

export interface CheckpointTensor {
  readonly name: string;
  readonly leaf: Extract<Shape, { kind: "tensor" }>;
}

/** The tensors of a value of this type in order. `shape` is the type's, with numbers for dimensions. */
export function checkpointTensors(type: Type, shape: Shape, name = ""): CheckpointTensor[] {
  const below = (part: string | number): string => (name === "" ? String(part) : `${name}.${part}`);
  switch (shape.kind) {
    case "tensor":
      return [{ name, leaf: shape }];
    case "tuple":
    case "list":
      return shape.items.flatMap((item, i) => checkpointTensors(itemType(type, i), item, below(i)));
    case "struct":
      return shape.fields.flatMap((field) => {
        const declared =
          type.kind === "struct" ? type.decl.fields.find((f) => f.name === field.name) : undefined;
        const inner =
          type.kind === "struct" && declared !== undefined ? fieldType(type, declared.type) : type;
        return checkpointTensors(inner, field.shape, below(declared?.checkpointName ?? field.name));
      });
  }
}

/** What stands for a type parameter has no type that is known here; its fields go by their own names. */
function itemType(type: Type, i: number): Type {
  if (type.kind === "tuple") return type.items[i]!;
  return type.kind === "list" ? type.item : type;
}
