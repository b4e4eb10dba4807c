/**
 * The pipeline, written once: what becomes of a program, stage by stage. `FECIT_TRACE` and `fecit inspect`
 * walk over this list.
 *
 *     text ──check──▶ typed program ──ir──▶ graph ──vjp──▶ graph without markers ──simplify──▶ graph
 *                                                       program of kernels ◀──wgsl── plan ◀──fuse──┘
 *
 * `reassociate` follows `simplify` when it is asked for; `fuse` and `wgsl` run when kernels are asked for.
 */
import { differentiate } from "./autodiff/differentiate.ts";
import { type LoweredProgram, lowerProgram } from "./codegen/lower/program.ts";
import type { Update } from "./fusion/overwrite.ts";
import { verifyKernel } from "./codegen/verify.ts";
import { type DerivativeKind, rebind, withDerivative } from "./derived.ts";
import type { FusionLevel, LayoutChoice, MemoryChoice, Plan } from "./fusion/plan.ts";
import { planGraph } from "./fusion/planner.ts";
import { printPlan } from "./fusion/print.ts";
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
import { type KernelTarget, kernelShapeOf, kernelTexts } from "./kernel-text.ts";
import { trainingStep } from "./training-step.ts";

/** How a graph is to become kernels. */
export interface KernelRequest {
  readonly fuse: FusionLevel;
  /** What memory is worth; null for what is usual: `balanced` in training, else `speed`. */
  readonly memory: MemoryChoice | null;
  readonly layout: LayoutChoice;
  readonly target: KernelTarget;
  readonly updates: readonly Update[];
}

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
  /** Leave alone what a step of training carries for parameters that no gradient reaches (`training-step.ts`). */
  readonly training: boolean;
  /** Null when the graph is all that is wanted. */
  readonly kernels: KernelRequest | null;
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
  /** From `fuse` on. */
  readonly plan: Plan | null;
  /** From `wgsl` on. */
  readonly lowered: LoweredProgram | null;
  /** The last stage that has run; a run goes on after it. */
  readonly last: StageName | null;
  readonly diagnostics: readonly Diagnostic[];
}

export type StageName = "check" | "ir" | "vjp" | "simplify" | "reassociate" | "fuse" | "wgsl";

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
    run: takeDerivatives,
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
  {
    name: "fuse",
    makes: "which nodes share a kernel, and why",
    run: fuse,
    isWanted: (request) => request.kernels !== null,
    print: ({ plan }) => (plan === null ? "" : printPlan(plan)),
  },
  {
    name: "wgsl",
    makes: "the kernels' texts",
    run: lower,
    isWanted: (request) => request.kernels !== null,
    print: printTexts,
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
  const nothing = { request: null, program: null, compiled: null, plan: null, lowered: null, last: null };
  return { file, loader, ...nothing, diagnostics: [] };
}

/** Runs the stages that have not been run; stops after one that finds a mistake in the program. */
export function runPipeline(start: Compilation, options: PipelineOptions = {}): Compilation {
  let now = start;
  for (const stage of pipeline.slice(pipeline.findIndex(({ name }) => name === start.last) + 1)) {
    if (now.request === null || stage.isWanted?.(now.request) !== false) {
      now = { ...stage.run(now), last: stage.name };
      const made = now;
      options.trace?.(stage, () => stage.print(made));
      if (options.verify === true) assertIntact(stage, made);
    }
    if (stage.name === options.until || hasErrors(now.diagnostics)) break;
  }
  return now;
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((d) => d.severity === "error");
}

function assertIntact(stage: Stage, { compiled, lowered, request }: Compilation): void {
  const limits = request?.kernels?.target.limits;
  const problems = [
    ...(compiled === null ? [] : verifyGraph(compiled.graph)),
    ...(lowered?.program.kernels ?? []).flatMap((kernel) =>
      verifyKernel(kernel, {
        invocations: limits?.maxComputeInvocationsPerWorkgroup ?? 256,
        workgroupBytes: limits?.maxComputeWorkgroupStorageSize ?? 16384,
        // More of them are folded over two directions.
        workgroups: 65535 ** 2,
      }).map((problem) => `kernel ${kernel.name}: ${problem}`),
    ),
  ];
  if (problems.length > 0)
    throw new Error(`after ${stage.name} what was made is not well formed:\n  ${problems.join("\n  ")}`);
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
    const argument = /^(?:the (?:\w+ )?axis of |the bound of |the length of )?(\w+)/.exec(error.message)?.[1];
    const at = info.params.find((p) => p.name === argument)?.span ?? info.span;
    return diagnostic("E0506", at, error.message, {
      help: "give arguments whose shapes fit, or other dimensions",
    });
  }
}

function takeDerivatives(before: Compilation): Compilation {
  return overGraph((compiled) =>
    before.request?.training === true
      ? trainingStep(compiled)
      : rebind(compiled, differentiate(compiled.graph)),
  )(before);
}

function fuse(before: Compilation): Compilation {
  const { compiled, request } = before;
  if (compiled === null || request?.kernels == null)
    throw new Error("a compiled function and a request are needed");
  const { fuse: level, target, memory, layout, updates } = request.kernels;
  const thrift = memory ?? (request.training ? "balanced" : "speed");
  const plan = planGraph(compiled.graph, level, kernelShapeOf(target).target, thrift, updates, layout);
  return { ...before, plan };
}

function lower(before: Compilation): Compilation {
  const { plan, request } = before;
  if (plan === null || request?.kernels == null) throw new Error("a plan and a request are needed");
  const { target, updates } = request.kernels;
  return { ...before, lowered: lowerProgram(plan, kernelShapeOf(target), updates, target.choices) };
}

function printTexts({ lowered, request }: Compilation): string {
  if (lowered === null || request?.kernels == null) return "";
  return kernelTexts(lowered, request.kernels.target.limits).join("\n");
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
