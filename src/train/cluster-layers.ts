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
import { type Compiled, loadModule, type Parameter } from "../module.ts";
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

/** What finds a model's clusters in images of a size, and the layers that they have; for any device. */
export interface ModelClusters {
  readonly compiled: Compiled;
  readonly layers: readonly LayerOfClusters[];
}

/** Compiles what finds a model's clusters in images of a size. Throws `CompileError`. */
export function compileClusters(model: string, size: number): ModelClusters {
  const module = loadModule(
    { name: "clusters.fec", text: modelSources["clusters"] ?? "" },
    { loader: embedded },
  );
  const compiled = module.compile(`${model}_clusters`, { dims: { h: size, w: size } });
  return { compiled, layers: layersOf(compiled.results, size) };
}

/** Makes kernels of it and loads them. Throws the device's errors. */
export async function openClusters(
  device: Device,
  { compiled }: ModelClusters,
  fuse: FusionLevel,
): Promise<ClusterFinder> {
  const compute = await device.compile(compiled, { fuse });
  return {
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
    (layer, i) =>
      layer.height * layer.width > 1 && (isPooling(layer) || layers[i + 1]?.result !== layer.result),
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
 * The layers, each of which must have this head; a pooling has one choice for all, which is drawn whatever the head.
 *
 * @throws {ArgumentError} where one has fewer heads.
 */
export function layersWithHead(
  chosen: readonly LayerOfClusters[],
  head: number,
  all: readonly LayerOfClusters[],
): readonly LayerOfClusters[] {
  const has = ({ heads }: LayerOfClusters): boolean => head < heads;
  const without = chosen.find((layer) => !isPooling(layer) && !has(layer));
  if (without === undefined) return chosen;
  const others = all.filter((layer) => !isPooling(layer) && has(layer)).map(({ name }) => name);
  const instead = others.length === 0 ? "" : `, or from the layers that have it: ${others.join(", ")}`;
  throw new ArgumentError(
    `${without.name} has no head ${head}, its heads are 0 … ${without.heads - 1}; choose one of these${instead}`,
  );
}

const isPooling = ({ name }: LayerOfClusters): boolean => name.startsWith("pool");

/** One head of a layer for several images, as pictures show it. `choices` are what `find` gave for each image. */
export function layerPicture(
  { name, heads, height, width, result, block }: LayerOfClusters,
  head: number,
  choices: readonly (readonly Int32Array[])[],
): ClusterLayer {
  const points = height * width;
  const shown = heads > 1 ? head : 0;
  const clusters = new Int32Array(choices.length * points);
  choices.forEach((results, i) => {
    const from = (block * heads + shown) * points;
    clusters.set(results[result]!.subarray(from, from + points), i * points);
  });
  return { name: heads > 1 ? `${name}, head ${shown}` : name, height, width, clusters };
}
