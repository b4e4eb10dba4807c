/** `fecit inspect FILE FUNCTION`: what the compiler made of a function, stage by stage. */
import { type Command, Option } from "commander";
import type { Comprehension, Graph, Node } from "../ir/ir.ts";
import { definitions } from "../ir/ir.ts";
import { printElement, printGraph } from "../ir/print.ts";
import { valuesUsed } from "../ir/traverse.ts";
import { showDim } from "../lang/dims.ts";
import { printTypedFunction, typedNames } from "../lang/print-typed.ts";
import type { FunctionInfo } from "../lang/program.ts";
import { positionOf } from "../lang/source.ts";
import { closest } from "../lang/suggest.ts";
import { showElement, showType } from "../lang/types.ts";
import { loadModule } from "../module.ts";
import { orDiagnose, withoutErrors } from "./diagnose.ts";
import { exit, Failure } from "./failure.ts";
import { fileLoader, readSource } from "./files.ts";
import { dimOption, functionNamed, knowDims, needDims, reassociateHelp } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { traceHelp, tracing } from "./trace.ts";

interface Options {
  readonly dim: ReadonlyMap<string, number>;
  readonly stage: string;
  readonly reassociate?: boolean;
  readonly json?: boolean;
  readonly trace?: string;
}

/** Those that can be shown, and those of the back end. */
const stages: readonly string[] = ["typed", "ir", "vjp"];
const later: readonly string[] = ["fused", "kernels", "wgsl"];

export function addInspect(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command("inspect")
    .summary("show what the compiler made of a function")
    .description("Shows what the compiler made of a function for the dimensions given.")
    .argument("<file>", "a program")
    .argument("<function>", "one of its functions")
    .addOption(dimOption("dimensions, as in b=2,n=49; may be repeated"))
    .addOption(
      new Option(
        "--stage <stage>",
        "typed: with its types; ir: tensor IR, simplified; vjp: that of its derivative",
      )
        .argParser(parseStage)
        .default("ir"),
    )
    .option("--reassociate", reassociateHelp)
    .option("--json", "print one JSON object, with the nodes as data")
    .option("--trace <stages>", traceHelp)
    .addHelpText(
      "after",
      "\nExample:\n  fecit inspect examples/cluster.fec cluster --dim n=49,o=4,d=32 --stage vjp",
    )
    .action((file: string, name: string, options: Options) => {
      inspect(terminal, file, name, options);
      done(0);
    });
}

function parseStage(text: string): string {
  if (stages.includes(text)) return text;
  const today = `stages today are ${stages.join(", ")}`;
  if (later.includes(text)) {
    throw new Failure(exit.commandWrong, `--stage ${text}: there is nothing to show yet`, {
      notes: ["fusion, kernels and WGSL come with the back end"],
      help: today,
    });
  }
  const near = closest(text, [...stages, ...later]);
  throw new Failure(exit.commandWrong, `--stage ${text}: there is no such stage`, {
    help: near === null ? today : `did you mean ${near}?`,
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

function inspect(
  terminal: Terminal,
  file: string,
  name: string,
  { dim: dims, stage, reassociate = false, json, trace }: Options,
): void {
  const module = loadModule(readSource(terminal, file), {
    loader: fileLoader(terminal),
    ...tracing(terminal, trace),
  });
  const { text, nodes } = orDiagnose(terminal, () => {
    withoutErrors(module);
    const info = functionNamed(module.program, name);
    knowDims(info, dims);
    if (stage === "typed") return { text: printTypedFunction(info), nodes: typedNodes(info) };
    needDims(info, dims);
    const compiled = module.compile(name, { dims: Object.fromEntries(dims), reassociate });
    const { graph } = stage === "vjp" ? compiled.vjp() : compiled;
    return { text: printGraph(graph), nodes: graphNodes(graph) };
  });
  if (json !== true) return terminal.out(text);
  terminal.out(`${JSON.stringify({ function: name, dims: Object.fromEntries(dims), stage, text, nodes })}\n`);
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
