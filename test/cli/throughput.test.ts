import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeSafetensors } from "../../src/formats/safetensors.ts";
import { loadModel } from "../../src/model.ts";
import { passText, showPasses } from "../../src/cli/pass-progress.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import { drawnWeights } from "../train/drawn-weights.ts";
import { inFolder } from "../folder.ts";
import { fecit, type Outcome } from "./capture.ts";

/** The adapter of the tests, as FECIT_DEVICE names it. */
const device = process.env["FECIT_DEVICE"] ?? "software";

function throughput(words: readonly string[], folder?: string): Promise<Outcome> {
  return fecit(["throughput", ...words], folder, { FECIT_VERIFY: "0" });
}

const small = ["--size", "32", "--batch", "2", "--warmup", "1", "--passes", "2", "--fuse", "map"];

describe("throughput", () => {
  it("measures a model with weights of a file, and prints one object for tools", async () => {
    await inFolder(async (folder) => {
      const { arrays } = drawnWeights(loadModel("fec_micro"));
      writeFileSync(join(folder, "w.safetensors"), writeSafetensors(arrays));
      const words = [
        "--model",
        "fec_micro",
        "--weights",
        "w.safetensors",
        ...small,
        "--memory",
        "least",
        "--reassociate",
        "--json",
      ];
      const { code, out, err } = await throughput([...words, "--device", device], folder);
      expect({ code, err }).toEqual({ code: 0, err: expect.stringMatching(/^fecit: on /) as string });
      const number = expect.any(Number) as number;
      expect(JSON.parse(out)).toEqual({
        model: "fec_micro",
        weights: "w.safetensors",
        adapter: expect.any(String) as string,
        size: 32,
        batch: 2,
        fuse: "map",
        memory: "least",
        reassociate: true,
        warmUp: 1,
        passes: 2,
        imagesPerSecond: number,
        medianMs: number,
        firstMs: number,
        compileMs: number,
        kernels: number,
        peakBytes: number,
      });
    });
  });

  it("says which batch would fit where one does not: exit code 3", async () => {
    // The null backend binds 128 MiB, as WebGPU promises; 256 images of 224 × 224 have 147 MiB.
    const { code, out, err } = await throughput([
      "--model",
      "fec_micro",
      "--fuse",
      "map",
      "--device",
      "null",
    ]);
    expect({ code, out }).toEqual({ code: 3, out: "" });
    expect(err).toContain("error: fec_micro with a batch of 256 does not fit null backend\n");
    expect(err).toContain(
      "tensor %x of f32[256, 3, 224, 224]: needs maxStorageBufferBindingSize of 154140672",
    );
    const [, batch] = /= help: `--batch (\d+)` fits; or choose a smaller --size/.exec(err) ?? [];
    expect(Number(batch)).toBeGreaterThan(0);
    expect(Number(batch)).toBeLessThan(256);
  });

  it("says that no batch fits where none does", async () => {
    const words = ["--model", "fec_micro", "--fuse", "map", "--size", "16384", "--batch", "2"];
    const { code, err } = await throughput([...words, "--device", "null"]);
    expect(code).toBe(3);
    expect(err).toContain("= help: no batch fits: choose a smaller --size, or another adapter by --device");
  });

  it.each<[string, readonly string[], number, string]>([
    ["a model that there is not", ["--model", "fec_micr"], 2, "did you mean fec_micro?"],
    ["no model", [], 2, "--model is not given, nor --weights"],
    [
      "the interpreter",
      ["--model", "fec_micro", "--device", "interpreter"],
      2,
      "models run on adapters only",
    ],
    ["no passes", ["--model", "fec_micro", "--passes", "0"], 2, "--passes 0: a whole number from 1"],
    [
      "weights that are not there",
      ["--model", "fec_micro", "--weights", "w.safetensors"],
      1,
      "w.safetensors",
    ],
    [
      "an adapter that runs nothing",
      ["--model", "fec_micro", "--size", "32", "--batch", "1", "--fuse", "map", "--device", "null"],
      3,
      "null backend runs nothing",
    ],
  ])("refuses %s", async (_, words, expected, message) => {
    const { code, out, err } = await throughput(words);
    expect({ code, out }).toEqual({ code: expected, out: "" });
    expect(err).toContain(message);
  });
});

describe("progress", () => {
  const plan = { warmUp: 2, passes: 10, batch: 8 };

  it("says how far it is and what is left", () => {
    expect(passText(1, null, plan)).toBe("fecit: warming up 1/2");
    expect(passText(2, 0.5, plan)).toBe("fecit: warming up 2/2, 16 images/s, 0:05 left");
    expect(passText(6, 0.5, plan)).toBe("fecit: pass 4/10, 16 images/s, 0:03 left");
  });

  it("is a line every few seconds where there is no terminal, and one that changes on a terminal", () => {
    const shown = (errColors: boolean): string => {
      let text = "";
      let now = 0;
      const err = (part: string): void => void (text += part);
      const progress = showPasses({ err, errColors } as Terminal, plan, () => now);
      for (let pass = 0; pass < 3; pass++) {
        now += 3;
        progress.passed();
      }
      progress.end();
      return text;
    };
    expect(shown(false)).toBe("fecit: warming up 2/2, 2.67 images/s, 0:30 left\n");
    expect(shown(true).split("\r\u001B[2K")).toEqual([
      "",
      "fecit: warming up 1/2",
      "fecit: warming up 2/2, 2.67 images/s, 0:30 left",
      "fecit: pass 1/10, 2.67 images/s, 0:27 left\n",
    ]);
  });
});
