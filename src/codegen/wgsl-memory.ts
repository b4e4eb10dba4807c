/**
 * Arrays in WGSL: their declarations, loads and stores, wherever they live and however they are bound.
 *
 *     own binding      x[k]                                x: array<f32>
 *     packed           bitcast<f32>(page_1[y_offset + k])  page_1: array<u32>, y_offset from the uniform, a multiple of 4
 *     four at once     x[k >> 2u].x, .y, .z, .w            x: array<vec4<f32>>
 *     boolean          mask[k] != 0u                       mask: array<u32> in device memory, array<bool> elsewhere
 */
import { bare, call, infix } from "../ir/wgsl-text.ts";
import type { BindingType, BoundKernel, BufferBinding } from "./bindings.ts";
import type { KernelType, SharedSpace, Space, Statement } from "./kernel.ts";
import { blocksOf } from "./traverse.ts";
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
  /** The statements that name four elements from an index on, so many vectors further. */
  readonly loadFour: (
    at: { readonly space: SharedSpace; readonly array: string; readonly type: KernelType },
    index: string,
    further: number,
    names: readonly string[],
    temporary: () => string,
  ) => readonly string[];
  /** The statements that set four elements from an index on. */
  readonly storeFour: (
    at: { readonly space: SharedSpace; readonly array: string },
    index: string,
    values: readonly string[],
  ) => readonly string[];
}

/** A buffer in its binding, or an array of vectors in workgroup memory. */
interface Buffer {
  readonly name: string;
  readonly words: BindingType;
  readonly type: KernelType;
  /** The name of its offset, when it is packed. */
  readonly offset: string | null;
  /** Are its elements vectors of four? */
  readonly isFour: boolean;
}

/** The arrays of a kernel. */
export function memoryOf(bound: BoundKernel, names: Names): Memory {
  const declarations: string[] = [];
  const offsets: string[] = [];
  const buffers = new Map<string, Buffer>();
  const fours = arraysWith(bound.kernel.body, ({ kind }) => kind === "loads" || kind === "stores");
  const stored = arraysWith(bound.kernel.body, ({ kind }) => kind === "store");
  for (const [number, binding] of bound.bindings.entries()) {
    const name = isOwn(binding) ? names.of("array", binding.name) : names.fresh(binding.name);
    const members = binding.members.map(({ buffer }) => key("device", bound.kernel.buffers[buffer]!.name));
    // Buffers begin at multiples of four words in their page.
    const isTorn = bound.kernel.storesElements !== true && members.some((member) => stored.has(member));
    const isFour = !isTorn && members.some((member) => fours.has(member));
    const element = isFour ? `vec4<${binding.type}>` : binding.type;
    declarations.push(
      `@group(0) @binding(${number}) var<storage, ${binding.access}> ${name}: array<${element}>;`,
    );
    for (const { buffer, slot } of binding.members) {
      const { name: own, type } = bound.kernel.buffers[buffer] ?? { name: "", type: binding.type };
      const offset = slot === null ? null : names.fresh(`${own}_offset`);
      if (slot !== null && offset !== null)
        offsets.push(`let ${offset} = i32(offsets[${Math.floor(slot / 4)}].${"xyzw"[slot % 4]});`);
      buffers.set(key("device", own), { name, words: binding.type, type, offset, isFour });
    }
  }
  if (bound.offsetSlots > 0)
    declarations.push(
      `@group(0) @binding(${bound.bindings.length}) ` +
        `var<uniform> offsets: array<vec4<u32>, ${Math.ceil(bound.offsetSlots / 4)}>;`,
    );
  for (const { name: own, type, length } of bound.kernel.workgroupArrays) {
    const name = names.of("array", own);
    const isFour = type !== "bool" && fours.has(key("workgroup", own));
    const element = isFour ? `vec4<${type}>` : type;
    declarations.push(`var<workgroup> ${name}: array<${element}, ${isFour ? length / 4 : length}>;`);
    if (isFour) buffers.set(key("workgroup", own), { name, words: type, type, offset: null, isFour });
  }
  return {
    declarations,
    offsets,
    load: (space, array, type, index) => {
      const buffer = buffers.get(key(space, array));
      if (buffer === undefined) return `${names.of("array", array)}[${bare(index)}]`;
      return fromWord(elementOf(buffer, index), buffer.words, type);
    },
    store: (space, array, index, value) => {
      const buffer = buffers.get(key(space, array));
      if (buffer === undefined) return `${names.of("array", array)}[${bare(index)}] = ${bare(value)};`;
      return `${elementOf(buffer, index)} = ${bare(toWord(value, buffer.type, buffer.words))};`;
    },
    loadFour: ({ space, array, type }, index, further, own, temporary) => {
      const buffer = buffers.get(key(space, array));
      if (buffer === undefined) throw new Error(`there is no ${space} array ${array}`);
      const element = buffer.isFour ? temporary() : null;
      const values = own.map((name, n) => {
        const word =
          element === null
            ? elementOf(buffer, infix(index, "+", String(4 * further + n)))
            : `${element}.${"xyzw"[n]}`;
        return `let ${name} = ${bare(fromWord(word, buffer.words, type))};`;
      });
      return element === null ? values : [`let ${element} = ${vectorOf(buffer, index, further)};`, ...values];
    },
    storeFour: ({ space, array }, index, values) => {
      const buffer = buffers.get(key(space, array));
      if (buffer === undefined) throw new Error(`there is no ${space} array ${array}`);
      const words = values.map((value) => bare(toWord(value, buffer.type, buffer.words)));
      if (!buffer.isFour)
        return words.map((word, n) => `${elementOf(buffer, infix(index, "+", String(n)))} = ${word};`);
      return [`${vectorOf(buffer, index)} = ${call(`vec4<${buffer.words}>`, ...words)};`];
    },
  };
}

/** Does the binding hold one buffer, under that buffer's name? */
function isOwn(binding: BufferBinding): boolean {
  return binding.members.every(({ slot }) => slot === null);
}

function elementOf(buffer: Buffer, index: string): string {
  const { name, offset, isFour } = buffer;
  if (isFour) return `${vectorOf(buffer, index)}[${bare(infix(index, "&", "3"))}]`;
  return `${name}[${bare(offset === null ? index : infix(offset, "+", index))}]`;
}

/** The vector in which an element lies; so many further on where `further` is given. */
function vectorOf({ name, offset }: Buffer, index: string, further = 0): string {
  const first = four(offset === null ? index : infix(offset, "+", index));
  return `${name}[${further === 0 ? first : bare(infix(`(${first})`, "+", further < 0 ? `(${further})` : String(further)))}]`;
}

/** The number of the vector in which an element lies. */
function four(index: string): string {
  return bare(infix(index, ">>", "2u"));
}

function key(space: Space, array: string): string {
  return `${space} ${array}`;
}

/** The keys of arrays that such statements load from or store to. */
function arraysWith(
  list: readonly Statement[],
  isIt: (statement: Statement) => boolean,
): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (statement: Statement): void => {
    if (isIt(statement) && "space" in statement) found.add(key(statement.space, statement.array));
    for (const block of blocksOf(statement)) block.forEach(visit);
  };
  list.forEach(visit);
  return found;
}

function fromWord(word: string, words: BindingType, type: KernelType): string {
  if (type === "bool") return infix(word, "!=", "0u");
  return type === words ? word : call(`bitcast<${type}>`, word);
}

function toWord(value: string, type: KernelType, words: BindingType): string {
  if (type === "bool") return call("u32", value);
  return type === words ? value : call(`bitcast<${words}>`, value);
}
