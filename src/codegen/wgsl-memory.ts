/**
 * Arrays in WGSL: their declarations, loads and stores, wherever they live and however they are bound.
 *
 *     own binding      x[k]                                x: array<f32>
 *     packed           bitcast<f32>(page_1[y_offset + k])  page_1: array<u32>, y_offset from the uniform
 *     boolean          mask[k] != 0u                       mask: array<u32> in device memory, array<bool> elsewhere
 */
import { bare, call, infix } from "../ir/wgsl-text.ts";
import type { BindingType, BoundKernel, BufferBinding } from "./bindings.ts";
import type { KernelType, Space } from "./kernel.ts";
import type { Names } from "./wgsl-names.ts";

/** An array's place, and the conversions between its words and the kernel's values. */
export interface Memory {
  /** Module-scope declarations. */
  readonly declarations: readonly string[];
  /** Statements at the head of `main` that read the offsets of packed buffers. */
  readonly offsets: readonly string[];
  /** The value of an element by the text of its index, as a primary expression. */
  readonly load: (space: Space, array: string, type: KernelType, index: string) => string;
  /** The statement that sets an element. */
  readonly store: (space: Space, array: string, index: string, value: string) => string;
}

/** A buffer in its binding. */
interface Buffer {
  readonly name: string;
  readonly words: BindingType;
  readonly type: KernelType;
  /** The name of its offset, when it is packed. */
  readonly offset: string | null;
}

/** The arrays of a kernel. */
export function memoryOf(bound: BoundKernel, names: Names): Memory {
  const declarations: string[] = [];
  const offsets: string[] = [];
  const buffers = new Map<string, Buffer>();
  for (const [number, binding] of bound.bindings.entries()) {
    const name = isOwn(binding) ? names.of("array", binding.name) : names.fresh(binding.name);
    declarations.push(
      `@group(0) @binding(${number}) var<storage, ${binding.access}> ${name}: array<${binding.type}>;`,
    );
    for (const { buffer, slot } of binding.members) {
      const { name: own, type } = bound.kernel.buffers[buffer] ?? { name: "", type: binding.type };
      const offset = slot === null ? null : names.fresh(`${own}_offset`);
      if (slot !== null && offset !== null)
        offsets.push(`let ${offset} = i32(offsets[${Math.floor(slot / 4)}].${"xyzw"[slot % 4]});`);
      buffers.set(own, { name, words: binding.type, type, offset });
    }
  }
  if (bound.offsetSlots > 0)
    declarations.push(
      `@group(0) @binding(${bound.bindings.length}) ` +
        `var<uniform> offsets: array<vec4<u32>, ${Math.ceil(bound.offsetSlots / 4)}>;`,
    );
  for (const { name, type, length } of bound.kernel.workgroupArrays)
    declarations.push(`var<workgroup> ${names.of("array", name)}: array<${type}, ${length}>;`);
  return {
    declarations,
    offsets,
    load: (space, array, type, index) => {
      const buffer = space === "device" ? buffers.get(array) : undefined;
      if (buffer === undefined) return `${names.of("array", array)}[${bare(index)}]`;
      return fromWord(elementOf(buffer, index), buffer.words, type);
    },
    store: (space, array, index, value) => {
      const buffer = space === "device" ? buffers.get(array) : undefined;
      if (buffer === undefined) return `${names.of("array", array)}[${bare(index)}] = ${bare(value)};`;
      return `${elementOf(buffer, index)} = ${bare(toWord(value, buffer.type, buffer.words))};`;
    },
  };
}

/** Does the binding hold one buffer, under that buffer's name? */
function isOwn(binding: BufferBinding): boolean {
  return binding.members.every(({ slot }) => slot === null);
}

function elementOf({ name, offset }: Buffer, index: string): string {
  return `${name}[${bare(offset === null ? index : infix(offset, "+", index))}]`;
}

function fromWord(word: string, words: BindingType, type: KernelType): string {
  if (type === "bool") return infix(word, "!=", "0u");
  return type === words ? word : call(`bitcast<${type}>`, word);
}

function toWord(value: string, type: KernelType, words: BindingType): string {
  if (type === "bool") return call("u32", value);
  return type === words ? value : call(`bitcast<${words}>`, value);
}
