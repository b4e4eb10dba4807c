/**
 * The arguments of a call: tensors of the device as they are, elements of the host through tensors that the
 * executable keeps.
 *
 *     run([weights, Float32Array.of(…)])   →   %w is the caller's tensor, %x a kept one, overwritten before the steps
 */
import type { Program, ProgramValue } from "../codegen/program.ts";
import { type ElementType, type ValueName, sizeOf } from "../ir/ir.ts";
import { type HostElements, type Words, toWords } from "./elements.ts";
import { TensorError } from "./errors.ts";
import type { Session } from "./session.ts";
import {
  type DeviceTensor,
  type OwnedTensor,
  describeType,
  isDeviceTensor,
  memoryOf,
  tensorBuffer,
  wrapTensor,
} from "./tensor.ts";

/** An argument of a program: a tensor on its device, or elements, which are uploaded at each call. */
export type Argument = DeviceTensor | HostElements;

/** The arguments of one call, checked. */
export interface AcceptedArguments {
  readonly tensors: ReadonlyMap<ValueName, DeviceTensor>;
  /** Those of `tensors` that were made for this call alone, to be given to the caller. */
  readonly made: readonly OwnedTensor[];
  /**
   * Writes the host's elements; just before the steps are submitted, so that calls don't overtake each other.
   */
  readonly upload: () => void;
}

/** What takes the arguments of a program's calls. */
export interface ArgumentIntake {
  /** @throws {TensorError} when an argument does not fit. @throws {OutOfMemoryError | DeviceLostError} */
  readonly accept: (args: readonly Argument[]) => Promise<AcceptedArguments>;
  /** Gives the kept tensors back. */
  readonly free: () => void;
}

/** The intake of a program; it keeps no tensor yet. */
export function openArguments(session: Session, program: Program): ArgumentIntake {
  const values = new Map(program.values.map((value) => [value.name, value]));
  const inputs = program.inputs.flatMap((name) => values.get(name) ?? []);
  const updated = new Set(program.updated);
  const results = new Set(program.outputs);
  const kept = new Map<ValueName, Promise<OwnedTensor>>();
  const keptTensors: OwnedTensor[] = [];
  let isFree = false;
  const running = `program ${program.name}`;

  const makeTensor = async (input: ProgramValue, isKept: boolean): Promise<OwnedTensor> => {
    const [owned] = await session.allocate(
      isKept ? "executables" : "tensors",
      [tensorBuffer(input.shape, `${program.name} %${input.name}`)],
      `${running}, input %${input.name}`,
    );
    if (owned === undefined) throw new TensorError(`${running}: no memory was given`);
    const tensor = wrapTensor(session, input.element, input.shape, owned, isKept);
    if (isKept) keptTensors.push(tensor);
    if (isKept && isFree) tensor.discard();
    return tensor;
  };
  /**
   * A kept tensor is made once, also when two calls ask at the same time; what goes to the caller is made
   * each time.
   */
  const tensorFor = (input: ProgramValue): Promise<OwnedTensor> => {
    if (results.has(input.name)) return makeTensor(input, false);
    const tensor = kept.get(input.name) ?? makeTensor(input, true);
    kept.set(input.name, tensor);
    tensor.catch(() => kept.delete(input.name));
    return tensor;
  };

  const accept = async (args: readonly Argument[]): Promise<AcceptedArguments> => {
    if (args.length !== inputs.length)
      throw new TensorError(
        `${running}: ${inputs.length} arguments are expected (${inputs.map(({ name }) => `%${name}`).join(", ")}), ` +
          `${args.length} were given`,
      );
    const uploads: { readonly input: ProgramValue; readonly words: Words }[] = [];
    const tensors = new Map<ValueName, DeviceTensor>();
    inputs.forEach((input, i) => {
      const argument = args[i] ?? [];
      const what = `${running}, argument ${i + 1} (%${input.name}: ${describeType(input.element, input.shape)})`;
      if (isDeviceTensor(argument)) {
        requireType(argument, input, what);
        memoryOf(session, argument, what);
        tensors.set(input.name, argument);
      } else if (updated.has(input.name))
        throw new TensorError(
          `${what}: it is updated in place, so it must be a tensor of the device (device.tensor)`,
        );
      else uploads.push({ input, words: toWords(input.element, sizeOf(input.shape), argument, () => what) });
    });
    requireNoAliases(session, tensors, updated, running);
    const made: OwnedTensor[] = [];
    const targets = await Promise.all(
      uploads.map(async ({ input, words }) => {
        const tensor = await tensorFor(input);
        tensors.set(input.name, tensor);
        if (results.has(input.name)) made.push(tensor);
        return { buffer: memoryOf(session, tensor, running).buffer, words };
      }),
    );
    const upload = (): void => {
      for (const { buffer, words } of targets) session.device.queue.writeBuffer(buffer, 0, words);
    };
    return { tensors, made, upload };
  };

  const free = (): void => {
    isFree = true;
    keptTensors.forEach((tensor) => tensor.discard());
  };
  return { accept, free };
}

function requireType(tensor: DeviceTensor, input: ProgramValue, what: string): void {
  const hasShape =
    tensor.shape.length === input.shape.length && tensor.shape.every((n, i) => n === input.shape[i]);
  if (hasShape && isWithin(tensor.element, input.element)) return;
  throw new TensorError(`${what}: a tensor of ${describeType(tensor.element, tensor.shape)} was given`);
}

/** Is every element of the one type an element of the other? An `idx<4>` is an `idx<9>` and an `i32`. */
function isWithin(given: ElementType, expected: ElementType): boolean {
  if (given.scalar !== expected.scalar) return false;
  return expected.bound === null || (given.bound !== null && given.bound <= expected.bound);
}

/** A tensor that is updated can't be another argument at the same time. */
function requireNoAliases(
  session: Session,
  tensors: ReadonlyMap<ValueName, DeviceTensor>,
  updated: ReadonlySet<ValueName>,
  running: string,
): void {
  const holders = new Map<number, ValueName>();
  for (const [name, tensor] of tensors) {
    const { number } = memoryOf(session, tensor, running);
    const other = holders.get(number);
    if (other !== undefined && (updated.has(name) || updated.has(other)))
      throw new TensorError(
        `${running}: one tensor was given for %${other} and %${name}, and ${updated.has(name) ? `%${name}` : `%${other}`} ` +
          "is updated in place; give a copy for one of them",
      );
    holders.set(number, name);
  }
}
