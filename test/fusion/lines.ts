/** How much memory the lanes of a subgroup touch together, seen in a kernel as it runs. */
import { type BufferData, runKernel } from "../../src/codegen/interpret.ts";
import type { Kernel } from "../../src/codegen/kernel.ts";

/**
 * The distinct lines of memory, of 16 elements, in which 32 neighbouring invocations find what they access together, on average over
 * all their accesses to a buffer: 2 where they lie side by side. All invocations have to take the same way, with no barrier on it.
 */
export function linesTogether(kernel: Kernel, buffer: string): number {
  const accesses: number[] = [];
  const data = kernel.buffers.map(({ name, length }) => {
    const elements = new Float64Array(length);
    return name === buffer ? recorded(elements, accesses) : elements;
  });
  // One workgroup is as good as all.
  runKernel({ ...kernel, workgroups: 1 }, data, { precision: "f64", races: false });
  const each = accesses.length / kernel.invocations;
  if (!Number.isInteger(each)) throw new Error("invocations take different ways");
  let lines = 0;
  for (let at = 0; at < each; at++) {
    const together = Array.from({ length: 32 }, (_, lane) => accesses[lane * each + at]! >> 4);
    lines += new Set(together).size;
  }
  return lines / each;
}

/** An array that takes down which elements are read or stored, in order. */
function recorded(elements: Float64Array, accesses: number[]): BufferData {
  const note = (key: string | symbol): void => {
    if (typeof key === "string" && /^\d+$/.test(key)) accesses.push(Number(key));
  };
  return new Proxy(elements, {
    get: (target, key) => {
      note(key);
      return Reflect.get(target, key, target) as unknown;
    },
    set: (target, key, value) => {
      note(key);
      return Reflect.set(target, key, value, target);
    },
  });
}
