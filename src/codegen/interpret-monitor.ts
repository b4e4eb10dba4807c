/**
 * Watches the accesses of one array while a kernel is interpreted, and reports those that conflict.
 *
 * Time is counted in intervals: a number for every stretch between two barriers of every workgroup, from 1, one workgroup after
 * another. For each element the last store and the readers of the last interval with a read are remembered; of device memory
 * also the first reader of all, since an access by an earlier workgroup conflicts whatever the interval.
 */
import { type Access, KernelFault, RaceError } from "./interpret-faults.ts";

/** What the interpreter is doing. It changes as a kernel runs; the monitors of a run share it. */
export interface Clock {
  readonly kernel: string;
  /** The number of the current interval. */
  interval: number;
  /** The first interval of the current workgroup. */
  start: number;
  /** The workgroup of each interval. */
  readonly workgroups: number[];
  /** A read of memory never written, unless a store of this interval turns out to race with it. */
  pending: KernelFault | null;
}

/** Told of each access before it happens, with the number of the invocation. Its functions throw `RaceError`. */
export interface Monitor {
  readonly read: (element: number, invocation: number) => void;
  readonly store: (element: number, invocation: number) => void;
}

/** A clock at the beginning of a run. */
export function clockOf(kernel: string): Clock {
  return { kernel, interval: 0, start: 1, workgroups: [-1], pending: null };
}

/** A new interval begins, of the same workgroup as the last or of another. Throws what the last one left pending. */
export function beginInterval(clock: Clock, workgroup: number, isFirst: boolean): void {
  settle(clock);
  clock.interval++;
  clock.workgroups.push(workgroup);
  if (isFirst) clock.start = clock.interval;
}

/** Throws what is still pending. */
export function settle(clock: Clock): void {
  if (clock.pending !== null) throw clock.pending;
}

/** The monitor of an array of `length` elements. */
export function monitorOf(
  space: "device" | "workgroup",
  array: string,
  length: number,
  clock: Clock,
): Monitor {
  const stored = new Int32Array(length);
  const storer = new Int32Array(length);
  const read = new Int32Array(length);
  const reader = new Int32Array(length);
  /** A second, other reader of that interval; -1 for none. */
  const otherReader = new Int32Array(length);
  const isDevice = space === "device";
  const firstRead = new Int32Array(isDevice ? length : 0);
  const firstReader = new Int32Array(isDevice ? length : 0);

  const access = (action: Access["action"], interval: number, invocation: number): Access => ({
    action,
    workgroup: clock.workgroups[interval]!,
    invocation,
  });
  const race = (element: number, first: Access, second: Access): never => {
    throw new RaceError(clock.kernel, space, array, element, first, second);
  };

  /** An access after the last store. */
  const afterStore = (element: number, action: Access["action"], invocation: number): void => {
    const at = stored[element]!;
    const conflicts = at === clock.interval ? storer[element] !== invocation : isDevice && at < clock.start;
    if (at > 0 && conflicts)
      race(element, access("store", at, storer[element]!), access(action, clock.interval, invocation));
  };

  return {
    read: (element, invocation) => {
      afterStore(element, "read", invocation);
      const now = clock.interval;
      if (read[element] !== now) {
        read[element] = now;
        reader[element] = invocation;
        otherReader[element] = -1;
      } else if (reader[element] !== invocation) {
        otherReader[element] = invocation;
      }
      if (isDevice) {
        if (firstRead[element] === 0) {
          firstRead[element] = now;
          firstReader[element] = invocation;
        }
      } else if (stored[element]! < clock.start) {
        clock.pending ??= neverWritten(clock, array, element, invocation);
      }
    },
    store: (element, invocation) => {
      afterStore(element, "store", invocation);
      const now = clock.interval;
      const own = access("store", now, invocation);
      if (isDevice && firstRead[element]! > 0 && firstRead[element]! < clock.start)
        race(element, access("read", firstRead[element]!, firstReader[element]!), own);
      if (read[element] === now) {
        const other = reader[element] === invocation ? otherReader[element]! : reader[element]!;
        if (other >= 0) race(element, access("read", now, other), own);
      }
      stored[element] = now;
      storer[element] = invocation;
    },
  };
}

function neverWritten(clock: Clock, array: string, element: number, invocation: number): KernelFault {
  const who = `invocation ${invocation} of workgroup ${clock.workgroups[clock.interval]}`;
  return new KernelFault(
    clock.kernel,
    "never written",
    `${who} reads workgroup ${array}[${element}], which its workgroup has not stored to before; workgroup memory is not zero at first`,
  );
}
