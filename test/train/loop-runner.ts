/**
 * Trains the tiny model on images made here, with a checkpoint after every step, until it is killed: the folder is its first
 * argument. A run that is there goes on.
 */
import { existsSync } from "node:fs";
import { withCompiler } from "../../src/device.ts";
import { openNodeDevice } from "../../src/runtime/node.ts";
import { readCheckpoint } from "../../src/train/checkpoint.ts";
import type { Dataset, Split } from "../../src/train/data/dataset.ts";
import { randomBits } from "../../src/train/data/random.ts";
import { firstState } from "../../src/train/loop.ts";
import { resumeRun, runFiles } from "../../src/train/run-folder.ts";
import { configurationOf, defaultSettings } from "../../src/train/settings.ts";
import { train } from "../../src/train/training.ts";
import { tinyModel } from "./tiny-model.ts";

const folder = process.argv[2]!;
const shape = { channels: 3, height: 32, width: 32 } as const;
const pixels = 3 * 32 * 32;

function split(size: number): Split {
  return {
    size,
    labels: Int32Array.from({ length: size }, (_, i) => i % 10),
    images: (indices) =>
      Promise.resolve(
        Uint8Array.from(
          { length: indices.length * pixels },
          (_, i) => randomBits(1, "order", indices[Math.floor(i / pixels)]!, i % pixels) & 255,
        ),
      ),
  };
}

const dataset: Dataset = {
  name: "noise",
  classes: Array.from({ length: 10 }, (_, i) => String(i)),
  shape,
  training: split(64),
  heldOut: split(10),
  skipped: [],
  images: "64 for training, 10 held out (noise)",
  close: async () => {},
};
const settings = { ...defaultSettings, model: "tiny", data: "noise", batch: 8, epochs: 1000 };
const { latest } = runFiles(folder);
const isResumed = existsSync(latest);
if (isResumed) await resumeRun(folder, configurationOf(settings));
const checkpoint = isResumed ? await readCheckpoint(latest) : null;
const device = withCompiler(await openNodeDevice({ adapter: process.env["FECIT_DEVICE"] ?? "software" }));

await train(
  device,
  {
    settings,
    folder,
    isResumed,
    model: tinyModel(),
    dataset,
    beginning: checkpoint === null ? { kind: "drawn" } : { kind: "checkpoint", checkpoint, file: latest },
    state: checkpoint?.state ?? firstState(settings, dataset),
  },
  {
    listener: { measured: ({ step }) => void process.stdout.write(`${step}\n`), evaluated: () => {} },
    signal: new AbortController().signal,
    stepsPerReading: 1,
    secondsBetweenCheckpoints: 0,
    now: () => performance.now() / 1000,
  },
);
