/**
 * `fecit run FILE FUNCTION [NAME=VALUE…]`: compiles a function for the dimensions that are given, and runs
 * it.
 */
import { join } from "node:path";
import type { Command } from "commander";
import { read } from "../device-value.ts";
import type { ArrayType, NumberArray } from "../formats/array.ts";
import { writeNpy } from "../formats/npy.ts";
import { writeSafetensors } from "../formats/safetensors.ts";
import { tensorsOf, type Value } from "../host-value.ts";
import type { TensorData } from "../ir/interpret.ts";
import { type Shape, shapeLeaves } from "../lang/elaborate/shape.ts";
import type { Compiled, Parameter } from "../module.ts";
import { calledFunction, type CallOptions, takeCall, withMemory } from "./called-function.ts";
import { onDevice, requireRunning } from "./device.ts";
import { exit, Failure } from "./failure.ts";
import { makeFolder, writeWhole } from "./files.ts";
import { showValue } from "./show.ts";
import type { Terminal } from "./terminal.ts";
import { requireTunable, showTuning, tuneOption } from "./tuning.ts";

interface Options extends CallOptions {
  readonly out?: string;
  readonly tune?: boolean;
  readonly json?: boolean;
}

export function addRun(program: Command, terminal: Terminal, done: (code: number) => void): void {
  takeCall(program.command("run"), terminal)
    .summary("run a function")
    .description("Compiles a function for the dimensions given and runs it.")
    .option("--out <dir>", "write the results there: 0.npy, 1.npy, …, a struct as N.safetensors", parseFolder)
    .addOption(tuneOption())
    .option("--json", "print one JSON object, with the numbers of what --out does not write")
    .addHelpText(
      "after",
      "\nExample:\n  fecit run examples/cluster.fec cluster --dim n=49,o=4,d=32 \\\n" +
        "    x=normal v=normal cx=normal cv=normal alpha=1.5 beta=0 --seed 7",
    )
    .action(async (file: string, name: string, words: string[], options: Options) => {
      await run(terminal, file, name, words, options);
      done(0);
    });
}

function parseFolder(text: string): string {
  if (text.trim() !== "") return text;
  throw new Failure(exit.commandWrong, "--out: the name of a folder is expected", {
    help: "as in `--out results`",
  });
}

async function run(
  terminal: Terminal,
  file: string,
  name: string,
  words: readonly string[],
  options: Options,
): Promise<void> {
  requireTunable(options.device, options.tune);
  const { compiled, compileMs, makeArguments } = calledFunction(terminal, file, name, words, options);
  const ran =
    options.device === "interpreter"
      ? interpreted(compiled, makeArguments())
      : await dispatched(terminal, compiled, makeArguments(), options);
  report(terminal, compiled.results, { ...ran, compileMs: compileMs + ran.compileMs }, options);
}

/** What a run gave and how it went. */
interface Ran {
  readonly adapter: string;
  readonly values: readonly Value[];
  /** Dispatches of a call, those of loops once. */
  readonly kernels: number;
  readonly compileMs: number;
  readonly runMs: number;
}

function interpreted(compiled: Compiled, args: readonly Value[]): Ran {
  const before = performance.now();
  const values = withMemory(() => compiled.interpret(...args));
  return { adapter: "interpreter", values, kernels: 0, compileMs: 0, runMs: performance.now() - before };
}

function dispatched(
  terminal: Terminal,
  compiled: Compiled,
  args: readonly Value[],
  { device: choice, fuse, layout, tune }: Options,
): Promise<Ran> {
  return onDevice(terminal, choice, async (device) => {
    if (tune === true) {
      requireRunning(device.adapter);
      await device.tune(compiled, { fuse, layout }, showTuning(terminal));
    }
    const start = performance.now();
    const ready = await device.compile(compiled, { fuse, layout });
    const before = performance.now();
    const results = await ready.run(...args);
    const values: Value[] = [];
    for (const result of results) values.push(await read(result));
    const runMs = performance.now() - before;
    const { name } = device.adapter;
    return { adapter: name, values, kernels: ready.kernelCount, compileMs: before - start, runMs };
  });
}

function report(
  terminal: Terminal,
  results: readonly Parameter[],
  { adapter, values, kernels, compileMs, runMs }: Ran,
  { out, json }: Options,
): void {
  if (out !== undefined) makeFolder(terminal, out);
  const entries = results.map(({ name, shape }, i) => {
    const file =
      out === undefined ? null : join(out, `${i}.${shape.kind === "tensor" ? "npy" : "safetensors"}`);
    if (file !== null) writeWhole(terminal, file, bytesOf(values[i]!, shape, name));
    const tensors = file === null ? tensorsOf(values[i]!, shape, name) : null;
    return { ...described(shape, tensors), name, file };
  });
  if (json === true) {
    const times = { compileMs: rounded(compileMs), runMs: rounded(runMs) };
    return terminal.out(`${JSON.stringify({ adapter, results: entries, kernels, ...times })}\n`);
  }
  results.forEach(({ name, shape, type }, i) => {
    const { file } = entries[i]!;
    terminal.out(file === null ? showValue(name, shape, values[i]!) : `${file}  ${name}: ${type}\n`);
  });
}

const rounded = (ms: number): number => Math.round(ms * 1000) / 1000;

/**
 * A tensor's type and shape; those of the tensors inside, for a struct, a tuple or a list. `data` are their numbers where no file has
 * them.
 */
function described(shape: Shape, data: readonly TensorData[] | null): object {
  const leaves = shapeLeaves(shape).map(({ path, leaf }, i) => ({
    name: path,
    dtype: leaf.element.scalar,
    shape: leaf.shape,
    ...(data === null ? {} : { values: valuesOf(data[i]!) }),
  }));
  if (shape.kind === "tensor") return leaves[0]!;
  return { dtype: shape.kind === "struct" ? shape.name : shape.kind, shape: null, tensors: leaves };
}

/** More numbers than this belong into a file, by `--out`. */
const mostValues = 10_000;

/** The numbers row by row, null where JSON has none for them; null when they are too many. */
function valuesOf({ data }: TensorData): readonly number[] | null {
  return data.length > mostValues ? null : [...data];
}

function bytesOf(value: Value, shape: Shape, name: string): Uint8Array {
  const tensors = tensorsOf(value, shape, name);
  const arrays = shapeLeaves(shape).map(({ path, leaf }, i): [string, NumberArray] => {
    const type: ArrayType = leaf.element.scalar;
    return [path, { type, shape: leaf.shape, data: tensors[i]!.data }];
  });
  return shape.kind === "tensor" ? writeNpy(arrays[0]![1]) : writeSafetensors(new Map(arrays));
}
