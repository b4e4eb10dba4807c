/** The parts of training that need no model: probabilities, settings, the meter. */
import { describe, expect, it } from "vitest";
import type { TrainingState } from "../../src/train/checkpoint-state.ts";
import { logSoftmax, ranked } from "../../src/train/evaluate.ts";
import { openMeter } from "../../src/train/meter.ts";
import {
  configurationOf,
  defaultSettings,
  problemWith,
  scheduleOf,
  settingsOf,
} from "../../src/train/settings.ts";

describe("logSoftmax", () => {
  it("gives logarithms of probabilities", () => {
    expect([...logSoftmax([0, 0])]).toEqual([-Math.log(2), -Math.log(2)]);
    const sum = logSoftmax([1, -2, 3]).reduce((total, x) => total + Math.exp(x), 0);
    expect(sum).toBeCloseTo(1, 12);
  });

  it("stays finite for logits that are far apart", () => {
    expect([...logSoftmax([1000, -1000])]).toEqual([0, -2000]);
  });
});

it("of equal logits the first class comes first", () => {
  expect(ranked([1, 3, 3, 2])).toEqual([1, 2, 3, 0]);
});

describe("settings", () => {
  it("come back from a run's configuration", () => {
    expect(settingsOf(configurationOf(defaultSettings), "a")).toEqual(defaultSettings);
  });

  it.each([
    ["epochs", "two", 'epochs: found "two", a number is expected'],
    ["size", 33, "size: found 33, a multiple of 32 is expected"],
    ["fuse", "half", 'fuse: found "half", one of off, map, full is expected'],
    ["memory", "much", 'memory: found "much", one of speed, balanced, least is expected'],
    ["weights", 3, "weights: found 3, a path is expected"],
  ])("are refused with a wrong %s", (name, value, note) => {
    const wrong = { ...configurationOf(defaultSettings), [name]: value };
    expect(() => settingsOf(wrong, "a")).toThrow(
      expect.objectContaining({ name: "RunError", notes: [note] }) as Error,
    );
  });

  it("have ranges", () => {
    expect(problemWith("batch", 1)).toBe(null);
    expect(problemWith("batch", 1.5)).toBe("a whole number from 1 to 65536 is expected");
    expect(problemWith("learningRate", Number.NaN)).toBe("a number from 0 to 100 is expected");
  });

  it("warm up no longer than they train", () => {
    expect(scheduleOf({ ...defaultSettings, learningRate: 1, warmUp: 50 }, 10)).toEqual({
      peak: 1,
      low: 0.01,
      warmUp: 10,
      steps: 10,
    });
  });
});

describe("the meter", () => {
  it("gives means over the steps that were asked for, and speed without pauses", async () => {
    let clock = 0;
    const heard: object[] = [];
    const sums = [
      { loss: 6, hits: 9 },
      { loss: 1, hits: 4 },
    ];
    const meter = openMeter({ add: async () => {}, take: async () => sums.shift()!, free: () => {} }, 10, {
      batch: 4,
      rate: (step) => step / 100,
      seconds: () => clock,
      measured: async (m) => void heard.push(m),
    });
    const at = (step: number): TrainingState => ({
      step,
      place: { seed: 0, epoch: 1, position: 0 },
      model: "m",
      size: null,
      configuration: "c",
      classes: null,
      images: null,
      bestAccuracy: null,
    });
    clock = 2;
    await meter.rest(at(13));
    clock = 100;
    meter.pause();
    clock = 101;
    await meter.rest(at(14));
    await meter.rest(at(14));
    const common = { kind: "training", epoch: 1 };
    expect(heard).toEqual([
      { ...common, step: 13, loss: 2, accuracy: 0.75, seconds: 2, learningRate: 0.12, imagesPerSecond: 6 },
      { ...common, step: 14, loss: 1, accuracy: 1, seconds: 101, learningRate: 0.13, imagesPerSecond: 4 },
    ]);
  });

  it("tells at the next call what could not be read", async () => {
    const take = (): Promise<never> => Promise.reject(new Error("lost"));
    const meter = openMeter({ add: async () => {}, take, free: () => {} }, 0, {
      batch: 1,
      rate: () => 0,
      seconds: () => 0,
      measured: async () => {},
    });
    const state = {
      step: 1,
      place: { seed: 0, epoch: 0, position: 1 },
      model: "",
      size: null,
      configuration: "",
      classes: null,
      images: null,
      bestAccuracy: null,
    };
    await meter.next(state);
    await expect(meter.next({ ...state, step: 2 })).rejects.toThrow("lost");
    await meter.settle();
  });
});
