/**
 * Which storage bindings a kernel's buffers become. A device promises eight a shader, and a fused kernel may touch more:
 * then the buffers that lie in one page of memory share one binding of the whole page, each from an offset of its own.
 *
 *     x, y, z, limit 2, pages 0 1 1      // binding 0: x · binding 1: page_1 with y from offsets[0], z from offsets[1]
 *
 * The offsets, multiples of four words, are in a uniform, `array<vec4<u32>, n>`, so that kernels that differ in them alone have one text.
 */
import type { Kernel, KernelType } from "./kernel.ts";

/** The types of a storage binding's elements; a boolean is the word 0 or 1. */
export type BindingType = Exclude<KernelType, "bool">;

/** One storage binding; its number is its place in the list. */
export interface BufferBinding {
  readonly name: string;
  readonly kind: "storage";
  readonly type: BindingType;
  /** `read` when nothing in its page is written by the dispatch: WebGPU allows one use of a GPUBuffer in a dispatch, not both. */
  readonly access: "read" | "read_write";
  /**
   * The kernel's buffers in it, by number. With `slot` null the binding starts at the buffer; else it starts at the page, and the
   * buffer's offset in words from there is in `offsets[slot / 4][slot % 4]`.
   */
  readonly members: readonly { readonly buffer: number; readonly slot: number | null }[];
}

/** A kernel and its bindings, all in group 0. With `offsetSlots` > 0 the uniform of offsets is the binding after the last of them. */
export interface BoundKernel {
  readonly kernel: Kernel;
  readonly bindings: readonly BufferBinding[];
  readonly offsetSlots: number;
}

/** A kernel's buffers don't fit the device's bindings, or a buffer that it writes lies in a page said to be read only. */
export class BindingError extends Error {
  override readonly name = "BindingError";
  constructor(
    readonly kernel: string,
    readonly problem: string,
  ) {
    super(`kernel ${kernel}: ${problem}`);
  }
}

/**
 * The bindings of a kernel's buffers: each its own while they fit the `limit` (`maxStorageBuffersPerShaderStage`), otherwise the
 * fullest pages are bound whole until the rest fits.
 *
 * @param pageOf the page of memory in which buffer `i` lies
 * @param isWritable must the page be bound for writing: is anything in it written by the dispatch, or by rule?
 * @throws BindingError when the buffers lie in more pages than the limit
 */
export function bindKernel(
  kernel: Kernel,
  limit: number,
  pageOf: (buffer: number) => number,
  isWritable: (page: number) => boolean,
): BoundKernel {
  const pages = membersByPage(kernel, pageOf);
  const merged = pagesToMerge(kernel, limit, pages);
  const bindings: BufferBinding[] = [];
  let offsetSlots = 0;
  for (const [buffer, { name, type, access }] of kernel.buffers.entries()) {
    const page = pageOf(buffer);
    const isWritten = isWritable(page);
    if (access !== "read" && !isWritten)
      throw new BindingError(
        kernel.name,
        `it writes buffer '${name}', which lies in page ${page}, and that is said to be only read. Make the page writable.`,
      );
    const shared = { kind: "storage", access: isWritten ? "read_write" : "read" } as const;
    const members = pages.get(page) ?? [];
    if (!merged.has(page))
      bindings.push({ ...shared, name, type: wordType(type), members: [{ buffer, slot: null }] });
    else if (members[0] === buffer) {
      const types = new Set(members.map((member) => wordType(kernel.buffers[member]?.type ?? "u32")));
      const [only = "u32", ...others] = types;
      bindings.push({
        ...shared,
        name: `page_${bindings.length}`,
        type: others.length === 0 ? only : "u32",
        members: members.map((member) => ({ buffer: member, slot: offsetSlots++ })),
      });
    }
  }
  return { kernel, bindings, offsetSlots };
}

/** The type of an element's word in a binding. */
function wordType(type: KernelType): BindingType {
  return type === "bool" ? "u32" : type;
}

/** The buffers of each page, in order. */
function membersByPage(
  kernel: Kernel,
  pageOf: (buffer: number) => number,
): ReadonlyMap<number, readonly number[]> {
  const pages = new Map<number, number[]>();
  for (const buffer of kernel.buffers.keys()) {
    const members = pages.get(pageOf(buffer));
    if (members === undefined) pages.set(pageOf(buffer), [buffer]);
    else members.push(buffer);
  }
  return pages;
}

/** The pages to be bound whole: the fullest first, until there are no more bindings than the limit. */
function pagesToMerge(
  kernel: Kernel,
  limit: number,
  pages: ReadonlyMap<number, readonly number[]>,
): ReadonlySet<number> {
  const merged = new Set<number>();
  let bindings = kernel.buffers.length;
  if (bindings > limit && pages.size > limit)
    throw new BindingError(
      kernel.name,
      `its ${bindings} buffers lie in ${pages.size} pages of memory, and the device binds at most ${limit} in a kernel. ` +
        "Fuse less, or let the memory plan use fewer and larger pages.",
    );
  const fullestFirst = [...pages].sort(([, a], [, b]) => b.length - a.length);
  for (const [page, members] of fullestFirst) {
    if (bindings <= limit) break;
    merged.add(page);
    bindings -= members.length - 1;
  }
  return merged;
}
