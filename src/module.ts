/** Modules and compiled functions as the public face gives them; `index.ts` says what is public. */
import type { DerivativeKind } from "./derived.ts";
import { ArgumentError, showShape, tensorsOf, type Value, valueOf } from "./host-value.ts";
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
import { type Compilation, hasErrors, type PipelineOptions, runPipeline, unchecked } from "./pipeline.ts";

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

/** A function compiled for dimensions. */
export interface Compiled {
  readonly name: string;
  readonly dims: Readonly<Record<string, number>>;
  readonly params: readonly Parameter[];
  /** One for each part of a tuple; otherwise a single one. */
  readonly results: readonly Parameter[];
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
}

/** A module whose checked program the command line looks into. */
export interface LoadedModule extends Module {
  readonly program: Program;
}

/** Checks a program. */
export function loadModule(source: string | SourceFile, options: LoadOptions = {}): LoadedModule {
  const file = typeof source === "string" ? { name: "program.fec", text: source } : source;
  const checked = runPipeline(unchecked(file, options.loader ?? noFiles), { ...options, until: "check" });
  const program = checked.program!;
  const functions = [...program.main.exports.values()].filter((top) => top.kind === "function");
  return {
    program,
    diagnostics: program.diagnostics,
    functions: functions.map(summaryOf),
    compile: (name, request = {}) => compile(checked, name, request, options),
    init: (struct, request = {}) => initStruct(program, struct, request),
  };
}

function summaryOf(info: FunctionInfo): FunctionSummary {
  const params = info.params.map(({ name, type }) => ({ name, type: showType(type) }));
  const result = info.result === null ? "?" : showType(info.result);
  return { name: info.name, doc: info.decl.doc, dims: [...info.dims.keys()], params, result };
}

function compile(
  checked: Compilation,
  name: string,
  request: CompileOptions,
  options: PipelineOptions,
): Compiled {
  if (hasErrors(checked.diagnostics)) throw new CompileError(checked.diagnostics);
  const dims = dimensions(request.dims ?? {});
  const top = checked.program!.main.exports.get(name);
  if (top?.kind === "function") knownDims(`fn ${name}`, [...top.dims.keys()], dims.keys());
  const types = new Map(Object.entries(request.types ?? {}));
  const start: Compilation = {
    ...checked,
    request: {
      function: name,
      dims,
      args: request.args ?? [],
      types,
      derivatives: [],
      reassociate: request.reassociate ?? false,
    },
  };
  return compileRequest(start, options);
}

function compileRequest(start: Compilation, options: PipelineOptions): Compiled {
  const done = runPipeline({ ...start, compiled: null }, options);
  if (done.compiled === null || hasErrors(done.diagnostics)) throw new CompileError(done.diagnostics);
  const { compiled } = done;
  const derivative = (kind: DerivativeKind): Compiled => {
    const request = start.request!;
    return compileRequest(
      { ...start, request: { ...request, derivatives: [...request.derivatives, kind] } },
      options,
    );
  };
  return {
    name: compiled.graph.name,
    dims: Object.fromEntries(compiled.dims),
    params: compiled.params.map(parameterOf),
    results: compiled.results.map(parameterOf),
    graph: compiled.graph,
    vjp: () => derivative("vjp"),
    jvp: () => derivative("jvp"),
    print(stage) {
      if (stage === "typed") return printTyped(done.program!, compiled.function.name);
      return printGraph(stage === "ir" ? compiled.graph : derivative("vjp").graph);
    },
    init: (param, seed = 0) => initParameter(compiled, param, seed),
    interpret: (...args) => run(compiled, args),
  };
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
      `the dimension ${name}: expected a whole number from 0 to ${largestDim}, found ${value}`,
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
