/** Writes checkpoints into the folder of its first argument until it is killed. All numbers of one are its step. */
import { join } from "node:path";
import { writeCheckpoint } from "../../src/train/checkpoint.ts";

const folder = process.argv[2]!;
const length = 50_000;
for (let step = Number(process.argv[3]); ; step++) {
  const parameters = new Map([
    ["weight", { type: "f32", shape: [length], data: new Float32Array(length).fill(step) } as const],
  ]);
  const state = {
    step,
    place: { seed: 1, epoch: 0, position: step },
    model: "none",
    size: null,
    configuration: "0",
    classes: null,
    images: null,
    bestAccuracy: null,
  };
  for (const name of step % 2 === 0 ? ["latest", "best"] : ["latest"]) {
    await writeCheckpoint(join(folder, `${name}.safetensors`), { parameters, optimizer: new Map(), state });
  }
  process.stdout.write(".");
}
