/** What is asked of types again and again, found once for each. */
import { isOpen } from "./metas.ts";
import type { Element, Type } from "./types.ts";

interface Traits {
  /** Nothing in it is an unknown of inference. */
  readonly isClosed: boolean;
  /** A part of it stands where a diagnostic has been made. */
  readonly hasError: boolean;
}

const known = new WeakMap<Type, Traits>();

export function traitsOf(type: Type): Traits {
  let traits = known.get(type);
  if (traits === undefined) {
    traits = find(type);
    known.set(type, traits);
  }
  return traits;
}

function find(type: Type): Traits {
  switch (type.kind) {
    case "tensor":
      return { isClosed: isClosedElement(type.element) && !type.shape.some(isOpen), hasError: false };
    case "leaf":
      return { isClosed: isClosedElement(type.element), hasError: false };
    case "tuple":
      return all(type.items);
    case "struct":
      return all(type.types, !type.dims.some(isOpen));
    case "list":
      return all([type.item], !isOpen(type.length));
    case "function":
      return type.callable.kind === "declared"
        ? all([...type.callable.params, type.callable.result])
        : all([]);
    case "variable":
      return { isClosed: true, hasError: false };
    case "unknown":
      return { isClosed: false, hasError: false };
    case "error":
      return { isClosed: true, hasError: true };
  }
}

function all(types: readonly Type[], areDimsClosed = true): Traits {
  const traits = types.map(traitsOf);
  return {
    isClosed: areDimsClosed && traits.every((t) => t.isClosed),
    hasError: traits.some((t) => t.hasError),
  };
}

function isClosedElement(element: Element): boolean {
  return element.kind === "scalar" || (element.kind === "idx" && !isOpen(element.bound));
}
