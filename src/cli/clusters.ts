/** `fecit clusters IMAGE… -o OUT.png`: draws the clusters that a model makes of images, layer by layer. */
import { basename } from "node:path";
import { type Command, Option } from "commander";
import type { FusionLevel } from "../fusion/plan.ts";
import {
  chosenLayers,
  compileClusters,
  layerPicture,
  layersWithHead,
  openClusters,
} from "../train/cluster-layers.ts";
import { imageSize } from "../train/data/dataset.ts";
import { readImages } from "../train/image-list.ts";
import { modelToApply } from "./applied-model.ts";
import { fuseOption, onDevice } from "./device.ts";
import { readBytes, writeWhole } from "./files.ts";
import { exit, Failure } from "./failure.ts";
import { pathOf, type Terminal } from "./terminal.ts";
import { orFail } from "./training-failure.ts";
import { modelDeviceOption, modelOption, settingOption } from "./training-options.ts";

interface Options {
  readonly output: string;
  readonly model?: string;
  readonly weights: string;
  readonly size?: number;
  readonly layer: readonly string[];
  readonly head: number;
  readonly device: string;
  readonly fuse: FusionLevel;
}

export function addClusters(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command("clusters")
    .summary("draw the clusters of images")
    .description(
      "Draws which points of an image a model takes for one cluster, at each layer, over the image.",
    )
    .argument("<image...>", "image files")
    .requiredOption("-o, --output <file>", "the picture (.png)")
    .addOption(modelOption())
    .requiredOption("--weights <file>", "the model's weights, or a checkpoint of a run (.safetensors)")
    .addOption(settingOption("--size <pixels>", "size", "side that images are brought to (the run's; 224)"))
    .addOption(
      new Option("--layer <names>", "layers, as in stage1.0,pool1; may be repeated")
        .argParser(parseLayers)
        .default([], "every stage's last block, every pooling"),
    )
    .option("--head <number>", "the head of the stages that is drawn", parseHead, 0)
    .addOption(modelDeviceOption(terminal))
    .addOption(fuseOption())
    .addHelpText(
      "after",
      "\nExample:\n  fecit clusters --weights runs/mini/best.safetensors shoe.png -o clusters.png",
    )
    .action(async (images: string[], options: Options) => {
      await orFail(terminal, () => clustersCommand(terminal, images, options));
      done(0);
    });
}

function parseLayers(text: string, before: readonly string[]): readonly string[] {
  return [...before, ...text.split(",").map((name) => name.trim())];
}

function parseHead(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new Failure(exit.commandWrong, `--head ${text}: a whole number from 0 is expected`, {
    help: "as in `--head 1`",
  });
}

async function clustersCommand(
  terminal: Terminal,
  files: readonly string[],
  options: Options,
): Promise<void> {
  const { output, layer, head, device: choice, fuse } = options;
  if (!output.toLowerCase().endsWith(".png")) {
    throw new Failure(exit.commandWrong, `-o ${output}: the picture is a PNG`, {
      help: "as in `-o clusters.png`",
    });
  }
  // Says in the words of all commands that there is no such file, or that it is a folder.
  for (const file of files) readBytes(terminal, file);
  const { model, size, weights } = await modelToApply(terminal, options);
  const clusters = compileClusters(model.name, size);
  const chosen = layersWithHead(chosenLayers(clusters.layers, layer), head, clusters.layers);
  const shape = { channels: 3, height: size, width: size } as const;
  const images = await readImages(
    files.map((file) => pathOf(terminal, file)),
    shape,
  );
  const layers = await onDevice(terminal, choice, async (device) => {
    const finder = await openClusters(device, clusters, fuse);
    const parameters = await finder.put(weights);
    const choices: (readonly Int32Array[])[] = [];
    for (let i = 0; i < files.length; i++)
      choices.push(
        await finder.find(
          parameters,
          images.floats.subarray(i * imageSize(shape), (i + 1) * imageSize(shape)),
        ),
      );
    return chosen.map((one) => layerPicture(one, head, choices));
  });
  const { drawClusters } = await import("../train/pictures/clusters.ts");
  const names = files.map((file) => basename(file));
  const title = `Clusters of ${model.name}`;
  const png = await drawClusters({ title, images: images.bytes, shape, answers: null, names, layers });
  writeWhole(terminal, output, png);
  terminal.out(`${output}  ${layers.map(({ name }) => name).join(" · ")}\n`);
}
