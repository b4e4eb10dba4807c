/**
 * A program on a device, ready to run: what `prepare` made, over the pages of its memory plan.
 *
 *     const step = await device.load(program, { reuseOutputs: true });
 *     const [weights, loss] = await step.run([w, images, labels]);     // w is in `updated`: weights is w, overwritten
 */
import type { Program } from "../codegen/program.ts";
import type { ValueName } from "../ir/ir.ts";
import type { DeviceLimits } from "./adapter.ts";
import { type Argument, openArguments } from "./arguments.ts";
import { openBindGroups } from "./bind-groups.ts";
import { TensorError } from "./errors.ts";
import { type MemoryPlan, planMemory } from "./memory-plan.ts";
import { makeOutputs, outputsInOrder, requireNotKept } from "./outputs.ts";
import { allocateKept, pageBuffers, stagingCopies } from "./pages.ts";
import type { Pipelines } from "./pipelines.ts";
import { prepareProgram } from "./prepare.ts";
import { type KernelTime, openClock, summarise } from "./profile.ts";
import { type RecordedMemory, type RecordOptions, countDispatches, submitSteps } from "./record.ts";
import type { Scopes } from "./scope.ts";
import type { Session } from "./session.ts";
import { type ShaderPrinter, printShader } from "./shader.ts";
import { type DeviceTensor, isAlive, isDeviceTensor, type OwnedTensor, memoryOf } from "./tensor.ts";

/** How a program is loaded. */
export interface LoadOptions {
  /**
   * Outputs are written to memory that the executable keeps: each call gives the same tensors and overwrites
   * what the last one left in them. Without it each call makes new ones, for the caller to free.
   */
  readonly reuseOutputs?: boolean;
  /**
   * So many dispatches at most go into one submission: drivers reset a device that works too long on one
   * (default 1024).
   */
  readonly dispatchesPerSubmit?: number;
  /** Hears how many of the program's shaders are compiled. */
  readonly progress?: (done: number, total: number) => void;
  /** Prints the shaders (default: fecit's own printer of WGSL). */
  readonly printer?: ShaderPrinter;
}

/** A program that is ready to run on its device. */
export interface Executable {
  readonly program: Program;
  readonly memory: MemoryPlan;
  /** The texts that run, one for each kernel and way in which its buffers lie in memory. */
  readonly shaders: readonly { readonly kernel: string; readonly code: string }[];
  /**
   * Runs the program: records it, submits it, and gives the outputs in the program's order, without waiting
   * for their elements.
   *
   * An input in `updated` must be a tensor, is overwritten, and comes back as that tensor. An output that is
   * an input and is not updated comes back as the tensor that was given, not as a copy. An output that occurs
   * twice is one tensor.
   *
   * @throws {TensorError} when the arguments don't fit. @throws {OutOfMemoryError | DeviceLostError |
   * CommandError}
   */
  readonly run: (args: readonly Argument[]) => Promise<readonly DeviceTensor[]>;
  /**
   * Runs the program `runs` times (default 5) and gives the median time of each dispatch, in the program's order; null
   * when the adapter has no timestamps. Inputs in `updated` are overwritten at each run.
   *
   * @throws what `run` throws.
   */
  readonly profile: (args: readonly Argument[], runs?: number) => Promise<readonly KernelTime[] | null>;
  /** Gives back all that it keeps, its outputs included if it reuses them. A second call does nothing. */
  readonly free: () => void;
}

/** What an executable needs of its device. */
export interface ExecutableHost {
  readonly session: Session;
  readonly pipelines: Pipelines;
  readonly scopes: Scopes;
  readonly limits: DeviceLimits;
  readonly hasTimestamps: boolean;
}

/** A call as it was recorded, to be recorded again for the same arguments. */
interface Replay {
  readonly args: readonly Argument[];
  readonly tensors: ReadonlyMap<ValueName, DeviceTensor>;
  readonly memory: RecordedMemory;
  readonly staging: ReturnType<typeof stagingCopies>;
}

/** What one call made and gives. */
interface Outcome {
  readonly tensors: ReadonlyMap<ValueName, DeviceTensor>;
  /** Those of them that are the caller's to free. */
  readonly made: readonly OwnedTensor[];
}

/**
 * Plans, compiles and allocates a program.
 *
 * @throws {LimitError | ShaderError | OutOfMemoryError | DeviceLostError}
 */
export async function loadProgram(
  { session, pipelines, scopes, limits, hasTimestamps }: ExecutableHost,
  program: Program,
  {
    reuseOutputs = false,
    dispatchesPerSubmit = 1024,
    progress = () => {},
    printer = printShader,
  }: LoadOptions,
): Promise<Executable> {
  const label = `program ${program.name}`;
  session.requireAlive(`loading ${label}`);
  const plan = planMemory(program, limits);
  const prepared = await prepareProgram(program, plan, limits, pipelines, printer, progress);
  const kept = await allocateKept(session, program, plan, prepared.offsets);
  const keptOutputs = reuseOutputs
    ? await makeOutputs(session, program, true).catch((error: unknown) => {
        kept.free();
        throw error;
      })
    : null;
  const offsets = kept.offsets?.buffer ?? null;
  const bindGroups = openBindGroups(session.device, label, plan, prepared.dispatches, offsets);
  const intake = openArguments(session, program);
  let isFree = false;
  let last: Replay | null = null;

  const record = ({ memory, staging }: Replay, timestamps: RecordOptions["timestamps"]): void =>
    submitSteps(session.device, prepared.steps, memory, {
      label,
      dispatchesPerSubmit,
      timestamps,
      ...staging,
    });

  /** The last call, if this one is the same again and nobody is before it. */
  const sameAsLast = (args: readonly Argument[]): Replay | null => {
    if (last === null || session.calls.waiting > 0 || args.length !== last.args.length) return null;
    const isSame = args.every((arg, i) => arg === last!.args[i]);
    return isSame && [...last.tensors.values()].every(isAlive) ? last : null;
  };

  const submit = async (
    args: readonly Argument[],
    timestamps: RecordOptions["timestamps"],
  ): Promise<Outcome> => {
    if (isFree) throw new TensorError(`${label}: the executable was freed before`);
    session.requireAlive(label);
    const replay = sameAsLast(args);
    if (replay !== null) {
      record(replay, timestamps);
      return { tensors: replay.tensors, made: [] };
    }
    session.calls.waiting++;
    try {
      return await submitAnew(args, timestamps);
    } finally {
      session.calls.waiting--;
    }
  };

  const submitAnew = async (
    args: readonly Argument[],
    timestamps: RecordOptions["timestamps"],
  ): Promise<Outcome> => {
    const accepted = await intake.accept(args);
    if (keptOutputs !== null) requireNotKept(program, accepted.tensors, keptOutputs);
    const outputs = keptOutputs ?? (await makeOutputs(session, program, false));
    const made = [...accepted.made, ...(keptOutputs === null ? outputs.values() : [])];
    try {
      // From here to the submission nothing waits, so that calls that are made at once don't mix.
      if (isFree) throw new TensorError(`${label}: the executable was freed meanwhile`);
      const tensors = new Map<ValueName, DeviceTensor>([...accepted.tensors, ...outputs]);
      const brought = new Map([...tensors].map(([name, tensor]) => [name, memoryOf(session, tensor, label)]));
      const pages = pageBuffers(plan, kept, brought);
      const staging = stagingCopies(program, plan, brought, pages);
      const known = bindGroups.find(pages);
      const commands = (): Replay => {
        const memory = {
          pages: pages.map(({ buffer }) => buffer),
          bindGroups: known ?? bindGroups.make(pages),
        };
        const replay = { args: [...args], tensors, memory, staging };
        accepted.upload();
        record(replay, timestamps);
        return replay;
      };
      // What the driver has checked once over the same buffers it accepts again: a replay waits for nothing.
      const replay = known === null ? await session.guarded(label, commands) : commands();
      const canRepeat = keptOutputs !== null && made.length === 0 && args.every(isDeviceTensor);
      last = canRepeat ? replay : null;
      return { tensors, made };
    } catch (error) {
      made.forEach((tensor) => tensor.discard());
      throw error;
    }
  };

  const run = async (args: readonly Argument[]): Promise<readonly DeviceTensor[]> => {
    const { tensors, made } = await submit(args, null);
    made.forEach(scopes.enter);
    return outputsInOrder(program, tensors);
  };

  const profile = async (args: readonly Argument[], runs = 5): Promise<readonly KernelTime[] | null> => {
    if (!hasTimestamps) return null;
    const count = countDispatches(prepared.steps);
    const times: ReadonlyMap<number, number>[] = [];
    for (let i = 0; i < runs; i++) {
      const clock = openClock(session, count, `profile of ${label}`);
      const { made } = await submit(args, clock.stamp);
      times.push(await clock.read());
      made.forEach((tensor) => tensor.discard());
    }
    return summarise(program.kernels, prepared.steps, times);
  };

  const free = (): void => {
    if (isFree) return;
    isFree = true;
    last = null;
    kept.free();
    intake.free();
    keptOutputs?.forEach((tensor) => tensor.discard());
  };
  return { program, memory: plan, shaders: prepared.shaders, run, profile, free };
}
