/**
 * The clusters that a model makes of an image: which center each point chooses, at every layer.
 *
 *     stage1.0   block 0 of stage 1, a choice in every head        pool1   the pooling after it
 */
import { type Device } from "../device.ts";
import { type DeviceArgument, type DeviceValue, free, isOnDevice } from "../device-value.ts";
import { type FusionLevel } from "../fusion/plan.ts";
import type { Loader } from "../lang/check.ts";
import { closest } from "../lang/suggest.ts";
import { modelSources } from "../models/sources.ts";
import { loadModule, type Parameter } from "../module.ts";
import { ArgumentError } from "../tree.ts";
import { type ClusterLayer } from "./pictures/clusters.ts";

/** A layer that clusters: its name, its number of heads, and the grid of its points. */
export interface LayerOfClusters {
  readonly name: string;
  readonly heads: number;
  readonly height: number;
  readonly width: number;
  /** Where its choices stand: the number of the function's result, and of the block in it. */
  readonly result: number;
  readonly block: number;
}

export interface ClusterFinder {
  readonly layers: readonly LayerOfClusters[];
  /** Puts a model's parameters on the device. Throws the device's errors. */
  readonly put: (parameters: DeviceArgument) => Promise<DeviceValue>;
  /** The choices of one image, `[3, size, size]`, normalised: for each result its numbers. Throws the device's errors. */
  readonly find: (parameters: DeviceValue, image: Float32Array) => Promise<readonly Int32Array[]>;
  readonly free: () => void;
}

const embedded: Loader = {
  load(path) {
    const name = path.replace("./", "");
    const text = modelSources[name];
    return text === undefined ? null : { name: `${name}.fec`, text };
  },
};

/** Compiles what finds a model's clusters in images of a size. Throws `CompileError`, and the device's errors. */
export async function openClusters(
  device: Device,
  model: string,
  size: number,
  fuse: FusionLevel,
): Promise<ClusterFinder> {
  const module = loadModule(
    { name: "clusters.fec", text: modelSources["clusters"] ?? "" },
    { loader: embedded },
  );
  const compiled = module.compile(`${model}_clusters`, { dims: { h: size, w: size } });
  const compute = await device.compile(compiled, { fuse });
  return {
    layers: layersOf(compiled.results, size),
    put: (parameters) => compute.put("p", parameters),
    find: async (parameters, image) => {
      const results = await compute.run(parameters, image);
      const numbers = await Promise.all(results.filter(isOnDevice).map((tensor) => tensor.read()));
      results.forEach(free);
      return numbers.map((choices) => Int32Array.from(choices));
    },
    free: compute.free,
  };
}

/** Stages and poolings take turns; the stem has a point for 4 × 4 pixels, every pooling halves the grid. */
function layersOf(results: readonly Parameter[], size: number): LayerOfClusters[] {
  return results.flatMap(({ shape }, result) => {
    const dims = shape.kind === "tensor" ? shape.shape : [];
    const stage = Math.floor(result / 2) + 1;
    const side = size / 4 / 2 ** (stage - 1);
    const grid = { height: side, width: side, result };
    if (dims.length === 1) return [{ name: `pool${stage}`, heads: 1, block: 0, ...grid }];
    const [blocks = 0, heads = 0] = dims;
    return Array.from({ length: blocks }, (_, block) => ({
      name: `stage${stage}.${block}`,
      heads,
      block,
      ...grid,
    }));
  });
}

/**
 * The layers of these names; without names the last block of every stage and every pooling that have more than one point.
 *
 * @throws {ArgumentError} for a layer that there is not.
 */
export function chosenLayers(
  layers: readonly LayerOfClusters[],
  names: readonly string[],
): LayerOfClusters[] {
  if (names.length > 0) return names.map((name) => layerNamed(layers, name));
  return layers.filter(
    ({ name, result, height, width }, i) =>
      height * width > 1 && (name.startsWith("pool") || layers[i + 1]?.result !== result),
  );
}

function layerNamed(layers: readonly LayerOfClusters[], name: string): LayerOfClusters {
  const found = layers.find((layer) => layer.name === name);
  if (found !== undefined) return found;
  const names = layers.map((layer) => layer.name);
  const near = closest(name, names);
  throw new ArgumentError(
    `the model has no layer ${name}; ${near === null ? `there are ${names.join(", ")}` : `did you mean ${near}?`}`,
  );
}

/**
 * One head of a layer for several images, as pictures show it. `choices` are what `find` gave for each image. A layer with fewer
 * heads shows its last one.
 */
export function layerPicture(
  { name, heads, height, width, result, block }: LayerOfClusters,
  head: number,
  choices: readonly (readonly Int32Array[])[],
): ClusterLayer {
  const points = height * width;
  const shown = Math.min(head, heads - 1);
  const clusters = new Int32Array(choices.length * points);
  choices.forEach((results, i) => {
    const from = (block * heads + shown) * points;
    clusters.set(results[result]!.subarray(from, from + points), i * points);
  });
  return { name: heads > 1 ? `${name}, head ${shown}` : name, height, width, clusters };
}
