/** Which types hold floats: those are what can be differentiated with respect to. */
import type { Inference } from "./inference.ts";
import type { StructInfo } from "./program.ts";
import { isFloatElement, type Type } from "./types.ts";

/** Does a value of the type hold a float, as far as is known? */
export function hasFloats(cx: Inference, type: Type): boolean {
  const t = cx.resolve(type);
  switch (t.kind) {
    case "tensor":
    case "leaf": {
      const element = cx.element(t.element);
      return isFloatElement(element) || element.kind === "literal";
    }
    case "tuple":
      return t.items.some((item) => hasFloats(cx, item));
    case "struct": {
      const { own, parameters } = floatsOf(t.decl);
      return own || t.decl.types.some((name, i) => parameters.has(name) && hasFloats(cx, t.types[i]!));
    }
    case "list":
      return hasFloats(cx, t.item);
    case "variable":
    case "unknown":
    case "error":
      return true;
    case "function":
      return false;
  }
}

/** Where a struct's floats are: in fields of its own, or in those whose type is a parameter. */
interface StructFloats {
  own: boolean;
  readonly parameters: Set<string>;
}

const known = new WeakMap<StructInfo, StructFloats>();

function floatsOf(decl: StructInfo): StructFloats {
  let found = known.get(decl);
  if (found === undefined) {
    found = { own: false, parameters: new Set() };
    known.set(decl, found);
    for (const field of decl.fields) collect(field.type, found);
  }
  return found;
}

function collect(type: Type, into: StructFloats): void {
  switch (type.kind) {
    case "tensor":
      into.own ||= isFloatElement(type.element);
      return;
    case "tuple":
      for (const item of type.items) collect(item, into);
      return;
    case "list":
      collect(type.item, into);
      return;
    case "variable":
      into.parameters.add(type.name);
      return;
    case "struct": {
      const inner = floatsOf(type.decl);
      into.own ||= inner.own;
      type.decl.types.forEach((name, i) => {
        if (inner.parameters.has(name)) collect(type.types[i]!, into);
      });
      return;
    }
    default:
      return;
  }
}

/** The parts of a result that have a derivative. */
export function floatParts(cx: Inference, result: Type): Type[] {
  const parts = result.kind === "tuple" ? result.items : [result];
  return parts.filter((t) => hasFloats(cx, t));
}

/** One type as it is, several as a tuple. */
export function oneOrTuple(types: readonly Type[]): Type {
  return types.length === 1 ? types[0]! : { kind: "tuple", items: types };
}
