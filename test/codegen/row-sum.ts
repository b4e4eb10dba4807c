/** Kernels written by hand, that tests of the kernel IR share and change. */
import {
  add,
  apply,
  constant,
  integer,
  invocation,
  less,
  load,
  local,
  mul,
  workgroup,
} from "../../src/codegen/build.ts";
import type { Kernel, KernelBuffer, KernelExpr, Statement } from "../../src/codegen/kernel.ts";

/** A buffer of floats. */
export function floats(name: string, length: number, access: KernelBuffer["access"]): KernelBuffer {
  return { name, type: "f32", length, access };
}

/** A kernel of 2 workgroups of 4 invocations, with what is given. */
export function kernelOf(parts: Partial<Kernel> & Pick<Kernel, "body">): Kernel {
  return {
    name: "k",
    nodes: [],
    origins: [],
    workgroups: 2,
    invocations: 4,
    buffers: [],
    workgroupArrays: [],
    ...parts,
  };
}

/** `device name[index] = value` */
export function storeDevice(array: string, index: KernelExpr, value: KernelExpr): Statement {
  return { kind: "store", space: "device", array, index, value };
}

/** `workgroup name[index] = value` */
export function storeWorkgroup(array: string, index: KernelExpr, value: KernelExpr): Statement {
  return { kind: "store", space: "workgroup", array, index, value };
}

/** `for index = from .. to step step` */
export function loop(
  index: string,
  from: KernelExpr,
  to: KernelExpr,
  body: readonly Statement[],
  step = 1,
): Statement {
  return { kind: "for", index, from, to, step, body };
}

/** `if condition` */
export function when(condition: KernelExpr, ...then: readonly Statement[]): Statement {
  return { kind: "if", condition, then, else: [] };
}

export const barrier: Statement = { kind: "barrier" };

/** Rows of 10 columns; a workgroup sums one with 4 invocations. */
export const rows = 3;
export const columns = 10;

const partial = (index: KernelExpr): KernelExpr => load("workgroup", "partial", index, "f32");

/** A tree of additions over `partial`, halving the invocations that take part. */
function halvings(halves: readonly number[]): Statement[] {
  return halves.flatMap((half) => [
    barrier,
    when(
      less(invocation, integer(half)),
      storeWorkgroup(
        "partial",
        invocation,
        apply("add", partial(invocation), partial(add(invocation, integer(half)))),
      ),
    ),
  ]);
}

/** The sum of each row, by a loop in strides and a tree. */
export const rowSum: Kernel = kernelOf({
  name: "row_sum",
  workgroups: rows,
  buffers: [floats("x", rows * columns, "read"), floats("y", rows, "write")],
  workgroupArrays: [{ name: "partial", type: "f32", length: 4 }],
  body: [
    { kind: "var", name: "total", type: "f32", init: constant("f32", 0) },
    loop(
      "k",
      invocation,
      integer(columns),
      [
        {
          kind: "assign",
          name: "total",
          value: apply(
            "add",
            local("total", "f32"),
            load("device", "x", add(mul(workgroup, integer(columns)), local("k", "i32")), "f32"),
          ),
        },
      ],
      4,
    ),
    storeWorkgroup("partial", invocation, local("total", "f32")),
    ...halvings([2, 1]),
    when(apply("eq", invocation, integer(0)), storeDevice("y", workgroup, partial(integer(0)))),
  ],
});

/** A kernel without one of its top-level statements. */
export function without(kernel: Kernel, statement: Statement, occurrence = 0): Kernel {
  let seen = 0;
  return { ...kernel, body: kernel.body.filter((s) => s !== statement || seen++ !== occurrence) };
}
