/**
 * `fecit throughput --model M`: images per second of a model's forward, as papers measure it: 20 passes to warm up, 100 that are
 * timed, of 256 images each that lie on the device.
 */
import type { Command } from "commander";
import type { Device } from "../device.ts";
import { flattenArguments, putArgument } from "../device-function.ts";
import type { DeviceArgument } from "../device-value.ts";
import type { FusionLevel, MemoryChoice } from "../fusion/plan.ts";
import { sizeOf } from "../ir/ir.ts";
import type { Model } from "../model.ts";
import type { Argument } from "../runtime/arguments.ts";
import { formatBytes } from "../runtime/errors.ts";
import type { Executable } from "../runtime/executable.ts";
import { flatSteps } from "../runtime/memory-plan.ts";
import { median, quantile } from "../runtime/quantiles.ts";
import { modelToApply, publishedSize } from "./applied-model.ts";
import { figures } from "./ceilings-text.ts";
import { fuseOption, kernelOptions, memoryOption, onDevice, requireRunning } from "./device.ts";
import { counted } from "./diagnose.ts";
import { exit, Failure } from "./failure.ts";
import { type ForwardSizes, planFitting, type PlannedForward } from "./fitting-batch.ts";
import { parseCount, reassociateHelp } from "./options.ts";
import { type PassPlan, showCompiling, showPasses } from "./pass-progress.ts";
import { type Terminal } from "./terminal.ts";
import { timeText } from "./timing.ts";
import { orFail } from "./training-failure.ts";
import { modelDeviceOption, modelNamed, modelOption, settingOption } from "./training-options.ts";
import { showTuning, tuneOption } from "./tuning.ts";

interface Options {
  readonly model?: string;
  readonly weights?: string;
  readonly size?: number;
  readonly batch: number;
  readonly warmup: number;
  readonly passes: number;
  readonly device: string;
  readonly fuse: FusionLevel;
  readonly memory?: MemoryChoice;
  readonly reassociate?: boolean;
  readonly tune?: boolean;
  readonly json?: boolean;
}

export function addThroughput(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command("throughput")
    .summary("measure a model's images per second")
    .description(
      "Measures how many images a second a model classifies: batches that lie on the device, after some to warm up.",
    )
    .addOption(modelOption())
    .option("--weights <file>", "the model's weights (.safetensors); drawn unless given")
    .addOption(
      settingOption(
        "--size <pixels>",
        "size",
        `the side of the images (the run's of the weights; ${publishedSize})`,
      ),
    )
    .option("--batch <images>", "images of a pass", parseCount("--batch"), 256)
    .option("--warmup <passes>", "passes that are not timed", parseCount("--warmup"), 20)
    .option("--passes <passes>", "passes that are timed", parseCount("--passes"), 100)
    .addOption(modelDeviceOption(terminal))
    .addOption(fuseOption())
    .addOption(memoryOption())
    .option("--reassociate", reassociateHelp)
    .addOption(tuneOption())
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExample:\n  fecit throughput --model fec_small --batch 64 --device gpu")
    .action(async (options: Options) => {
      await orFail(terminal, () => throughput(terminal, options));
      done(0);
    });
}

/** What was measured. */
interface Measured {
  readonly adapter: string;
  /** Milliseconds from the end of a timed pass to that of the next, in order. */
  readonly times: readonly number[];
  readonly firstMs: number;
  readonly compileMs: number;
  readonly kernels: number;
  readonly peakBytes: number;
}

async function throughput(terminal: Terminal, options: Options): Promise<void> {
  const { weights, batch, warmup: warmUp, passes, device: choice } = options;
  const { reassociate = false } = options;
  const {
    model,
    size,
    weights: trained,
  } = weights === undefined
    ? {
        model: modelNamed(nameGiven(options.model), { reassociate }),
        size: options.size ?? publishedSize,
        weights: null,
      }
    : await modelToApply(terminal, { ...options, weights }, { reassociate });
  const sizes = { batch, size, ...kernelOptions(options) };
  const plan = { warmUp, passes, batch };
  const measured = await onDevice(terminal, choice, (device) =>
    measure(terminal, device, model, trained, sizes, plan, options.tune === true),
  );
  report(terminal, model, measured, { ...options, size });
}

/** Without weights nothing else tells the model. */
function nameGiven(name: string | undefined): string {
  if (name !== undefined) return name;
  throw new Failure(
    exit.commandWrong,
    "--model is not given, nor --weights of a checkpoint that would tell it",
    {
      help: "as in `--model fec_small`",
    },
  );
}

async function measure(
  terminal: Terminal,
  device: Device,
  model: Model,
  weights: DeviceArgument | null,
  sizes: ForwardSizes,
  plan: PassPlan,
  isTuned: boolean,
): Promise<Measured> {
  const planBatch = (): Promise<PlannedForward> =>
    planFitting(device, model, sizes, (batch) =>
      terminal.err(`fecit: a batch of ${sizes.batch} does not fit; trying ${batch}\n`),
    );
  if (isTuned) {
    const { compiled } = await planBatch();
    requireRunning(device.adapter);
    await device.tune(compiled, sizes, showTuning(terminal));
  }
  const start = performance.now();
  const planned = await planBatch();
  requireRunning(device.adapter);
  const { program } = planned.kernels;
  const executable = await device.load(program, { reuseOutputs: true, progress: showCompiling(terminal) });
  const compileMs = performance.now() - start;
  const args = await argumentsFor(device, planned, weights);
  terminal.err("fecit: the first pass; some drivers go on compiling in it\n");
  const progress = showPasses(terminal, plan);
  try {
    const [firstMs = 0] = await timePasses(device, executable, args, 1, progress.passed);
    await timePasses(device, executable, args, plan.warmUp - 1, progress.passed);
    const times = await timePasses(device, executable, args, plan.passes, progress.passed);
    const kernels = flatSteps(program.steps).filter(({ kind }) => kind === "dispatch").length;
    const { peakBytes } = planned.memory;
    return { adapter: device.adapter.name, times, firstMs, compileMs, kernels, peakBytes };
  } finally {
    progress.end();
  }
}

/** The weights and a batch of noise, on the device. */
async function argumentsFor(
  device: Device,
  { compiled }: PlannedForward,
  weights: DeviceArgument | null,
): Promise<Argument[]> {
  const images = noise(sizeOf(imageShape(compiled)));
  const values = [weights ?? compiled.init("p"), images];
  const resident: DeviceArgument[] = [];
  for (const [i, { name }] of compiled.params.entries())
    resident.push(await putArgument(device, compiled, name, values[i]!));
  return flattenArguments(compiled, resident);
}

function imageShape({ params }: PlannedForward["compiled"]): readonly number[] {
  const shape = params[1]?.shape;
  return shape?.kind === "tensor" ? shape.shape : [];
}

/** So many numbers of about the spread of normalised colours. Their values don't matter for the time. */
function noise(count: number): Float32Array {
  const period = 65_521;
  const some = Float32Array.from({ length: period }, () => 4 * Math.random() - 2);
  return Float32Array.from({ length: count }, (_, i) => some[i % period]!);
}

/**
 * Runs passes and gives the time of each. A pass is submitted while the one before it runs, as where images keep coming; the device
 * never waits, and no more than two are under way.
 */
async function timePasses(
  device: Device,
  executable: Executable,
  args: readonly Argument[],
  passes: number,
  passed: () => void,
): Promise<number[]> {
  const times: number[] = [];
  let mark = performance.now();
  const ended = (): void => {
    const now = performance.now();
    times.push(now - mark);
    mark = now;
    passed();
  };
  let before: Promise<void> | null = null;
  for (let pass = 0; pass < passes; pass++) {
    await executable.run(args);
    const finished = device.finished();
    // Whoever waits for it hears of a failure; it may fail before that.
    finished.catch(() => {});
    if (before !== null) {
      await before;
      ended();
    }
    before = finished;
  }
  if (before !== null) {
    await before;
    ended();
  }
  return times;
}

function report(
  terminal: Terminal,
  model: Model,
  { adapter, times, firstMs, compileMs, kernels, peakBytes }: Measured,
  options: Options & { readonly size: number },
): void {
  const { size, batch, fuse, memory, reassociate = false, warmup, passes, weights, json } = options;
  const milliseconds = times.reduce((sum, time) => sum + time, 0);
  const imagesPerSecond = (1000 * batch * times.length) / milliseconds;
  if (json === true) {
    const what = {
      model: model.name,
      weights: weights ?? null,
      adapter,
      size,
      batch,
      ...kernelOptions(options),
      reassociate,
    };
    const rounded = (value: number): number => Number(value.toPrecision(6));
    const found = {
      warmUp: warmup,
      passes,
      imagesPerSecond: rounded(imagesPerSecond),
      medianMs: rounded(median(times)),
      firstMs: rounded(firstMs),
      compileMs: rounded(compileMs),
      kernels,
      peakBytes,
    };
    return terminal.out(`${JSON.stringify({ ...what, ...found })}\n`);
  }
  const [low, high] = [quantile(times, 0.25), quantile(times, 0.75)];
  terminal.out(
    `${model.name}  ${batch} × 3 × ${size} × ${size}  --fuse ${fuse}${memory === undefined ? "" : ` --memory ${memory}`}${reassociate ? " --reassociate" : ""}, on ${adapter}\n` +
      `${figures(imagesPerSecond)} images/s over ${passes === 1 ? "one pass" : `${passes} passes`}\n` +
      `${figures(median(times))} ms a pass, half of them ${figures(low)} … ${figures(high)}\n` +
      `${timeText(firstMs)} the first pass, ${timeText(compileMs)} to compile\n` +
      `${counted(kernels, "kernel")}, memory ${formatBytes(peakBytes)}\n`,
  );
}
