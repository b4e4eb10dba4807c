/** Fashion-MNIST: the part that comes with the package, and what is said of files that are not it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { openFashion } from "../../../src/train/data/fashion-mnist.ts";
import { parseIdx, writeIdx } from "../../../src/train/data/idx.ts";
import { openDataset } from "../../../src/train/data/open.ts";
import { inFolder } from "../../folder.ts";

const size = { height: 32, width: 32 };

test("the subset is balanced: 1000 images of each class, 200 held out", async () => {
  const dataset = await openDataset("fashion-mnist-subset", size);
  const counts = (labels: Int32Array): number[] =>
    dataset.classes.map((_, label) => labels.filter((other) => other === label).length);
  expect(dataset.training.size).toBe(10_000);
  expect(dataset.heldOut.size).toBe(2_000);
  expect(counts(dataset.training.labels)).toEqual(Array.from({ length: 10 }, () => 1000));
  expect(counts(dataset.heldOut.labels)).toEqual(Array.from({ length: 10 }, () => 200));
});

test("it begins as the official files do: ankle boots, T-shirts", async () => {
  const dataset = await openDataset("fashion-mnist-subset", size);
  const names = (labels: Int32Array): string[] => [...labels.subarray(0, 4)].map((l) => dataset.classes[l]!);
  expect(names(dataset.training.labels)).toEqual(["Ankle boot", "T-shirt/top", "T-shirt/top", "Dress"]);
  expect(names(dataset.heldOut.labels)).toEqual(["Ankle boot", "Pullover", "Trouser", "Trouser"]);
});

test("an image stands in the middle of a black one, three times over", async () => {
  const small = await openDataset("fashion-mnist-subset", { height: 28, width: 28, channels: 1 });
  const large = await openDataset("fashion-mnist-subset", { height: 64, width: 60 });
  const [image] = [await small.training.images([5])];
  const enlarged = await large.training.images([5]);
  expect(image).toHaveLength(784);
  expect(enlarged).toHaveLength(3 * 64 * 60);
  expect(Math.max(...image)).toBe(255);
  for (const channel of [0, 1, 2]) {
    for (const [y, x] of [
      [0, 0],
      [13, 9],
      [27, 20],
    ] as const) {
      for (const [dy, dx] of [
        [0, 0],
        [1, 1],
      ] as const) {
        const at = (channel * 64 + 4 + 2 * y + dy) * 60 + 2 + 2 * x + dx;
        expect(enlarged[at]).toBe(image[y * 28 + x]);
      }
    }
  }
  expect(enlarged.subarray(0, 4 * 60).every((byte) => byte === 0)).toBe(true);
});

test("images smaller than 28×28 are refused", async () => {
  await expect(openDataset("fashion-mnist-subset", { height: 24, width: 24 })).rejects.toThrow(
    "images of 24×24 are smaller than those of Fashion-MNIST",
  );
});

test("the whole set is found in $FECIT_DATA", async () => {
  await inFolder(async (folder) => {
    const own = join(folder, "fashion-mnist");
    mkdirSync(own);
    for (const [part, n] of [
      ["train", 3],
      ["t10k", 2],
    ] as const) {
      const images = writeIdx({ shape: [n, 28, 28], bytes: new Uint8Array(n * 784).fill(n) });
      writeFileSync(join(own, `${part}-images-idx3-ubyte.gz`), gzipSync(images));
      writeFileSync(
        join(own, `${part}-labels-idx1-ubyte`),
        writeIdx({ shape: [n], bytes: new Uint8Array(n).fill(9) }),
      );
    }
    const dataset = await openDataset("fashion-mnist", { ...size, environment: { FECIT_DATA: folder } });
    expect([dataset.training.size, dataset.heldOut.size]).toEqual([3, 2]);
    expect([...dataset.heldOut.labels]).toEqual([9, 9]);
  });
});

test("files that don't belong together are refused", async () => {
  await inFolder((folder) => {
    for (const part of ["train", "t10k"]) {
      writeFileSync(
        join(folder, `${part}-images-idx3-ubyte`),
        writeIdx({ shape: [2, 28, 28], bytes: new Uint8Array(2 * 784) }),
      );
      writeFileSync(
        join(folder, `${part}-labels-idx1-ubyte`),
        writeIdx({ shape: [2], bytes: Uint8Array.of(1, 12) }),
      );
    }
    expect(() => openFashion("it", folder, { channels: 3, ...size })).toThrow(
      expect.objectContaining({
        name: "DataError",
        notes: expect.arrayContaining([/one of them 12/].map((r) => expect.stringMatching(r))),
      }),
    );
  });
});

test("an idx file that is cut short, or none, is refused by name", () => {
  const whole = writeIdx({ shape: [2, 3], bytes: new Uint8Array(6) });
  expect(parseIdx(whole, "f").shape).toEqual([2, 3]);
  expect(() => parseIdx(whole.subarray(0, 12), "f")).toThrow("f is cut short");
  expect(() => parseIdx(new Uint8Array([80, 75, 3, 4]), "f")).toThrow("f is not an idx file of bytes");
  expect(() => parseIdx(new Uint8Array(), "f")).toThrow("f is not an idx file of bytes");
});

test("a name that is nearly one of the known ones is understood", async () => {
  await expect(openDataset("fashion-minst", size)).rejects.toMatchObject({
    name: "DataError",
    message: "there is no data set fashion-minst",
    help: 'is "fashion-mnist" meant?',
  });
});
