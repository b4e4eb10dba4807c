/**
 * Small programs, written by hand: values, kernels of one statement, steps.
 *
 *     elementwise("add", 3, ["x", "y"], "z", ([x, y]) => apply("add", x, y))     // kernel add: z[i] = x[i] + y[i], i < 3
 */
import { apply, integer, invocation, less, load, add, mul, workgroup } from "../../src/codegen/build.ts";
import type { Kernel, KernelExpr } from "../../src/codegen/kernel.ts";
import type { Program, ProgramStep, ProgramValue } from "../../src/codegen/program.ts";
import { f32 } from "../../src/ir/ir.ts";

export const invocations = 32;

/** A value of f32. */
export function value(name: string, shape: readonly number[], role: ProgramValue["role"]): ProgramValue {
  return { name, element: f32, shape, role, data: null };
}

/**
 * A kernel that computes each element of `target` from those of `sources` at its place; `updates` when it
 * reads `target` too.
 */
export function elementwise(
  name: string,
  length: number,
  sources: readonly string[],
  target: string,
  body: (elements: readonly KernelExpr[], old: KernelExpr) => KernelExpr,
  updates = false,
): Kernel {
  const index = add(mul(workgroup, integer(invocations)), invocation);
  const read = (array: string): KernelExpr => load("device", array, index, "f32");
  return {
    name,
    nodes: [target],
    origins: [],
    workgroups: Math.ceil(length / invocations),
    invocations,
    buffers: [
      ...sources.map((source) => ({ name: source, type: "f32", length, access: "read" }) as const),
      { name: target, type: "f32", length, access: updates ? "read_write" : "write" },
    ],
    workgroupArrays: [],
    body: [
      {
        kind: "if",
        condition: less(index, integer(length)),
        // oxlint-disable-next-line unicorn/no-thenable -- a statement's branch
        then: [
          {
            kind: "store",
            space: "device",
            array: target,
            index,
            value: body(sources.map(read), read(target)),
          },
        ],
        else: [],
      },
    ],
  };
}

/** The sum of expressions of f32. */
export function total(elements: readonly KernelExpr[]): KernelExpr {
  return elements.reduce((sum, x) => apply("add", sum, x));
}

export function dispatch(kernel: number, ...values: readonly string[]): ProgramStep {
  return { kind: "dispatch", kernel, values };
}

/** A program whose inputs and outputs are the values of these roles, in order. */
export function program(
  name: string,
  values: readonly ProgramValue[],
  kernels: readonly Kernel[],
  steps: readonly ProgramStep[],
  more: Partial<Program> = {},
): Program {
  const named = (role: ProgramValue["role"]): string[] =>
    values.filter((v) => v.role === role).map((v) => v.name);
  return {
    name,
    kernels,
    values,
    steps,
    inputs: named("input"),
    outputs: named("output"),
    updated: [],
    ...more,
  };
}

/** z = x + y. */
export function vectorAdd(length: number): Program {
  return program(
    "vector_add",
    [value("x", [length], "input"), value("y", [length], "input"), value("z", [length], "output")],
    [elementwise("add", length, ["x", "y"], "z", total)],
    [dispatch(0, "x", "y", "z")],
  );
}
