/**
 * Makes `data/fashion-mnist`: of each class the first 1000 images of the official training set and the first 200 of
 * the official test set, in the official order.
 *
 *     npx tsx scripts/fashion-mnist-subset.ts            with Fashion-MNIST installed, see src/train/data/fashion-mnist.ts
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { installedFashion } from "../src/train/data/fashion-mnist.ts";
import { readIdx, writeIdx } from "../src/train/data/idx.ts";

const target = "data/fashion-mnist";
const perClass = { train: 1000, t10k: 200 };

const folder = installedFashion(process.env);
mkdirSync(target, { recursive: true });
for (const part of ["train", "t10k"] as const) {
  const images = readIdx(join(folder, `${part}-images-idx3-ubyte.gz`));
  const labels = readIdx(join(folder, `${part}-labels-idx1-ubyte.gz`));
  const taken = Array.from({ length: 10 }, () => 0);
  const chosen = Array.from(labels.bytes.keys()).filter((i) => ++taken[labels.bytes[i]!]! <= perClass[part]);
  const bytes = new Uint8Array(chosen.length * 784);
  chosen.forEach((from, to) => bytes.set(images.bytes.subarray(from * 784, (from + 1) * 784), to * 784));
  write(`${part}-images-idx3-ubyte.gz`, { shape: [chosen.length, 28, 28], bytes });
  write(`${part}-labels-idx1-ubyte.gz`, {
    shape: [chosen.length],
    bytes: Uint8Array.from(chosen, (i) => labels.bytes[i]!),
  });
}

function write(name: string, idx: Parameters<typeof writeIdx>[0]): void {
  writeFileSync(join(target, name), gzipSync(writeIdx(idx), { level: 9 }));
}
