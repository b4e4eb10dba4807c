/**
 * The kernel IR: a loop program that one dispatch runs, in the words that every target has (WGSL, WebAssembly, an interpreter).
 *
 *     kernel row_sum<workgroups 4, invocations 64>(read x: f32[256], write y: f32[4]) {
 *       workgroup partial: f32[64]
 *       var total: f32 = 0.0
 *       for k = invocation .. 64 step 64 { total = total + device x[workgroup * 64 + k] }
 *       workgroup partial[invocation] = total
 *       barrier
 *       if invocation == 0 { … }
 *     }
 *
 * `workgroups` groups of `invocations` run the body, each invocation once; groups in any order and at once. The invocations of a
 * group meet at barriers. Everything is immutable data.
 */
import type { Origin, ValueName } from "../ir/ir.ts";
import type { ScalarFunctionName } from "../ir/scalar.ts";

/** The types of a kernel's scalars. `f16` tensors have been widened to `f32`; `idx` is `i32`. */
export type KernelType = "f32" | "i32" | "u32" | "bool";

/** A scalar function of the table in `ir/scalar.ts`, or one that only index arithmetic needs. */
export type KernelFunction =
  | Exclude<ScalarFunctionName, "stop_gradient">
  /** `a / b` and `a % b` of `i32` with a ≥ 0 and b > 0, where floor and truncation agree. */
  | "quotient"
  | "remainder";

/** Where an array lives: in a buffer of the device, in the workgroup's memory, or in the invocation's own. */
export type Space = "device" | "workgroup" | "private";

/** Where invocations share arrays. */
export type SharedSpace = Exclude<Space, "private">;

export type BuiltinName = "workgroup" | "invocation" | "zero";

/** Scalar expressions. As in the tensor IR, a shared subexpression is one object reached twice. */
export type KernelExpr =
  /** A literal; booleans are 0 and 1. It is finite, or one of ±Infinity. */
  | { readonly kind: "const"; readonly type: KernelType; readonly value: number }
  /** A `let`, a `var`, or the index of a `for` (an `i32`). */
  | { readonly kind: "local"; readonly name: string; readonly type: KernelType }
  /** The number of this workgroup, or of this invocation in it: an `i32` from 0. Or a 0 that the driver does not know for one. */
  | { readonly kind: "builtin"; readonly name: BuiltinName }
  /** An element of an array; `index` is an `i32` in range. A boolean array holds 0 and 1. */
  | {
      readonly kind: "load";
      readonly space: Space;
      readonly array: string;
      readonly index: KernelExpr;
      readonly type: KernelType;
    }
  | {
      readonly kind: "apply";
      readonly fn: KernelFunction;
      readonly type: KernelType;
      readonly args: readonly KernelExpr[];
    }
  /** Both sides may be evaluated: every load in them is in range whatever the condition. */
  | {
      readonly kind: "select";
      readonly condition: KernelExpr;
      readonly yes: KernelExpr;
      readonly no: KernelExpr;
    };

export type Statement =
  | { readonly kind: "let"; readonly name: string; readonly value: KernelExpr }
  | { readonly kind: "var"; readonly name: string; readonly type: KernelType; readonly init: KernelExpr }
  | { readonly kind: "assign"; readonly name: string; readonly value: KernelExpr }
  /** An array of this invocation alone, filled with zeros. */
  | { readonly kind: "array"; readonly name: string; readonly type: KernelType; readonly length: number }
  | {
      readonly kind: "store";
      readonly space: Space;
      readonly array: string;
      readonly index: KernelExpr;
      readonly value: KernelExpr;
    }
  /** Four elements of an array at once, from a multiple of 4 on: `names[n]` is element `index + n`. */
  | {
      readonly kind: "loads";
      readonly names: Quad<string>;
      readonly space: SharedSpace;
      readonly array: string;
      readonly index: KernelExpr;
      readonly type: KernelType;
    }
  /** Stores four elements of an array at once, from a multiple of 4 on. */
  | {
      readonly kind: "stores";
      readonly space: SharedSpace;
      readonly array: string;
      readonly index: KernelExpr;
      readonly values: Quad<KernelExpr>;
    }
  /**
   * A `let` of what `value` is in invocation number `lane` of the same subgroup. All invocations come to it together: it stands where
   * a barrier may stand, in a kernel with a `subgroup`.
   */
  | { readonly kind: "broadcast"; readonly name: string; readonly value: KernelExpr; readonly lane: number }
  /** The same of the invocation whose number differs from this one's in the bits of `mask`. */
  | { readonly kind: "exchange"; readonly name: string; readonly value: KernelExpr; readonly mask: number }
  /** `index` is `from`, `from + step`, … below `to`; `step` is positive. Its bounds are evaluated once. */
  | {
      readonly kind: "for";
      readonly index: string;
      readonly from: KernelExpr;
      readonly to: KernelExpr;
      readonly step: number;
      readonly body: readonly Statement[];
    }
  | {
      readonly kind: "if";
      readonly condition: KernelExpr;
      readonly then: readonly Statement[];
      readonly else: readonly Statement[];
    }
  /**
   * What the workgroup's invocations did before, in workgroup memory and in device memory, is seen by all of them after. It
   * stands at the top level, or in loops at the top level whose bounds are constants or depend on `workgroup` alone.
   */
  | { readonly kind: "barrier" };

/** Four of something. */
export type Quad<T> = readonly [T, T, T, T];

/** A tensor in device memory. `length` counts elements; each takes 4 bytes. */
export interface KernelBuffer {
  readonly name: string;
  readonly type: KernelType;
  readonly length: number;
  readonly access: "read" | "write" | "read_write";
}

/** An array in workgroup memory, 4 bytes an element. What it holds at first is not known. */
export interface WorkgroupArray {
  readonly name: string;
  readonly type: KernelType;
  readonly length: number;
}

export interface Kernel {
  readonly name: string;
  /** The nodes of the tensor IR that it computes, in order. */
  readonly nodes: readonly ValueName[];
  /** The places of the source that it computes. */
  readonly origins: readonly Origin[];
  readonly workgroups: number;
  /** Invocations of a workgroup. */
  readonly invocations: number;
  /**
   * Set where invocations broadcast or exchange values: the workgroup is one subgroup, of exactly this many invocations, and runs only on adapters
   * whose subgroups all have that size.
   */
  readonly subgroup?: number;
  /** Loops stay loops: drivers that run on a CPU would write out short ones, and then take minutes over the text. */
  readonly keepsLoops?: boolean;
  /**
   * The driver stores an element of an array of vectors alone. WGSL lets a device write the whole vector, of which another invocation may be
   * storing the rest.
   */
  readonly storesElements?: boolean;
  readonly buffers: readonly KernelBuffer[];
  readonly workgroupArrays: readonly WorkgroupArray[];
  readonly body: readonly Statement[];
}

/** The bytes of workgroup memory that a kernel needs. */
export function workgroupBytes(kernel: Kernel): number {
  return kernel.workgroupArrays.reduce((total, { length }) => total + 4 * length, 0);
}
