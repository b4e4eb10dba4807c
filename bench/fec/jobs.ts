/** What `--fec` runs: the model forward and in training by ours and by PyTorch, and ours on an image as large as detection has. */
import { fileURLToPath } from "node:url";
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
      {
        kind: "script",
        title: `${model} ${task}: fecit`,
        system: "fecit",
        file: "fec/measure-model.ts",
        args: [model, task, "8", String(size), String(size), count],
      },
      {
        kind: "command",
        title: `${model} ${task}: PyTorch`,
        system: "PyTorch",
        command: python,
        args: [pytorch, "time", "--model", model, "--task", task, "--size", String(size), "--runs", count],
      },
    ]),
    ...(large
      ? [
          {
            kind: "script",
            title: `${model} forward at 800 × 1344: fecit`,
            system: "fecit",
            file: "fec/measure-model.ts",
            args: [model, "forward", "1", "800", "1344", "3"],
          } as const,
        ]
      : []),
  ];
}
