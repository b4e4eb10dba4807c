/** `fecit train --model M --data D`: trains a model, and goes on where it was stopped by `--resume RUN`. */
import { existsSync } from "node:fs";
import type { Command } from "commander";
import type { FusionLevel, MemoryChoice } from "../fusion/plan.ts";
import { datasetNames } from "../train/data/open.ts";
import { type LoopEnd, stepsOf } from "../train/loop.ts";
import { prepareRun, type PreparedRun } from "../train/prepare.ts";
import { freshRunFolder, readConfiguration, type RunFolder } from "../train/run-folder.ts";
import { defaultSettings, settingsOf, type TrainingSettings } from "../train/settings.ts";
import { train, type TrainOptions } from "../train/training.ts";
import { fuseOption, memoryOption, onDevice } from "./device.ts";
import { drawRun } from "./draw-run.ts";
import { exit, Failure } from "./failure.ts";
import { percent } from "./percent.ts";
import { interrupted, stoppable } from "./stop.ts";
import { pathOf, type Terminal } from "./terminal.ts";
import { orFail } from "./training-failure.ts";
import {
  dataPath,
  modelDeviceOption,
  modelNamed,
  modelOption,
  parsePositive,
  settingOption,
  shownPath,
} from "./training-options.ts";
import { showTraining } from "./training-progress.ts";
import { showTuning, tuneOption } from "./tuning.ts";

interface Options {
  readonly model?: string;
  readonly data?: string;
  readonly size?: number;
  readonly epochs?: number;
  readonly batch?: number;
  readonly lr?: number;
  readonly warmUp?: number;
  readonly weightDecay?: number;
  readonly labelSmoothing?: number;
  readonly dropPath?: number;
  readonly flip?: boolean;
  readonly cropPadding?: number;
  readonly seed?: number;
  readonly fuse?: FusionLevel;
  readonly memory?: MemoryChoice;
  readonly weights?: string;
  readonly out?: string;
  readonly resume?: string;
  readonly saveEvery: number;
  readonly device: string;
  readonly tune?: boolean;
  readonly json?: boolean;
}

export function addTrain(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const standard = defaultSettings;
  program
    .command("train")
    .summary("train a model")
    .description(
      "Trains a model on images by AdamW with a cosine schedule. Metrics, checkpoints, kernels and curves go to a folder.",
    )
    .addOption(modelOption())
    .option("--data <name>", `${datasetNames.join(", ")}, or a folder of images (train/CLASS/…, val/CLASS/…)`)
    .addOption(settingOption("--size <pixels>", "size", `side of the images (${standard.size})`))
    .addOption(
      settingOption("--epochs <number>", "epochs", `how often every image is seen (${standard.epochs})`),
    )
    .addOption(settingOption("--batch <images>", "batch", `images of a step (${standard.batch})`))
    .addOption(
      settingOption("--lr <rate>", "learningRate", `highest learning rate (${standard.learningRate})`),
    )
    .addOption(settingOption("--warm-up <steps>", "warmUp", `steps until then (${standard.warmUp})`))
    .addOption(settingOption("--weight-decay <rate>", "weightDecay", `of matrices (${standard.weightDecay})`))
    .addOption(
      settingOption(
        "--label-smoothing <part>",
        "labelSmoothing",
        `spread over all classes (${standard.labelSmoothing})`,
      ),
    )
    .addOption(
      settingOption("--drop-path <rate>", "dropPath", `of the last block's branches (${standard.dropPath})`),
    )
    .option("--flip", "mirror half of the images")
    .option("--no-flip", "mirror none (the default)")
    .addOption(
      settingOption("--crop-padding <pixels>", "cropPadding", "random parts of images padded so (0)"),
    )
    .addOption(settingOption("--seed <number>", "seed", "of parameters, order and augmentation (0)"))
    .option("--weights <file>", "start from these weights (.safetensors)")
    .option("--out <folder>", "the run's folder (runs/DATE-MODEL)")
    .option(
      "--resume <folder>",
      "go on with the run in this folder, with its settings; --data where its images were moved",
    )
    .option("--save-every <minutes>", "a checkpoint at least so often", parsePositive("--save-every"), 5)
    .addOption(modelDeviceOption(terminal))
    .addOption(fuseOption().default(undefined))
    .addOption(memoryOption())
    .addOption(tuneOption())
    .option("--json", "print one JSON object at the end")
    .addHelpText(
      "after",
      "\nExamples:\n" +
        "  fecit train --model fec_mini --data fashion-mnist-subset --epochs 4 --out runs/mini\n" +
        "  fecit train --resume runs/mini",
    )
    .action(async (options: Options) => done(await trainCommand(terminal, options)));
}

async function trainCommand(terminal: Terminal, options: Options): Promise<number> {
  const { folder, settings, isResumed } = await orFail(terminal, async () => requestOf(terminal, options));
  modelNamed(settings.model);
  const { environment } = terminal;
  const prepared = await orFail(terminal, () => prepareRun({ settings, folder, isResumed, environment }));
  try {
    noteWarmUp(terminal, prepared);
    const end = await runTraining(terminal, prepared, options);
    terminal.out(options.json === true ? jsonOf(end) : endText(terminal, end));
    return end.kind === "finished" ? 0 : interrupted;
  } finally {
    await prepared.dataset.close();
  }
}

/** A short run may never come to the rate that was asked for. */
function noteWarmUp(terminal: Terminal, { settings, dataset }: PreparedRun): void {
  const steps = stepsOf(settings, dataset);
  if (settings.warmUp < steps) return;
  terminal.err(
    `fecit: the learning rate rises in all ${steps} steps of this run: --warm-up is ${settings.warmUp}\n`,
  );
}

/** Trains a prepared run, shows how it goes, and draws its curve. */
export async function runTraining(
  terminal: Terminal,
  prepared: PreparedRun,
  options: Pick<Options, "device" | "saveEvery" | "tune"> & Pick<TrainOptions, "atEnd">,
): Promise<LoopEnd & { readonly run: RunFolder }> {
  const shown = shownPath(terminal, prepared.folder);
  const kept = (): readonly string[] =>
    existsSync(prepared.folder)
      ? [`the last checkpoint is kept; \`fecit train --resume ${shown}\` goes on from it`]
      : ["nothing has been written"];
  const progress = showTraining(terminal, prepared);
  const end = await orFail(
    terminal,
    () =>
      onDevice(terminal, options.device, (device) =>
        stoppable(terminal, "stopping; Ctrl-C again ends at once", (signal) =>
          train(device, prepared, {
            ...progress,
            signal,
            stepsPerReading: 10,
            secondsBetweenCheckpoints: 60 * options.saveEvery,
            now: () => performance.now() / 1000,
            ...(options.atEnd === undefined ? {} : { atEnd: options.atEnd }),
            ...(options.tune === true ? { tune: showTuning(terminal) } : {}),
          }).catch((error: unknown) => {
            if (!signal.aborted || error !== signal.reason) throw error;
            terminal.err("fecit: stopped before a step was taken; nothing was to be saved\n");
            // The driver would have compiled all kernels that it was given before the process ended by itself.
            process.exit(interrupted);
          }),
        ),
      ).finally(progress.end),
    kept,
  );
  await orFail(terminal, () => drawRun(end.run, `${prepared.model.name} on ${prepared.dataset.name}`));
  return end;
}

/** What is to be trained, and where. Options beside `--resume` must be as they were. */
function requestOf(
  terminal: Terminal,
  options: Options,
): { readonly folder: string; readonly settings: TrainingSettings; readonly isResumed: boolean } {
  const given = givenSettings(terminal, options);
  if (options.resume === undefined) {
    const settings = { ...defaultSettings, ...given };
    modelNamed(settings.model);
    const folder = pathOf(
      terminal,
      options.out ?? freshRunFolder(settings.model, new Date(), pathOf(terminal, "runs")),
    );
    return { folder, settings, isResumed: false };
  }
  if (options.out !== undefined) {
    throw new Failure(exit.commandWrong, "--resume and --out don't go together", {
      help: "a run goes on in its own folder; `--weights` begins another one with its weights",
    });
  }
  const folder = pathOf(terminal, options.resume);
  return {
    folder,
    settings: { ...settingsOf(readConfiguration(folder), folder), ...given },
    isResumed: true,
  };
}

/** The settings that were given; paths are absolute, so that the run goes on from anywhere. */
function givenSettings(terminal: Terminal, options: Options): Partial<TrainingSettings> {
  const { lr: learningRate, data, weights } = options;
  const names = [
    "model",
    "size",
    "epochs",
    "batch",
    "warmUp",
    "weightDecay",
    "labelSmoothing",
    "dropPath",
    "flip",
    "cropPadding",
    "seed",
    "fuse",
    "memory",
  ] as const;
  const values = {
    ...Object.fromEntries(names.map((name) => [name, options[name]])),
    learningRate,
    data: data === undefined ? undefined : dataPath(terminal, data),
    weights: weights === undefined ? undefined : pathOf(terminal, weights),
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

type End = LoopEnd & { readonly run: RunFolder };

function endText(terminal: Terminal, { kind, step, steps, bestAccuracy, run }: End): string {
  const shown = (path: string): string => shownPath(terminal, path);
  if (kind === "interrupted") {
    return (
      `stopped after ${step} of ${steps} steps, saved in ${shown(run.latest)}\n` +
      `go on:  fecit train --resume ${shown(run.folder)}\n`
    );
  }
  return (
    `${steps} steps done${bestAccuracy === null ? "" : `, held-out accuracy up to ${percent(bestAccuracy)}`}\n` +
    `  ${shown(run.best)}   the best weights\n` +
    `  ${shown(run.latest)}   the last checkpoint\n` +
    `  ${shown(run.curvePng)}   loss and accuracy\n` +
    `  ${shown(run.kernels)}   the kernels that ran\n`
  );
}

function jsonOf({ kind, step, steps, bestAccuracy, evaluation, run }: End): string {
  const accuracy = evaluation?.top1 ?? null;
  const loss = evaluation?.loss ?? null;
  const files = { run: run.folder, latest: run.latest, best: run.best, metrics: run.metrics };
  return `${JSON.stringify({ end: kind, step, steps, accuracy, loss, bestAccuracy, ...files })}\n`;
}
