/** `fecit inspect FILE FUNCTION`: what the compiler made of a function: its kernels, or what any stage made. */
import { type Command, Option } from "commander";
import type { FusionLevel, LayoutChoice, MemoryChoice } from "../fusion/plan.ts";
import { printPlan } from "../fusion/print.ts";
import type { Comprehension, Graph, Node } from "../ir/ir.ts";
import { definitions } from "../ir/ir.ts";
import { printElement, printGraph } from "../ir/print.ts";
import { valuesUsed } from "../ir/traverse.ts";
import { type ProgramReport, reportOf } from "../kernel-report.ts";
import { type KernelTarget, portableKernelTarget } from "../kernel-text.ts";
import { printProgram } from "../codegen/print.ts";
import { showDim } from "../lang/dims.ts";
import { printTypedFunction, typedNames } from "../lang/print-typed.ts";
import type { FunctionInfo } from "../lang/program.ts";
import { positionOf, type SourceFile } from "../lang/source.ts";
import { closest } from "../lang/suggest.ts";
import { showElement, showType } from "../lang/types.ts";
import { type Compiled, type KernelProgram, loadModule, type LoadedModule } from "../module.ts";
import {
  deviceOption,
  fuseOption,
  kernelOptions,
  layoutOption,
  memoryOption,
  onDevice,
  requireRunning,
} from "./device.ts";
import { orDiagnose, withoutErrors } from "./diagnose.ts";
import { exit, Failure } from "./failure.ts";
import { fileLoader, readSource, writeWhole } from "./files.ts";
import { kernelTable } from "./inspect-table.ts";
import { inspectionPage } from "./inspect-page.ts";
import { measuredReport } from "./measured-report.ts";
import { dimOption, functionNamed, knowDims, needDims, reassociateHelp } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { traceHelp, tracing } from "./trace.ts";

interface Options {
  readonly dim: ReadonlyMap<string, number>;
  readonly stage?: Stage;
  readonly vjp?: boolean;
  readonly fuse: FusionLevel;
  readonly memory?: MemoryChoice;
  readonly layout: LayoutChoice;
  readonly device?: string;
  readonly html?: string;
  readonly reassociate?: boolean;
  readonly measure?: boolean;
  readonly json?: boolean;
  readonly trace?: string;
}

/** Before kernels are made. */
const earlyStages = ["typed", "ir", "vjp"] as const;
const stages = [...earlyStages, "fused", "kernels", "wgsl"] as const;
type Stage = (typeof stages)[number];

export function addInspect(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command("inspect")
    .summary("show what the compiler made of a function")
    .description(
      "Shows what the compiler made of a function for the dimensions given: a table of its kernels.",
    )
    .argument("<file>", "a program")
    .argument("<function>", "one of its functions")
    .addOption(dimOption("dimensions, as in b=2,n=49; may be repeated"))
    .addOption(
      new Option(
        "--stage <stage>",
        "typed: with its types; ir: tensor IR, simplified; vjp: that of its derivative; " +
          "fused: which nodes share a kernel, and why; kernels: kernel IR; wgsl: the shaders",
      ).argParser(parseStage),
    )
    .option("--vjp", "inspect its vjp")
    .addOption(fuseOption())
    .addOption(memoryOption())
    .addOption(layoutOption())
    .addOption(inspectDeviceOption(terminal))
    .option("--html <file>", "write a page that shows it all")
    .option("--reassociate", reassociateHelp)
    .option("--measure", "time its kernels on the device (auto unless given), on arguments that are made up")
    .option("--json", "print one JSON object; with an early --stage, the nodes as data")
    .option("--trace <stages>", traceHelp)
    .addHelpText(
      "after",
      "\nExample:\n  fecit inspect examples/cluster.fec cluster --dim n=49,o=4,d=32 --vjp --html cluster.html",
    )
    .action(async (file: string, name: string, options: Options) => {
      await inspect(terminal, file, name, options);
      done(0);
    });
}

/** Without it no adapter is opened: kernels are those for a GPU. */
function inspectDeviceOption(terminal: Terminal): Option {
  const option = deviceOption(terminal);
  option.description =
    "make the kernels for this adapter: auto, gpu, software, part of a name (default: none is opened)";
  return option.default(undefined);
}

function parseStage(text: string): Stage {
  const stage = stages.find((name) => name === text);
  if (stage !== undefined) return stage;
  const near = closest(text, stages);
  throw new Failure(exit.commandWrong, `--stage ${text}: there is no such stage`, {
    help: near === null ? `stages are ${stages.join(", ")}` : `did you mean ${near}?`,
  });
}

/** A tensor of a function: a node of its graph, or a `let` of its text. */
interface ShownNode {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly (number | string)[] | null;
  readonly op: string;
  readonly reads: readonly string[];
  readonly source: { readonly line: number; readonly column: number } | null;
}

async function inspect(terminal: Terminal, file: string, name: string, options: Options): Promise<void> {
  const { dim: dims, stage, json, html } = options;
  const source = readSource(terminal, file);
  const module = loadModule(source, {
    loader: fileLoader(terminal),
    ...tracing(terminal, options.trace),
  });
  const info = orDiagnose(terminal, () => {
    withoutErrors(module);
    return functionNamed(module.program, name);
  });
  knowDims(info, dims);
  const isEarly = earlyStages.some((early) => early === stage);
  if (isEarly && options.measure === true && html === undefined) {
    throw new Failure(exit.commandWrong, `--stage ${stage} has no kernels that --measure could time`, {
      help: "leave one of them out",
    });
  }
  const showTyped = (): void =>
    showStage(terminal, name, options, printTypedFunction(info), typedNodes(info));
  if (stage === "typed" && html === undefined) return showTyped();
  needDims(info, dims);
  const compiled = orDiagnose(terminal, () => compileFor(module, name, options));
  const showGraph = (): void =>
    showStage(terminal, name, options, printGraph(compiled.graph), graphNodes(compiled.graph));
  const showFrontEnd = stage === "typed" ? showTyped : isEarly ? showGraph : undefined;
  if (html === undefined && showFrontEnd !== undefined) return showFrontEnd();
  const { made, report, adapter } = await kernelsOf(terminal, compiled, options);
  const about = { function: compiled.name, dims: Object.fromEntries(dims), adapter, fuse: options.fuse };
  if (html !== undefined) {
    const sources = sourcesOf(module, source);
    writeWhole(terminal, html, inspectionPage({ ...about, ...report, sources, plan: printPlan(made.plan) }));
    terminal.err(`fecit: ${html} written\n`);
    if (json !== true && stage === undefined) return;
  }
  if (showFrontEnd !== undefined) return showFrontEnd();
  if (json === true) return terminal.out(`${JSON.stringify({ ...about, ...report })}\n`);
  terminal.out(stage === undefined ? kernelTable(report) : backEndText(stage, made, report));
}

function compileFor(
  module: LoadedModule,
  name: string,
  { dim, stage, vjp, reassociate = false }: Options,
): Compiled {
  const compiled = module.compile(name, { dims: Object.fromEntries(dim), reassociate });
  return vjp === true || stage === "vjp" ? compiled.vjp() : compiled;
}

/** The text of what the back end made. */
function backEndText(stage: Stage, made: KernelProgram, { kernels }: ProgramReport): string {
  if (stage === "fused") return printPlan(made.plan);
  return stage === "kernels" ? printProgram(made.program) : kernels.map(({ wgsl }) => wgsl).join("\n");
}

/** The kernels for an adapter that is asked for, or for a GPU as most are. */
async function kernelsOf(
  terminal: Terminal,
  compiled: Compiled,
  { measure = false, device: choice, ...options }: Options,
): Promise<{ readonly made: KernelProgram; readonly report: ProgramReport; readonly adapter: string }> {
  const how = kernelOptions(options);
  const made = (target: KernelTarget): { readonly made: KernelProgram; readonly report: ProgramReport } => {
    const kernels = compiled.kernels({ ...how, target });
    return { made: kernels, report: reportOf(kernels, target.limits) };
  };
  if (choice === "interpreter")
    throw new Failure(exit.commandWrong, "--device interpreter: the interpreter has no kernels", {
      help: "leave the option out: no adapter is needed to inspect",
    });
  if (choice === undefined && !measure) return { ...made(portableKernelTarget), adapter: "none" };
  return onDevice(terminal, choice ?? "auto", async (device) => {
    const { target, adapter } = device;
    const { made: kernels, report } = made(target);
    if (!measure) return { made: kernels, report, adapter: adapter.name };
    requireRunning(adapter);
    const measured = await measuredReport(device, compiled, how, report);
    return { made: kernels, report: measured, adapter: adapter.name };
  });
}

/** The texts that nodes come from. */
function sourcesOf({ program }: LoadedModule, main: SourceFile): readonly SourceFile[] {
  return [main, ...program.modules.map(({ file }) => file).filter(({ name }) => name !== main.name)];
}

/** What a stage made, as text or as data. */
function showStage(
  terminal: Terminal,
  name: string,
  { dim, stage, json }: Options,
  text: string,
  nodes: readonly ShownNode[],
): void {
  if (json !== true) return terminal.out(text);
  terminal.out(`${JSON.stringify({ function: name, dims: Object.fromEntries(dim), stage, text, nodes })}\n`);
}

function typedNodes(info: FunctionInfo): ShownNode[] {
  return typedNames(info).map(({ name, type, span }) => ({
    name,
    type: type.kind === "tensor" ? showElement(type.element) : showType(type),
    shape: type.kind === "tensor" ? type.shape.map(showDim) : null,
    op: "let",
    reads: [],
    source: positionOf(span.file, span.start),
  }));
}

function graphNodes(graph: Graph): ShownNode[] {
  return graph.nodes.flatMap((node) =>
    definitions(node).map(({ name, element, shape }) => ({
      name,
      type: printElement(element),
      shape,
      op: operationOf(node),
      reads: [...valuesUsed(node)],
      source: node.origin === null ? null : { line: node.origin.line, column: node.origin.column },
    })),
  );
}

function operationOf(node: Node): string {
  return node.kind === "comprehension" ? formOf(node) : node.kind;
}

function formOf({ reduction, keys }: Comprehension): string {
  if (reduction === null) return "map";
  return keys.length > 0 ? `segment ${reduction.op}` : reduction.op;
}
