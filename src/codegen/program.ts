/**
 * A compiled program: kernels over device values, in the order in which they run. It is what `codegen` gives and `runtime` records.
 *
 *     values   x: f32[8, 64] input · w: f32[64] input · h: f32[8, 64] intermediate · y: f32[8] output
 *     steps    dispatch k0(x, w, h) · dispatch k1(h, y)
 */
import type { ElementType, ValueName } from "../ir/ir.ts";
import type { AxisOrder } from "../fusion/plan.ts";
import type { Kernel } from "./kernel.ts";

/** A tensor of the program in device memory, 4 bytes an element. */
export interface ProgramValue {
  readonly name: ValueName;
  readonly element: ElementType;
  readonly shape: readonly number[];
  /** The order in which its axes lie in memory, where that is not row-major, as it always is for all but intermediates. */
  readonly order?: AxisOrder;
  /**
   * `input`: given by the caller at each call. `constant`: `data` is uploaded once. `output`: the caller gets it.
   * `intermediate`: lives between the steps that write and read it; its memory is shared with others.
   */
  readonly role: "input" | "constant" | "output" | "intermediate";
  /** Of a constant, its elements. */
  readonly data: Int32Array | Float32Array | Uint32Array | null;
}

export type ProgramStep =
  /** Runs kernel number `kernel`; `values[i]` is what its buffer `i` stands for. No value stands for two buffers. */
  | { readonly kind: "dispatch"; readonly kernel: number; readonly values: readonly ValueName[] }
  /** Copies `length` elements of a value into another, from element `fromOffset` to element `toOffset`. */
  | {
      readonly kind: "copy";
      readonly from: ValueName;
      readonly to: ValueName;
      readonly length: number;
      readonly fromOffset: Offset;
      readonly toOffset: Offset;
    }
  /** Runs `steps` for turn 0, 1, …, `count` - 1. */
  | {
      readonly kind: "loop";
      readonly turn: string;
      readonly count: number;
      readonly steps: readonly ProgramStep[];
    };

/** A number of elements: `constant`, and with `turn` set, `perTurn` more for each turn of the loop of that name. */
export interface Offset {
  readonly constant: number;
  readonly turn: string | null;
  readonly perTurn: number;
}

export interface Program {
  readonly name: string;
  /** Equal kernels appear once. */
  readonly kernels: readonly Kernel[];
  readonly values: readonly ProgramValue[];
  readonly steps: readonly ProgramStep[];
  /** The values of the parameters, in order. */
  readonly inputs: readonly ValueName[];
  /** The values of the results, in order. One may be an input (see `updated`), or occur twice. */
  readonly outputs: readonly ValueName[];
  /** The inputs that the steps overwrite: parameters and optimiser state, updated in place. Each is an output as well. */
  readonly updated: readonly ValueName[];
}
