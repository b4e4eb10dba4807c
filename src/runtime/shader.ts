/**
 * A kernel as one dispatch runs it: its text and what each of its bindings holds.
 *
 *     add(read x, read y, write z)  →  @binding(0) x, @binding(1) y, @binding(2) z, and `fn main`
 *
 * Which buffers share a binding, and whether it is writable, depends on the pages in which the memory plan
 * placed them.
 */
import { bindKernel } from "../codegen/bindings.ts";
import type { Kernel } from "../codegen/kernel.ts";
import { dispatchShape, printWgsl } from "../codegen/wgsl.ts";

/** What a printer must know of the memory under a kernel's buffers. */
export interface PageView {
  /** The most bindings of storage. */
  readonly limit: number;
  /** The page of the kernel's buffer of that number. */
  readonly pageOf: (buffer: number) => number;
  /** Must a binding of that page be declared writable? */
  readonly isWritable: (page: number) => boolean;
}

/**
 * A binding of storage. With one member whose `slot` is null it is that buffer's place alone; otherwise it is
 * the whole page, and each member's offset in words is in that slot of the offsets.
 */
export interface ShaderBinding {
  readonly access: "read" | "read_write";
  readonly members: readonly { readonly buffer: number; readonly slot: number | null }[];
}

/** A kernel's text and its bindings. */
export interface Shader {
  /** WGSL with one entry point. */
  readonly code: string;
  /** In the order of their binding numbers, from 0, in group 0. */
  readonly bindings: readonly ShaderBinding[];
  /**
   * Words of the offsets, an `array<vec4<u32>, …>` in a uniform binding after the others; 0 when there is
   * none.
   */
  readonly offsetSlots: number;
  /** Workgroups in each direction. */
  readonly dispatch: readonly [number, number, number];
}

/** Makes a kernel's shader. */
export type ShaderPrinter = (kernel: Kernel, pages: PageView) => Shader;

/**
 * Fecit's own printer. Its texts have no header, so that kernels that are equal but for their names in the
 * program are one.
 */
export const printShader: ShaderPrinter = (kernel, { limit, pageOf, isWritable }) => {
  const bound = bindKernel(kernel, limit, pageOf, isWritable);
  return {
    code: printWgsl(bound, { header: false }),
    bindings: bound.bindings,
    offsetSlots: bound.offsetSlots,
    dispatch: dispatchShape(kernel.workgroups),
  };
};
