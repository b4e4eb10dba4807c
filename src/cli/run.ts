/**
 * `fecit run FILE FUNCTION [NAME=VALUE…]`: compiles a function for the dimensions that are given, and runs
 * it.
 */
import { join } from "node:path";
import type { Command } from "commander";
import type { ArrayType, NumberArray } from "../formats/array.ts";
import { writeNpy } from "../formats/npy.ts";
import { writeSafetensors } from "../formats/safetensors.ts";
import { tensorsOf, type Value } from "../host-value.ts";
import { read } from "../device-value.ts";
import type { FusionLevel } from "../fusion/plan.ts";
import { isFloat } from "../ir/ir.ts";
import { type Shape, shapeLeaves } from "../lang/elaborate/shape.ts";
import { ShapeMismatch, solveDims } from "../lang/elaborate/solve-dims.ts";
import type { FunctionInfo } from "../lang/program.ts";
import { scalarType, showType, type Type } from "../lang/types.ts";
import { type Compiled, loadModule, type LoadedModule, type Parameter } from "../module.ts";
import { type Given, matchNames, shapeOfGiven, splitArguments, understand, valueFor } from "./arguments.ts";
import { orDiagnose, withoutErrors } from "./diagnose.ts";
import { exit, Failure } from "./failure.ts";
import { madeBy } from "./generate.ts";
import { fileLoader, makeFolder, readSource, writeWhole } from "./files.ts";
import { deviceOption, fuseOption, onDevice } from "./device.ts";
import { dimOption, functionNamed, knowDims, needDims, parseSeed, reassociateHelp } from "./options.ts";
import { showValue } from "./show.ts";
import type { Terminal } from "./terminal.ts";
import { traceHelp, tracing } from "./trace.ts";

interface Options {
  readonly dim: ReadonlyMap<string, number>;
  readonly seed: number;
  readonly out?: string;
  readonly json?: boolean;
  readonly device: string;
  readonly fuse: FusionLevel;
  readonly vjp?: boolean;
  readonly reassociate?: boolean;
  readonly trace?: string;
}

export function addRun(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command("run")
    .summary("run a function")
    .description("Compiles a function for the dimensions given and runs it.")
    .argument("<file>", "a program")
    .argument("<function>", "one of its functions")
    .argument(
      "[name=value...]",
      `its arguments: a number, @FILE (.npy; .safetensors for a struct), or ${madeBy.join(", ")}`,
    )
    .addOption(dimOption("dimensions that the arguments don't fix, as in b=2,n=49; may be repeated"))
    .option("--seed <number>", "seed of what is drawn", parseSeed, 0)
    .option("--out <dir>", "write the results there: 0.npy, 1.npy, …, a struct as N.safetensors", parseFolder)
    .option("--json", "print one JSON object")
    .addOption(deviceOption(terminal))
    .addOption(fuseOption())
    .option("--vjp", "run its vjp: cotangents are further arguments, ct (ct0, ct1, … for several results)")
    .option("--reassociate", reassociateHelp)
    .option("--trace <stages>", traceHelp)
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
  const texts = splitArguments(words);
  const start = performance.now();
  const module = loadModule(readSource(terminal, file), {
    loader: fileLoader(terminal),
    ...tracing(terminal, options.trace),
  });
  orDiagnose(terminal, () => withoutErrors(module));
  const info = functionNamed(module.program, name);
  knowDims(info, options.dim);
  const given = understandAll(terminal, info, texts, options.vjp === true);
  const compiled = orDiagnose(terminal, () => compileFor(module, info, given, options));
  const compileMs = performance.now() - start;
  if (options.vjp === true) matchNames(texts.keys(), compiled.params, compiled.name);
  const argumentValues = (): Value[] =>
    withMemory(() =>
      compiled.params.map((param) => {
        const known =
          given.get(param.name) ??
          understand(terminal, param.name, texts.get(param.name)!, cotangentType(param));
        return valueFor(known, compiled, param.name, param.shape, options.seed);
      }),
    );
  const ran =
    options.device === "interpreter"
      ? interpreted(compiled, argumentValues())
      : await dispatched(terminal, compiled, argumentValues(), options);
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
  { device: choice, fuse }: Options,
): Promise<Ran> {
  return onDevice(terminal, choice, async (device) => {
    const start = performance.now();
    const ready = await device.compile(compiled, { fuse });
    const before = performance.now();
    const results = await ready.run(...args);
    const values: Value[] = [];
    for (const result of results) values.push(await read(result));
    const runMs = performance.now() - before;
    const { name } = device.adapter;
    return { adapter: name, values, kernels: ready.kernelCount, compileMs: before - start, runMs };
  });
}

/** Runs a step; tensors for which there is no room end the command. */
function withMemory<T>(step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof RangeError) || !/array (length|buffer)|allocation/i.test(error.message))
      throw error;
    throw new Failure(exit.deviceCannot, "there is not enough memory for the tensors of these dimensions", {
      help: "choose smaller dimensions",
    });
  }
}

/** A cotangent's type for reading its file: a tensor, or whatever the file holds. */
function cotangentType({ shape }: Parameter): Type {
  return shape.kind === "tensor" ? scalarType("f32") : { kind: "variable", name: "Cotangent" };
}

/** What is given for the function's own arguments. Cotangents are looked at when their shapes are known. */
function understandAll(
  terminal: Terminal,
  info: FunctionInfo,
  texts: ReadonlyMap<string, string>,
  withCotangents: boolean,
): Map<string, Given> {
  const params = info.params.map(({ name, type }) => ({ name, type: showType(type) }));
  const own = [...texts.keys()].filter(
    (name) => !withCotangents || params.some((p) => p.name === name) || !/^ct/.test(name),
  );
  matchNames(own, params, info.name);
  return new Map(
    info.params.map(({ name, type }) => [name, understand(terminal, name, texts.get(name)!, type)]),
  );
}

function compileFor(
  module: LoadedModule,
  info: FunctionInfo,
  given: ReadonlyMap<string, Given>,
  { dim, vjp, reassociate = false }: Options,
): Compiled {
  const args = info.params.map(({ name, type }) => shapeOfGiven(given.get(name)!, type));
  try {
    needDims(info, solveDims(info, args, dim).dims);
  } catch (error) {
    // Compiling says it with the place in the program.
    if (!(error instanceof ShapeMismatch)) throw error;
  }
  const compiled = module.compile(info.name, { dims: Object.fromEntries(dim), args, reassociate });
  if (vjp !== true) return compiled;
  needFloats(compiled);
  return compiled.vjp();
}

/** A vjp goes from floating results to floating arguments. */
function needFloats({ name, params, results }: Compiled): void {
  const hasFloats = (parts: readonly Parameter[]): boolean =>
    parts.some(({ shape }) => shapeLeaves(shape).some(({ leaf }) => isFloat(leaf.element.scalar)));
  const without = !hasFloats(results) ? "result" : !hasFloats(params) ? "arguments" : null;
  if (without === null) return;
  throw new Failure(
    exit.commandWrong,
    `--vjp: nothing is there to differentiate: \`${name}\` has no floats in its ${without}`,
    { help: "run it without `--vjp`" },
  );
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
    return { name, ...described(shape), file };
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

/** A tensor's type and shape; those of the tensors inside, for a struct, a tuple or a list. */
function described(shape: Shape): object {
  if (shape.kind === "tensor") return { dtype: shape.element.scalar, shape: shape.shape };
  const tensors = shapeLeaves(shape).map(({ path, leaf }) => ({
    name: path,
    dtype: leaf.element.scalar,
    shape: leaf.shape,
  }));
  return { dtype: shape.kind === "struct" ? shape.name : shape.kind, shape: null, tensors };
}

function bytesOf(value: Value, shape: Shape, name: string): Uint8Array {
  const tensors = tensorsOf(value, shape, name);
  const arrays = shapeLeaves(shape).map(({ path, leaf }, i): [string, NumberArray] => {
    const type: ArrayType = leaf.element.scalar;
    return [path, { type, shape: leaf.shape, data: tensors[i]!.data }];
  });
  return shape.kind === "tensor" ? writeNpy(arrays[0]![1]) : writeSafetensors(new Map(arrays));
}
