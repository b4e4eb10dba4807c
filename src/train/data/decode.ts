/**
 * Decodes image files in a pool of threads, with sharp.
 *
 *     const decoder = startDecoder(2);
 *     await decoder.decode("cat/7.jpg", { channels: 3, height: 224, width: 224 })      // u8[3, 224, 224]
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { BrokenImageError, brokenImages, DataError } from "./data-error.ts";
import { type ImageShape, imageSize } from "./dataset.ts";

/** What a thread is asked. */
export interface DecodeJob extends ImageShape {
  readonly id: number;
  readonly file: string;
}

/** What it answers. */
export type DecodeAnswer = { readonly id: number } & (
  | { readonly bytes: Uint8Array }
  | { readonly reason: string }
);

export interface Decoder {
  /**
   * One image, `[channels, height, width]`: upright, its shorter side resized (bicubic), the middle of the longer one.
   * Transparency is left out. Throws `BrokenImageError`.
   */
  decode(file: string, shape: ImageShape): Promise<Uint8Array>;
  /** Ends the threads; what is still waiting is rejected. */
  close(): Promise<void>;
}

/** One thread less than the machine runs at once, at most 8. */
export function defaultThreads(): number {
  return Math.min(8, Math.max(1, availableParallelism() - 1));
}

interface Waiting {
  readonly job: DecodeJob;
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

/** A decoder; threads start when they are needed, and an idle decoder does not keep the process alive. */
export function startDecoder(threads = defaultThreads()): Decoder {
  const queue: Waiting[] = [];
  const idle: Worker[] = [];
  const busy = new Map<Worker, Waiting>();
  let jobs = 0;
  let isClosed = false;

  const feed = (): void => {
    while (queue.length > 0) {
      const worker = idle.pop() ?? (busy.size < threads ? start() : null);
      if (worker === null) return;
      const waiting = queue.shift()!;
      busy.set(worker, waiting);
      worker.ref();
      worker.postMessage(waiting.job, []);
    }
  };

  const start = (): Worker => {
    // Beside this file in the sources, beside the bundle in dist.
    const worker = new Worker(new URL("./decode-worker.js", import.meta.url));
    worker.on("message", (answer: DecodeAnswer) => {
      const waiting = busy.get(worker);
      busy.delete(worker);
      idle.push(worker);
      worker.unref();
      if ("bytes" in answer) waiting?.resolve(answer.bytes);
      else waiting?.reject(new BrokenImageError(waiting.job.file, oneLine(answer.reason)));
      feed();
    });
    // A thread that ends, by a fault in the decoder or for want of memory, takes one image with it.
    worker.on("error", (error) => lose(worker, error.message));
    worker.on("exit", (code) => lose(worker, `the decoding thread ended with ${code}`));
    return worker;
  };

  const lose = (worker: Worker, reason: string): void => {
    const waiting = busy.get(worker);
    busy.delete(worker);
    if (idle.includes(worker)) idle.splice(idle.indexOf(worker), 1);
    if (waiting !== undefined) {
      const { file } = waiting.job;
      waiting.reject(isClosed ? closedError(file) : new BrokenImageError(file, oneLine(reason)));
    }
    if (!isClosed) feed();
  };

  return {
    decode: (file, shape) =>
      new Promise((resolve, reject) => {
        if (isClosed) {
          reject(closedError(file));
          return;
        }
        queue.push({ job: { id: jobs++, file, ...shape }, resolve, reject });
        feed();
      }),
    close: async () => {
      isClosed = true;
      for (const { job, reject } of queue.splice(0)) reject(closedError(job.file));
      await Promise.all([...idle, ...busy.keys()].map((worker) => worker.terminate()));
    },
  };
}

/**
 * Several images, `[files.length, channels, height, width]`. Throws a `DataError` that names those that are broken, a
 * `BrokenImageError` for a single one.
 */
export async function decodeAll(
  decoder: Decoder,
  files: readonly string[],
  shape: ImageShape,
): Promise<Uint8Array> {
  const size = imageSize(shape);
  const bytes = new Uint8Array(files.length * size);
  const broken: BrokenImageError[] = [];
  // All are waited for, so that none still runs when an error is told.
  const images = await Promise.allSettled(files.map((file) => decoder.decode(file, shape)));
  images.forEach((image, i) => {
    if (image.status === "fulfilled") bytes.set(image.value, i * size);
    else if (image.reason instanceof BrokenImageError) broken.push(image.reason);
    else throw image.reason;
  });
  if (broken.length > 0) throw brokenImages(broken);
  return bytes;
}

function closedError(file: string): DataError {
  return new DataError(`${file} was asked for after its data set was closed`, [], "close it at the end");
}

/** Decoders tell what they tried in several lines; the first one says what is wrong. */
function oneLine(reason: string): string {
  return reason.trim().split("\n", 1)[0]!;
}
