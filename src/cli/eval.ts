/** `fecit eval --weights W --data D`: how well a model classifies held-out images. */
import type { Command } from "commander";
import type { FusionLevel } from "../fusion/plan.ts";
import type { Dataset } from "../train/data/dataset.ts";
import { datasetNames, openDataset } from "../train/data/open.ts";
import { evaluate, type Evaluation } from "../train/evaluate.ts";
import { requireClasses, requireSameClasses } from "../train/model-classes.ts";
import { openModel } from "../train/model-on-device.ts";
import { requireData } from "../train/run-images.ts";
import type { TrainingSettings } from "../train/settings.ts";
import { modelToApply } from "./applied-model.ts";
import { fuseOption, onDevice } from "./device.ts";
import { exit, Failure } from "./failure.ts";
import { percent } from "./percent.ts";
import { table } from "./table.ts";
import { type Terminal } from "./terminal.ts";
import { orFail } from "./training-failure.ts";
import { dataPath, modelDeviceOption, modelOption, settingOption } from "./training-options.ts";

interface Options {
  readonly model?: string;
  readonly weights: string;
  readonly data?: string;
  readonly size?: number;
  readonly batch: number;
  readonly device: string;
  readonly fuse: FusionLevel;
  readonly json?: boolean;
}

export function addEval(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command("eval")
    .summary("evaluate a model")
    .description(
      "Classifies the held-out images of a data set: accuracy, loss, and which classes are taken for which.",
    )
    .addOption(modelOption())
    .requiredOption("--weights <file>", "its weights, or a checkpoint of a run (.safetensors)")
    .option("--data <name>", `${datasetNames.join(", ")}, or a folder of images (the run's own)`)
    .addOption(settingOption("--size <pixels>", "size", "side that images are brought to (the run's; 224)"))
    .addOption(settingOption("--batch <images>", "batch", "images at once").default(64))
    .addOption(modelDeviceOption(terminal))
    .addOption(fuseOption())
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExample:\n  fecit eval --weights runs/mini/best.safetensors")
    .action(async (options: Options) => {
      await orFail(terminal, () => evalCommand(terminal, options));
      done(0);
    });
}

async function evalCommand(terminal: Terminal, options: Options): Promise<void> {
  const { fuse, device: choice } = options;
  const { model, size, weights, state, run } = await modelToApply(terminal, options);
  const { environment } = terminal;
  const data = dataFor(terminal, options.data, run);
  // The run's seed divides a folder as it did in training.
  const seed = state?.place.seed ?? run?.seed ?? 0;
  const dataset = await openDataset(data, { height: size, width: size, seed, environment });
  try {
    requireClasses(model, dataset.classes.length, data, size);
    requireSameClasses(state?.classes ?? null, dataset, options.weights);
    const batch = Math.max(1, Math.min(options.batch, dataset.heldOut.size));
    await onDevice(terminal, choice, async (device) => {
      const { forward, parameters } = await openModel(device, model, weights, {
        batch,
        height: size,
        width: size,
        fuse,
      });
      const clock = openClock();
      const evaluation = await evaluate(forward, parameters, dataset.heldOut, dataset.shape, clock.seen);
      const imagesPerSecond = clock.imagesPerSecond();
      const adapter = device.adapter.name;
      terminal.out(
        options.json === true
          ? `${JSON.stringify({ model: model.name, data: dataset.name, adapter, ...evaluation, imagesPerSecond, classes: dataset.classes })}\n`
          : evaluationText(evaluation, dataset, imagesPerSecond),
      );
    });
  } finally {
    await dataset.close();
  }
}

function dataFor(terminal: Terminal, data: string | undefined, run: TrainingSettings | null): string {
  if (data !== undefined) return dataPath(terminal, data);
  if (run !== null) {
    requireData(run.data, "--data FOLDER");
    return run.data;
  }
  throw new Failure(
    exit.commandWrong,
    "--data is not given, and the weights lie in no run that would tell it",
    {
      help: `a data set is ${datasetNames.join(", ")}, or a folder of images`,
    },
  );
}

/** Counts images over time. The first batch is left out where there are more: before it drivers make their kernels ready. */
function openClock(): { readonly seen: (images: number) => void; readonly imagesPerSecond: () => number } {
  const marks = [{ images: 0, at: performance.now() }];
  return {
    seen: (images) => void marks.push({ images, at: performance.now() }),
    imagesPerSecond: () => {
      const [from, to] = [marks.length > 2 ? marks[1]! : marks[0]!, marks.at(-1)!];
      return (1000 * (to.images - from.images)) / (to.at - from.at);
    },
  };
}

/** Of fewer classes five answers are more than half: that the right one is among them says nothing. */
const fewestForFive = 10;

/** The most classes whose confusions are shown: more do not fit beside each other. */
const mostShown = 20;

function evaluationText(evaluation: Evaluation, { classes }: Dataset, imagesPerSecond: number): string {
  const { images, loss, top1, top5, confusion } = evaluation;
  const lines = [
    `${images} images, ${imagesPerSecond.toPrecision(3)} images/s`,
    `top-1 accuracy ${percent(top1)}`,
    ...(classes.length < fewestForFive ? [] : [`top-5 accuracy ${percent(top5)}`]),
    `loss ${loss.toFixed(4)}`,
  ];
  const text = `${lines.join("\n")}\n`;
  return classes.length > mostShown ? text : `${text}\n${confusionText(confusion, classes)}`;
}

/** A row for each class of the images, a column for each answer. */
function confusionText(confusion: readonly (readonly number[])[], classes: readonly string[]): string {
  const shown = classes.map((_, i) => i);
  return table(
    [
      { title: "class \\ answer", align: "left" },
      ...shown.map((i) => ({ title: String(i), align: "right" }) as const),
      { title: "right", align: "right" },
    ],
    shown.map((label) => {
      const row = confusion[label] ?? [];
      const total = row.reduce((a, b) => a + b, 0);
      const counts = shown.map((answer) => (row[answer] ? String(row[answer]) : "·"));
      return [`${label} ${classes[label]}`, ...counts, total === 0 ? "" : percent((row[label] ?? 0) / total)];
    }),
  );
}
