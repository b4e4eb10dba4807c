/**
 * A process that measures a model of ours:
 *
 *     tsx bench/fec/measure-model.ts FOLDER ours fec_small forward 8 224 224 10      writes a line of JSON to FOLDER/result.json
 *
 * `reassociated` instead of `ours` compiles with `--reassociate`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Device, DeviceArgument, DeviceFunction, DeviceValue } from "../../src/index.ts";
import { load, loadModel } from "../../src/index.ts";
import { flatSteps, bytesOf } from "../../src/runtime/memory-plan.ts";
import { modelSources } from "../../src/models/sources.ts";
import { openDevice } from "../../src/node.ts";
import { type ModelMeasurement, systems } from "../measurement.ts";
import { type Call, type Times, timesOf } from "../timing.ts";

const [folder = ".", system = "ours", model = "fec_small", task = "forward", ...sizes] =
  process.argv.slice(2);
const [b = 1, h = 224, w = 224, runs = 10] = sizes.map(Number);

/** Channels, heads, numbers of a head, ratio, side of the grid and of the map at 224², for each stage of FEC small. */
const stages = [
  [32, 4, 24, 8, 4, 56],
  [64, 4, 24, 8, 4, 28],
  [196, 8, 24, 4, 2, 14],
  [320, 8, 24, 4, 2, 7],
] as const;

// As it is out of the box: nothing that was measured or tuned on this machine before.
const device = await openDevice({ measured: false });
const isStep = task === "training step";
const reassociate = system === "reassociated";
const measuredModel = loadModel(model, { reassociate });
const compiled = isStep ? measuredModel.step({ b, h, w }) : measuredModel.forward({ b, h, w });
const start = performance.now();
const loaded = await device.compile(compiled, {
  reuseOutputs: true,
  ...(isStep ? { inPlace: "carried" } : {}),
});
// Memory is planned by now; should the run not end in time, that is what is known.
record({ firstMs: Number.NaN, milliseconds: [] });
const call = isStep ? await stepCall(loaded) : await forwardCall(loaded);
const preparingMs = performance.now() - start;
const { firstMs, milliseconds } = await timesOf(call, runs, 0);
record({ firstMs: preparingMs + firstMs, milliseconds });
process.exit(0);

async function forwardCall(forward: DeviceFunction): Promise<Call> {
  const p = await forward.put("p", forward.compiled.init("p", 1) as DeviceArgument);
  const x = await forward.put("x", images());
  return async () => {
    await forward.run(p, x);
    await device.finished();
  };
}

async function stepCall(training: DeviceFunction): Promise<Call> {
  const put = (name: string): Promise<DeviceValue> =>
    training.put(name, training.compiled.init(name, 1) as DeviceArgument);
  const [p, s, x] = [await put("p"), await put("s"), await training.put("x", images())];
  const recipe = { weight_decay: 0.05, label_smoothing: 0.1, drop_path: 0.1 };
  const labels = await training.put(
    "label",
    Int32Array.from({ length: b }, (_, i) => i % 10),
  );
  let number = 0;
  return async () => {
    await training.run(p, s, number++, 1e-3, recipe, Uint32Array.of(0, 1), x, labels);
    await device.finished();
  };
}

/** Any numbers of about the size of normalised colors. */
function images(): Float32Array {
  return Float32Array.from({ length: b * 3 * h * w }, (_, i) => 2 * Math.sin(12.9898 * i));
}

function record(times: Times): void {
  const { program } = loaded.kernels;
  const { memory } = loaded.executable;
  const given = program.values
    .filter(({ role }) => role === "input")
    .reduce((sum, { shape }) => sum + bytesOf(shape), 0);
  const measured: ModelMeasurement = {
    kind: "model",
    system: reassociate ? systems.reassociated : systems.ours,
    task: isStep ? "training step" : "forward",
    size: `${h} × ${w}`,
    batch: b,
    ...times,
    kernels: flatSteps(program.steps).filter(({ kind }) => kind === "dispatch").length,
    blockKernels: isStep || model !== "fec_small" || h !== 224 ? null : blockKernels(device),
    peakBytes: memory.peakBytes - given,
  };
  writeFileSync(join(folder, "result.json"), `${JSON.stringify(measured)}\n`);
}

/** The kernels of a block of each stage, compiled alone. */
function blockKernels({ adapter }: Device): readonly number[] {
  const text = readFileSync(new URL("block.fec", import.meta.url), "utf8");
  const loader = {
    load: (path: string) => {
      const name = path.replace("./", "");
      return { name: `${name}.fec`, text: modelSources[name] ?? "" };
    },
  };
  const module = load({ name: "block.fec", text }, { loader });
  return stages.map(([c, heads, size, ratio, grid, side]) => {
    const dims = { b, c, heads, size, ratio, grid, h: side, w: side };
    const { program } = module.compile("block_alone", { dims, reassociate }).kernels({ target: adapter });
    return flatSteps(program.steps).filter(({ kind }) => kind === "dispatch").length;
  });
}
