/**
 * Runs a compiled program step by step, without a device: what it gives can be held against the tensor IR's interpreter.
 *
 *     runProgram(program, { x: tensor(f32, [2], [1, 2]) }).s.data       // Float64Array [3]
 *
 * What no step has written yet is NaN, or an integer that is hardly an index.
 */
import type { ElementArray, TensorData } from "../ir/interpret.ts";
import { type ValueName, isFloat, sizeOf } from "../ir/ir.ts";
import { zeros } from "../ir/interpret.ts";
import { printType } from "../ir/print.ts";
import { type CompiledKernel, type RunOptions, compileKernel } from "./interpret.ts";
import type { Offset, Program, ProgramStep, ProgramValue } from "./program.ts";

/** A program that cannot be run: an input that is missing or of another type, a step that names what is not there. */
export class ProgramError extends Error {
  override readonly name = "ProgramError";

  constructor(program: string, problem: string) {
    super(`program ${program}: ${problem}`);
  }
}

/**
 * The outputs of a program for its inputs, by name. Inputs that it updates are among them as they are afterwards; the given data is
 * not changed. Throws `ProgramError`, `RaceError`, `KernelFault`.
 */
export function runProgram(
  program: Program,
  inputs: Readonly<Record<ValueName, TensorData>>,
  options: RunOptions = {},
): Record<ValueName, TensorData> {
  const values = new Map<ValueName, TensorData>();
  for (const value of program.values) {
    if (values.has(value.name)) throw new ProgramError(program.name, `there are two values ${value.name}`);
    values.set(value.name, initial(program, value, inputs));
  }
  const kernels = program.kernels.map((kernel) => compileKernel(kernel, options));
  const state: State = { program, values, kernels, random: options.random };
  for (const step of program.steps) runStep(step, new Map(), state);
  return Object.fromEntries(
    program.outputs.map((name): [ValueName, TensorData] => [name, valueIn(state, name)]),
  );
}

interface State {
  readonly program: Program;
  readonly values: ReadonlyMap<ValueName, TensorData>;
  readonly kernels: readonly CompiledKernel[];
  readonly random: (() => number) | undefined;
}

function runStep(step: ProgramStep, turns: ReadonlyMap<string, number>, state: State): void {
  switch (step.kind) {
    case "dispatch": {
      const run = state.kernels[step.kernel];
      if (run === undefined)
        throw new ProgramError(state.program.name, `there is no kernel number ${step.kernel}`);
      return run(
        step.values.map((name) => valueIn(state, name).data),
        state.random,
      );
    }
    case "copy": {
      const from = part(step.from, step.fromOffset, step.length, turns, state);
      const to = part(step.to, step.toOffset, step.length, turns, state);
      if (from.constructor !== to.constructor)
        throw new ProgramError(state.program.name, `${step.from} and ${step.to} have elements of two types`);
      to.set(from);
      return;
    }
    case "loop":
      for (let turn = 0; turn < step.count; turn++)
        for (const inner of step.steps) runStep(inner, new Map(turns).set(step.turn, turn), state);
  }
}

/** The elements of a value that a copy names. */
function part(
  name: ValueName,
  offset: Offset,
  length: number,
  turns: ReadonlyMap<string, number>,
  state: State,
): ElementArray {
  const { data } = valueIn(state, name);
  const turn = offset.turn === null ? 0 : turns.get(offset.turn);
  if (turn === undefined)
    throw new ProgramError(state.program.name, `a copy of ${name} is outside of the loop of ${offset.turn}`);
  const start = offset.constant + offset.perTurn * turn;
  if (!(start >= 0 && start + length <= data.length))
    throw new ProgramError(
      state.program.name,
      `a copy takes elements ${start} … ${start + length - 1} of ${name}, which has ${data.length}`,
    );
  return data.subarray(start, start + length);
}

function valueIn({ program, values }: State, name: ValueName): TensorData {
  const value = values.get(name);
  if (value === undefined) throw new ProgramError(program.name, `there is no value ${name}`);
  return value;
}

/** What a value is before the first step. */
function initial(
  program: Program,
  value: ProgramValue,
  inputs: Readonly<Record<ValueName, TensorData>>,
): TensorData {
  const { name, element, shape } = value;
  const own = zeros(element, shape);
  switch (value.role) {
    case "input": {
      const given = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
      const wanted = `${name}: ${printType(element, shape)}`;
      if (given === undefined) throw new ProgramError(program.name, `the input ${wanted} is missing`);
      if (
        given.data.constructor !== own.data.constructor ||
        given.data.length !== own.data.length ||
        given.shape.join() !== shape.join()
      ) {
        const found = `${printType(given.element, given.shape)} of ${given.data.length} elements`;
        throw new ProgramError(program.name, `the input ${wanted} is given ${found}`);
      }
      own.data.set(given.data);
      return own;
    }
    case "constant":
      if (value.data?.length !== sizeOf(shape))
        throw new ProgramError(
          program.name,
          `the constant ${name} has ${value.data?.length ?? 0} elements, not ${sizeOf(shape)}`,
        );
      own.data.set(value.data);
      return own;
    case "output":
    case "intermediate":
      own.data.fill(isFloat(element.scalar) ? NaN : element.scalar === "bool" ? 1 : 0x7fffffff);
      return own;
  }
}
