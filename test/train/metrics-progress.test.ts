/** What is shown of training, on a terminal and elsewhere. */
import { Writable } from "node:stream";
import { expect, test } from "vitest";
import {
  durationText,
  type Progress,
  type ProgressSink,
  startProgress,
} from "../../src/train/metrics-progress.ts";

function sinkOf(isTTY: boolean): { sink: ProgressSink; text: () => string } {
  const parts: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      parts.push(chunk.toString());
      done();
    },
  });
  const sink = Object.assign(stream, {
    isTTY,
    columns: 200,
    cursorTo: () => true,
    moveCursor: () => true,
    clearLine: () => true,
  });
  return { sink, text: () => parts.join("") };
}

/** Steps 1 … `steps` of 8, a second each. */
function shown(isTTY: boolean, steps: number, then: (progress: Progress) => void): string {
  let time = 100;
  const { sink, text } = sinkOf(isTTY);
  const progress = startProgress(sink, {
    firstStep: 0,
    lastStep: 8,
    secondsBetweenLines: 3,
    now: () => time,
  });
  for (let step = 1; step <= steps; step++) {
    time++;
    progress.update({ step, loss: 2 / step, accuracy: step / 10, imagesPerSecond: 410.4 });
  }
  then(progress);
  return text();
}

test("without a terminal there is a line every few seconds, and a last one", () => {
  expect(shown(false, 8, (progress) => progress.end())).toMatchInlineSnapshot(`
    "step 1/8  loss 2.000  accuracy 10.0 %  410 images/s  0:07 left
    step 4/8  loss 0.500  accuracy 40.0 %  410 images/s  0:04 left
    step 7/8  loss 0.286  accuracy 70.0 %  410 images/s  0:01 left
    step 8/8  loss 0.250  accuracy 80.0 %  410 images/s  0:00 left
    "
  `);
});

test("notes stand on lines of their own", () => {
  const note = "epoch 1: 74.0 % of held-out images";
  expect(shown(false, 1, (progress) => progress.note(note))).toContain(`left\n${note}\n`);
  expect(shown(true, 1, (progress) => progress.note(note))).toContain(`\n${note}\n`);
});

test("a terminal has one line that shows the last state when it ends", () => {
  const text = shown(true, 8, (progress) => progress.end());
  expect(text).toContain(`step 8/8 ${"█".repeat(20)}  loss 0.250  accuracy 80.0 %  410 images/s  0:00 left`);
  expect(text.split("\n")).toHaveLength(2);
});

test("nothing is shown when nothing was reported", () => {
  expect(shown(true, 0, (progress) => progress.end())).toBe("");
  expect(shown(false, 0, (progress) => progress.end())).toBe("");
});

test("durations are minutes and seconds, and hours when there are any", () => {
  expect([41, 725, 10_800, 0.4].map(durationText)).toEqual(["0:41", "12:05", "3:00:00", "0:00"]);
});
