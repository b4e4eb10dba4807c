/**
 * Copies of tensors with fewer or more rows, made on the device by copies alone: no kernel, no pipeline.
 *
 *     resize(x: f32[3, 8], to [4, 8])      the rows of x, then zeros        resize(y: f32[4, 8], to [3, 8])      the first three
 */
import type { Program } from "./codegen/program.ts";
import { type ElementType, sizeOf } from "./ir/ir.ts";
import type { Device as RuntimeDevice } from "./runtime/device.ts";
import type { Executable } from "./runtime/executable.ts";
import { type DeviceTensor, describeType } from "./runtime/tensor.ts";

export interface Resizing {
  /**
   * A new tensor with the rows of the one given as far as both have them.
   *
   * @throws {TensorError | OutOfMemoryError | DeviceLostError | CommandError}
   */
  readonly resize: (
    tensor: DeviceTensor,
    element: ElementType,
    from: readonly number[],
    to: readonly number[],
  ) => Promise<DeviceTensor>;
  /** Gives back the programs that copy. */
  readonly free: () => void;
}

/** The resizing of a device's tensors; programs are made as shapes come and are remembered. */
export function openResizing(device: RuntimeDevice): Resizing {
  const programs = new Map<string, Promise<Executable>>();
  const programFor = (
    element: ElementType,
    from: readonly number[],
    to: readonly number[],
  ): Promise<Executable> => {
    const key = `${describeType(element, from)} ${describeType(element, to)}`;
    const known = programs.get(key) ?? device.load(copyProgram(element, from, to));
    programs.set(key, known);
    known.catch(() => programs.delete(key));
    return known;
  };
  return {
    resize: async (tensor, element, from, to) => {
      const [resized] = await (await programFor(element, from, to)).run([tensor]);
      return resized!;
    },
    free: () => {
      for (const program of programs.values()) program.then(({ free }) => free()).catch(() => {});
      programs.clear();
    },
  };
}

/** Memory of a device is zero at first: what is not copied to is. */
function copyProgram(element: ElementType, from: readonly number[], to: readonly number[]): Program {
  const start = { constant: 0, turn: null, perTurn: 0 };
  const length = Math.min(sizeOf(from), sizeOf(to));
  return {
    name: "rows",
    kernels: [],
    values: [
      { name: "given", element, shape: from, role: "input", data: null },
      { name: "rows", element, shape: to, role: "output", data: null },
    ],
    steps: [{ kind: "copy", from: "given", to: "rows", length, fromOffset: start, toOffset: start }],
    inputs: ["given"],
    outputs: ["rows"],
    updated: [],
  };
}
