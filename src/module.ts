/** Modules and compiled functions as the public face gives them; `index.ts` says what is public. */
import type { DerivativeKind } from "./derived.ts";
import { sourceGiven, wordGiven } from "./given.ts";
import { ArgumentError, describe, showShape, tensorsOf, type Value, valueOf } from "./host-value.ts";
import { interpret } from "./ir/interpret.ts";
import type { Graph } from "./ir/ir.ts";
import { printGraph } from "./ir/print.ts";
import { type Loader, noFiles } from "./lang/check.ts";
import { type Diagnostic, DiagnosticError } from "./lang/diagnostic.ts";
import { dimVariable } from "./lang/dims.ts";
import { drawTensor, type PlannedLeaf, planInit } from "./lang/elaborate/init.ts";
import type { Shape } from "./lang/elaborate/shape.ts";
import { type Binding, shapeOfType, type Specialised } from "./lang/elaborate/specialise.ts";
import { printTyped } from "./lang/print-typed.ts";
import type { FunctionInfo, Program } from "./lang/program.ts";
import { renderDiagnostics } from "./lang/render.ts";
import type { SourceFile } from "./lang/source.ts";
import { closest } from "./lang/suggest.ts";
import { showType, type Type } from "./lang/types.ts";
import { type KernelTarget, portableKernelTarget } from "./kernel-text.ts";
import { rowsAgree } from "./open-dimension.ts";
import { type Compilation, hasErrors, type PipelineOptions, runPipeline, unchecked } from "./pipeline.ts";
import { carriedBy } from "./training-step.ts";
import type { LoweredProgram } from "./codegen/lower/program.ts";
import type { Update } from "./fusion/overwrite.ts";
import {
  type FusionLevel,
  fusionLevels,
  type LayoutChoice,
  layoutChoices,
  type MemoryChoice,
  memoryChoices,
  type Plan,
} from "./fusion/plan.ts";

/** A mistake in the program, or one that only the dimensions bring. The message is the rendered text. */
export class CompileError extends Error {
  override readonly name = "CompileError";
  constructor(readonly diagnostics: readonly Diagnostic[]) {
    super(renderDiagnostics(diagnostics));
  }
}

export interface LoadOptions extends Pick<PipelineOptions, "trace" | "verify"> {
  /** Gives the files that the program uses with `use ./…`; without one there are none. */
  readonly loader?: Loader;
}

/** A function of a module, as its declaration has it. */
export interface FunctionSummary {
  readonly name: string;
  readonly doc: string | null;
  /** Its dimension variables, those in brackets first. */
  readonly dims: readonly string[];
  readonly params: readonly { readonly name: string; readonly type: string }[];
  readonly result: string;
}

export interface CompileOptions {
  /** Dimensions that the arguments don't fix, or all of them. */
  readonly dims?: Readonly<Record<string, number>>;
  /** Shapes of the arguments, from which dimensions follow; null for one that is not known. */
  readonly args?: readonly (Shape | null)[];
  /** What stands for the function's type parameters, where no argument tells it. */
  readonly types?: Readonly<Record<string, Shape>>;
  /**
   * Take sums before the linear maps under them (a 1×1 convolution under an average) where that lowers the operation count. Exact
   * in real arithmetic; it moves roundings, which may turn a near tie of an argmax. Off by default.
   */
  readonly reassociate?: boolean;
  /**
   * Compile it as a step of training: what is carried for parameters that no gradient reaches (weights, moments, averages) comes
   * back as the very values that went in, as an optimiser of PyTorch skips parameters whose gradient is None.
   */
  readonly training?: boolean;
}

/** How a compiled function becomes kernels. */
export interface KernelOptions {
  /** `off`: a kernel for every node; `map`: elementwise chains are one; `full`, the default: everything that pays. */
  readonly fuse?: FusionLevel;
  /**
   * `speed`: nothing is computed twice to save memory. `balanced`: what waits for the backward pass is computed again where that saves most,
   * for a twenty-fifth of the time in all; usual in training. `least`: for as much time as it takes.
   */
  readonly memory?: MemoryChoice;
  /**
   * `chosen`, the default: what only kernels read lies in memory in the order that suits them, where everything is fused that pays.
   * `row-major`: in the order of its axes, to compare with.
   */
  readonly layout?: LayoutChoice;
  /** What they are for, as `device.adapter` says it; a GPU of WebGPU's least limits unless given. */
  readonly target?: KernelTarget;
  /** Results that overwrite arguments, by the numbers of their tensors among all results' and all arguments'. */
  readonly updates?: readonly Update[];
}

/** A function as kernels: the plan, the program, and the group of nodes that each dispatch computes. */
export interface KernelProgram extends LoweredProgram {
  readonly plan: Plan;
}

export interface InitOptions {
  readonly dims?: Readonly<Record<string, number>>;
  /** A whole number from 0; the same seed draws the same values. 0 by default. */
  readonly seed?: number;
}

/** A checked program. */
export interface Module {
  /** Everything that is wrong with it, in the order of the text. */
  readonly diagnostics: readonly Diagnostic[];
  readonly functions: readonly FunctionSummary[];
  /** Compiles one function for dimensions. Throws `CompileError`. */
  compile(name: string, options?: CompileOptions): Compiled;
  /** What a function's arguments and results are for dimensions. Throws `CompileError`. */
  shapes(name: string, options?: CompileOptions): FunctionShapes;
  /**
   * Draws a struct that the module knows from its fields' distributions. Throws `CompileError`,
   * `ArgumentError`.
   */
  init(struct: string, options?: InitOptions): Value;
}

/** A parameter or a result of a compiled function. */
export interface Parameter {
  readonly name: string;
  /** The type as a program would write it, with numbers for dimensions. */
  readonly type: string;
  readonly shape: Shape;
}

/** A function's arguments and results. */
export interface FunctionShapes {
  readonly name: string;
  readonly params: readonly Parameter[];
  /** One for each part of a tuple; otherwise a single one. */
  readonly results: readonly Parameter[];
}

/** A function compiled for dimensions. */
export interface Compiled extends FunctionShapes {
  readonly dims: Readonly<Record<string, number>>;
  /** Its tensor IR, simplified. */
  readonly graph: Graph;
  /**
   * Takes a cotangent for each floating result after its own arguments; gives those of the floating
   * arguments.
   */
  vjp(): Compiled;
  /**
   * Takes a tangent for each floating argument after its own arguments; gives those of the floating results.
   */
  jvp(): Compiled;
  /** What the compiler made: the function with its types, its IR, the IR of its vjp. */
  print(stage: "typed" | "ir" | "vjp"): string;
  /** Draws an argument from its struct's distributions. Throws `ArgumentError`. */
  init(param: string, seed?: number): Value;
  /** Runs it in double precision. Throws `ArgumentError`. */
  interpret(...args: Value[]): Value[];
  /** Makes kernels of it. No device is needed. Throws `ArgumentError` for a choice that there is not. */
  kernels(options?: KernelOptions): KernelProgram;
  /** The same function, or derivative, for other dimensions; those not given stay. Throws `CompileError`, `ArgumentError`. */
  resize(dims: Readonly<Record<string, number>>): Compiled;
  /** What its arguments and results are for other dimensions. Throws `CompileError`, `ArgumentError`. */
  shapesFor(dims: Readonly<Record<string, number>>): FunctionShapes;
  /**
   * For `size` of a dimension instead of its own: are arguments and results the first rows of its own ones? So it is for a function
   * that computes every row of a batch by itself; `open-dimension.ts` says how it is decided. It is never so for derivatives.
   * Throws `CompileError`, `ArgumentError`.
   */
  hasRowsOf(dim: string, size: number): boolean;
  /** What a training step carries: results that are the next values of arguments, as `KernelOptions.updates` takes them. */
  readonly carried: readonly Update[];
}

/** A module whose checked program the command line looks into. */
export interface LoadedModule extends Module {
  readonly program: Program;
}

/** Checks a program. */
export function loadModule(source: string | SourceFile, options: LoadOptions = {}): LoadedModule {
  const file = sourceGiven(source, "load");
  const checked = runPipeline(unchecked(file, options.loader ?? noFiles), { ...options, until: "check" });
  const program = checked.program!;
  const functions = [...program.main.exports.values()].filter((top) => top.kind === "function");
  return {
    program,
    diagnostics: program.diagnostics,
    functions: functions.map(summaryOf),
    compile: (name, request = {}) => compileRequest(requestFor(checked, name, request), options),
    shapes: (name, request = {}) => shapesOf(elaborate(requestFor(checked, name, request))),
    init: (struct, request = {}) => initStruct(program, struct, request),
  };
}

function summaryOf(info: FunctionInfo): FunctionSummary {
  const params = info.params.map(({ name, type }) => ({ name, type: showType(type) }));
  const result = info.result === null ? "?" : showType(info.result);
  return { name: info.name, doc: info.decl.doc, dims: [...info.dims.keys()], params, result };
}

function requestFor(checked: Compilation, name: string, request: CompileOptions): Compilation {
  if (hasErrors(checked.diagnostics)) throw new CompileError(checked.diagnostics);
  const dims = dimensions(request.dims ?? {});
  const top = checked.program!.main.exports.get(name);
  if (top?.kind === "function") knownDims(`fn ${name}`, [...top.dims.keys()], dims.keys());
  const types = new Map(Object.entries(request.types ?? {}));
  return {
    ...checked,
    request: {
      function: name,
      dims,
      args: request.args ?? [],
      types,
      derivatives: [],
      reassociate: request.reassociate ?? false,
      training: request.training ?? false,
      kernels: null,
    },
  };
}

/** The function as elaboration makes it, its derivatives not taken. */
function elaborate(start: Compilation): Specialised {
  const { compiled, diagnostics } = runPipeline(start, { until: "ir" });
  if (compiled === null || hasErrors(diagnostics)) throw new CompileError(diagnostics);
  return compiled;
}

function shapesOf({ graph, params, results }: Specialised): FunctionShapes {
  return { name: graph.name, params: params.map(parameterOf), results: results.map(parameterOf) };
}

function compileRequest(start: Compilation, options: PipelineOptions): Compiled {
  const done = runPipeline(start, options);
  if (done.compiled === null || hasErrors(done.diagnostics)) throw new CompileError(done.diagnostics);
  const { compiled } = done;
  const request = start.request!;
  const own = Object.fromEntries(compiled.dims);
  const derivative = (kind: DerivativeKind): Compiled =>
    compileRequest(
      { ...start, request: { ...request, derivatives: [...request.derivatives, kind] } },
      options,
    );
  /** The request for other dimensions: all of them, so that no argument's shape speaks against them. */
  const resized = (dims: Readonly<Record<string, number>>): Compilation => {
    knownDims(compiled.graph.name, Object.keys(own), Object.keys(dims));
    return { ...start, request: { ...request, dims: dimensions({ ...own, ...dims }), args: [] } };
  };
  const elaborated = remembered(() => elaborate(start).graph);
  return {
    name: compiled.graph.name,
    dims: own,
    params: compiled.params.map(parameterOf),
    results: compiled.results.map(parameterOf),
    graph: compiled.graph,
    carried: carriedUpdates(compiled),
    vjp: () => derivative("vjp"),
    jvp: () => derivative("jvp"),
    print(stage) {
      wordGiven("stage", stage, ["typed", "ir", "vjp"]);
      if (stage === "typed") return printTyped(done.program!, compiled.function.name);
      return printGraph(stage === "ir" ? compiled.graph : derivative("vjp").graph);
    },
    init: (param, seed = 0) => initParameter(compiled, param, seed),
    interpret: (...args) => run(compiled, args),
    kernels({ fuse = "full", memory, layout = "chosen", target = portableKernelTarget, updates = [] } = {}) {
      const kernels = {
        fuse: wordGiven("fuse", fuse, fusionLevels),
        memory: memory == null ? null : wordGiven("memory", memory, memoryChoices),
        layout: wordGiven("layout", layout, layoutChoices),
        target,
        updates,
      };
      const asked = { ...done, request: { ...request, kernels } };
      const { plan, lowered } = runPipeline(asked, options);
      return { plan: plan!, ...lowered! };
    },
    resize: (dims) => compileRequest(resized(dims), options),
    shapesFor: (dims) => shapesOf(elaborate(resized(dims))),
    hasRowsOf: (dim, size) => rowsAgree(elaborated(), elaborate(resized({ [dim]: size })).graph),
  };
}

/** A value that is made when it is first asked for. */
function remembered<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}

function carriedUpdates(compiled: Specialised): Update[] {
  const numbers = new Map(compiled.graph.params.map(({ name }, number) => [name, number]));
  return carriedBy(compiled).flatMap(({ param, result }) => {
    const number = numbers.get(param);
    return number === undefined ? [] : [{ result, param: number }];
  });
}

function parameterOf({ name, shape }: Binding): Parameter {
  return { name, type: showShape(shape), shape };
}

function run({ graph, params, results }: Specialised, args: readonly Value[]): Value[] {
  if (args.length !== params.length) {
    const list = params.map((p) => p.name).join(", ");
    throw new ArgumentError(`${graph.name} takes ${params.length} arguments (${list}), ${args.length} given`);
  }
  const inputs = params.flatMap(({ name, shape, values }, i) => {
    const tensors = tensorsOf(args[i]!, shape, name);
    return values.map((value, leaf) => [value, tensors[leaf]!] as const);
  });
  const computed = interpret(graph, Object.fromEntries(inputs));
  return results.map(({ shape, values }) => valueOf(shape, values.map((value) => computed[value]!).values()));
}

function initParameter(compiled: Specialised, name: string, seed: number): Value {
  const binding = compiled.params.find((p) => p.name === name);
  const info = compiled.function.params.find((p) => p.name === name);
  if (binding === undefined || info === undefined) {
    const names = compiled.function.params.map((p) => p.name);
    throw new ArgumentError(`${compiled.function.name} has no parameter ${name}; ${suggestion(name, names)}`);
  }
  return draw(info.type, binding.shape, name, compiled.dims, seed);
}

function initStruct(program: Program, name: string, options: InitOptions): Value {
  const decl = program.main.names.get(name);
  if (decl?.kind !== "struct") {
    const names = [...program.main.names.values()]
      .filter((top) => top.kind === "struct")
      .map((top) => top.name);
    throw new ArgumentError(`there is no struct ${name}; ${suggestion(name, names)}`);
  }
  if (decl.types.length > 0) {
    throw new ArgumentError(
      `${name} has a type parameter, ${decl.types[0]}: draw it as the parameter of a function`,
    );
  }
  const dims = dimensions(options.dims ?? {});
  knownDims(`struct ${name}`, decl.dims, dims.keys());
  const missing = decl.dims.find((d) => !dims.has(d));
  if (missing !== undefined) throw new ArgumentError(`the dimension ${missing} of ${name} is not given`);
  const type: Type = { kind: "struct", decl, dims: decl.dims.map(dimVariable), types: [] };
  return draw(type, structShape(program, type, dims), "", dims, options.seed ?? 0);
}

function structShape(
  program: Program,
  type: Extract<Type, { kind: "struct" }>,
  dims: ReadonlyMap<string, number>,
): Shape {
  const body = { types: new Map(), ranges: new Map(), instances: new Map(), conditions: [] };
  const frame = { module: program.main, body, dims, name: type.decl.name };
  try {
    return shapeOfType(frame, type, type.decl.span, new Map());
  } catch (error) {
    throw error instanceof DiagnosticError ? new CompileError([error.diagnostic]) : error;
  }
}

function draw(
  type: Type,
  shape: Shape,
  path: string,
  dims: ReadonlyMap<string, number>,
  seed: number,
): Value {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new ArgumentError(`expected a whole number from 0 as seed, found ${seed}`);
  const tensors = planInit(type, shape, path, dims).map((leaf) => {
    if (leaf.draw !== null) return drawTensor(leaf.leaf.element, leaf.leaf.shape, leaf.draw, seed, leaf.path);
    const what = leaf.path === "" ? "it" : leaf.path;
    throw new ArgumentError(`${what} can't be drawn: it has no distribution${remedy(leaf, path)}`);
  });
  return valueOf(shape, tensors.values());
}

/** How the field that a tensor is in, if it is in one, gets a distribution; list and tuple places are no fields. */
function remedy({ path, leaf }: PlannedLeaf, root: string): string {
  const parts = path.slice(root.length).split(".");
  const field = parts.findLast((part) => !/^\d*$/.test(part));
  if (field === undefined) return ", which only fields of structs have";
  const type = field === parts.at(-1) ? showShape(leaf) : "…";
  return `; give its field one, as in \`${field}: ${type} ~ zeros\``;
}

/** Indices are `i32`. */
export const largestDim = 2 ** 31 - 1;

function dimensions(given: Readonly<Record<string, number>>): Map<string, number> {
  for (const [name, value] of Object.entries(given)) {
    if (Number.isInteger(value) && value >= 0 && value <= largestDim) continue;
    throw new ArgumentError(
      `the dimension ${name}: expected a whole number from 0 to ${largestDim}, found ${typeof value === "number" ? value : describe(value)}`,
    );
  }
  return new Map(Object.entries(given));
}

function knownDims(owner: string, known: readonly string[], given: Iterable<string>): void {
  for (const name of given) {
    if (!known.includes(name))
      throw new ArgumentError(`${owner} has no dimension ${name}; ${suggestion(name, known)}`);
  }
}

function suggestion(name: string, known: readonly string[]): string {
  const near = closest(name, known);
  if (near !== null) return `did you mean ${near}?`;
  return known.length === 0 ? "it has none" : `there are ${known.join(", ")}`;
}
