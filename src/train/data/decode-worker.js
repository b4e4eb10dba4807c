// @ts-check
/**
 * Decodes images in a thread of its own: takes a `DecodeJob`, answers with a `DecodeAnswer` (see `decode.ts`).
 *
 *     { id: 3, file: "cat/7.jpg", … }  ──▶  { id: 3, bytes: u8[3, 224, 224] }  or  { id: 3, reason: "…" }
 *
 * It is JavaScript so that a thread can be started on it both from sources and from the bundle.
 */
import { parentPort } from "node:worker_threads";
import sharp from "sharp";

// Threads work side by side already.
sharp.concurrency(1);

parentPort?.on("message", async (/** @type {import("./decode.ts").DecodeJob} */ job) => {
  try {
    const bytes = await decode(job);
    parentPort?.postMessage({ id: job.id, bytes }, [/** @type {ArrayBuffer} */ (bytes.buffer)]);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    parentPort?.postMessage({ id: job.id, reason }, []);
  }
});

/**
 * The middle of an image, turned upright, its shorter side brought to the size asked for; one plane a channel.
 *
 * @param {import("./decode.ts").DecodeJob} job what to decode
 * @returns {Promise<Uint8Array>} the bytes of `[channels, height, width]`
 */
async function decode({ file, channels, height, width }) {
  const pixels = await sharp(file, { failOn: "error" })
    .rotate()
    .resize({ width, height, fit: "cover", position: "centre", kernel: "cubic" })
    .toColourspace(channels === 1 ? "b-w" : "srgb")
    .removeAlpha()
    .raw({ depth: "uchar" })
    .toBuffer();
  const plane = height * width;
  if (pixels.length !== channels * plane) throw new Error(`it has ${pixels.length / plane} channels`);
  const planes = new Uint8Array(channels * plane);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < plane; i++) planes[c * plane + i] = pixels[i * channels + c] ?? 0;
  }
  return planes;
}
