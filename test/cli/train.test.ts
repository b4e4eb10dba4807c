/** `fecit train`, and what it refuses: a message, what to do, the exit code, nothing half-written. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeCheckpoint } from "../../src/train/checkpoint.ts";
import { configurationHash } from "../../src/train/configuration.ts";
import { createRun } from "../../src/train/run-folder.ts";
import { configurationOf, defaultSettings } from "../../src/train/settings.ts";
import { writeImages } from "../train/pictured-classes.ts";
import { inFolder } from "../folder.ts";
import { fecit, type Outcome } from "./capture.ts";

const device = process.env["FECIT_DEVICE"] ?? "software";

/** `fecit train WORD …` beside a folder `images` of 2 classes with 4 images each. */
async function train(words: readonly string[], look: (folder: string) => void = () => {}): Promise<Outcome> {
  return inFolder(async (folder) => {
    await writeImages(join(folder, "images"), { classes: 2, training: 4, heldOut: 3 });
    const outcome = await fecit(["train", ...words], folder);
    look(folder);
    return outcome;
  });
}

const own = ["--model", "fec_mini", "--data", "images"];

describe("train", () => {
  it("trains, says what there is, and goes on by --resume", async () => {
    await inFolder(async (folder) => {
      await writeImages(join(folder, "images"), { classes: 2, training: 4, heldOut: 3 });
      const words = [
        ...own,
        "--epochs",
        "1",
        "--batch",
        "4",
        "--fuse",
        "map",
        "--memory",
        "least",
        "--out",
        "a",
        "--device",
        device,
      ];
      const { code, out, err } = await fecit(["train", ...words], folder, { FECIT_VERIFY: "0" });
      expect({ code, err }).toEqual({
        code: 0,
        err: expect.stringContaining("epoch 1: held-out accuracy") as string,
      });
      expect(err).toContain("the learning rate rises in all 2 steps of this run: --warm-up is 50");
      expect(out).toContain("2 steps done, held-out accuracy up to");
      expect(readdirSync(join(folder, "a")).sort()).toEqual([
        "best.safetensors",
        "config.json",
        "curve.png",
        "curve.svg",
        "kernels",
        "latest.safetensors",
        "metrics.jsonl",
      ]);
      const config = JSON.parse(readFileSync(join(folder, "a/config.json"), "utf8")) as object;
      expect(config).toMatchObject({
        model: "fec_mini",
        data: join(folder, "images"),
        batch: 4,
        fuse: "map",
        memory: "least",
      });

      const again = await fecit(["train", "--resume", "a", "--lr", "1"], folder);
      expect(again).toMatchObject({ code: 1, out: "" });
      expect(again.err).toContain("learningRate was 0.006, now it is 1");
      const taken = await fecit(["train", ...words], folder);
      expect(taken).toMatchObject({ code: 1, out: "" });
      expect(taken.err).toContain("there is a run in");
    });
  });
});

describe("train refuses", () => {
  it.each<[string, string[], string]>([
    ["a model that there is not", ["--model", "fec_mimi"], "did you mean fec_mini?"],
    ["a size that is no multiple of 32", ["--size", "48"], "--size 48: a multiple of 32 is expected"],
    ["a batch of none", ["--batch", "0"], "a whole number from 1"],
    ["a learning rate that is no number", ["--lr", "fast"], "--lr fast: a number from 0"],
    ["a level of fusion that there is not", ["--fuse", "half"], "levels are off, map, full"],
    ["a choice that there is not", ["--memory", "much"], "choices are speed, balanced, least"],
    [
      "a folder for a run that goes on",
      ["--resume", "a", "--out", "b"],
      "--resume and --out don't go together",
    ],
    ["the interpreter", ["--device", "interpreter"], "models run on adapters only"],
    ["an option that there is not", ["--batches", "3"], "did you mean `--batch`?"],
  ])("%s", async (_, words, message) => {
    const { code, out, err } = await train(words, (folder) =>
      expect(readdirSync(folder)).toEqual(["images"]),
    );
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(message);
  });

  it.each<[string, string[], string]>([
    ["data that there is not", ["--data", "fashion-mnist-subst"], 'is "fashion-mnist-subset" meant?'],
    ["a folder that holds no images", ["--data", "."], "has no images"],
    ["a batch that is larger than the data", [...own, "--batch", "9"], "choose a batch size of 1 … 8"],
    ["weights that there are not", [...own, "--batch", "4", "--weights", "w"], "there is no such file"],
    ["a run that there is not", ["--resume", "a"], "there is no run in"],
    [
      "a folder that can't be made, before a device is opened",
      [...own, "--batch", "4", "--out", "images/val/0/0.png/a", "--device", "no such adapter"],
      "0.png/a can't be made: a part of the path is a file, not a folder",
    ],
  ])("%s", async (_, words, message) => {
    const { code, out, err } = await train(words, (folder) =>
      expect(readdirSync(folder)).toEqual(["images"]),
    );
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain(message);
    expect(err).toContain("= help: ");
  });

  it("more classes than the model tells apart", async () => {
    await inFolder(async (folder) => {
      await writeImages(join(folder, "images"), { classes: 11, training: 1, heldOut: 1 });
      const { code, err } = await fecit(["train", ...own, "--batch", "4"], folder);
      expect(code).toBe(1);
      expect(err).toContain("has 11 classes, fec_mini tells 10 apart");
      expect(readdirSync(folder)).toEqual(["images"]);
    });
  });

  it("a checkpoint that was cut short, and one that is none", async () => {
    await inFolder(async (folder) => {
      await writeImages(join(folder, "images"), { classes: 2, training: 4, heldOut: 3 });
      for (const [name, text] of [
        ["short.safetensors", "\x10\0\0\0\0\0\0\0{"],
        ["none.safetensors", "PK\x03\x04 something else altogether"],
      ] as const) {
        writeFileSync(join(folder, name), text);
        const { code, err } = await fecit(["train", ...own, "--batch", "4", "--weights", name], folder);
        expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining(name) as string });
        expect(err).toContain("= help: ");
      }
      expect(existsSync(join(folder, "runs"))).toBe(false);
    });
  });

  it("the folder of a run whose configuration is not one of training", async () => {
    await inFolder(async (folder) => {
      mkdirSync(join(folder, "a"));
      writeFileSync(join(folder, "a/config.json"), '{ "model": "fec_mini", "batch": "many" }');
      const { code, err } = await fecit(["train", "--resume", "a"], folder);
      expect(code).toBe(1);
      expect(err).toContain("is not one of training");
    });
  });

  it("a run whose last checkpoint is damaged, and says what it can go on from", async () => {
    await inFolder(async (folder) => {
      await writeImages(join(folder, "images"), { classes: 2, training: 4, heldOut: 3 });
      const configuration = configurationOf({ ...defaultSettings, data: join(folder, "images"), batch: 4 });
      const run = createRun(join(folder, "a"), configuration);
      const resume = async (): Promise<string> => (await fecit(["train", "--resume", "a"], folder)).err;

      writeFileSync(run.latest, "\x10\0\0\0\0\0\0\0{");
      const alone = await resume();
      expect(alone).toContain("latest.safetensors: the file is cut short");
      expect(alone).toContain(
        "= help: the run has no other checkpoint: put a copy of it back, or begin a new run",
      );

      await writeCheckpoint(run.best, {
        parameters: new Map(),
        optimizer: new Map(),
        state: {
          step: 40,
          place: { seed: 0, epoch: 1, position: 0 },
          model: "fec_mini",
          size: 32,
          configuration: configurationHash(configuration),
          classes: null,
          images: null,
          bestAccuracy: 0.5,
        },
      });
      expect(await resume()).toContain(
        `= help: copy ${run.best}, the run's checkpoint after step 40, over it and resume again`,
      );
    });
  });

  it("a run whose configuration is damaged, and says what is left of it", async () => {
    await inFolder(async (folder) => {
      mkdirSync(join(folder, "a"));
      writeFileSync(join(folder, "a/config.json"), '{ "model": ');
      const { code, err } = await fecit(["train", "--resume", "a"], folder);
      expect(code).toBe(1);
      expect(err).toContain("a/config.json is not the configuration of a run");
      expect(err).toContain("it is damaged, or of another program: Unexpected end of JSON input");
      expect(err).toContain("or begin a new run in another folder");
      writeFileSync(join(folder, "a/best.safetensors"), "");
      const { err: withWeights } = await fecit(["train", "--resume", "a"], folder);
      expect(withWeights).toContain(
        `begin a new run with its weights: \`fecit train --weights ${folder}/a/best.safetensors --out FOLDER\``,
      );
    });
  });

  it("a device that there is not", async () => {
    const words = [...own, "--batch", "4", "--device", "no such adapter"];
    const { code, err } = await train(words, (folder) => expect(readdirSync(folder)).toEqual(["images"]));
    expect(code).toBe(3);
    expect(err).toContain('no adapter for the device choice "no such adapter"');
  });
});
