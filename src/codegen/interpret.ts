/**
 * Runs a kernel as a device would at its worst: workgroups in random order, and between two barriers its invocations in random
 * order. Races are reported, and accesses that must not be.
 *
 *     const y = new Float64Array(4);
 *     runKernel(rowSum, [x, y], { random });        // y is filled, or a RaceError says why it cannot be relied on
 *
 * It needs no device. Where the order changes a result that is not a race, it changes the result.
 */
import { runtimeFunctions } from "../ir/scalar.ts";
import { type AccessSite, kernelSource } from "./interpret-codegen.ts";
import { KernelFault } from "./interpret-faults.ts";
import { type Clock, type Monitor, beginInterval, clockOf, monitorOf, settle } from "./interpret-monitor.ts";
import { type Precision, elementsOf } from "./interpret-scalar.ts";
import type { Kernel, KernelType } from "./kernel.ts";
import { withoutVectors } from "./vectors.ts";

export { type Precision } from "./interpret-scalar.ts";
export { type Access, type FaultKind, KernelFault, RaceError } from "./interpret-faults.ts";

/** The elements of a buffer: floats in either precision, `i32` as `Int32Array`, `u32` as `Uint32Array`, `bool` as bytes 0 and 1. */
export type BufferData = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array;

export interface KernelOptions {
  /** `f32`, the default, rounds every operation on floats to single precision as a device does. */
  readonly precision?: Precision;
  /** Look for races and for workgroup memory that is read before it is written: true unless given. Indices are tested always. */
  readonly races?: boolean;
}

export interface RunOptions extends KernelOptions {
  /** Uniform numbers in [0, 1) that choose the order; without, workgroups and invocations run in ascending order. */
  readonly random?: () => number;
}

/** A kernel made ready: runs on the data of its buffers, in their order, and stores into them. */
export type CompiledKernel = (buffers: readonly BufferData[], random?: () => number) => void;

/** Runs a kernel once on the data of its buffers, in their order, and stores into them. Throws `RaceError`, `KernelFault`. */
export function runKernel(kernel: Kernel, buffers: readonly BufferData[], options: RunOptions = {}): void {
  compileKernel(kernel, options)(buffers, options.random);
}

/** Makes a kernel ready to be run many times. */
export function compileKernel(given: Kernel, options: KernelOptions = {}): CompiledKernel {
  const kernel = withoutVectors(given);
  const { precision = "f32", races = true } = options;
  const { source, hasBarriers, sites } = kernelSource(kernel, precision, races);
  const link = new Function(
    "f",
    "fround",
    "privateArray",
    "arrays",
    "monitors",
    "lanes",
    "fail",
    source,
  ) as Link;
  const fail: Fail = (site, index, invocation, workgroup) => {
    throw faultAt(kernel, sites[site]!, index, invocation, workgroup);
  };
  const privateArray = (type: KernelType, length: number): BufferData => elementsOf(type, precision, length);

  return (buffers, random) => {
    checkArguments(kernel, buffers);
    const clock = clockOf(kernel.name);
    const lanes: number[] = [];
    const memory = kernel.workgroupArrays.map(({ type, length }) => elementsOf(type, precision, length));
    const monitors = races ? monitorsOf(kernel, clock) : [];
    const run = link(
      runtimeFunctions,
      Math.fround,
      privateArray,
      [...buffers, ...memory],
      monitors,
      lanes,
      fail,
    );
    for (const workgroup of ordered(kernel.workgroups, random)) {
      beginInterval(clock, workgroup, true);
      if (hasBarriers) runTogether(kernel, run as WithBarriers, workgroup, clock, random);
      else for (const invocation of ordered(kernel.invocations, random)) run(invocation, workgroup);
      settle(clock);
    }
  };
}

type Fail = (site: number, index: number, invocation: number, workgroup: number) => never;
type WithBarriers = (invocation: number, workgroup: number) => Generator<number, void>;
type Invocation = WithBarriers | ((invocation: number, workgroup: number) => void);
type Link = (
  f: typeof runtimeFunctions,
  fround: (x: number) => number,
  privateArray: (type: KernelType, length: number) => BufferData,
  arrays: readonly BufferData[],
  monitors: readonly (Monitor | null)[],
  lanes: number[],
  fail: Fail,
) => Invocation;

/** Runs the invocations of a workgroup from barrier to barrier. */
function runTogether(
  kernel: Kernel,
  run: WithBarriers,
  workgroup: number,
  clock: Clock,
  random: (() => number) | undefined,
): void {
  const invocations = Array.from({ length: kernel.invocations }, (_, i) => run(i, workgroup));
  for (;;) {
    const order = ordered(kernel.invocations, random);
    const reached = order.map((i) => invocations[i]!.next().value ?? null);
    const other = reached.findIndex((barrier) => barrier !== reached[0]);
    if (other >= 0) {
      const told = [0, other].map((n) => `invocation ${order[n]} ${placeText(reached[n]!)}`).join(", ");
      throw new KernelFault(
        kernel.name,
        "barrier",
        `not all invocations of workgroup ${workgroup} come to the same barrier: ${told}`,
      );
    }
    if (reached.length === 0 || reached[0] === null) return;
    // A broadcast, which has a number below 0, orders no memory.
    if (reached[0]! > 0) beginInterval(clock, workgroup, false);
  }
}

function placeText(barrier: number | null): string {
  return barrier === null ? "has ended" : `waits at barrier ${barrier}`;
}

/** 0 … count-1, shuffled when there is something to choose by (Fisher and Yates). */
function ordered(count: number, random: (() => number) | undefined): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  if (random === undefined) return order;
  for (let last = count - 1; last > 0; last--) {
    const at = Math.floor(random() * (last + 1));
    const kept = order[last]!;
    order[last] = order[at]!;
    order[at] = kept;
  }
  return order;
}

/** The monitors of the arrays that may be stored to: device buffers, then workgroup arrays. */
function monitorsOf(kernel: Kernel, clock: Clock): (Monitor | null)[] {
  return [
    ...kernel.buffers.map((buffer) =>
      buffer.access === "read" ? null : monitorOf("device", buffer.name, buffer.length, clock),
    ),
    ...kernel.workgroupArrays.map((array) => monitorOf("workgroup", array.name, array.length, clock)),
  ];
}

const arrayNames: Readonly<Record<KernelType, readonly string[]>> = {
  f32: ["Float64Array", "Float32Array"],
  i32: ["Int32Array"],
  u32: ["Uint32Array"],
  bool: ["Uint8Array"],
};

function checkArguments(kernel: Kernel, buffers: readonly BufferData[]): void {
  const fault = (problem: string): never => {
    throw new KernelFault(kernel.name, "argument", problem);
  };
  if (buffers.length !== kernel.buffers.length)
    fault(`it has ${kernel.buffers.length} buffers, and is run on ${buffers.length}`);
  for (const [i, { name, type, length }] of kernel.buffers.entries()) {
    const data = buffers[i]!;
    const wanted = arrayNames[type];
    const found = data.constructor.name;
    if (!wanted.includes(found))
      fault(`the buffer ${name} holds ${type}, which is a ${wanted.join(" or a ")}, not a ${found}`);
    if (data.length !== length)
      fault(`the buffer ${name} has ${length} elements, and is run on ${data.length}`);
    const earlier = buffers.indexOf(data);
    if (earlier < i) fault(`the buffers ${kernel.buffers[earlier]!.name} and ${name} are one array`);
  }
}

function faultAt(
  kernel: Kernel,
  { fault, action, space, array, length }: AccessSite,
  index: number,
  invocation: number,
  workgroup: number,
): KernelFault {
  const verb = action === "read" ? "reads" : "stores to";
  const reason = {
    "out of range": `the array has ${length} elements`,
    "write only": "the buffer is declared for writing only",
    "read only": "the buffer is declared for reading only",
  }[fault];
  return new KernelFault(
    kernel.name,
    fault,
    `invocation ${invocation} of workgroup ${workgroup} ${verb} ${space} ${array}[${index}], but ${reason}`,
  );
}
