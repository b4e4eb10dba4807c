/**
 * Which results overwrite which arguments, said by names and turned into numbers of tensors.
 *
 *     step(p: Net, m: Net, x) -> (Net, Net, f32)         { p: 0, m: 1 }        every tensor of p and m is updated in place
 *                                                        { "p.head": "0.head" } those of p.head alone
 */
import type { Update } from "./fusion/overwrite.ts";
import type { Shape } from "./lang/elaborate/shape.ts";
import { shapeLeaves } from "./lang/elaborate/shape.ts";
import { closest } from "./lang/suggest.ts";
import type { Compiled } from "./module.ts";
import { ArgumentError, showShape } from "./tree.ts";

/**
 * By the path of an argument, or of a part of it, the path of the result that overwrites it; results go by their positions, or by
 * name. `carried` stands for all that a training step carries.
 */
export type InPlace = "carried" | Readonly<Record<string, string | number>>;

/**
 * The numbers of the tensors.
 *
 * @throws {ArgumentError} for a path that there is not, and for two that are not of one shape.
 */
export function updatesOf(compiled: Compiled, inPlace: InPlace): readonly Update[] {
  if (inPlace === "carried") return compiled.carried;
  const params = pathsOf(compiled.params.map(({ name, shape }) => [name, shape]));
  const results = pathsOf([
    ...compiled.results.map(({ shape }, i): [string, Shape] => [String(i), shape]),
    ...compiled.results.map(({ name, shape }): [string, Shape] => [name, shape]),
  ]);
  const count = compiled.graph.results.length;
  return Object.entries(inPlace).flatMap(([to, from]) => {
    const target = placed(params, to, `${compiled.name} has no argument ${to}`);
    const source = placed(results, String(from), `${compiled.name} has no result ${from}`);
    const [a, b] = [target, source].map(({ shape }) => textOf(shape));
    if (a !== b)
      throw new ArgumentError(
        `inPlace: result ${from} is ${showShape(source.shape)}, argument ${to} is ${showShape(target.shape)}; a result ` +
          "overwrites an argument of its own shape",
      );
    return shapeLeaves(target.shape).map((_, i) => ({
      result: (source.first + i) % count,
      param: target.first + i,
    }));
  });
}

interface Placed {
  readonly shape: Shape;
  /** The number of its first tensor. */
  readonly first: number;
}

/** Every part of every binding by its path. */
function pathsOf(bindings: readonly (readonly [string, Shape])[]): ReadonlyMap<string, Placed> {
  const found = new Map<string, Placed>();
  let next = 0;
  const visit = (path: string, shape: Shape): void => {
    if (!found.has(path)) found.set(path, { shape, first: next });
    if (shape.kind === "tensor") next++;
    else if (shape.kind === "struct") shape.fields.forEach((f) => visit(`${path}.${f.name}`, f.shape));
    else shape.items.forEach((item, i) => visit(`${path}.${i}`, item));
  };
  for (const [name, shape] of bindings) visit(name, shape);
  return found;
}

function placed(paths: ReadonlyMap<string, Placed>, path: string, problem: string): Placed {
  const place = paths.get(path);
  if (place !== undefined) return place;
  const near = closest(path, [...paths.keys()]);
  const whole = [...paths.keys()].filter((name) => !name.includes("."));
  throw new ArgumentError(
    `inPlace: ${problem}; ${near === null ? `there are ${whole.join(", ")}` : `did you mean ${near}?`}`,
  );
}

/** A text that is the same for the same tensors at the same places. */
function textOf(shape: Shape): string {
  return JSON.stringify(shapeLeaves(shape).map(({ path, leaf }) => [path, leaf.element.scalar, leaf.shape]));
}
