/** `fecit demo`, which `npm start` runs: trains a small model on whatever adapter there is, and draws what it has learnt. */
import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import { createColors } from "picocolors";
import type { FusionLevel } from "../fusion/plan.ts";
import { stepsOf } from "../train/loop.ts";
import { prepareRun, type PreparedRun } from "../train/prepare.ts";
import { freshRunFolder, type RunFolder } from "../train/run-folder.ts";
import { defaultSettings, type TrainingSettings } from "../train/settings.ts";
import { fuseOption } from "./device.ts";
import { percent } from "./percent.ts";
import { interrupted } from "./stop.ts";
import { pathOf, type Terminal } from "./terminal.ts";
import { orFail } from "./training-failure.ts";
import { dataPath, modelDeviceOption, settingOption, shownPath } from "./training-options.ts";
import { runTraining } from "./train.ts";

interface Options {
  readonly data: string;
  readonly epochs: number;
  readonly seed: number;
  readonly out?: string;
  readonly device: string;
  readonly fuse: FusionLevel;
}

/**
 * Elementwise chains are fused and no more: drivers that run on a CPU compile these kernels in a fifth of the time, and most of
 * who tries this has no other.
 */
const standard: TrainingSettings = { ...defaultSettings, epochs: 1.5, fuse: "map" };

export function addDemo(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command("demo")
    .summary("train a small model and look at its clusters")
    .description(
      "Trains fec_mini on Fashion-MNIST, a few minutes on a slow device, and draws what it has learnt.",
    )
    .option("--data <name>", "fashion-mnist for the whole set, where it is installed", standard.data)
    .addOption(
      settingOption("--epochs <number>", "epochs", "how often every image is seen").default(standard.epochs),
    )
    .addOption(settingOption("--seed <number>", "seed", "of parameters and order").default(standard.seed))
    .option("--out <folder>", "the run's folder (runs/DATE-fec_mini)")
    .addOption(modelDeviceOption(terminal))
    .addOption(fuseOption().default(standard.fuse))
    .addHelpText("after", "\nExample:\n  fecit demo --device software")
    .action(async (options: Options) => done(await demo(terminal, options)));
}

async function demo(terminal: Terminal, options: Options): Promise<number> {
  const { epochs, seed, fuse, device: choice, data } = options;
  const settings: TrainingSettings = { ...standard, data: dataPath(terminal, data), epochs, seed, fuse };
  const { model } = settings;
  const folder = pathOf(terminal, options.out ?? freshRunFolder(model, new Date(), pathOf(terminal, "runs")));
  const { environment } = terminal;
  const prepared = await orFail(terminal, () =>
    prepareRun({ settings, folder, isResumed: false, environment }),
  );
  const { dataset } = prepared;
  try {
    terminal.out(introduction(prepared, shownPath(terminal, folder)));
    const end = await runTraining(terminal, prepared, {
      device: choice,
      saveEvery: 1,
      atEnd: async (trained, device) => {
        if (trained.end.kind === "interrupted") return;
        const { drawAnswers } = await import("../train/answer-sheet.ts");
        const title = `${model} after ${trained.end.steps} steps: held-out images, answers and clusters`;
        const layers = ["stage1.0", "pool1", "stage2.0"];
        const png = await drawAnswers(device, trained, dataset, { title, model, fuse, count: 12, layers });
        writeFileSync(trained.run.clusters, png);
      },
    });
    if (end.kind === "interrupted") {
      terminal.out(`stopped and saved; go on:  npx fecit train --resume ${shownPath(terminal, folder)}\n`);
      return interrupted;
    }
    terminal.out(nextText(terminal, end.run, end.evaluation?.top1 ?? 0, dataset.heldOut.size));
    return 0;
  } finally {
    await dataset.close();
  }
}

function introduction({ settings, dataset }: PreparedRun, folder: string): string {
  const { model, batch } = settings;
  const steps = stepsOf(settings, dataset);
  const number = (count: number): string => count.toLocaleString("en");
  return (
    `Trains ${model}, a vision model that takes an image for points and represents it by clusters (FEC, CVPR 2024):\n` +
    `its text is compiled to GPU kernels, derivatives included, for ${number(steps)} steps of ${batch} images of clothes.\n` +
    `Then it says what ${number(dataset.heldOut.size)} other images show. What comes of it is written to ${folder}.\n\n`
  );
}

function nextText(terminal: Terminal, run: RunFolder, accuracy: number, images: number): string {
  const colors = createColors(terminal.outColors);
  const shown = (path: string): string => shownPath(terminal, path);
  const heading = (title: string): string => `\n${colors.bold(colors.cyan(title))}\n`;
  return (
    heading(`${percent(accuracy)} of ${images.toLocaleString("en")} held-out images are classified rightly`) +
    `  ${shown(run.clusters)}   answers and clusters, layer by layer\n` +
    `  ${shown(run.curvePng)}   loss and accuracy\n` +
    `  ${shown(run.kernels)}   the kernels of a step, in WGSL\n` +
    `  ${shown(run.best)}   the weights\n` +
    heading("To try next") +
    `  npx fecit eval --weights ${shown(run.best)}\n` +
    `  npx fecit weights ${shown(run.best)}\n` +
    `  npx fecit predict --weights ${shown(run.best)} IMAGE.png\n` +
    `  npx fecit clusters --weights ${shown(run.best)} -o clusters.png IMAGE.png\n` +
    "  npx fecit inspect examples/cluster.fec cluster --dim n=49,o=4,d=32\n" +
    "  npx fecit train --help\n"
  );
}
