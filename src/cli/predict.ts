/** `fecit predict --weights W IMAGE…`: classifies images, or computes the logits of `--input x.npy`. */
import type { Command } from "commander";
import type { FusionLevel } from "../fusion/plan.ts";
import type { NumberArray } from "../formats/array.ts";
import { readNpy, writeNpy } from "../formats/npy.ts";
import { type Model } from "../model.ts";
import { logitsOf, logSoftmax, ranked } from "../train/evaluate.ts";
import { readImages } from "../train/image-list.ts";
import { openModel } from "../train/model-on-device.ts";
import { classNames, modelToApply } from "./applied-model.ts";
import { fuseOption, onDevice } from "./device.ts";
import { exit, Failure, fileFailure } from "./failure.ts";
import { readBytes, writeWhole } from "./files.ts";
import { percent } from "./percent.ts";
import { pathOf, type Terminal } from "./terminal.ts";
import { orFail } from "./training-failure.ts";
import { modelDeviceOption, modelOption, settingOption } from "./training-options.ts";

interface Options {
  readonly model?: string;
  readonly weights: string;
  readonly data?: string;
  readonly size?: number;
  readonly batch: number;
  readonly input?: string;
  readonly out?: string;
  readonly device: string;
  readonly fuse: FusionLevel;
  readonly json?: boolean;
}

export function addPredict(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command("predict")
    .summary("classify images")
    .description("Classifies images: the likeliest classes with their probabilities.")
    .argument("[image...]", "image files")
    .addOption(modelOption())
    .requiredOption("--weights <file>", "the model's weights, or a checkpoint of a run (.safetensors)")
    .option("--data <name>", "the data set whose classes are the answers (the run's own)")
    .addOption(settingOption("--size <pixels>", "size", "side that images are brought to (the run's; 224)"))
    .addOption(settingOption("--batch <images>", "batch", "images at once").default(64))
    .option("--input <file>", "instead of images: a .npy of f32[b, 3, h, w], already normalised")
    .option("--out <file>", "write the logits there: a .npy of f32[b, classes]")
    .addOption(modelDeviceOption(terminal))
    .addOption(fuseOption())
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nExamples:\n" +
        "  fecit predict --weights runs/mini/best.safetensors shoe.png\n" +
        "  fecit predict --model fec_small --weights fec_small.safetensors --input x.npy --out y.npy",
    )
    .action(async (images: string[], options: Options) => {
      await orFail(terminal, () => predictCommand(terminal, images, options));
      done(0);
    });
}

/** What is classified: `[count, 3, height, width]`, normalised. */
interface Input {
  readonly names: readonly string[];
  readonly floats: Float32Array;
  readonly height: number;
  readonly width: number;
}

async function predictCommand(
  terminal: Terminal,
  images: readonly string[],
  options: Options,
): Promise<void> {
  if ((images.length === 0) === (options.input === undefined)) {
    throw new Failure(exit.commandWrong, "either images or --input is expected", {
      help: "as in `fecit predict --weights W cat.jpg`, or with `--input x.npy --out y.npy`",
    });
  }
  // Says in the words of all commands that there is no such file, or that it is a folder.
  for (const file of images) readBytes(terminal, file);
  const { model, size, weights, state, run } = await modelToApply(terminal, options);
  const known = options.data === undefined ? (state?.classes ?? null) : null;
  const classes = known ?? (await classNames(terminal, options.data, run));
  const input =
    options.input === undefined
      ? await imageInput(terminal, images, size)
      : arrayInput(terminal, options.input);
  const { device: choice, fuse } = options;
  await onDevice(terminal, choice, async (device) => {
    const { names, floats, height, width } = input;
    const batch = Math.min(options.batch, names.length);
    const { forward, parameters } = await openModel(device, model, weights, {
      batch,
      height,
      width,
      fuse,
    });
    const each = 3 * height * width;
    const logits: Float32Array[] = [];
    for (let first = 0; first < names.length; first += batch) {
      const count = Math.min(batch, names.length - first);
      const part = floats.subarray(first * each, (first + count) * each);
      logits.push(await logitsOf(forward, parameters, part, count));
    }
    const all = Float32Array.from(logits.flatMap((part) => [...part]));
    report(terminal, { model, names, logits: all, classes }, options);
  });
}

async function imageInput(terminal: Terminal, files: readonly string[], size: number): Promise<Input> {
  const paths = files.map((file) => pathOf(terminal, file));
  const { floats } = await readImages(paths, { channels: 3, height: size, width: size });
  return { names: files, floats, height: size, width: size };
}

function arrayInput(terminal: Terminal, file: string): Input {
  const { type, shape, data } = readArray(terminal, file);
  const [count = 0, channels, height = 0, width = 0] = shape;
  const isBatch = shape.length === 4 && channels === 3 && count > 0;
  if (!isBatch || !/^b?f\d/.test(type) || height % 32 !== 0 || width % 32 !== 0) {
    throw new Failure(
      exit.inputWrong,
      `${file}: an array of f32[b, 3, h, w] is expected, h and w multiples of 32`,
      {
        notes: [`found ${type}[${shape.join(", ")}]`],
        help: "write it with `numpy.save(path, array)`, its colours normalised as in training",
      },
    );
  }
  const names = Array.from({ length: count }, (_, i) => `${file}[${i}]`);
  return { names, floats: Float32Array.from(data), height, width };
}

function readArray(terminal: Terminal, file: string): NumberArray {
  const bytes = readBytes(terminal, file);
  try {
    return readNpy(bytes);
  } catch (error) {
    throw fileFailure(file, error, "read");
  }
}

interface Prediction {
  readonly model: Model;
  readonly names: readonly string[];
  /** `[names, classes of the model]`. */
  readonly logits: Float32Array;
  readonly classes: readonly string[] | null;
}

const answersShown = 5;

function report(terminal: Terminal, prediction: Prediction, { out, json }: Options): void {
  const { model, names, logits, classes } = prediction;
  const width = logits.length / names.length;
  const answers = names.map((file, i) => {
    // A head may be wider than the data has classes: what it says of the others is no answer.
    const own = logits.subarray(i * width, i * width + Math.min(width, classes?.length ?? width));
    const logs = logSoftmax(own);
    const likeliest = ranked(own).slice(0, answersShown);
    return {
      file,
      answers: likeliest.map((index) => ({
        class: classes?.[index] ?? `class ${index}`,
        index,
        probability: Math.exp(logs[index]!),
      })),
    };
  });
  if (out !== undefined) {
    writeWhole(terminal, out, writeNpy({ type: "f32", shape: [names.length, width], data: logits }));
  }
  if (json === true) {
    terminal.out(`${JSON.stringify({ model: model.name, out: out ?? null, images: answers })}\n`);
    return;
  }
  if (out !== undefined) {
    terminal.out(`${out}  logits: f32[${names.length}, ${width}]\n`);
    return;
  }
  for (const { file, answers: own } of answers) {
    const shown = own.map((answer) => `${answer.class} ${percent(answer.probability)}`);
    terminal.out(`${file}  ${shown.join("  ")}\n`);
  }
}
