/**
 * What became of a function, in numbers: its kernels with their work and traffic, its buffers, the planner's decisions.
 *
 *     reportOf(compiled.kernels(), limits).kernels[0]
 *     // { name: "cluster", nodes: ["sim", "a", "r"], grid: [32, 1, 1], barriers: 4, flops: 51200, … }
 *
 * Pure: it needs no device. Bytes are those of the tensors; operations are those of the tensor IR, each node once for each kernel
 * that computes it.
 */
import { type Kernel, type Statement, workgroupBytes } from "./codegen/kernel.ts";
import type { Program, ProgramStep, ProgramValue } from "./codegen/program.ts";
import { blocksOf } from "./codegen/traverse.ts";
import { dispatchShape } from "./codegen/wgsl.ts";
import type { AxisOrder, Decision, Group } from "./fusion/plan.ts";
import { verdictsOf } from "./fusion/verdicts.ts";
import { operationsOf } from "./ir/cost.ts";
import { baseName } from "./ir/names.ts";
import { kernelTexts, nodesOf } from "./kernel-text.ts";
import type { KernelProgram } from "./module.ts";
import type { DeviceLimits } from "./runtime/adapter.ts";
import { bytesOf, planMemory } from "./runtime/memory-plan.ts";

/** A tensor that a kernel reads or writes. */
export interface Traffic {
  readonly tensor: string;
  readonly bytes: number;
}

/** One dispatch. */
export interface KernelReport {
  readonly name: string;
  /** The names of all nodes that it computes, without their numbers; inlined ones included. */
  readonly nodes: readonly string[];
  /** Workgroups in each direction. */
  readonly grid: readonly [number, number, number];
  readonly workgroupSize: readonly [number, number, number];
  readonly workgroupBytes: number;
  /** Barriers in its text. */
  readonly barriers: number;
  readonly reads: readonly Traffic[];
  readonly writes: readonly Traffic[];
  /** Scalar operations of its nodes in one dispatch. */
  readonly flops: number;
  readonly source: readonly { readonly file: string; readonly line: number; readonly column: number }[];
  readonly wgsl: string;
  /** How often a call dispatches it: the turns of the loops around it. */
  readonly dispatches: number;
  /** Milliseconds of one dispatch by the planner's estimate for what it was planned for. */
  readonly predictedMs: number;
  /** Milliseconds of one dispatch as it was measured: null where the adapter has no timestamps, absent where nothing was measured. */
  readonly measuredMs?: number | null;
}

/** A tensor in device memory. */
export interface BufferReport {
  readonly name: string;
  readonly bytes: number;
  readonly role: ProgramValue["role"];
  /** The order in which its axes lie in memory, where that is not row-major: `[1, 0]` for a matrix whose columns lie together. */
  readonly order?: AxisOrder;
}

export interface ProgramReport {
  readonly kernels: readonly KernelReport[];
  readonly buffers: readonly BufferReport[];
  /** Bytes of device memory while it runs, arguments and results included. */
  readonly peakBytes: number;
  /** Bytes for what is neither argument nor result, after planning. */
  readonly intermediateBytes: number;
  readonly decisions: readonly Decision[];
}

/**
 * The report of a program for a device of these limits.
 *
 * @throws {LimitError} when a tensor is larger than a binding. @throws {BindingError} when a kernel has too many buffers.
 */
export function reportOf(made: KernelProgram, limits: DeviceLimits): ProgramReport {
  const { program, groups, plan } = made;
  const memory = planMemory(program, limits);
  const texts = kernelTexts(made, limits);
  const times = dispatchTimes(program.steps);
  const kernels = groups.flatMap(({ group, kernel: number, values }, i) => {
    const kernel = program.kernels[number];
    return kernel === undefined ? [] : [kernelReport(group, kernel, values, texts[i] ?? "", times[i] ?? 1)];
  });
  return {
    kernels,
    buffers: program.values.map(({ name, shape, role, order }) => ({
      name,
      bytes: bytesOf(shape),
      role: roleOf(program, name, role),
      ...(order === undefined ? {} : { order }),
    })),
    peakBytes: memory.peakBytes,
    intermediateBytes: memory.intermediateBytes,
    decisions: verdictsOf(plan),
  };
}

function roleOf(program: Program, name: string, role: ProgramValue["role"]): ProgramValue["role"] {
  return role === "intermediate" && program.outputs.includes(name) ? "output" : role;
}

function kernelReport(
  group: Group,
  kernel: Kernel,
  values: readonly string[],
  wgsl: string,
  dispatches: number,
): KernelReport {
  const nodes = nodesOf(group);
  const origins = nodes.flatMap(({ origin }) => (origin === null ? [] : [origin]));
  const traffic = (without: "read" | "write"): Traffic[] =>
    kernel.buffers.flatMap(({ access, length }, i) =>
      access === without ? [] : [{ tensor: values[i] ?? "", bytes: 4 * length }],
    );
  return {
    name: group.name,
    // The part of a cut reduction is named after the whole: `dot.2_part`.
    nodes: nodes.map(({ name }) => baseName(name).replace(/\.\d+(?=_)/g, "")),
    grid: dispatchShape(kernel.workgroups),
    workgroupSize: [kernel.invocations, 1, 1],
    workgroupBytes: workgroupBytes(kernel),
    barriers: countBarriers(kernel.body),
    reads: traffic("write"),
    writes: traffic("read"),
    flops: nodes.reduce((total, node) => total + operationsOf(node), 0),
    source: [...new Map(origins.map((origin) => [JSON.stringify(origin), origin])).values()],
    wgsl,
    dispatches,
    predictedMs: 1e3 * group.seconds,
  };
}

function countBarriers(statements: readonly Statement[]): number {
  return statements.reduce(
    (count, statement) =>
      count +
      (statement.kind === "barrier" ? 1 : 0) +
      blocksOf(statement).reduce((n, block) => n + countBarriers(block), 0),
    0,
  );
}

/** For each dispatch in order, how often it runs in a call. */
function dispatchTimes(steps: readonly ProgramStep[], turns = 1): number[] {
  return steps.flatMap((step) => {
    if (step.kind === "dispatch") return [turns];
    return step.kind === "loop" ? dispatchTimes(step.steps, turns * step.count) : [];
  });
}
