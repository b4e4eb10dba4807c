/**
 * What training measures, a JSON object a line: appended while it runs, read back for curves, cut when it goes on from an
 * earlier checkpoint.
 *
 *     {"kind":"training","step":10,"epoch":0,"loss":1.93,"accuracy":0.34,"learningRate":0.002,"imagesPerSecond":410,"seconds":1.6}
 *     {"kind":"held-out","step":156,"epoch":1,"loss":0.71,"accuracy":0.74,"seconds":25.1}
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { writeWholeFile } from "./whole-file.ts";

interface Measured {
  /** The steps that were taken before it was measured. */
  readonly step: number;
  readonly epoch: number;
  /** Per image. Not finite when training has failed. */
  readonly loss: number;
  /** 0 … 1. */
  readonly accuracy: number;
  /** Since the run began, without the time between a stop and going on. */
  readonly seconds: number;
}

/** `training`: over the batches since the line before; `held-out`: over all held-out images. */
export type Metrics =
  | (Measured & {
      readonly kind: "training";
      readonly learningRate: number;
      readonly imagesPerSecond: number;
    })
  | (Measured & { readonly kind: "held-out" });

/** A line that is not one of metrics. */
export class MetricsError extends Error {
  override readonly name = "MetricsError";
  readonly notes: readonly string[];
  readonly help = "repair or remove the line; a last line that was cut short is left out by itself";
  constructor(
    readonly file: string,
    readonly line: number,
    text: string,
  ) {
    super(`${file}:${line} is not a line of metrics`);
    this.notes = [`found ${text.length > 80 ? `${text.slice(0, 80)}…` : text}`];
  }
}

export interface MetricsLog {
  /** Appends a line; it outlives the process. */
  append(metrics: Metrics): void;
  /** Waits until all lines are on the disk: they outlive a loss of power. */
  sync(): void;
  close(): void;
}

/** Opens a file to append to; it is made when there is none. Throws the system's error. */
export function openMetrics(file: string): MetricsLog {
  const descriptor = openSync(file, "a");
  return {
    append: (metrics) => {
      writeSync(descriptor, `${JSON.stringify(metrics)}\n`);
    },
    sync: () => fsyncSync(descriptor),
    close: () => closeSync(descriptor),
  };
}

/** The lines of a file, but a last one that was cut short. Throws `MetricsError`, or the system's error. */
export function readMetrics(file: string): Metrics[] {
  const lines = readFileSync(file, "utf8").split("\n");
  // After the last line break is nothing, or a line whose writing was interrupted.
  return lines.slice(0, -1).map((text, i) => {
    const metrics = parseLine(text);
    if (metrics === null) throw new MetricsError(file, i + 1, text);
    return metrics;
  });
}

/** Leaves out the lines after a step: those of the part of a run that is done again. Without a file there is nothing to cut. Throws as `readMetrics` does. */
export async function cutMetrics(file: string, step: number): Promise<void> {
  if (!existsSync(file)) return;
  const kept = readMetrics(file).filter((metrics) => metrics.step <= step);
  await writeWholeFile(file, kept.map((metrics) => `${JSON.stringify(metrics)}\n`).join(""));
}

const fields: Readonly<Record<Metrics["kind"], readonly string[]>> = {
  training: ["step", "epoch", "loss", "accuracy", "seconds", "learningRate", "imagesPerSecond"],
  "held-out": ["step", "epoch", "loss", "accuracy", "seconds"],
};

function parseLine(text: string): Metrics | null {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof found !== "object" || found === null) return null;
  const { kind, ...values } = found as Record<string, unknown>;
  if (kind !== "training" && kind !== "held-out") return null;
  const numbers: Record<string, number> = {};
  for (const name of fields[kind]) {
    const value = values[name];
    // JSON writes null for what is not finite.
    if (value !== null && typeof value !== "number") return null;
    numbers[name] = value ?? Number.NaN;
  }
  return { kind, ...numbers } as unknown as Metrics;
}
