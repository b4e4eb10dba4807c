/** `fecit summary --model M`: parameters, multiply-accumulates, kernels and memory, forward and in training. */
import type { Command } from "commander";
import type { FusionLevel, MemoryChoice } from "../fusion/plan.ts";
import { sizeOf } from "../ir/ir.ts";
import { operationCount } from "../ir/cost.ts";
import { portableKernelTarget } from "../kernel-text.ts";
import { multiplyAccumulates } from "../macs.ts";
import { modelNames } from "../model.ts";
import type { Compiled, KernelOptions } from "../module.ts";
import { formatBytes } from "../runtime/errors.ts";
import { flatSteps, planMemory } from "../runtime/memory-plan.ts";
import { fuseOption, kernelOptions, memoryOption } from "./device.ts";
import { orDiagnose } from "./diagnose.ts";
import { publishedSize } from "./applied-model.ts";
import { parseCount, reassociateHelp } from "./options.ts";
import { showCount, table } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import { traceHelp, tracing } from "./trace.ts";
import { modelNamed, settingOption } from "./training-options.ts";

interface Options {
  readonly model: string;
  readonly size: number;
  readonly batch: number;
  readonly fuse: FusionLevel;
  readonly memory?: MemoryChoice;
  readonly reassociate?: boolean;
  readonly training: boolean;
  readonly json?: boolean;
  readonly trace?: string;
}

export function addSummary(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command("summary")
    .summary("show a model's size and cost")
    .description(
      "Shows a model's parameters, multiply-accumulates, kernels and memory, forward and in training.",
    )
    .requiredOption("--model <name>", modelNames.join(", "))
    .addOption(settingOption("--size <pixels>", "size", "the side of its images").default(publishedSize))
    .option("--batch <images>", "images at once", parseCount("--batch"), 1)
    .addOption(fuseOption())
    .addOption(memoryOption())
    .option("--reassociate", reassociateHelp)
    .option("--no-training", "forward only, which is faster")
    .option("--json", "print one JSON object")
    .option("--trace <stages>", traceHelp)
    .addHelpText("after", "\nExample:\n  fecit summary --model fec_small --size 224 --batch 8")
    .action((options: Options) => {
      summarise(terminal, options);
      done(0);
    });
}

/** What a function costs. */
interface Cost {
  /** For the whole batch. */
  readonly macs: number;
  readonly operations: number;
  readonly kernels: number;
  readonly peakBytes: number;
  readonly intermediateBytes: number;
}

function summarise(terminal: Terminal, options: Options): void {
  const { size, batch } = options;
  const how = kernelOptions(options);
  const { reassociate = false } = options;
  const model = modelNamed(options.model, { ...tracing(terminal, options.trace), reassociate });
  const dims = { b: batch, h: size, w: size };
  const parameters = model.parameters.map(({ name, leaf }) => ({ name, shape: leaf.shape }));
  const parameterCount = parameters.reduce((total, { shape }) => total + sizeOf(shape), 0);
  const forward = costOf(
    orDiagnose(terminal, () => model.forward(dims)),
    how,
  );
  const training = options.training
    ? costOf(
        orDiagnose(terminal, () => model.step(dims)),
        how,
      )
    : null;
  // The papers' number is of one image.
  const macs = forward.macs / batch;
  if (options.json === true) {
    const { name } = model;
    const costs = { parameterCount, macs, forward, training, parameters };
    return terminal.out(`${JSON.stringify({ model: name, size, batch, ...how, reassociate, ...costs })}\n`);
  }
  const parts = groupsOf(parameters);
  terminal.out(
    `${model.name}, ${batch} × 3 × ${size} × ${size}\n\n` +
      table(
        [
          { title: "part", align: "left" },
          { title: "tensors", align: "right" },
          { title: "numbers", align: "right" },
        ],
        parts.map(({ part, tensors, numbers }) => [part, String(tensors), numbers.toLocaleString("en")]),
      ) +
      `\n${parameterCount.toLocaleString("en")} parameters in ${parameters.length} tensors\n` +
      `${showCount(macs)} multiply-accumulates an image\n` +
      `forward   ${costText(forward)}\n` +
      (training === null ? "" : `training  ${costText(training)}\n`),
  );
}

/** Costs of a function; what a training step carries is updated in place. */
function costOf(compiled: Compiled, how: Pick<KernelOptions, "fuse" | "memory">): Cost {
  const { limits } = portableKernelTarget;
  const { program } = compiled.kernels({ ...how, updates: compiled.carried });
  const { peakBytes, intermediateBytes } = planMemory(program, limits);
  const kernels = flatSteps(program.steps).filter(({ kind }) => kind === "dispatch").length;
  const { graph } = compiled;
  return {
    macs: multiplyAccumulates(graph),
    operations: operationCount(graph),
    kernels,
    peakBytes,
    intermediateBytes,
  };
}

function costText({ macs, operations, kernels, peakBytes, intermediateBytes }: Cost): string {
  return (
    `${kernels} kernels, ${showCount(macs)} multiply-accumulates, ${showCount(operations)} operations, ` +
    `${formatBytes(peakBytes)} in all, ${formatBytes(intermediateBytes)} of it for intermediates`
  );
}

/** The parts of a network by the first two words of its tensors' names: `network.0`, `head`. */
function groupsOf(
  parameters: readonly { readonly name: string; readonly shape: readonly number[] }[],
): readonly { readonly part: string; readonly tensors: number; readonly numbers: number }[] {
  const parts = new Map<string, { tensors: number; numbers: number }>();
  for (const { name, shape } of parameters) {
    const words = name.split(".");
    const part = words.length > 2 ? words.slice(0, 2).join(".") : words[0]!;
    const { tensors, numbers } = parts.get(part) ?? { tensors: 0, numbers: 0 };
    parts.set(part, { tensors: tensors + 1, numbers: numbers + sizeOf(shape) });
  }
  return [...parts].map(([part, counts]) => ({ part, ...counts }));
}
