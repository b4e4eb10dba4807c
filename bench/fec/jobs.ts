/** What `--fec` runs: the model forward and in training by ours and by PyTorch, and ours on an image as large as detection has. */
import { fileURLToPath } from "node:url";
import { systems } from "../measurement.ts";
import type { Options } from "../options.ts";

export type ModelJob = { readonly title: string; readonly system: string } & (
  | { readonly kind: "script"; readonly file: string; readonly args: readonly string[] }
  | { readonly kind: "command"; readonly command: string; readonly args: readonly string[] }
);

const pytorch = fileURLToPath(new URL("../pytorch/fec.py", import.meta.url));

export function modelJobs({ model, python, runs, large }: Options): readonly ModelJob[] {
  const size = model === "fec_micro" ? 96 : 224;
  const tasks = ["forward", "training step"] as const;
  const count = String(Math.max(10, runs));
  return [
    ...tasks.flatMap((task): ModelJob[] => [
      ...(["ours", "reassociated"] as const).map((system) =>
        ourJob(system, task, model, ["8", String(size), String(size), count]),
      ),
      {
        kind: "command",
        title: `${model} ${task}: PyTorch`,
        system: "PyTorch",
        command: python,
        args: [pytorch, "time", "--model", model, "--task", task, "--size", String(size), "--runs", count],
      },
    ]),
    ...(large ? [ourJob("ours", "forward", model, ["1", "800", "1344", "3"])] : []),
  ];
}

/** `sizes` are images, height, width and runs. */
function ourJob(
  system: "ours" | "reassociated",
  task: string,
  model: string,
  sizes: readonly [string, string, string, string],
): ModelJob {
  const [, height, width] = sizes;
  return {
    kind: "script",
    title: `${model} ${task} at ${height} × ${width}: ${systems[system]}`,
    system: systems[system],
    file: "fec/measure-model.ts",
    args: [system, model, task, ...sizes],
  };
}
