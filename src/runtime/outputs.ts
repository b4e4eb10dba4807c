/**
 * The outputs of a program that are not its inputs: made for a call, or once for all calls.
 *
 *     inputs w, x   outputs w (updated), loss, loss   →   one tensor is made, for %loss
 */
import type { Program, ProgramValue } from "../codegen/program.ts";
import type { ValueName } from "../ir/ir.ts";
import { TensorError } from "./errors.ts";
import type { OwnedBuffer, Session } from "./session.ts";
import { type DeviceTensor, type OwnedTensor, tensorBuffer, wrapTensor } from "./tensor.ts";

/**
 * Makes the outputs' tensors; `isKept` when the executable keeps them. @throws {OutOfMemoryError |
 * DeviceLostError}
 */
export async function makeOutputs(
  session: Session,
  program: Program,
  isKept: boolean,
): Promise<ReadonlyMap<ValueName, OwnedTensor>> {
  const names = new Set(program.outputs);
  const types = program.values.filter(({ name, role }) => role !== "input" && names.has(name));
  const owned = await session.allocate(
    isKept ? "executables" : "tensors",
    types.map(({ name, shape }) => tensorBuffer(shape, `${program.name} %${name}`)),
    `the outputs of program ${program.name}`,
  );
  const wrap = ({ element, shape }: ProgramValue, buffer: OwnedBuffer): OwnedTensor =>
    wrapTensor(session, element, shape, buffer, isKept);
  return new Map(owned.flatMap((buffer, i) => types.slice(i, i + 1).map((t) => [t.name, wrap(t, buffer)])));
}

/** The tensors of a program's outputs, in its order. */
export function outputsInOrder(
  program: Program,
  tensors: ReadonlyMap<ValueName, DeviceTensor>,
): readonly DeviceTensor[] {
  return program.outputs.map((name) => {
    const tensor = tensors.get(name);
    if (tensor === undefined)
      throw new TensorError(`program ${program.name}: output %${name} is no value of it`);
    return tensor;
  });
}

/** An output that the executable keeps can't be an argument of it: it would be read and written at once. */
export function requireNotKept(
  program: Program,
  inputs: ReadonlyMap<ValueName, DeviceTensor>,
  keptOutputs: ReadonlyMap<ValueName, DeviceTensor>,
): void {
  const kept = new Set(keptOutputs.values());
  for (const [name, tensor] of inputs) {
    if (!kept.has(tensor)) continue;
    throw new TensorError(
      `program ${program.name}, argument %${name}: it is an output that this executable keeps and writes again; load it ` +
        "without reuseOutputs, or let the program update the input in place",
    );
  }
}
