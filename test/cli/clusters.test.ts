/** `fecit clusters`: a picture of what points choose, layer by layer. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { loadModule } from "../../src/module.ts";
import { writeSafetensors } from "../../src/formats/safetensors.ts";
import { loadModel } from "../../src/model.ts";
import { modelSources } from "../../src/models/sources.ts";
import { drawnWeights } from "../train/drawn-weights.ts";
import { writeImages } from "../train/pictured-classes.ts";
import { inFolder } from "../folder.ts";
import { fecit } from "./capture.ts";

const device = process.env["FECIT_DEVICE"] ?? "software";
const weights = ["--model", "fec_mini", "--weights", "w.safetensors", "--size", "32"];

async function withFiles<T>(action: (folder: string) => Promise<T>): Promise<T> {
  return inFolder(async (folder) => {
    await writeImages(join(folder, "images"), { classes: 2, training: 1, heldOut: 1 });
    writeFileSync(
      join(folder, "w.safetensors"),
      writeSafetensors(drawnWeights(loadModel("fec_mini")).arrays),
    );
    return action(folder);
  });
}

describe("clusters", () => {
  it("draws the layers that are chosen", async () => {
    await withFiles(async (folder) => {
      const files = ["images/val/0/0.png", "images/val/1/0.png"];
      const words = ["clusters", ...weights, ...files, "-o", "c.png", "--fuse", "map", "--device", device];
      const { code, out } = await fecit([...words, "--layer", "pool1,stage2.0", "--head", "3"], folder, {
        FECIT_VERIFY: "0",
      });
      expect({ code, out }).toEqual({ code: 0, out: "c.png  pool1 · stage2.0, head 3\n" });
      const { format, width = 0, height = 0 } = await sharp(readFileSync(join(folder, "c.png"))).metadata();
      expect({ format, isWide: width > 500, isHigh: height > 200 }).toEqual({
        format: "png",
        isWide: true,
        isHigh: true,
      });
    });
  });

  it.each<[string, string[], 1 | 2, string]>([
    ["another kind of picture", ["images/val/0/0.png", "-o", "c.jpg"], 2, "the picture is a PNG"],
    ["no image", ["-o", "c.png"], 2, "missing required argument"],
    ["what is no image", ["w.safetensors", "-o", "c.png"], 1, "= help: write it again as a PNG or JPEG\n"],
    [
      "a head that is no number",
      ["images/val/0/0.png", "-o", "c.png", "--head", "x"],
      2,
      "a whole number from 0",
    ],
    [
      "a head that a layer does not have",
      ["images/val/0/0.png", "-o", "c.png", "--head", "99"],
      1,
      "stage1.0 has no head 99, its heads are 0 … 1\n  = help: choose one of these\n",
    ],
    [
      "a head that only other layers have",
      ["images/val/0/0.png", "-o", "c.png", "--head", "2"],
      1,
      "= help: choose one of these, or from the layers that have it: stage2.0, ",
    ],
    [
      "a layer that there is not",
      ["images/val/0/0.png", "-o", "c.png", "--layer", "stage1.9"],
      1,
      "the model has no layer stage1.9",
    ],
  ])("refuses %s", async (_, words, expected, message) => {
    await withFiles(async (folder) => {
      const { code, out, err } = await fecit(["clusters", ...weights, ...words], folder);
      expect({ code, out }).toEqual({ code: expected, out: "" });
      expect(err).toContain(message);
      expect(existsSync(join(folder, "c.png"))).toBe(false);
    });
  });
});

describe("src/models/clusters.fec", () => {
  it("has no mistakes, and a function for every model", () => {
    const loader = {
      load: (path: string) => {
        const name = path.replace("./", "");
        const text = modelSources[name];
        return text === undefined ? null : { name: `${name}.fec`, text };
      },
    };
    const module = loadModule({ name: "clusters.fec", text: modelSources["clusters"]! }, { loader });
    expect(module.diagnostics).toEqual([]);
    const functions = module.functions.map(({ name }) => name);
    const models = ["fec_small", "fec_base", "fec_large", "fec_micro", "fec_mini"];
    expect(functions).toEqual(expect.arrayContaining(models.map((name) => `${name}_clusters`)));
  });
});
