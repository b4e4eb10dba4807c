/** Folders of images, written here by sharp. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { startDecoder } from "../../../src/train/data/decode.ts";
import { findImages } from "../../../src/train/data/image-files.ts";
import { openDataset } from "../../../src/train/data/open.ts";
import { inFolder } from "../../folder.ts";

const red = { r: 250, g: 10, b: 20 };
const blue = { r: 10, g: 20, b: 250 };

async function writeImage(
  file: string,
  background: { r: number; g: number; b: number },
  width = 40,
  height = 20,
): Promise<void> {
  mkdirSync(join(file, ".."), { recursive: true });
  await sharp({ create: { width, height, channels: 3, background } }).toFile(file);
}

async function pets(folder: string): Promise<void> {
  for (const i of [1, 2, 3, 4, 5]) {
    await writeImage(join(folder, "cat", `${i}.png`), red);
    await writeImage(join(folder, "dog", `${i}.webp`), blue);
  }
}

const size = { height: 8, width: 8, threads: 1 };

test("train and val give classes, labels and images of the size asked for", async () => {
  await inFolder(async (folder) => {
    await pets(join(folder, "train"));
    await writeImage(join(folder, "val", "dog", "9.jpg"), blue);
    const dataset = await openDataset(folder, size);
    try {
      expect(dataset.classes).toEqual(["cat", "dog"]);
      expect([...dataset.training.labels]).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
      expect([...dataset.heldOut.labels]).toEqual([1]);
      const bytes = await dataset.training.images([0, 9]);
      expect(bytes).toHaveLength(2 * 3 * 64);
      expect([bytes[0], bytes[64], bytes[128]]).toEqual([250, 10, 20]);
      expect(Math.abs(bytes[192 + 128]! - 250)).toBeLessThan(6);
    } finally {
      await dataset.close();
    }
  });
});

test("without held-out images, a seed divides every class", async () => {
  await inFolder(async (folder) => {
    await pets(folder);
    const divided = (seed: number): ReturnType<typeof findImages> =>
      findImages(folder, { seed, fraction: 0.4 });
    const { training, heldOut } = divided(1);
    expect([training.length, heldOut.length]).toEqual([6, 4]);
    expect(heldOut.map((image) => image.label)).toEqual([0, 0, 1, 1]);
    expect(divided(1)).toEqual(divided(1));
    expect(divided(1).heldOut).not.toEqual(divided(2).heldOut);
  });
});

test("an image is turned upright, and its middle is taken", async () => {
  await inFolder(async (folder) => {
    const decoder = startDecoder(1);
    const thirds = Buffer.alloc(60 * 20 * 3);
    for (let i = 0; i < 1200; i++) thirds[3 * i + Math.floor((i % 60) / 20)] = 255;
    const raw = { raw: { width: 60, height: 20, channels: 3 } } as const;
    await sharp(thirds, raw).toFile(join(folder, "wide.png"));
    await sharp(thirds, raw)
      .withMetadata({ orientation: 6 })
      .tiff({ compression: "lzw" })
      .toFile(join(folder, "turned.tiff"));
    const shape = { channels: 3, height: 10, width: 10 } as const;
    const center = (bytes: Uint8Array): number[] => [bytes[55]!, bytes[155]!, bytes[255]!];
    expect(center(await decoder.decode(join(folder, "wide.png"), shape))).toEqual([0, 255, 0]);
    const tall = await decoder.decode(join(folder, "turned.tiff"), { channels: 3, height: 30, width: 10 });
    expect([tall[55], tall[300 + 155], tall[600 + 255]]).toEqual([255, 255, 255]);
    await decoder.close();
  });
});

test("grey images get three channels, colored ones become grey when asked", async () => {
  await inFolder(async (folder) => {
    const decoder = startDecoder(1);
    await sharp(Buffer.alloc(64, 77), { raw: { width: 8, height: 8, channels: 1 } }).toFile(
      join(folder, "grey.png"),
    );
    await writeImage(join(folder, "white.png"), { r: 255, g: 255, b: 255 });
    const three = await decoder.decode(join(folder, "grey.png"), { channels: 3, height: 8, width: 8 });
    const one = await decoder.decode(join(folder, "white.png"), { channels: 1, height: 8, width: 8 });
    expect([three[0], three[64], three[128]]).toEqual([77, 77, 77]);
    expect(one).toEqual(new Uint8Array(64).fill(255));
    await decoder.close();
  });
});

test("broken images are named, with the reason", async () => {
  await inFolder(async (folder) => {
    await pets(folder);
    const cut = join(folder, "dog", "0.png");
    writeFileSync(cut, readFileSync(join(folder, "cat", "1.png")).subarray(0, 60));
    const text = join(folder, "cat", "a.jpg");
    writeFileSync(text, "this is no picture");
    const dataset = await openDataset(folder, size);
    const all = Array.from({ length: dataset.training.size }, (_, i) => i);
    await expect(dataset.training.images(all)).rejects.toMatchObject({
      name: "DataError",
      message: "2 images can't be decoded",
      notes: [expect.stringContaining(`${text}: `), expect.stringContaining(`${cut}: `)] as string[],
    });
    const single = await Promise.allSettled(all.map((i) => dataset.training.images([i])));
    expect(single.flatMap((one) => (one.status === "rejected" ? [one.reason] : []))).toMatchObject(
      [text, cut].map((file) => ({
        name: "BrokenImageError",
        message: expect.stringContaining(`${file} can't be decoded: `) as string,
        help: expect.stringContaining("as a PNG or JPEG") as string,
      })),
    );
    expect(await dataset.training.images([2])).toHaveLength(192);
    await dataset.close();
  });
});

test("broken images can be left out, and are listed", async () => {
  await inFolder(async (folder) => {
    await pets(folder);
    writeFileSync(join(folder, "cat", "0.png"), "this is no picture");
    writeFileSync(join(folder, "dog", "6.jpg"), "");
    const dataset = await openDataset(folder, { ...size, broken: "skip" });
    expect(dataset.training.size + dataset.heldOut.size).toBe(10);
    expect(dataset.skipped.map((image) => image.file).sort()).toEqual([
      join(folder, "cat", "0.png"),
      join(folder, "dog", "6.jpg"),
    ]);
    expect(dataset.skipped[0]!.reason).toMatch(/unsupported|empty/);
    await dataset.close();
  });
});

test("what a folder lacks is said", async () => {
  await inFolder(async (folder) => {
    const found = (path: string): unknown => findImages(join(folder, path), { seed: 0, fraction: 0.2 });
    mkdirSync(join(folder, "empty"));
    mkdirSync(join(folder, "bare", "cat"), { recursive: true });
    mkdirSync(join(folder, "half", "val", "cat"), { recursive: true });
    await writeImage(join(folder, "other", "train", "tabby", "1.png"), red);
    await writeImage(join(folder, "other", "train", "tabby", "2.png"), red);
    await writeImage(join(folder, "other", "test", "taby", "1.png"), red);
    expect(() => found("none")).toThrow("there is no such folder");
    expect(() => found("empty")).toThrow("has no folders of classes");
    expect(() => found("bare")).toThrow("cat has no images");
    expect(() => found("half")).toThrow("has a folder val, but none of the name train");
    expect(() => found("other")).toThrow(
      expect.objectContaining({
        message: expect.stringContaining("taby is no class of the training images"),
        help: 'is "tabby" meant?',
      }),
    );
  });
});

test("a closed data set gives no more images", async () => {
  await inFolder(async (folder) => {
    await pets(folder);
    const dataset = await openDataset(folder, size);
    const inFlight = dataset.training.images([0, 1]).catch((error: unknown) => error);
    await dataset.close();
    expect(await inFlight).toMatchObject({ name: "DataError" });
    await expect(dataset.training.images([0])).rejects.toThrow("after its data set was closed");
  });
});
