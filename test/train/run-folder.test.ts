/** A run has a folder of its own, which another run does not overwrite. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  createRun,
  freshRunFolder,
  readConfiguration,
  requireWritable,
  resumeRun,
  writeKernels,
} from "../../src/train/run-folder.ts";
import { inFolder } from "../folder.ts";

const configuration = { model: "fec_mini", batch: 64, augmentation: { flip: true, padding: 2 } };

test("a new run has its configuration, and files that come later", async () => {
  await inFolder((parent) => {
    const run = createRun(join(parent, "runs", "a"), configuration);
    expect(readdirSync(run.folder)).toEqual(["config.json"]);
    expect(JSON.parse(readFileSync(run.configuration, "utf8"))).toEqual(configuration);
    expect(readConfiguration(run.folder)).toEqual(configuration);
    expect([run.metrics, run.latest, run.best].map((file) => file.slice(run.folder.length + 1))).toEqual([
      "metrics.jsonl",
      "latest.safetensors",
      "best.safetensors",
    ]);
    expect(existsSync(run.latest)).toBe(false);
  });
});

test("a run is not overwritten", async () => {
  await inFolder((folder) => {
    createRun(folder, configuration);
    expect(() => createRun(folder, configuration)).toThrow(
      expect.objectContaining({
        name: "RunError",
        message: `there is a run in ${folder} already`,
        help: "go on with it by --resume, or choose another folder by --out",
      }),
    );
  });
});

test("a run goes on with the same configuration only", async () => {
  await inFolder(async (folder) => {
    const run = createRun(folder, configuration);
    await expect(resumeRun(folder, configuration)).rejects.toThrow("has no checkpoint yet");
    writeFileSync(run.best, "");
    await expect(resumeRun(folder, configuration)).rejects.toMatchObject({
      message: `the run in ${folder} has no checkpoint to go on from`,
      help: expect.stringContaining(`copy ${run.best}`) as string,
    });
    writeFileSync(run.latest, "");
    writeFileSync(join(folder, ".latest.safetensors.77.part"), "");
    expect(await resumeRun(folder, { ...configuration })).toEqual(run);
    expect(existsSync(join(folder, ".latest.safetensors.77.part"))).toBe(false);
    await expect(resumeRun(folder, { ...configuration, batch: 32, steps: 9 })).rejects.toMatchObject({
      message: `the run in ${folder} has another configuration`,
      notes: ["batch was 64, now it is 32", "steps was not set, now it is 9"],
    });
  });
});

test("a folder without a run is said to be one", async () => {
  await inFolder(async (folder) => {
    await expect(resumeRun(folder, configuration)).rejects.toThrow(`there is no run in ${folder}`);
    writeFileSync(join(folder, "config.json"), "[]");
    expect(() => readConfiguration(folder)).toThrow("is not the configuration of a run");
    writeFileSync(join(folder, "config.json"), "{");
    expect(() => readConfiguration(folder)).toThrow("is not the configuration of a run");
  });
});

test("a folder can't be made below a file", async () => {
  await inFolder((folder) => {
    writeFileSync(join(folder, "file"), "");
    expect(() => createRun(join(folder, "file", "run"), configuration)).toThrow("can't be made");
  });
});

test("whether a folder can be written to is tried without leaving anything", async () => {
  await inFolder((folder) => {
    requireWritable(join(folder, "runs", "a"));
    requireWritable(folder);
    expect(readdirSync(folder)).toEqual([]);
    writeFileSync(join(folder, "file"), "");
    const another = expect.objectContaining({
      name: "RunError",
      help: "choose another folder by --out",
    }) as Error;
    expect(() => requireWritable(join(folder, "file"))).toThrow(another);
    expect(() => requireWritable(join(folder, "b", "x".repeat(300)))).toThrow("the name is too long");
    expect(readdirSync(folder)).toEqual(["file"]);
  });
});

test("fresh runs are called by day and model, and are told apart", async () => {
  await inFolder((parent) => {
    const date = new Date("2026-11-23T10:00:00Z");
    const first = freshRunFolder("fec_mini", date, parent);
    expect(first).toBe(join(parent, "2026-11-23-fec_mini"));
    mkdirSync(first);
    expect(freshRunFolder("fec_mini", date, parent)).toBe(`${first}-2`);
    expect(freshRunFolder("my model/x", date, parent)).toBe(join(parent, "2026-11-23-my-model-x"));
  });
});

test("kernels are kept to be read", async () => {
  await inFolder((folder) => {
    const run = createRun(folder, configuration);
    writeKernels(run, [{ name: "cluster/forward", wgsl: "fn main() {}" }]);
    expect(readFileSync(join(run.kernels, "cluster_forward.wgsl"), "utf8")).toBe("fn main() {}");
    mkdirSync(join(run.kernels, "taken.wgsl"));
    expect(() => writeKernels(run, [{ name: "taken", wgsl: "" }])).toThrow("can't be written");
  });
});
