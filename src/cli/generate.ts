/**
 * Arguments that are made, not read: `x=normal`, `labels=uniform`, `m=zeros`, `p=init`. Streams differ by the
 * arguments' names.
 */
import { showShape, type Value, valueOf } from "../host-value.ts";
import { zeros, type TensorData } from "../ir/interpret.ts";
import { isFloat } from "../ir/ir.ts";
import { type Draw, drawTensor } from "../lang/elaborate/init.ts";
import { type Shape, shapeLeaves } from "../lang/elaborate/shape.ts";
import { exit, Failure } from "./failure.ts";

type Leaf = Extract<Shape, { kind: "tensor" }>;

/** `uniform` integers without a bound of their own are below this. */
const integersBelow = 100;

type Maker = (leaf: Leaf, path: string, seed: number) => TensorData;

const makers = {
  zeros: ({ element, shape }) => zeros(element, shape),
  ones: ({ element, shape }) => counted({ element, shape }, () => 1),
  normal: (leaf, path, seed) => {
    if (!isFloat(leaf.element.scalar)) {
      throw new Failure(
        exit.commandWrong,
        `${path}=normal: ${path} is ${showShape(leaf)}, and only floats are normal`,
        {
          help: `\`${path}=uniform\` draws whole numbers`,
        },
      );
    }
    return drawn(leaf, { kind: "normal", std: 1 }, path, seed);
  },
  uniform: (leaf, path, seed) => drawn(leaf, uniformDraw(leaf), path, seed),
  arange: ({ element, shape }) => {
    const below = element.scalar === "bool" ? 2 : (element.bound ?? Infinity);
    return counted({ element, shape }, (i) => (below === Infinity ? i : i % below));
  },
} as const satisfies Record<string, Maker>;

export type MadeBy = keyof typeof makers;

/** The words that make a value; `init` is the compiler's own. */
export const madeBy: readonly string[] = [...Object.keys(makers), "init"];

export function isMadeBy(word: string): word is MadeBy {
  return Object.hasOwn(makers, word);
}

/** A value of a shape. `name` is the argument's. */
export function generate(how: MadeBy, shape: Shape, name: string, seed: number): Value {
  const tensors = shapeLeaves(shape, name).map(({ path, leaf }) => makers[how](leaf, path, seed));
  return valueOf(shape, tensors.values());
}

/** A value of a shape of which nothing is known: floats are normal, all else is uniform. */
export function generateAny(shape: Shape, name: string, seed: number): Value {
  const tensors = shapeLeaves(shape, name).map(({ path, leaf }) =>
    makers[isFloat(leaf.element.scalar) ? "normal" : "uniform"](leaf, path, seed),
  );
  return valueOf(shape, tensors.values());
}

function uniformDraw({ element: { scalar, bound } }: Leaf): Draw {
  if (isFloat(scalar)) return { kind: "uniform", lo: 0, hi: 1 };
  if (scalar === "u32") return { kind: "bits" };
  return { kind: "whole", below: scalar === "bool" ? 2 : (bound ?? integersBelow) };
}

function drawn({ element, shape }: Leaf, draw: Draw, path: string, seed: number): TensorData {
  return drawTensor(element, shape, draw, seed, path);
}

function counted({ element, shape }: Pick<Leaf, "element" | "shape">, at: (i: number) => number): TensorData {
  const made = zeros(element, shape);
  for (let i = 0; i < made.data.length; i++) made.data[i] = at(i);
  return made;
}
