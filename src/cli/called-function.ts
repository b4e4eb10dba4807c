/**
 * A function with its arguments as the command line gives them: `FILE FUNCTION [NAME=VALUE…] --dim … --vjp`. `run` and `bench`
 * call it.
 *
 *     const { compiled, makeArguments } = calledFunction(terminal, "p.fec", "scale", ["x=normal", "by=2"], options);
 */
import type { Command } from "commander";
import type { Value } from "../host-value.ts";
import type { FusionLevel, LayoutChoice } from "../fusion/plan.ts";
import { isFloat } from "../ir/ir.ts";
import { shapeLeaves } from "../lang/elaborate/shape.ts";
import { ShapeMismatch, solveDims } from "../lang/elaborate/solve-dims.ts";
import type { FunctionInfo } from "../lang/program.ts";
import { scalarType, showType, type Type } from "../lang/types.ts";
import { type Compiled, loadModule, type LoadedModule, type Parameter } from "../module.ts";
import { type Given, matchNames, shapeOfGiven, splitArguments, understand, valueFor } from "./arguments.ts";
import { deviceOption, fuseOption, layoutOption } from "./device.ts";
import { orDiagnose, withoutErrors } from "./diagnose.ts";
import { exit, Failure } from "./failure.ts";
import { fileLoader, readSource } from "./files.ts";
import { madeBy } from "./generate.ts";
import { dimOption, functionNamed, knowDims, needDims, parseSeed, reassociateHelp } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { traceHelp, tracing } from "./trace.ts";

/** The options that say what is called and on what. */
export interface CallOptions {
  readonly dim: ReadonlyMap<string, number>;
  readonly seed: number;
  readonly device: string;
  readonly fuse: FusionLevel;
  readonly layout: LayoutChoice;
  readonly vjp?: boolean;
  readonly reassociate?: boolean;
  readonly trace?: string;
}

/** Gives a command these options, and the arguments before them. */
export function takeCall(command: Command, terminal: Terminal): Command {
  return command
    .argument("<file>", "a program")
    .argument("<function>", "one of its functions")
    .argument(
      "[name=value...]",
      `its arguments: a number, @FILE (.npy; .safetensors for a struct), or ${madeBy.join(", ")}`,
    )
    .addOption(dimOption("dimensions that the arguments don't fix, as in b=2,n=49; may be repeated"))
    .option("--seed <number>", "seed of what is drawn", parseSeed, 0)
    .addOption(deviceOption(terminal))
    .addOption(fuseOption())
    .addOption(layoutOption())
    .option("--vjp", "take its vjp: cotangents are further arguments, ct (ct0, ct1, … for several results)")
    .option("--reassociate", reassociateHelp)
    .option("--trace <stages>", traceHelp);
}

/** A function compiled for its arguments. */
export interface CalledFunction {
  readonly compiled: Compiled;
  /** Milliseconds from the text to the tensor IR. */
  readonly compileMs: number;
  /** Makes the arguments, in order. Throws a `Failure` where there is no room for them. */
  readonly makeArguments: () => Value[];
}

/** Reads a program and its arguments, and compiles the function for them. Throws a `Failure`, or `Silent`. */
export function calledFunction(
  terminal: Terminal,
  file: string,
  name: string,
  words: readonly string[],
  options: CallOptions,
): CalledFunction {
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
  const makeArguments = (): Value[] =>
    withMemory(() =>
      compiled.params.map((param) => {
        const known =
          given.get(param.name) ??
          understand(terminal, param.name, texts.get(param.name)!, cotangentType(param));
        return valueFor(known, compiled, param.name, param.shape, options.seed);
      }),
    );
  return { compiled, compileMs, makeArguments };
}

/** Runs a step; tensors for which there is no room end the command. */
export function withMemory<T>(step: () => T): T {
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
  { dim, vjp, reassociate = false }: CallOptions,
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
