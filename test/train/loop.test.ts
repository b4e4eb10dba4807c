/** The training loop: bits that depend on seed and place only, stopping and going on, numbers that leave their bounds. */
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Device, withCompiler } from "../../src/device.ts";
import { loadModel } from "../../src/model.ts";
import { readCheckpoint } from "../../src/train/checkpoint.ts";
import { DataError } from "../../src/train/data/data-error.ts";
import { firstNotFinite } from "../../src/train/model-weights.ts";
import { readMetrics } from "../../src/train/metrics.ts";
import { prepareRun, type RunRequest } from "../../src/train/prepare.ts";
import { readConfiguration, runFiles } from "../../src/train/run-folder.ts";
import { defaultSettings, type TrainingSettings } from "../../src/train/settings.ts";
import { train, type TrainOptions } from "../../src/train/training.ts";
import { inFolder } from "../folder.ts";
import { openTestDevice } from "../runtime/device.ts";
import { writeImages } from "./pictured-classes.ts";
import { tinyModel } from "./tiny-model.ts";

const model = tinyModel();
let device: Device;

beforeAll(async () => {
  device = withCompiler(await openTestDevice());
});
afterAll(() => device?.close());

/** 4 classes, 16 images in all for training, 12 held out: two steps an epoch. */
const small = { classes: 4, training: 4, heldOut: 3 };

function settingsFor(folder: string, changes: Partial<TrainingSettings> = {}): TrainingSettings {
  const own = { model: model.name, data: join(folder, "images"), batch: 8, epochs: 2, warmUp: 1 };
  return { ...defaultSettings, ...own, learningRate: 0.05, cropPadding: 2, ...changes };
}

interface Changes extends Partial<RunRequest> {
  /** Before step number `stopAfter`, counted from 0, it is told to stop. */
  readonly stopAfter?: number;
  readonly signal?: AbortSignal;
  readonly device?: Device;
  readonly seen?: (step: number) => unknown;
}

/**
 * A signal that is aborted once a loop has looked at it so many times; compiling asks it to throw, which is no look. A listener could
 * not abort at a certain step: a step is measured while the next one runs already, or before, as the device has it.
 */
function abortedAfter(looks = Infinity): AbortSignal {
  let seen = 0;
  return Object.defineProperty(new AbortController().signal, "aborted", { get: () => seen++ >= looks });
}

/** Trains in FOLDER/NAME. */
async function trainIn(folder: string, name: string, changes: Changes = {}): ReturnType<typeof train> {
  const { stopAfter, signal, device: own = device, seen = () => {}, ...request } = changes;
  const settings = settingsFor(folder);
  const prepared = await prepareRun({
    settings,
    folder: join(folder, name),
    isResumed: false,
    environment: {},
    model,
    ...request,
  });
  const options: TrainOptions = {
    listener: { measured: ({ step }) => seen(step), evaluated: () => {} },
    signal: signal ?? abortedAfter(stopAfter),
    stepsPerReading: 1,
    secondsBetweenCheckpoints: 1e9,
    now: () => performance.now() / 1000,
  };
  try {
    return await train(own, prepared, options);
  } finally {
    await prepared.dataset.close();
  }
}

const bytesOf = (folder: string, name: string): Buffer => readFileSync(runFiles(join(folder, name)).latest);

/** The steps after which held-out accuracy was measured. */
function heldOutSteps(folder: string, name: string): number[] {
  const metrics = readMetrics(runFiles(join(folder, name)).metrics);
  return metrics.filter(({ kind }) => kind === "held-out").map(({ step }) => step);
}

async function withImages<T>(action: (folder: string) => Promise<T>): Promise<T> {
  return inFolder(async (folder) => {
    await writeImages(join(folder, "images"), small);
    return action(folder);
  });
}

describe("a run", () => {
  it("leaves metrics, checkpoints and kernels", async () => {
    await withImages(async (folder) => {
      const end = await trainIn(folder, "a");
      expect(end).toMatchObject({ kind: "finished", step: 4, steps: 4 });
      const files = runFiles(join(folder, "a"));
      const metrics = readMetrics(files.metrics);
      expect(metrics.map(({ kind, step, epoch }) => [kind, step, epoch])).toEqual([
        ["training", 1, 0],
        ["training", 2, 1],
        ["held-out", 2, 1],
        ["training", 3, 1],
        ["training", 4, 2],
        ["held-out", 4, 2],
      ]);
      expect(metrics.every(({ loss }) => loss > 0 && loss < 10)).toBe(true);
      const { state, parameters, optimizer } = await readCheckpoint(files.latest);
      expect(state).toMatchObject({
        step: 4,
        place: { seed: 0, epoch: 2, position: 0 },
        classes: ["0", "1", "2", "3"],
        bestAccuracy: end.bestAccuracy,
      });
      expect([...parameters.keys()]).toEqual(model.parameters.map(({ name }) => name));
      expect([...optimizer.keys()]).toEqual(["m", "v"]);
      expect((await readCheckpoint(files.best)).state?.bestAccuracy).toBe(end.bestAccuracy);
      expect(readdirSync(files.kernels).length).toBeGreaterThan(0);
    });
  });

  it("learns", async () => {
    await withImages(async (folder) => {
      const settings = settingsFor(folder, { epochs: 30, cropPadding: 0 });
      const { evaluation } = await trainIn(folder, "a", { settings });
      expect(evaluation?.images).toBe(12);
      expect(evaluation?.top1).toBeGreaterThan(0.9);
      expect(evaluation?.confusion.flat().reduce((a, b) => a + b)).toBe(12);
    });
  });

  it("has the same bits for the same seed, and others for another one", async () => {
    await withImages(async (folder) => {
      for (const name of ["a", "b"]) await trainIn(folder, name);
      expect(bytesOf(folder, "a").equals(bytesOf(folder, "b"))).toBe(true);
      await trainIn(folder, "c", { settings: settingsFor(folder, { seed: 1 }) });
      expect(bytesOf(folder, "a").equals(bytesOf(folder, "c"))).toBe(false);
    });
  });

  it("goes on as if it had not been stopped, wherever it is", async () => {
    await withImages(async (folder) => {
      await trainIn(folder, "whole");
      const measured = (name: string): string[] =>
        readMetrics(runFiles(join(folder, name)).metrics).map(({ kind, step }) => `${kind} ${step}`);
      for (const stopAfter of [1, 2, 3]) {
        const name = `stopped-${stopAfter}`;
        const stopped = await trainIn(folder, name, { stopAfter });
        expect(stopped).toMatchObject({ kind: "interrupted", step: stopAfter });
        const end = await trainIn(folder, name, { isResumed: true });
        expect(end).toMatchObject({ kind: "finished", step: 4 });
        expect(bytesOf(folder, name).equals(bytesOf(folder, "whole"))).toBe(true);
        expect(measured(name)).toEqual(measured("whole"));
      }
    });
  });

  it("that has ended has nothing left to do, and compiles nothing for it", async () => {
    await withImages(async (folder) => {
      await trainIn(folder, "a");
      const before = bytesOf(folder, "a");
      const closed = withCompiler(await openTestDevice());
      closed.close();
      expect(await trainIn(folder, "a", { isResumed: true, device: closed })).toMatchObject({
        kind: "finished",
        step: 4,
        evaluation: null,
      });
      expect(bytesOf(folder, "a").equals(before)).toBe(true);
    });
  });

  it("that meets images that can't be read keeps what it has learnt, and owes nothing in the end", async () => {
    await withImages(async (folder) => {
      await trainIn(folder, "whole");
      const heldOut = join(folder, "images/val/3");
      const [training, first, second] = [
        join(folder, "images/train/1", readdirSync(join(folder, "images/train/1"))[0]!),
        ...readdirSync(heldOut).map((file) => join(heldOut, file)),
      ];
      for (const [broken, steps] of [
        [[training!], [0, 1]],
        [[first!, second!], [2]],
      ] as const) {
        const name = `without-${broken.length}`;
        const kept = broken.map((file) => readFileSync(file));
        for (const file of broken) writeFileSync(file, "");
        await expect(trainIn(folder, name)).rejects.toBeInstanceOf(DataError);
        const { state } = await readCheckpoint(runFiles(join(folder, name)).latest);
        expect(steps).toContain(state!.step);
        broken.forEach((file, i) => writeFileSync(file, kept[i]!));
        expect(await trainIn(folder, name, { isResumed: true })).toMatchObject({ kind: "finished", step: 4 });
        expect(bytesOf(folder, name).equals(bytesOf(folder, "whole"))).toBe(true);
        expect(heldOutSteps(folder, name)).toEqual([2, 4]);
      }
    });
  });

  it("that was killed before its epoch's accuracy was written measures it again", async () => {
    await withImages(async (folder) => {
      const whole = await trainIn(folder, "a");
      const files = runFiles(join(folder, "a"));
      const lines = readFileSync(files.metrics, "utf8").trimEnd().split("\n");
      writeFileSync(files.metrics, `${lines.slice(0, -1).join("\n")}\n`);
      const before = bytesOf(folder, "a");
      const again = await trainIn(folder, "a", { isResumed: true });
      expect(again.evaluation).toEqual(whole.evaluation);
      expect(again.bestAccuracy).toBe(whole.bestAccuracy);
      expect(heldOutSteps(folder, "a")).toEqual([2, 4]);
      expect(bytesOf(folder, "a").equals(before)).toBe(true);
    });
  });

  it("whose last held-out images can't be read is done once they have been", async () => {
    await withImages(async (folder) => {
      await trainIn(folder, "whole");
      const folderOf = join(folder, "images/val/3");
      const file = join(folderOf, readdirSync(folderOf)[0]!);
      const kept = readFileSync(file);
      const settings = settingsFor(folder, { epochs: 1 });
      const again = { settings, isResumed: true };
      writeFileSync(file, "");
      for (const request of [{ settings }, again])
        await expect(trainIn(folder, "a", request)).rejects.toMatchObject({ file });
      writeFileSync(file, kept);
      const end = await trainIn(folder, "a", again);
      expect(end).toMatchObject({ kind: "finished", step: 2, evaluation: { images: 12 } });
      expect(end.bestAccuracy).toBe(end.evaluation!.top1);
      expect(await trainIn(folder, "a", again)).toMatchObject({ kind: "finished", evaluation: null });
      expect(heldOutSteps(folder, "a")).toEqual([2]);
    });
  });

  it("goes on where its images were moved to, and notes where they are", async () => {
    await withImages(async (folder) => {
      await trainIn(folder, "whole");
      await trainIn(folder, "a", { stopAfter: 1 });
      renameSync(join(folder, "images"), join(folder, "moved"));
      await expect(trainIn(folder, "a", { isResumed: true })).rejects.toMatchObject({
        notes: [`there is no folder ${join(folder, "images")}`],
        help: expect.stringContaining("--data FOLDER") as string,
      });
      const settings = settingsFor(folder, { data: join(folder, "moved") });
      expect(await trainIn(folder, "a", { settings, isResumed: true })).toMatchObject({ step: 4 });
      expect(readConfiguration(join(folder, "a"))).toEqual(settings);
      const { parameters } = await readCheckpoint(runFiles(join(folder, "a")).latest);
      expect(parameters).toEqual((await readCheckpoint(runFiles(join(folder, "whole")).latest)).parameters);

      renameSync(join(folder, "moved"), join(folder, "images"));
      const back = { settings: settingsFor(folder), isResumed: true };
      expect(await trainIn(folder, "a", back)).toMatchObject({ kind: "finished", evaluation: null });
      expect(readConfiguration(join(folder, "a"))).toEqual(back.settings);
    });
  });

  it("keeps to the images that it began with", async () => {
    await withImages(async (folder) => {
      await trainIn(folder, "a", { stopAfter: 1 });
      const before = bytesOf(folder, "a");
      const own = join(folder, "images/train/1");
      rmSync(join(own, readdirSync(own)[0]!));
      await expect(trainIn(folder, "a", { isResumed: true })).rejects.toMatchObject({
        message: expect.stringContaining("has other images than the run began with") as string,
        notes: [
          expect.stringMatching(/^then: 16 for training, 12 held out \([0-9a-f]{8}\)$/),
          expect.stringMatching(/^now: 15 for training, 12 held out \([0-9a-f]{8}\)$/),
        ] as string[],
      });
      expect(bytesOf(folder, "a").equals(before)).toBe(true);
    });
  });

  it("goes on with the classes that it began with, or not at all", async () => {
    await withImages(async (folder) => {
      await trainIn(folder, "a", { stopAfter: 1 });
      const before = bytesOf(folder, "a");
      renameSync(join(folder, "images/train/3"), join(folder, "images/train/03"));
      renameSync(join(folder, "images/val/3"), join(folder, "images/val/03"));
      await expect(trainIn(folder, "a", { isResumed: true })).rejects.toMatchObject({
        message: expect.stringContaining("has other classes than") as string,
        notes: ["not there: 3", "not known: 03"],
      });
      expect(bytesOf(folder, "a").equals(before)).toBe(true);
    });
  });

  it("that is stopped while it is compiled writes nothing", async () => {
    await withImages(async (folder) => {
      const stopped = trainIn(folder, "a", { signal: AbortSignal.abort("enough") });
      await expect(stopped).rejects.toBe("enough");
      expect(existsSync(join(folder, "a"))).toBe(false);
    });
  });

  it("starts from weights", async () => {
    await withImages(async (folder) => {
      await trainIn(folder, "a");
      const weights = runFiles(join(folder, "a")).best;
      const settings = settingsFor(folder, { weights, learningRate: 0, weightDecay: 0 });
      await trainIn(folder, "b", { settings });
      const [before, after] = [
        await readCheckpoint(weights),
        await readCheckpoint(runFiles(join(folder, "b")).latest),
      ];
      expect(after.parameters).toEqual(before.parameters);
    });
  });
});

describe("a parameter that no gradient reaches", () => {
  it("stays as it was drawn, and has no moments", async () => {
    await withImages(async (folder) => {
      await trainIn(folder, "a");
      const { parameters, optimizer } = await readCheckpoint(runFiles(join(folder, "a")).latest);
      const drawn = model.step({ b: 8, h: 32, w: 32 }).init("p", 0) as unknown as {
        choice: { data: Float64Array };
      };
      expect([...parameters.get("choice")!.data]).toEqual([...drawn.choice.data]);
      expect([...optimizer.get("m")!.get("choice")!.data]).toEqual([0, 0]);
      expect([...optimizer.get("v")!.get("choice")!.data]).toEqual([0, 0]);
      expect(
        optimizer
          .get("v")!
          .get("classifier.bias")!
          .data.some((x) => x > 0),
      ).toBe(true);
    });
  });

  it("passes the step of fec_micro untouched: no kernel writes it, and nothing else is left alone", () => {
    const micro = loadModel("fec_micro");
    const step = micro.step({ b: 2, h: 32, w: 32 });
    const { program } = step.kernels({ fuse: "map", updates: step.carried });
    const names = micro.parameters.map(({ name }) => name);
    const updated = new Set(program.updated);
    const untouched = [0, 1, 2].map((tree) =>
      names.filter((_, i) => {
        const at = i + tree * names.length;
        expect(program.outputs[at]).toBe(program.inputs[at]);
        return !updated.has(program.inputs[at]!);
      }),
    );
    const pools = ["network.1", "network.3", "network.5"];
    const expected = pools.flatMap((pool) => [`${pool}.conv_f.weight`, `${pool}.conv_f.bias`]);
    expect(untouched).toEqual([expected, expected, expected]);
  });
});

describe("numbers that are not finite", () => {
  it("end the run, with the tensor's name; the last good checkpoint is kept", async () => {
    await withImages(async (folder) => {
      const weights = join(folder, "weights.safetensors");
      await trainIn(folder, "good");
      const { parameters } = await readCheckpoint(runFiles(join(folder, "good")).latest);
      const { writeCheckpoint } = await import("../../src/train/checkpoint.ts");
      const huge = new Map(parameters);
      const head = huge.get("classifier.weight")!;
      huge.set("classifier.weight", { ...head, data: new Float32Array(head.data.length).fill(3e38) });
      await writeCheckpoint(weights, { parameters: huge, optimizer: new Map(), state: null });
      const settings = settingsFor(folder, { weights });
      await expect(trainIn(folder, "bad", { settings })).rejects.toMatchObject({
        name: "DivergedError",
        step: 1,
        tensor: expect.stringMatching(/^(features\.0|classifier)\./) as string,
        checkpoint: runFiles(join(folder, "bad")).latest,
      });
      const kept = await readCheckpoint(runFiles(join(folder, "bad")).latest);
      expect(kept.state?.step).toBe(0);
      expect(firstNotFinite(kept.parameters)).toBe(null);
    });
  });
});

describe("a device that is lost", () => {
  it("ends the run; the last checkpoint stays, and another device goes on from it", async () => {
    await withImages(async (folder) => {
      const own = withCompiler(await openTestDevice());
      const losing = trainIn(folder, "a", { device: own, seen: (step) => step === 3 && own.close() });
      await expect(losing).rejects.toMatchObject({ name: "DeviceLostError" });
      expect((await readCheckpoint(runFiles(join(folder, "a")).latest)).state?.step).toBe(2);
      await trainIn(folder, "a", { isResumed: true });
      await trainIn(folder, "whole");
      expect(bytesOf(folder, "a").equals(bytesOf(folder, "whole"))).toBe(true);
    });
  });
});

describe("is refused before anything is written", () => {
  it("a batch that is larger than the data", async () => {
    await withImages(async (folder) => {
      const settings = settingsFor(folder, { batch: 17 });
      await expect(trainIn(folder, "a", { settings })).rejects.toThrow(
        "a batch of 17 can't be made of 16 images",
      );
      expect(existsSync(join(folder, "a"))).toBe(false);
    });
  });

  it("a padding that may leave nothing of an image", async () => {
    await withImages(async (folder) => {
      const settings = settingsFor(folder, { cropPadding: 32 });
      await expect(trainIn(folder, "a", { settings })).rejects.toThrow("padded by 32");
      expect(existsSync(join(folder, "a"))).toBe(false);
    });
  });

  it("more classes than the model tells apart", async () => {
    await inFolder(async (folder) => {
      await writeImages(join(folder, "images"), { classes: 11, training: 1, heldOut: 1 });
      await expect(trainIn(folder, "a")).rejects.toThrow("has 11 classes, tiny tells 10 apart");
      expect(existsSync(join(folder, "a"))).toBe(false);
    });
  });

  it("a folder that has a run", async () => {
    await withImages(async (folder) => {
      await trainIn(folder, "a");
      const before = bytesOf(folder, "a");
      await expect(trainIn(folder, "a")).rejects.toThrow("there is a run in");
      expect(bytesOf(folder, "a").equals(before)).toBe(true);
    });
  });

  it("a run that is to go on with other settings", async () => {
    await withImages(async (folder) => {
      await trainIn(folder, "a");
      const settings = settingsFor(folder, { learningRate: 0.1 });
      await expect(trainIn(folder, "a", { settings, isResumed: true })).rejects.toMatchObject({
        name: "RunError",
        notes: ["learningRate was 0.05, now it is 0.1"],
      });
    });
  });

  it("weights of another model", async () => {
    await withImages(async (folder) => {
      await trainIn(folder, "a");
      const settings = settingsFor(folder, { weights: runFiles(join(folder, "a")).latest });
      const request = { settings, model: loadModel("fec_micro") };
      await expect(trainIn(folder, "b", request)).rejects.toMatchObject({
        name: "CheckpointError",
        fault: "names",
      });
      expect(existsSync(join(folder, "b"))).toBe(false);
    });
  });
});
