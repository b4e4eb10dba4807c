/** `fecit predict`: classes of images, logits of arrays, and what it refuses. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readNpy, writeNpy } from "../../src/formats/npy.ts";
import { writeSafetensors } from "../../src/formats/safetensors.ts";
import { tensor, type Tensor } from "../../src/host-value.ts";
import { loadModel } from "../../src/model.ts";
import { writeCheckpoint } from "../../src/train/checkpoint.ts";
import { drawnWeights } from "../train/drawn-weights.ts";
import { writeImages } from "../train/pictured-classes.ts";
import { inFolder } from "../folder.ts";
import { fecit } from "./capture.ts";

const device = process.env["FECIT_DEVICE"] ?? "software";
const model = loadModel("fec_mini");
const drawn = drawnWeights(model);
const run = ["--model", "fec_mini", "--weights", "w.safetensors", "--fuse", "map", "--device", device];

/** A folder with weights, an array of two images, and a few image files. */
async function withFiles<T>(action: (folder: string, images: Float32Array) => Promise<T>): Promise<T> {
  return inFolder(async (folder) => {
    await writeImages(join(folder, "images"), { classes: 2, training: 1, heldOut: 1 });
    writeFileSync(join(folder, "w.safetensors"), writeSafetensors(drawn.arrays));
    const data = Float32Array.from({ length: 2 * 3 * 32 * 32 }, (_, i) => Math.sin(i * i));
    writeFileSync(join(folder, "x.npy"), writeNpy({ type: "f32", shape: [2, 3, 32, 32], data }));
    return action(folder, data);
  });
}

const quiet = { FECIT_VERIFY: "0" };

describe("predict", () => {
  it("writes the logits that the interpreter has", async () => {
    await withFiles(async (folder, images) => {
      const words = ["predict", ...run, "--input", "x.npy", "--out", "y.npy"];
      const { code, out } = await fecit(words, folder, quiet);
      expect({ code, out }).toEqual({ code: 0, out: "y.npy  logits: f32[2, 10]\n" });
      const { shape, data } = readNpy(readFileSync(join(folder, "y.npy")));
      expect(shape).toEqual([2, 10]);
      const forward = model.forward({ b: 2, h: 32, w: 32 });
      const [logits] = forward.interpret(drawn.value, tensor([2, 3, 32, 32], images));
      const expected = (logits as Tensor).data;
      const worst = Math.max(...Array.from(data, (x, i) => Math.abs(x - expected[i]!)));
      expect(worst).toBeLessThan(1e-4);
    });
  });

  it("says the likeliest classes of images by their names", async () => {
    await withFiles(async (folder) => {
      const files = ["images/val/0/0.png", "images/val/1/0.png"];
      const words = ["predict", ...run, ...files, "--size", "32", "--data", "fashion-mnist-subset", "--json"];
      const { code, out } = await fecit(words, folder, quiet);
      expect(code).toBe(0);
      const { images } = JSON.parse(out) as {
        images: { file: string; answers: { class: string; index: number; probability: number }[] }[];
      };
      expect(images.map(({ file }) => file)).toEqual(files);
      for (const { answers } of images) {
        expect(answers).toHaveLength(5);
        const probabilities = answers.map(({ probability }) => probability);
        expect(probabilities).toEqual(probabilities.toSorted((a, b) => b - a));
        expect([
          "T-shirt/top",
          "Trouser",
          "Pullover",
          "Dress",
          "Coat",
          "Sandal",
          "Shirt",
          "Sneaker",
          "Bag",
          "Ankle boot",
        ]).toContain(answers[0]!.class);
      }
    });
  });

  it("answers with classes that the data set has, though the head is wider", async () => {
    await withFiles(async (folder) => {
      const words = ["predict", ...run, "images/val/0/0.png", "--size", "32", "--data", "images", "--json"];
      const { code, out } = await fecit(words, folder, quiet);
      expect(code).toBe(0);
      const { images } = JSON.parse(out) as {
        images: { answers: { class: string; probability: number }[] }[];
      };
      const { answers } = images[0]!;
      expect(answers.map((answer) => answer.class).sort()).toEqual(["0", "1"]);
      expect(answers.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 6);
    });
  });

  it("knows from a checkpoint, wherever it lies, the model, the size and the classes", async () => {
    await withFiles(async (folder) => {
      const place = { seed: 0, epoch: 1, position: 0 };
      const known = {
        model: "fec_mini",
        size: 32,
        configuration: "0",
        classes: ["ant", "bee"],
        images: null,
      };
      const state = { step: 1, place, bestAccuracy: null, ...known };
      const checkpoint = { parameters: drawn.arrays, optimizer: new Map(), state };
      await writeCheckpoint(join(folder, "c.safetensors"), checkpoint);
      const kernels = ["--fuse", "map", "--device", device];
      const words = ["predict", "--weights", "c.safetensors", "images/val/0/0.png", "--json", ...kernels];
      const { code, out } = await fecit(words, folder, quiet);
      expect(code).toBe(0);
      const { images } = JSON.parse(out) as { images: { answers: { class: string }[] }[] };
      expect(images[0]!.answers.map((answer) => answer.class).sort()).toEqual(["ant", "bee"]);
    });
  });
});

describe("predict refuses", () => {
  it.each<[string, string[], 1 | 2, string]>([
    ["nothing to classify", [], 2, "either images or --input is expected"],
    ["images and an array", ["a.png", "--input", "x.npy"], 2, "either images or --input is expected"],
    ["an image that there is not", ["a.png"], 1, "a.png can't be read: there is no such file"],
    ["a folder for an image", ["images"], 1, "it is a directory"],
    ["what is no image", ["w.safetensors"], 1, "w.safetensors can't be decoded"],
    ["an array of another shape", ["--input", "flat.npy"], 1, "found f32[3, 4]"],
    ["an array that is cut short", ["--input", "short.npy"], 1, "short.npy"],
    [
      "a data set that there is not",
      ["images/val/0/0.png", "--data", "nowhere"],
      1,
      "there is no data set nowhere",
    ],
    ["weights of another model", ["--model", "fec_micro", "images/val/0/0.png"], 1, "of this model"],
  ])("%s", async (_, words, expected, message) => {
    await withFiles(async (folder) => {
      writeFileSync(
        join(folder, "flat.npy"),
        writeNpy({ type: "f32", shape: [3, 4], data: new Float32Array(12) }),
      );
      writeFileSync(join(folder, "short.npy"), readFileSync(join(folder, "x.npy")).subarray(0, 5000));
      const { code, out, err } = await fecit(["predict", ...run, ...words, "--out", "y.npy"], folder);
      expect({ code, out }).toEqual({ code: expected, out: "" });
      expect(err).toContain(message);
      expect(err).toContain("= help: ");
      expect(existsSync(join(folder, "y.npy"))).toBe(false);
    });
  });

  it("weights that are in no run, without a model", async () => {
    await withFiles(async (folder) => {
      const { code, err } = await fecit(
        ["predict", "--weights", "w.safetensors", "images/val/0/0.png"],
        folder,
      );
      expect(code).toBe(2);
      expect(err).toContain("--model is not given");
    });
  });
});
