/**
 * The kernels by which an adapter's ceilings are measured, in the kernel IR.
 *
 *     fmaKernel(shape)      // var a0 … a7; for step { a0 = fma(a0, b, c); … a7 = fma(a7, b, c); … }
 *
 * Each reads `x` and writes `y`. What a compiler could leave out is stored at the end.
 */
import {
  add,
  apply,
  cast,
  constant,
  integer,
  invocation,
  load,
  local,
  mul,
  workgroup,
} from "../codegen/build.ts";
import type { Kernel, KernelBuffer, KernelExpr, Space, Statement } from "../codegen/kernel.ts";

/** How much of a device a kernel takes up. */
export interface WorkShape {
  readonly invocations: number;
  readonly workgroups: number;
}

/** A kernel and how often one dispatch does what it is for. */
export interface CountedKernel {
  readonly kernel: Kernel;
  readonly count: number;
}

/** The least that a kernel can do. */
export const emptyKernel: Kernel = kernelOf("empty", { invocations: 1, workgroups: 1 }, { write: 1 }, [
  storeResult(workgroup, constant("f32", 1)),
]);

/** `y[i] = x[i]`; counts bytes, read and written. */
export function copyKernel({ invocations, workgroups }: WorkShape, each: number): CountedKernel {
  const length = invocations * workgroups * each;
  const first = add(mul(workgroup, integer(invocations * each)), invocation);
  const index = add(first, mul(local("k", "i32"), integer(invocations)));
  const body = [loop("k", each, [storeResult(index, load("device", "x", index, "f32"))])];
  const kernel = kernelOf("copy", { invocations, workgroups }, { read: length, write: length }, body);
  return { kernel, count: 8 * length };
}

/** So many sums at once that none waits for the one before it. */
const chains = 8;

/** Chains of multiply-adds on registers; counts operations, two a multiply-add. */
export function fmaKernel(shape: WorkShape, steps: number): CountedKernel {
  const unrolled = 4;
  const sums = Array.from({ length: chains }, (_, i) => local(`a${i}`, "f32"));
  const step = sums.map((sum, i): Statement => {
    return { kind: "assign", name: `a${i}`, value: apply("fma", sum, local("b", "f32"), local("c", "f32")) };
  });
  const body: Statement[] = [
    { kind: "let", name: "b", value: load("device", "x", integer(0), "f32") },
    { kind: "let", name: "c", value: load("device", "x", integer(1), "f32") },
    ...sums.map((_, i): Statement => {
      return { kind: "var", name: `a${i}`, type: "f32", init: cast("f32", add(invocation, integer(i))) };
    }),
    loop("step", steps, Array.from({ length: unrolled }, () => step).flat()),
    storeOwn(shape, total(sums)),
  ];
  const kernel = kernelOf("fma", shape, { read: 2, write: lanesOf(shape) }, body);
  return { kernel, count: 2 * chains * unrolled * steps * lanesOf(shape) };
}

/** Floats that are loaded over and over: 4 KiB, which every workgroup memory and every cache holds. */
export const tableLength = 1024;

/** Sums a table over and over from where it lies, neighbouring lanes at neighbouring places; counts loads. */
export function loadKernel(space: "device" | "workgroup", shape: WorkShape, turns: number): CountedKernel {
  const { invocations } = shape;
  const unrolled = 4;
  const rows = tableLength / invocations;
  const at = (row: KernelExpr): KernelExpr => add(mul(row, integer(invocations)), invocation);
  const array = space === "device" ? "x" : "table";
  const sums = Array.from({ length: unrolled }, (_, i) => local(`a${i}`, "f32"));
  const step = sums.map((sum, i): Statement => {
    const row = add(mul(local("k", "i32"), integer(unrolled)), integer(i));
    return { kind: "assign", name: `a${i}`, value: apply("add", sum, load(space, array, at(row), "f32")) };
  });
  const row = local("row", "i32");
  const body: Statement[] = [
    ...(space === "device"
      ? []
      : [
          loop("row", rows, [store("workgroup", "table", at(row), load("device", "x", at(row), "f32"))]),
          { kind: "barrier" } as const,
        ]),
    ...sums.map((_, i): Statement => {
      return { kind: "var", name: `a${i}`, type: "f32", init: constant("f32", 0) };
    }),
    loop("turn", turns, [loop("k", rows / unrolled, step)]),
    storeOwn(shape, total(sums)),
  ];
  const kernel = kernelOf(`${space}_load`, shape, { read: tableLength, write: lanesOf(shape) }, body, {
    workgroupArrays: space === "device" ? [] : [{ name: "table", type: "f32", length: tableLength }],
  });
  return { kernel, count: turns * rows * lanesOf(shape) };
}

/** One workgroup that meets over and over; counts barriers. */
export function barrierKernel(invocations: number, barriers: number): CountedKernel {
  const shape = { invocations, workgroups: 1 };
  const body: Statement[] = [
    loop("turn", barriers, [
      // Something for the barrier to order, so that none is left out.
      store("workgroup", "table", invocation, cast("f32", local("turn", "i32"))),
      { kind: "barrier" },
    ]),
    storeOwn(shape, load("workgroup", "table", invocation, "f32")),
  ];
  const kernel = kernelOf("barrier", shape, { write: invocations }, body, {
    workgroupArrays: [{ name: "table", type: "f32", length: invocations }],
  });
  return { kernel, count: barriers };
}

function kernelOf(
  name: string,
  shape: WorkShape,
  { read, write }: { readonly read?: number; readonly write: number },
  body: readonly Statement[],
  more: Partial<Pick<Kernel, "workgroupArrays">> = {},
): Kernel {
  const buffers: KernelBuffer[] = [
    ...(read === undefined ? [] : [{ name: "x", type: "f32", length: read, access: "read" } as const]),
    { name: "y", type: "f32", length: write, access: "write" },
  ];
  return { name, nodes: [], origins: [], ...shape, buffers, workgroupArrays: [], body, ...more };
}

function lanesOf({ invocations, workgroups }: WorkShape): number {
  return invocations * workgroups;
}

function loop(index: string, count: number, body: readonly Statement[]): Statement {
  return { kind: "for", index, from: integer(0), to: integer(count), step: 1, body };
}

function store(space: Space, array: string, index: KernelExpr, value: KernelExpr): Statement {
  return { kind: "store", space, array, index, value };
}

function storeResult(index: KernelExpr, value: KernelExpr): Statement {
  return store("device", "y", index, value);
}

/** Every invocation's result in a place of its own. */
function storeOwn({ invocations }: WorkShape, value: KernelExpr): Statement {
  return storeResult(add(mul(workgroup, integer(invocations)), invocation), value);
}

function total(sums: readonly KernelExpr[]): KernelExpr {
  return sums.reduce((sum, x) => apply("add", sum, x));
}
