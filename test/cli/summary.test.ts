import { describe, expect, it } from "vitest";
import { fecit } from "./capture.ts";

describe("summary", () => {
  it("counts the parameters and multiply-accumulates of fec_small as its paper does", async () => {
    const { code, out } = await fecit(["summary", "--model", "fec_small", "--no-training", "--json"]);
    expect(code).toBe(0);
    const found = JSON.parse(out) as {
      parameterCount: number;
      parameters: { name: string; shape: number[] }[];
      macs: number;
      training: unknown;
    };
    expect(found.parameterCount).toBe(5_727_528);
    expect(found.parameters).toHaveLength(282);
    expect(found.parameters[0]).toEqual({ name: "patch_embed.proj.weight", shape: [32, 5, 4, 4] });
    // 1354.7 million at 224².
    expect(Math.round(found.macs / 1e5)).toBe(13547);
    expect(found.training).toBeNull();
  });

  it("counts what --reassociate leaves: pooling's similarities by the narrower side, v and conv_v of the centers alone", async () => {
    const words = ["summary", "--model", "fec_small", "--no-training", "--reassociate", "--json"];
    const found = JSON.parse((await fecit(words)).out) as { macs: number; reassociate: boolean };
    expect(found.reassociate).toBe(true);
    // Of 1354.7 million, with those of the output projection (77 million) still at every point.
    expect(found.macs / 1e6).toBeGreaterThan(1048);
    expect(found.macs / 1e6).toBeLessThan(1140);
  });

  it("knows kernels and memory, forward and in training; multiply-accumulates are of one image", async () => {
    const summary = async (batch: string): Promise<Record<string, unknown>> => {
      const words = [
        "summary",
        "--model",
        "fec_mini",
        "--size",
        "32",
        "--batch",
        batch,
        "--fuse",
        "map",
        "--json",
      ];
      return JSON.parse((await fecit(words)).out) as Record<string, unknown>;
    };
    const [one, two] = [await summary("1"), await summary("2")];
    expect(two["macs"]).toBe(one["macs"]);
    const costs = [one, two].map(
      ({ forward, training }) => ({ forward, training }) as Record<string, Record<string, number>>,
    );
    const [small, large] = costs as [(typeof costs)[0], (typeof costs)[0]];
    expect(large!["forward"]!["macs"]).toBe(2 * small!["forward"]!["macs"]!);
    for (const part of ["forward", "training"]) {
      expect(small![part]!["kernels"]).toBeGreaterThan(0);
      expect(large![part]!["peakBytes"]).toBeGreaterThan(small![part]!["peakBytes"]!);
    }
    expect(small!["training"]!["kernels"]).toBeGreaterThan(small!["forward"]!["kernels"]!);
    expect(small!["training"]!["peakBytes"]).toBeGreaterThan(small!["forward"]!["peakBytes"]!);
  });

  it("says it in words", async () => {
    const { out } = await fecit([
      "summary",
      "--model",
      "fec_micro",
      "--size",
      "32",
      "--no-training",
      "--fuse",
      "map",
    ]);
    expect(out).toMatch(/^fec_micro, 1 × 3 × 32 × 32\n\npart +tensors +numbers\npatch_embed.proj +2 +648\n/);
    expect(out).toMatch(
      /\n16,368 parameters in 120 tensors\n\S+ k multiply-accumulates an image\nforward {3}\d+ kernels?/,
    );
  });

  it("says how kernels were to be made", async () => {
    const words = ["--model", "fec_micro", "--size", "32", "--no-training", "--memory", "least", "--json"];
    const { out } = await fecit(["summary", ...words]);
    expect(JSON.parse(out)).toMatchObject({ fuse: "full", memory: "least" });
  });

  it.each([
    ["a model that there is not", ["--model", "fec_smal"]],
    ["a choice that there is not", ["--model", "fec_mini", "--memory", "leest"]],
    ["a batch that is no number", ["--model", "fec_mini", "--batch", "many"]],
    ["a side that stages can't halve", ["--model", "fec_mini", "--size", "100"]],
  ])("refuses %s", async (_, words) => {
    const { code, out, err } = await fecit(["summary", ...words]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatchSnapshot();
  });
});
