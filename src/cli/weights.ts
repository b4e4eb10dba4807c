/** `fecit weights FILE`: what a checkpoint holds, tensor by tensor. */
import type { Command } from "commander";
import type { NumberArray } from "../formats/array.ts";
import { readSafetensors } from "../formats/safetensors.ts";
import { fileFailure } from "./failure.ts";
import { readBytes } from "./files.ts";
import { table } from "./table.ts";
import type { Terminal } from "./terminal.ts";

interface Options {
  readonly json?: boolean;
}

export function addWeights(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command("weights")
    .summary("list a checkpoint")
    .description(
      "Lists the tensors of a safetensors file: names, types, shapes, statistics; and its metadata.",
    )
    .argument("<file>", "a checkpoint or weights (.safetensors)")
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExample:\n  fecit weights runs/mini/best.safetensors")
    .action((file: string, options: Options) => {
      listWeights(terminal, file, options);
      done(0);
    });
}

function listWeights(terminal: Terminal, file: string, { json }: Options): void {
  const { arrays, metadata } = readFile(terminal, file);
  const tensors = [...arrays].map(([name, array]) => ({
    name,
    dtype: array.type,
    shape: array.shape,
    ...statistics(array),
  }));
  const count = tensors.reduce((total, { elements }) => total + elements, 0);
  if (json === true) {
    terminal.out(`${JSON.stringify({ file, metadata, elements: count, tensors })}\n`);
    return;
  }
  const number = (x: number | null): string => (x === null ? "" : String(Number(x.toPrecision(4))));
  terminal.out(
    table(
      [
        { title: "name", align: "left" },
        { title: "type", align: "left" },
        { title: "shape", align: "left" },
        ...["mean", "deviation", "least", "most"].map((title) => ({ title, align: "right" }) as const),
        { title: "not finite", align: "right" },
      ],
      tensors.map(({ name, dtype, shape, mean, deviation, least, most, notFinite }) => [
        name,
        dtype,
        `[${shape.join(", ")}]`,
        ...[mean, deviation, least, most].map(number),
        notFinite === 0 ? "" : String(notFinite),
      ]),
    ) +
      `\n${tensors.length} tensors, ${count.toLocaleString("en")} numbers\n` +
      Object.entries(metadata)
        .map(([key, value]) => `${key}: ${value}\n`)
        .join(""),
  );
}

function readFile(terminal: Terminal, file: string): ReturnType<typeof readSafetensors> {
  const bytes = readBytes(terminal, file);
  try {
    return readSafetensors(bytes);
  } catch (error) {
    throw fileFailure(file, error, "read");
  }
}

/** Of the numbers that are finite; null where there are none. */
interface Statistics {
  readonly elements: number;
  readonly notFinite: number;
  readonly mean: number | null;
  readonly deviation: number | null;
  readonly least: number | null;
  readonly most: number | null;
}

function statistics({ data }: NumberArray): Statistics {
  let [count, sum, least, most] = [0, 0, Infinity, -Infinity];
  for (const x of data) {
    if (!Number.isFinite(x)) continue;
    count++;
    sum += x;
    least = Math.min(least, x);
    most = Math.max(most, x);
  }
  const elements = data.length;
  const notFinite = elements - count;
  if (count === 0) return { elements, notFinite, mean: null, deviation: null, least: null, most: null };
  const mean = sum / count;
  let squares = 0;
  for (const x of data) if (Number.isFinite(x)) squares += (x - mean) ** 2;
  return { elements, notFinite, mean, deviation: Math.sqrt(squares / count), least, most };
}
