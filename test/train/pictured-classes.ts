/**
 * A folder of small images in classes that are easy to tell apart, by their colours, with noise. The same in every run.
 *
 *     FOLDER/train/0/0.png … FOLDER/val/3/2.png        32 × 32
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { randomBelow } from "../../src/train/data/random.ts";

const side = 32;

/** Writes `training` and `heldOut` images of each of so many classes. */
export async function writeImages(
  folder: string,
  {
    classes,
    training,
    heldOut,
  }: { readonly classes: number; readonly training: number; readonly heldOut: number },
): Promise<void> {
  const writing: Promise<unknown>[] = [];
  for (const [part, count] of [
    ["train", training],
    ["val", heldOut],
  ] as const) {
    for (let label = 0; label < classes; label++) {
      const own = join(folder, part, String(label));
      mkdirSync(own, { recursive: true });
      for (let i = 0; i < count; i++)
        writing.push(writeImage(join(own, `${i}.png`), label, i + (part === "val" ? 1000 : 0)));
    }
  }
  await Promise.all(writing);
}

function writeImage(file: string, label: number, number: number): Promise<unknown> {
  const data = Uint8Array.from({ length: side * side * 3 }, (_, i) => {
    const isOn = ((label >> (i % 3)) & 1) === 1;
    return (isOn ? 150 : 50) + randomBelow(60, label, "order", number, i);
  });
  return sharp(data, { raw: { width: side, height: side, channels: 3 } })
    .png()
    .toFile(file);
}
