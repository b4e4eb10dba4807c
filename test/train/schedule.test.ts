/** The learning rate over the steps of a run. */
import { expect, test } from "vitest";
import { load } from "../../src/index.ts";
import { learningRate, type Schedule } from "../../src/train/schedule.ts";

const schedule: Schedule = { peak: 0.002, low: 0.0001, warmUp: 10, steps: 100 };

test("it is what the standard library gives", () => {
  const source = `
use schedule.{warmup_cosine}
fn rate(t: f32) -> f32 = warmup_cosine(t, 10.0, 100.0, 0.0001, 0.002, 0.0001)`;
  const rate = load(source).compile("rate");
  for (const step of [0, 1, 9, 10, 11, 50, 99, 100, 150]) {
    expect(learningRate(step, schedule)).toBeCloseTo(Number(rate.interpret(step)), 10);
  }
});

test("without a warm-up it begins at its peak, and ends low", () => {
  expect(learningRate(0, { ...schedule, warmUp: 0 })).toBe(0.002);
  expect(learningRate(100, schedule)).toBe(0.0001);
});
