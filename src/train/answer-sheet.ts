/**
 * A picture of what a trained model makes of held-out images: its answers, and its clusters at a few layers.
 *
 *     await drawAnswers(device, trained, dataset, { model: "fec_mini", count: 12, … })      PNG
 */
import { type Device } from "../device.ts";
import { type FusionLevel } from "../fusion/plan.ts";
import { chosenLayers, compileClusters, layerPicture, openClusters } from "./cluster-layers.ts";
import { type Dataset, imageSize } from "./data/dataset.ts";
import { logitsOf, logSoftmax, ranked } from "./evaluate.ts";
import { normalised } from "./image-list.ts";
import { type Answer, drawClusters } from "./pictures/clusters.ts";
import { type TrainedModel } from "./training.ts";

export interface AnswerSheet {
  readonly title: string;
  readonly model: string;
  readonly fuse: FusionLevel;
  /** So many images, evenly from the held-out ones. */
  readonly count: number;
  /** Names of layers; none for the usual ones. */
  readonly layers: readonly string[];
}

/** Classifies images, finds their clusters, and draws both. Throws `DataError`, `CompileError`, and the device's errors. */
export async function drawAnswers(
  device: Device,
  { trainer, forward }: Pick<TrainedModel, "trainer" | "forward">,
  { heldOut, shape, classes }: Dataset,
  { title, model, fuse, count, layers }: AnswerSheet,
): Promise<Buffer> {
  const shown = Math.min(count, heldOut.size);
  const indices = Int32Array.from({ length: shown }, (_, i) =>
    Math.floor(((i + 0.5) * heldOut.size) / shown),
  );
  const bytes = await heldOut.images(indices);
  const floats = normalised(bytes, shape);
  const logits = await logitsOf(forward, trainer.parameters, floats, shown);
  const width = logits.length / shown;
  const answers = Array.from(indices, (index, i): Answer => {
    const own = logits.subarray(i * width, (i + 1) * width);
    const [first = 0] = ranked(own);
    const label = classes[heldOut.labels[index]!]!;
    return {
      predicted: classes[first] ?? `class ${first}`,
      label,
      confidence: Math.exp(logSoftmax(own)[first]!),
    };
  });
  const clusters = compileClusters(model, shape.height);
  const finder = await openClusters(device, clusters, fuse);
  const size = imageSize(shape);
  const choices: (readonly Int32Array[])[] = [];
  for (let i = 0; i < shown; i++)
    choices.push(await finder.find(trainer.parameters, floats.subarray(i * size, (i + 1) * size)));
  const pictures = chosenLayers(clusters.layers, layers).map((layer) => layerPicture(layer, 0, choices));
  finder.free();
  return drawClusters({ title, images: bytes, shape, answers, names: null, layers: pictures });
}
