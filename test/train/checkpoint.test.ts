/** Checkpoints come back as they were written, and what is wrong with one is said. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type NumberArray } from "../../src/formats/array.ts";
import { writeSafetensors } from "../../src/formats/safetensors.ts";
import { type Checkpoint, readCheckpoint, writeCheckpoint } from "../../src/train/checkpoint.ts";
import { stateMetadata } from "../../src/train/checkpoint-state.ts";
import { matchArrays } from "../../src/train/checkpoint-match.ts";
import { configurationHash, differences } from "../../src/train/configuration.ts";
import { removeLeftovers } from "../../src/train/whole-file.ts";
import { inFolder } from "../folder.ts";

const array = (shape: number[], first: number): NumberArray => ({
  type: "f32",
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => first + i),
});

const checkpoint: Checkpoint = {
  parameters: new Map([
    ["head.weight", array([2, 3], 0)],
    ["head.bias", array([2], 10)],
  ]),
  optimizer: new Map([
    ["m", new Map([["head.weight", array([2, 3], 20)]])],
    ["v", new Map([["head.weight", array([2, 3], 30)]])],
  ]),
  state: {
    step: 1200,
    place: { seed: 2 ** 40, epoch: 3, position: 128 },
    model: "fec_mini",
    size: 224,
    configuration: "8f31c00000000000",
    classes: ["Ankle boot", 'a "quoted" one', "ñ"],
    images: "32 for training, 8 held out (8f31c0d2)",
    bestAccuracy: 0.8725,
  },
};

test("a checkpoint comes back as it was written, and nothing else is in the folder", async () => {
  await inFolder(async (folder) => {
    const file = join(folder, "latest.safetensors");
    await writeCheckpoint(file, checkpoint);
    expect(await readCheckpoint(file)).toEqual(checkpoint);
    expect(readdirSync(folder)).toEqual(["latest.safetensors"]);
  });
});

test("before the first evaluation there is no best accuracy", async () => {
  await inFolder(async (folder) => {
    const file = join(folder, "latest.safetensors");
    const state = { ...checkpoint.state!, classes: null, bestAccuracy: null };
    await writeCheckpoint(file, { ...checkpoint, state });
    expect((await readCheckpoint(file)).state).toEqual(state);
  });
});

test("a file of weights is a checkpoint without a state", async () => {
  await inFolder(async (folder) => {
    const file = join(folder, "weights.safetensors");
    writeFileSync(file, writeSafetensors(checkpoint.parameters, { format: "pt" }));
    expect(await readCheckpoint(file)).toEqual({ ...checkpoint, optimizer: new Map(), state: null });
  });
});

test("what can't be read or written is said", async () => {
  await inFolder(async (folder) => {
    const file = join(folder, "latest.safetensors");
    await writeCheckpoint(file, checkpoint);
    const whole = readFileSync(file);
    const faultOf = async (content: Uint8Array): Promise<unknown> => {
      writeFileSync(file, content);
      return readCheckpoint(file).catch((error: unknown) => error);
    };
    for (const length of [whole.length - 1, whole.length - 60, 200]) {
      expect(await faultOf(whole.subarray(0, length))).toMatchObject({
        name: "CheckpointError",
        fault: "file",
        message: `${file}: the file is cut short`,
      });
    }
    expect(await faultOf(Buffer.from("PK\u0003\u0004 and so on"))).toMatchObject({
      message: `${file}: this is not a safetensors file`,
    });
    expect(await faultOf(new Uint8Array())).toMatchObject({ fault: "file" });
    await expect(readCheckpoint(join(folder, "none"))).rejects.toThrow("there is no such file or folder");
    await expect(writeCheckpoint(join(folder, "no", "where"), checkpoint)).rejects.toThrow(
      "can't be written",
    );
  });
});

test("a state that makes no sense is refused", async () => {
  await inFolder(async (folder) => {
    const file = join(folder, "latest.safetensors");
    const faultOf = async (metadata: Record<string, string>): Promise<unknown> => {
      writeFileSync(file, writeSafetensors(checkpoint.parameters, metadata));
      return readCheckpoint(file).catch((error: unknown) => error);
    };
    expect(await faultOf({ "fecit.format": "2" })).toMatchObject({
      fault: "state",
      message: `${file}: its layout is of version 2`,
    });
    expect(await faultOf({ "fecit.format": "1" })).toMatchObject({
      message: `${file}: its metadata lack fecit.step`,
    });
    expect(await faultOf({ "fecit.format": "1", "fecit.step": "-3" })).toMatchObject({
      message: `${file}: its fecit.step is -3`,
    });
    expect(await faultOf({ "fecit.format": "1", "fecit.step": "" })).toMatchObject({ fault: "state" });
    const state = stateMetadata(checkpoint.state!);
    for (const classes of ["cat", '{"0": "cat"}', "[1]"]) {
      expect(await faultOf({ ...state, "fecit.classes": classes })).toMatchObject({
        message: `${file}: its fecit.classes is "${classes}"`,
      });
    }
  });
});

test("arrays are matched with the tensors of a model, in the model's order", () => {
  const expected = [
    { name: "head.bias", shape: [2] },
    { name: "head.weight", shape: [2, 3] },
  ];
  const matched = matchArrays(checkpoint.parameters, expected, "f");
  expect(matched.map((a) => a.data[0])).toEqual([10, 0]);
});

test("missing and unexpected names are listed, with what may be meant", () => {
  const expected = [
    { name: "head.weigth", shape: [2, 3] },
    { name: "head.bias", shape: [2] },
  ];
  expect(() => matchArrays(checkpoint.parameters, expected, "f")).toThrow(
    expect.objectContaining({
      fault: "names",
      message: "f: it lacks a tensor of this model",
      notes: [
        "missing: head.weigth",
        "not known: head.weight",
        '"head.weight" may be what is called "head.weigth" here',
      ],
    }),
  );
  expect(() => matchArrays(checkpoint.parameters, expected.slice(1), "f")).toThrow(
    "f: it has a tensor that this model does not",
  );
});

test("shapes that differ are listed", () => {
  const expected = [
    { name: "head.weight", shape: [3, 2] },
    { name: "head.bias", shape: [10] },
  ];
  expect(() => matchArrays(checkpoint.parameters, expected, "f")).toThrow(
    expect.objectContaining({
      fault: "shapes",
      message: "f: 2 tensors have another shape than in this model",
      notes: [
        "head.weight is [2, 3], [3, 2] is expected (as many elements)",
        "head.bias is [2], [10] is expected",
      ],
    }),
  );
});

test("a configuration's hash does not depend on the order of its keys", () => {
  const a = { model: "fec_mini", recipe: { rate: 0.001, steps: 10 } };
  const b = { recipe: { steps: 10, rate: 0.001 }, model: "fec_mini" };
  expect(configurationHash(a)).toBe(configurationHash(b));
  expect(configurationHash(a)).toMatch(/^[0-9a-f]{16}$/);
  const [here, there, elsewhere] = ["/photos", "/mnt/photos", "photos"].map((data) => ({ ...a, data }));
  expect(configurationHash(here!)).toBe(configurationHash(there!));
  expect(differences(here!, there!)).toEqual([]);
  expect(differences(here!, elsewhere!)).toEqual([{ key: "data", before: '"/photos"', now: '"photos"' }]);
  expect(configurationHash(here!)).not.toBe(configurationHash(elsewhere!));
  expect(configurationHash(a)).not.toBe(configurationHash({ ...a, model: "fec_base" }));
  expect(differences(a, { ...b, model: "fec_base" })).toEqual([
    { key: "model", before: '"fec_mini"', now: '"fec_base"' },
  ]);
});

test("leftovers of killed writers are removed, other files are not", async () => {
  await inFolder(async (folder) => {
    for (const name of [".latest.safetensors.12.part", "latest.safetensors", ".hidden"]) {
      writeFileSync(join(folder, name), "");
    }
    await removeLeftovers(folder);
    expect(readdirSync(folder).sort()).toEqual([".hidden", "latest.safetensors"]);
  });
});
