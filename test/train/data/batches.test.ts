/** Batches of a data set made here: image i is filled with its number. */
import { expect, test } from "vitest";
import { heldOutBatches, trainingBatches, type TrainingBatch } from "../../../src/train/data/batches.ts";
import { type Dataset, type Split } from "../../../src/train/data/dataset.ts";
import {
  defaultNormalisation,
  denormalise,
  imageNet,
  levelsOf,
  normaliseImage,
} from "../../../src/train/data/normalise.ts";
import { type OrderPlace, orderStart } from "../../../src/train/data/order.ts";

const shape = { channels: 1, height: 2, width: 2 } as const;
const plain = { mean: [0], deviation: [1 / 255] };

function numbered(size: number, fail: number | null = null): Split {
  return {
    size,
    labels: Int32Array.from({ length: size }, (_, i) => i % 3),
    images: async (indices) => {
      if (fail !== null && Array.from(indices).includes(fail)) throw new Error(`image ${fail} is broken`);
      return Uint8Array.from({ length: indices.length * 4 }, (_, i) => indices[Math.floor(i / 4)]!);
    },
  };
}

function datasetOf(training: Split): Dataset {
  return {
    name: "numbers",
    classes: ["a", "b", "c"],
    shape,
    training,
    heldOut: numbered(5),
    skipped: [],
    images: "numbers",
    close: async () => {},
  };
}

async function take(count: number, from: OrderPlace, split = numbered(10)): Promise<TrainingBatch[]> {
  const plan = { batchSize: 4, normalisation: plain, augmentation: { flip: true, padding: 1 } };
  const batches: TrainingBatch[] = [];
  for await (const batch of trainingBatches(datasetOf(split), plan, from)) {
    batches.push(batch);
    if (batches.length === count) break;
  }
  return batches;
}

test("a training batch holds its images, their labels and the place after it", async () => {
  const [batch] = await take(1, orderStart(2));
  expect(batch!.images).toHaveLength(16);
  expect([...batch!.labels]).toEqual(Array.from(batch!.indices, (index) => index % 3));
  for (let i = 0; i < 4; i++) {
    const pixels = [...batch!.images.subarray(4 * i, 4 * i + 4)].map(Math.round);
    expect(new Set([...pixels, 0])).toEqual(new Set([0, batch!.indices[i]!]));
  }
  expect(batch!.after).toEqual({ seed: 2, epoch: 0, position: 4 });
});

test("training resumed in the middle of an epoch sees what an uninterrupted run sees", async () => {
  const whole = await take(7, orderStart(9));
  const rest = await take(4, whole[2]!.after);
  expect(rest).toEqual(whole.slice(3));
  expect(whole.map((batch) => batch.epoch)).toEqual([0, 0, 1, 1, 2, 2, 3]);
});

test("the next batch is asked for while the current one is worked on", async () => {
  let asked = 0;
  const counting: Split = {
    ...numbered(100),
    images: async (indices) => {
      asked++;
      return new Uint8Array(indices.length * 4);
    },
  };
  const plan = { batchSize: 4, normalisation: plain, augmentation: null };
  const batches = trainingBatches(datasetOf(counting), plan, orderStart(0));
  await batches.next();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(asked).toBe(2);
  await batches.next();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(asked).toBe(3);
  await batches.return(undefined as never);
});

test("an image that fails is told when its batch is asked for", async () => {
  const whole = await take(2, orderStart(4));
  const broken = whole[1]!.indices[0]!;
  const plan = { batchSize: 4, normalisation: plain, augmentation: null };
  const batches = trainingBatches(datasetOf(numbered(10, broken)), plan, orderStart(4));
  await expect(batches.next()).resolves.toMatchObject({ done: false });
  await expect(batches.next()).rejects.toThrow(`image ${broken} is broken`);
});

test("held-out images come once, in order; the last batch is smaller, or filled up", async () => {
  const seen = async (remainder: "keep" | "fill"): Promise<[number[], number][]> => {
    const result: [number[], number][] = [];
    const plan = { batchSize: 2, normalisation: plain, remainder };
    for await (const batch of heldOutBatches(numbered(5), shape, plan)) {
      expect(batch.images).toHaveLength(batch.indices.length * 4);
      result.push([[...batch.indices], batch.count]);
    }
    return result;
  };
  expect(await seen("keep")).toEqual([
    [[0, 1], 2],
    [[2, 3], 2],
    [[4], 1],
  ]);
  expect((await seen("fill")).at(-1)).toEqual([[4, 4], 1]);
});

test("normalising is (byte / 255 - mean) / deviation, channel by channel", () => {
  const bytes = Uint8Array.of(0, 255, 51);
  const floats = new Float32Array(3);
  const pixel = { channels: 3, height: 1, width: 1 } as const;
  normaliseImage({ bytes, from: 0, floats, to: 0 }, pixel, levelsOf(imageNet), {
    mirrored: false,
    down: 0,
    right: 0,
  });
  expect(floats[0]).toBeCloseTo(-0.485 / 0.229, 6);
  expect(floats[1]).toBeCloseTo((1 - 0.456) / 0.224, 6);
  expect(floats[2]).toBeCloseTo((0.2 - 0.406) / 0.225, 6);
  expect([...denormalise(floats, pixel, imageNet)]).toEqual([0, 255, 51]);
  expect(defaultNormalisation(1).mean).toHaveLength(1);
});

test("a move mirrors and shifts; what comes in is black", () => {
  const bytes = Uint8Array.of(1, 2, 3, 4);
  const moved = (mirrored: boolean, down: number, right: number): number[] => {
    const floats = new Float32Array(4);
    normaliseImage({ bytes, from: 0, floats, to: 0 }, shape, levelsOf(plain), { mirrored, down, right });
    return [...floats].map(Math.round);
  };
  expect(moved(false, 0, 0)).toEqual([1, 2, 3, 4]);
  expect(moved(true, 0, 0)).toEqual([2, 1, 4, 3]);
  expect(moved(false, 1, 0)).toEqual([3, 4, 0, 0]);
  expect(moved(false, 0, -1)).toEqual([0, 1, 0, 3]);
  expect(moved(true, 0, 1)).toEqual([1, 0, 3, 0]);
});
