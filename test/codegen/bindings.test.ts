/** Which bindings a kernel's buffers become. */
import { describe, expect, it } from "vitest";
import { type BoundKernel, BindingError, bindKernel } from "../../src/codegen/bindings.ts";
import type { Kernel, KernelBuffer } from "../../src/codegen/kernel.ts";
import { kernelOf } from "./row-sum.ts";

/** A kernel of buffers written as "name type access", and nothing else. */
function kernelWith(...buffers: readonly string[]): Kernel {
  return kernelOf({
    body: [],
    buffers: buffers.map((text) => {
      const [name = "", type = "f32", access = "read"] = text.split(" ");
      return { name, type, access, length: 4 } as KernelBuffer;
    }),
  });
}

/** Each binding in a line. */
function shown({ bindings, offsetSlots }: BoundKernel): string[] {
  const lines = bindings.map(({ name, type, access, members }) => {
    const list = members.map(({ buffer, slot }) => (slot === null ? `${buffer}` : `${buffer}@${slot}`));
    return `${name} ${type} ${access}: ${list.join(" ")}`;
  });
  return [...lines, `${offsetSlots} offsets`];
}

const none = (): boolean => false;
const all = (): boolean => true;

describe("buffers that fit", () => {
  it("are bound one by one, booleans as words", () => {
    const kernel = kernelWith("x f32 read", "m bool read", "y i32 write");
    const bound = bindKernel(
      kernel,
      3,
      (buffer) => buffer,
      (page) => page === 2,
    );
    expect(shown(bound)).toEqual(["x f32 read: 0", "m u32 read: 1", "y i32 read_write: 2", "0 offsets"]);
    expect(bound.kernel).toBe(kernel);
  });

  it("are writable where their page is, though the kernel only reads them", () => {
    const kernel = kernelWith("x f32 read", "y f32 write");
    expect(shown(bindKernel(kernel, 8, () => 0, all))).toEqual([
      "x f32 read_write: 0",
      "y f32 read_write: 1",
      "0 offsets",
    ]);
  });
});

describe("more buffers than bindings", () => {
  const kernel = kernelWith("a f32", "b f32", "c f32 write", "d u32 write", "e f32 write", "w f32");
  const pageOf = (buffer: number): number => [0, 0, 1, 1, 1, 2][buffer]!;
  const isWritable = (page: number): boolean => page === 1;

  it("share the fullest page, and no more than needed", () => {
    expect(shown(bindKernel(kernel, 4, pageOf, isWritable))).toEqual([
      "a f32 read: 0",
      "b f32 read: 1",
      "page_2 u32 read_write: 2@0 3@1 4@2",
      "w f32 read: 5",
      "3 offsets",
    ]);
  });

  it("share further pages when that is not enough; a page of one type keeps it", () => {
    expect(shown(bindKernel(kernel, 3, pageOf, isWritable))).toEqual([
      "page_0 f32 read: 0@0 1@1",
      "page_1 u32 read_write: 2@2 3@3 4@4",
      "w f32 read: 5",
      "5 offsets",
    ]);
  });

  it("in more pages than bindings are an error that says what to do", () => {
    expect(() => bindKernel(kernel, 2, pageOf, isWritable)).toThrow(BindingError);
    expect(() => bindKernel(kernel, 2, pageOf, isWritable)).toThrowErrorMatchingInlineSnapshot(
      `[BindingError: kernel k: its 6 buffers lie in 3 pages of memory, and the device binds at most 2 in a kernel. Fuse less, or let the memory plan use fewer and larger pages.]`,
    );
  });
});

it("a buffer that is written in a page said to be only read is an error", () => {
  expect(() => bindKernel(kernelWith("y f32 write"), 8, () => 0, none)).toThrowErrorMatchingInlineSnapshot(
    `[BindingError: kernel k: it writes buffer 'y', which lies in page 0, and that is said to be only read. Make the page writable.]`,
  );
});
