/**
 * Runs a graph in double precision: the oracle that everything else is held to.
 *
 *     interpret(parseGraph("graph g(%x: f32[2]) -> (%s) { %s: f32[] = sum i<2. %x[i] }"),
 *       { x: tensor(f32, [2], [1, 2]) }).s.data       // Float64Array [3]
 *
 * Each comprehension is compiled to a JavaScript loop nest (`interpret-codegen.ts`) and run on typed arrays: f32 and f16
 * as doubles, integers as 32-bit integers that wrap, booleans as bytes. A value is let go after its last use.
 */
import { type LoopNest, loopNest } from "./interpret-codegen.ts";
import {
  type Comprehension,
  type ElementType,
  type Graph,
  type Loop,
  type Node,
  type ScalarType,
  type ValueName,
  definitions,
  isFloat,
  sizeOf,
} from "./ir.ts";
import { printType } from "./print.ts";
import { runtimeFunctions } from "./scalar.ts";
import { valuesUsed } from "./traverse.ts";

/** Elements of a tensor, row-major: floats, `i32` (and `idx`), `u32`, `bool`. */
export type ElementArray = Float64Array | Int32Array | Uint32Array | Uint8Array;

/** A tensor with its values. */
export interface TensorData {
  readonly element: ElementType;
  readonly shape: readonly number[];
  readonly data: ElementArray;
}

export interface InterpretOptions {
  /** Test every read, and throw where one is out of bounds. Slow. */
  readonly checked?: boolean;
  /** Compiled loop nests by their text; shared by all calls unless one is given. */
  readonly cache?: Map<string, LoopFunction>;
}

/** A compiled loop nest. */
export type LoopFunction = (out: ElementArray, best: ElementArray | null, ...rest: unknown[]) => void;

/** What keeps a graph from running: an input that is missing or of another type, a derivative not taken, a read out of bounds. */
export class InterpretError extends Error {
  override readonly name = "InterpretError";
}

/** The values of the graph's results for its parameters. */
export function interpret(
  graph: Graph,
  inputs: Readonly<Record<ValueName, TensorData>>,
  options: InterpretOptions = {},
): Record<ValueName, TensorData> {
  const values = new Map<ValueName, TensorData>();
  for (const param of graph.params) {
    const given = Object.hasOwn(inputs, param.name) ? inputs[param.name] : undefined;
    const wanted = `%${param.name}: ${printType(param.element, param.shape)}`;
    if (given === undefined) throw new InterpretError(`the input ${wanted} is missing`);
    const problem = mismatch(given, param.element, param.shape);
    if (problem !== null) throw new InterpretError(`the input for ${wanted} ${problem}`);
    values.set(param.name, given);
  }
  runNodes(graph.nodes, new Set(graph.results), {
    values,
    indices: new Map(),
    options,
    nests: new Map(),
    lastUses: new Map(),
  });
  return Object.fromEntries(graph.results.map((name) => [name, valueIn(values, name)]));
}

/** A tensor of the given elements. */
export function tensor(
  element: ElementType,
  shape: readonly number[],
  elements: Iterable<number>,
): TensorData {
  return { element, shape, data: arrayOf(element.scalar, Float64Array.from(elements)) };
}

/** A tensor of zeros. */
export function zeros(element: ElementType, shape: readonly number[]): TensorData {
  return { element, shape, data: arrayOf(element.scalar, sizeOf(shape)) };
}

interface Environment {
  readonly values: Map<ValueName, TensorData>;
  /** The variables of the loops around. */
  readonly indices: ReadonlyMap<string, number>;
  readonly options: InterpretOptions;
  /** What has been compiled in this run: a loop's body is compiled in its first turn. */
  readonly nests: Map<Comprehension, LoopNest & { readonly run: LoopFunction }>;
  readonly lastUses: Map<readonly Node[], readonly (readonly ValueName[])[]>;
}

/** Runs nodes in order; of their values only those named in `kept` are there afterwards. */
function runNodes(nodes: readonly Node[], kept: ReadonlySet<ValueName>, environment: Environment): void {
  const { values, lastUses } = environment;
  let dying = lastUses.get(nodes);
  if (dying === undefined) {
    dying = lastUsesIn(nodes, kept);
    lastUses.set(nodes, dying);
  }
  for (const [i, node] of nodes.entries()) {
    runNode(node, environment);
    for (const name of dying[i]!) values.delete(name);
  }
}

/** For each node the values that are used there for the last time. */
function lastUsesIn(nodes: readonly Node[], kept: ReadonlySet<ValueName>): ValueName[][] {
  const lastUse = new Map<ValueName, number>();
  nodes.forEach((node, i) => {
    for (const { name } of definitions(node)) lastUse.set(name, i);
    for (const name of valuesUsed(node)) if (lastUse.has(name)) lastUse.set(name, i);
  });
  const dying: ValueName[][] = nodes.map(() => []);
  for (const [name, i] of lastUse) if (!kept.has(name)) dying[i]!.push(name);
  return dying;
}

function runNode(node: Node, environment: Environment): void {
  const { values } = environment;
  switch (node.kind) {
    case "comprehension":
      return runComprehension(node, environment);
    case "loop":
      return runLoop(node, environment);
    case "custom":
      // Nothing is ever written to twice: a copy is another name.
      for (const { name, value } of node.results) values.set(name, valueIn(values, value));
      return;
    case "vjp":
    case "jvp":
      throw new InterpretError(
        `differentiate first: %${node.results[0]?.name ?? ""} is a ${node.kind} that has not been taken`,
      );
  }
}

function runComprehension(node: Comprehension, { values, indices, options, nests }: Environment): void {
  let nest = nests.get(node);
  if (nest === undefined) {
    const text = loopNest(node, (name) => valueIn(values, name).shape, options.checked === true);
    nest = { ...text, run: compile(text, options.cache ?? sharedCache) };
    nests.set(node, nest);
  }
  const { reads, checks, run } = nest;
  const [own, best] = definitions(node);
  const results = [own!, best].map((type) => (type === undefined ? null : zeros(type.element, type.shape)));
  const fail = (check: number, at: number): never => {
    throw new InterpretError(`${checks[check]} ${at}`);
  };
  const outer = nest.outer.map((name) => {
    const at = indices.get(name);
    if (at === undefined)
      throw new InterpretError(`%${node.name}: no axis and no loop has the index variable ${name}`);
    return at;
  });
  run(
    results[0]!.data,
    results[1]?.data ?? null,
    ...reads.map((name) => valueIn(values, name).data),
    ...outer,
    fail,
  );
  values.set(own!.name, results[0]!);
  if (best !== undefined) values.set(best.name, results[1]!);
}

function runLoop(loop: Loop, environment: Environment): void {
  const { values, indices } = environment;
  let carried = loop.carries.map((carry) => valueIn(values, carry.init));
  const stacks = loop.stacks.map((stack) => zeros(stack.element, [loop.count, ...stack.shape]));
  const kept = new Set([
    ...loop.carries.map((carry) => carry.next),
    ...loop.stacks.map((stack) => stack.value),
  ]);
  for (let turn = 0; turn < loop.count; turn++) {
    const inner = new Map(values);
    loop.carries.forEach((carry, i) => inner.set(carry.param, carried[i]!));
    runNodes(loop.body, kept, {
      ...environment,
      values: inner,
      indices: new Map(indices).set(loop.index, turn),
    });
    carried = loop.carries.map((carry) => valueIn(inner, carry.next));
    loop.stacks.forEach((stack, i) =>
      stacks[i]!.data.set(valueIn(inner, stack.value).data, turn * sizeOf(stack.shape)),
    );
  }
  loop.carries.forEach((carry, i) => values.set(carry.result, carried[i]!));
  loop.stacks.forEach((stack, i) => values.set(stack.result, stacks[i]!));
}

const sharedCache = new Map<string, LoopFunction>();
const mostCached = 2000;

function compile(nest: LoopNest, cache: Map<string, LoopFunction>): LoopFunction {
  let compiled = cache.get(nest.source);
  if (compiled === undefined) {
    compiled = (new Function("f", nest.source) as (f: typeof runtimeFunctions) => LoopFunction)(
      runtimeFunctions,
    );
    if (cache.size >= mostCached) cache.delete(cache.keys().next().value!);
    cache.set(nest.source, compiled);
  }
  return compiled;
}

function valueIn(values: ReadonlyMap<ValueName, TensorData>, name: ValueName): TensorData {
  const value = values.get(name);
  if (value === undefined) throw new InterpretError(`%${name} is not defined where it is used`);
  return value;
}

function arrayOf(scalar: ScalarType, content: number | Float64Array): ElementArray {
  const make = isFloat(scalar)
    ? Float64Array
    : scalar === "i32"
      ? Int32Array
      : scalar === "u32"
        ? Uint32Array
        : Uint8Array;
  // TypeScript cannot choose an overload for a union of constructors.
  return typeof content === "number" ? new make(content) : new make(content);
}

/** What is wrong with a tensor that should have a type, or null. */
function mismatch(given: TensorData, element: ElementType, shape: readonly number[]): string | null {
  if (given.element.scalar !== element.scalar) return `has elements of type ${given.element.scalar}`;
  if (given.shape.length !== shape.length || given.shape.some((size, axis) => size !== shape[axis]))
    return `has shape [${given.shape.join(", ")}]`;
  const array = arrayOf(element.scalar, 0).constructor.name;
  if (given.data.constructor.name !== array)
    return `is held in a ${given.data.constructor.name}, not a ${array}`;
  if (given.data.length !== sizeOf(shape)) return `has ${given.data.length} elements, not ${sizeOf(shape)}`;
  const { bound } = element;
  if (bound === null) return null;
  const outside = given.data.find((at) => at < 0 || at >= bound);
  return outside === undefined ? null : `holds ${outside}, which is no idx<${bound}>`;
}
