/** `fecit eval` and `fecit weights`: numbers of a model on labelled images, and of a file of weights. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeSafetensors } from "../../src/formats/safetensors.ts";
import { loadModel } from "../../src/model.ts";
import { drawnWeights } from "../train/drawn-weights.ts";
import { writeImages } from "../train/pictured-classes.ts";
import { inFolder } from "../folder.ts";
import { fecit } from "./capture.ts";

const device = process.env["FECIT_DEVICE"] ?? "software";
const { arrays } = drawnWeights(loadModel("fec_mini"));

async function withFiles<T>(action: (folder: string) => Promise<T>): Promise<T> {
  return inFolder(async (folder) => {
    await writeImages(join(folder, "images"), { classes: 3, training: 1, heldOut: 3 });
    writeFileSync(join(folder, "w.safetensors"), writeSafetensors(arrays));
    return action(folder);
  });
}

describe("eval", () => {
  it("gives accuracy, loss, speed and confusions, whatever the batch", async () => {
    await withFiles(async (folder) => {
      const words = [
        "eval",
        "--model",
        "fec_mini",
        "--weights",
        "w.safetensors",
        "--data",
        "images",
        "--size",
        "32",
      ];
      const { code, out } = await fecit(
        [...words, "--batch", "4", "--fuse", "map", "--device", device, "--json"],
        folder,
        { FECIT_VERIFY: "0" },
      );
      expect(code).toBe(0);
      const found = JSON.parse(out) as Record<string, number> & { confusion: number[][] };
      expect(found).toMatchObject({ model: "fec_mini", images: 9, classes: ["0", "1", "2"] });
      expect(found["loss"]).toBeGreaterThan(0);
      expect(found["top5"]).toBeGreaterThanOrEqual(found["top1"]!);
      expect(found["imagesPerSecond"]).toBeGreaterThan(0);
      const { confusion } = found;
      expect(confusion.map((row) => row.reduce((a, b) => a + b))).toEqual([3, 3, 3]);
      expect(found["top1"]).toBeCloseTo(confusion.reduce((sum, row, i) => sum + row[i]!, 0) / 9, 12);
    });
  });

  it("says no top-5 accuracy of three classes", async () => {
    await withFiles(async (folder) => {
      const words = ["--model", "fec_mini", "--weights", "w.safetensors", "--data", "images", "--size", "32"];
      const { code, out } = await fecit(["eval", ...words, "--fuse", "map", "--device", device], folder, {
        FECIT_VERIFY: "0",
      });
      expect(code).toBe(0);
      expect(out).toMatch(/^9 images, .*\ntop-1 accuracy .*\nloss /);
    });
  });

  it.each<[string, string[], 1 | 2, string]>([
    ["data that is not said", ["--model", "fec_mini"], 2, "--data is not given"],
    ["a model that there is not", ["--model", "fec_min", "--data", "images"], 2, "did you mean fec_mini?"],
    ["a model that the weights are not of", ["--model", "fec_small", "--data", "images"], 1, "= missing: "],
  ])("refuses %s", async (_, words, expected, message) => {
    await withFiles(async (folder) => {
      const { code, out, err } = await fecit(["eval", "--weights", "w.safetensors", ...words], folder);
      expect({ code, out }).toEqual({ code: expected, out: "" });
      expect(err).toContain(message);
    });
  });
});

describe("weights", () => {
  it("lists tensors with their statistics, and metadata", async () => {
    await inFolder(async (folder) => {
      const file = new Map([
        ["head.weight", { type: "f32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 6) } as const],
        ["head.bias", { type: "f32", shape: [2], data: Float32Array.of(Number.NaN, 4) } as const],
      ]);
      writeFileSync(join(folder, "w.safetensors"), writeSafetensors(file, { "fecit.step": "7" }));
      const { code, out } = await fecit(["weights", "w.safetensors"], folder);
      expect(code).toBe(0);
      expect(out).toMatchInlineSnapshot(`
        "name         type  shape   mean  deviation  least  most  not finite
        head.weight  f32   [2, 2]     3      1.871      1     6
        head.bias    f32   [2]        4          0      4     4           1

        2 tensors, 6 numbers
        fecit.step: 7
        "
      `);
      const json = JSON.parse((await fecit(["weights", "w.safetensors", "--json"], folder)).out) as object;
      expect(json).toMatchObject({
        elements: 6,
        metadata: { "fecit.step": "7" },
        tensors: [
          { name: "head.weight", dtype: "f32", shape: [2, 2], mean: 3, least: 1, most: 6, notFinite: 0 },
          { notFinite: 1 },
        ],
      });
    });
  });

  it.each([
    ["a file that is cut short", writeSafetensors(arrays).subarray(0, 3000)],
    ["a file of another kind", new TextEncoder().encode("PK something else altogether")],
  ])("refuses %s", async (_, bytes) => {
    await inFolder(async (folder) => {
      writeFileSync(join(folder, "w.safetensors"), bytes);
      const { code, out, err } = await fecit(["weights", "w.safetensors"], folder);
      expect({ code, out }).toEqual({ code: 1, out: "" });
      expect(err).toContain("= help: ");
    });
  });
});
