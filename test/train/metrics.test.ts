/** Metrics are appended, read back and cut. */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cutMetrics, type Metrics, openMetrics, readMetrics } from "../../src/train/metrics.ts";
import { inFolder } from "../folder.ts";

const training = (step: number, loss = 2 / step): Metrics => ({
  kind: "training",
  step,
  epoch: 0,
  loss,
  accuracy: 0.5,
  seconds: step / 10,
  learningRate: 0.001,
  imagesPerSecond: 410,
});
const heldOut = (step: number): Metrics => ({
  kind: "held-out",
  step,
  epoch: 1,
  loss: 0.7,
  accuracy: 0.75,
  seconds: step / 10,
});

function written(folder: string, lines: readonly Metrics[]): string {
  const file = join(folder, "metrics.jsonl");
  const log = openMetrics(file);
  for (const line of lines) log.append(line);
  log.sync();
  log.close();
  return file;
}

test("lines come back as they were written, whoever opens the file next appends", async () => {
  await inFolder((folder) => {
    written(folder, [training(10), heldOut(10)]);
    const file = written(folder, [training(20)]);
    expect(readMetrics(file)).toEqual([training(10), heldOut(10), training(20)]);
    expect(readFileSync(file, "utf8").split("\n")[1]).toBe(
      '{"kind":"held-out","step":10,"epoch":1,"loss":0.7,"accuracy":0.75,"seconds":1}',
    );
  });
});

test("a last line that was cut short is left out", async () => {
  await inFolder((folder) => {
    const file = written(folder, [training(10), training(20)]);
    const whole = readFileSync(file, "utf8");
    for (const length of [whole.length - 1, whole.length - 20, whole.indexOf("\n") + 2]) {
      writeFileSync(file, whole.slice(0, length));
      expect(readMetrics(file)).toEqual([training(10)]);
    }
    writeFileSync(file, "");
    expect(readMetrics(file)).toEqual([]);
  });
});

test("a loss that is not finite stays one", async () => {
  await inFolder((folder) => {
    const file = written(folder, [training(10, Number.NaN), training(20, Infinity)]);
    expect(readMetrics(file).map((line) => line.loss)).toEqual([Number.NaN, Number.NaN]);
  });
});

test("going on from a checkpoint cuts what comes after its step, and the next line follows", async () => {
  await inFolder(async (folder) => {
    const file = written(folder, [training(10), heldOut(10), training(20), heldOut(20)]);
    appendFileSync(file, '{"kind":"train');
    await cutMetrics(file, 10);
    written(folder, [training(20)]);
    expect(readMetrics(file)).toEqual([training(10), heldOut(10), training(20)]);
  });
});

test("another broken line is an error that names it", async () => {
  await inFolder((folder) => {
    const file = written(folder, [training(10), training(20)]);
    for (const broken of ["{", '{"kind":"testing"}', '{"kind":"held-out","step":"ten"}', "null"]) {
      writeFileSync(file, `${JSON.stringify(training(10))}\n${broken}\n`);
      expect(() => readMetrics(file)).toThrow(
        expect.objectContaining({
          name: "MetricsError",
          message: `${file}:2 is not a line of metrics`,
          notes: [`found ${broken}`],
        }),
      );
    }
  });
});
