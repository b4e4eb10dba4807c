/**
 * The pipeline, written once: what becomes of a program, stage by stage. `FECIT_TRACE` and `fecit inspect`
 * walk over this list.
 *
 *     text ──check──▶ typed program ──ir──▶ graph ──vjp──▶ graph without markers ──simplify──▶ graph
 *
 * `reassociate` follows when it is asked for.
 */
import { differentiate } from "./autodiff/differentiate.ts";
import { type DerivativeKind, rebind, withDerivative } from "./derived.ts";
import type { Graph } from "./ir/ir.ts";
import { printGraph } from "./ir/print.ts";
import { reassociate } from "./ir/rewrite/reassociate.ts";
import { simplify } from "./ir/rewrite/simplify.ts";
import { verifyGraph } from "./ir/verify.ts";
import { check, type Loader } from "./lang/check.ts";
import type { Diagnostic } from "./lang/diagnostic.ts";
import { findFunction, specialise, type Specialised } from "./lang/elaborate/specialise.ts";
import type { Shape } from "./lang/elaborate/shape.ts";
import { ShapeMismatch, solveDims } from "./lang/elaborate/solve-dims.ts";
import { diagnostic } from "./lang/inference.ts";
import { printTyped } from "./lang/print-typed.ts";
import type { FunctionInfo, Program } from "./lang/program.ts";
import type { SourceFile } from "./lang/source.ts";

/** Which function is to be compiled, for which dimensions, and which derivatives of it, innermost first. */
export interface Request {
  readonly function: string;
  readonly dims: ReadonlyMap<string, number>;
  /** Shapes of arguments, from which dimensions follow; null where one is not known. */
  readonly args: readonly (Shape | null)[];
  /** What stands for the function's type parameters, where no argument tells it. */
  readonly types: ReadonlyMap<string, Shape>;
  readonly derivatives: readonly DerivativeKind[];
  /** Take sums before the linear maps under them where that is cheaper; it moves roundings. */
  readonly reassociate: boolean;
}

/** What has been made so far. A stage adds its part. */
export interface Compilation {
  readonly file: SourceFile;
  readonly loader: Loader;
  /** Null when the program is only to be checked. */
  readonly request: Request | null;
  /** From `check` on. */
  readonly program: Program | null;
  /** From `ir` on; its graph is the latest stage's. */
  readonly compiled: Specialised | null;
  readonly diagnostics: readonly Diagnostic[];
}

export type StageName = "check" | "ir" | "vjp" | "simplify" | "reassociate";

export interface Stage {
  /** As `FECIT_TRACE` names it. */
  readonly name: StageName;
  /** What it makes, in a few words. */
  readonly makes: string;
  readonly run: (before: Compilation) => Compilation;
  /** Whether it has anything to do; always, when it does not say. */
  readonly isWanted?: (request: Request) => boolean;
  /** What it has made, as text. */
  readonly print: (after: Compilation) => string;
}

/** All stages, in order. */
export const pipeline: readonly Stage[] = [
  { name: "check", makes: "the program with its types", run: checkProgram, print: printProgram },
  {
    name: "ir",
    makes: "one function for given dimensions, as tensor IR",
    run: elaborate,
    print: printCompiled,
  },
  {
    name: "vjp",
    makes: "its derivatives as ordinary nodes",
    run: overGraph(takeDerivatives),
    print: printCompiled,
  },
  {
    name: "simplify",
    makes: "the same with less",
    run: overGraph((c) => rebind(c, simplify(c.graph))),
    print: printCompiled,
  },
  {
    name: "reassociate",
    makes: "sums taken before linear maps",
    run: overGraph((c) => rebind(c, simplify(reassociate(c.graph)))),
    isWanted: (request) => request.reassociate,
    print: printCompiled,
  },
];

export interface PipelineOptions {
  /** The last stage to run; all of them when it is not given. */
  readonly until?: StageName;
  /** Is told what each stage has made. */
  readonly trace?: (stage: Stage, text: () => string) => void;
  /** Test the graph after each stage and throw when one has broken it. */
  readonly verify?: boolean;
}

/** A program before its first stage. */
export function unchecked(file: SourceFile, loader: Loader): Compilation {
  return { file, loader, request: null, program: null, compiled: null, diagnostics: [] };
}

/** Runs the stages that have not been run; stops after one that finds a mistake in the program. */
export function runPipeline(start: Compilation, options: PipelineOptions = {}): Compilation {
  let now = start;
  for (const stage of pipeline) {
    const isWanted = now.request === null || stage.isWanted?.(now.request) !== false;
    if (isWanted && (stage.name !== "check" || now.program === null)) {
      now = stage.run(now);
      options.trace?.(stage, () => stage.print(now));
      if (options.verify === true && now.compiled !== null) assertIntact(stage, now.compiled.graph);
    }
    if (stage.name === options.until || hasErrors(now.diagnostics)) break;
  }
  return now;
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((d) => d.severity === "error");
}

function assertIntact(stage: Stage, graph: Graph): void {
  const problems = verifyGraph(graph);
  if (problems.length > 0)
    throw new Error(`after ${stage.name} the graph is not well formed:\n  ${problems.join("\n  ")}`);
}

function checkProgram(before: Compilation): Compilation {
  const program = check(before.file, before.loader);
  return { ...before, program, diagnostics: program.diagnostics };
}

function elaborate(before: Compilation): Compilation {
  const { program, request } = before;
  if (program === null || request === null) throw new Error("a checked program and a request are needed");
  const info = findFunction(program, request.function);
  if ("code" in info) return withErrors(before, [info]);
  const solved = dimsOf(info, request);
  if ("code" in solved) return withErrors(before, [solved]);
  const made = specialise(info, solved);
  if (!("graph" in made)) return withErrors(before, made);
  return { ...before, compiled: request.derivatives.reduce(withDerivative, made) };
}

type Solved = ReturnType<typeof solveDims>;

function dimsOf(info: FunctionInfo, { args, dims, types }: Request): Solved | Diagnostic {
  try {
    const solved = solveDims(info, args, dims);
    return { dims: solved.dims, types: new Map([...solved.types, ...types]) };
  } catch (error) {
    if (!(error instanceof ShapeMismatch)) throw error;
    const argument = /^(?:axis \d+ of |the bound of |the length of )?(\w+)/.exec(error.message)?.[1];
    const at = info.params.find((p) => p.name === argument)?.span ?? info.span;
    return diagnostic("E0506", at, error.message, {
      help: "give arguments whose shapes fit, or other dimensions",
    });
  }
}

function takeDerivatives(compiled: Specialised): Specialised {
  return rebind(compiled, differentiate(compiled.graph));
}

function overGraph(pass: (compiled: Specialised) => Specialised): Stage["run"] {
  return (before) => {
    if (before.compiled === null) throw new Error("a compiled function is needed");
    return { ...before, compiled: pass(before.compiled) };
  };
}

function withErrors(before: Compilation, errors: readonly Diagnostic[]): Compilation {
  return { ...before, diagnostics: [...before.diagnostics, ...errors] };
}

function printProgram({ program, request }: Compilation): string {
  return program === null ? "" : printTyped(program, request?.function ?? null);
}

function printCompiled({ compiled }: Compilation): string {
  return compiled === null ? "" : printGraph(compiled.graph);
}
