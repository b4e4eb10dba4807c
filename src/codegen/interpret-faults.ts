/**
 * What the interpreter finds wrong while a kernel runs: a race, or an access that the kernel must not make.
 *
 *     kernel row_sum: a race on workgroup partial[3]: invocation 5 of workgroup 0 reads it and invocation 3 stores to it, …
 */
import type { Space } from "./kernel.ts";

/** One invocation's access of an element. */
export interface Access {
  readonly action: "read" | "store";
  readonly workgroup: number;
  readonly invocation: number;
}

/** Two accesses of one element, not both reads, in no order: what the kernel gives depends on luck. */
export class RaceError extends Error {
  override readonly name = "RaceError";

  constructor(
    readonly kernel: string,
    readonly space: Space,
    readonly array: string,
    readonly element: number,
    /** The access that came first in this run. */
    readonly first: Access,
    readonly second: Access,
  ) {
    super(raceMessage(kernel, `${space} ${array}[${element}]`, first, second));
  }
}

/** What is wrong, as a word to test for. */
export type FaultKind =
  /** An index is outside its array. */
  | "out of range"
  /** Workgroup memory is read where its workgroup has stored nothing. */
  | "never written"
  /** A buffer of access `write` is read. */
  | "write only"
  /** A buffer of access `read` is stored to. */
  | "read only"
  /** Not all invocations of a workgroup come to the same barrier. */
  | "barrier"
  /** What the kernel is run on is not what it is declared for. */
  | "argument";

/** A kernel does what it must not, or is run on what it is not for. */
export class KernelFault extends Error {
  override readonly name = "KernelFault";

  constructor(
    readonly kernel: string,
    readonly kind: FaultKind,
    problem: string,
  ) {
    super(`kernel ${kernel}: ${problem}`);
  }
}

function raceMessage(kernel: string, element: string, first: Access, second: Access): string {
  const between =
    first.workgroup === second.workgroup
      ? "with no barrier between them; put one there, or let one invocation own the element"
      : "and workgroups run in any order; let one workgroup own the element, or make two kernels of this one";
  return `kernel ${kernel}: a race on ${element}: ${accessText(first)} and ${accessText(second)}, ${between}`;
}

function accessText({ action, workgroup, invocation }: Access): string {
  const verb = action === "read" ? "reads it" : "stores to it";
  return `invocation ${invocation} of workgroup ${workgroup} ${verb}`;
}
