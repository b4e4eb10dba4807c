import { expect, it } from "vitest";
import {
  add,
  apply,
  cast,
  constant,
  integer,
  invocation,
  less,
  load,
  local,
  mul,
  quotient,
  remainder,
  select,
  sub,
  workgroup,
} from "../../src/codegen/build.ts";
import type { KernelExpr } from "../../src/codegen/kernel.ts";
import { printKernel, printKernelExpr, printProgram } from "../../src/codegen/print.ts";
import type { Program } from "../../src/codegen/program.ts";
import { f32 } from "../../src/ir/ir.ts";
import { floats, kernelOf, rowSum, storeDevice } from "./row-sum.ts";

it("prints a kernel", () => {
  expect(printKernel(rowSum)).toMatchInlineSnapshot(`
    "kernel row_sum<workgroups 3, invocations 4>(read x: f32[30], write y: f32[3]) {
      workgroup partial: f32[4]
      var total: f32 = 0.0
      for k = invocation .. 10 step 4 {
        total = total + device x[workgroup * 10 + k]
      }
      workgroup partial[invocation] = total
      barrier
      if invocation < 2 {
        workgroup partial[invocation] = workgroup partial[invocation] + workgroup partial[invocation + 2]
      }
      barrier
      if invocation < 1 {
        workgroup partial[invocation] = workgroup partial[invocation] + workgroup partial[invocation + 1]
      }
      if invocation == 0 {
        device y[workgroup] = workgroup partial[0]
      }
    }
    "
  `);
});

it("prints private arrays, branches and what is shared", () => {
  const twice = apply("mul", load("device", "x", invocation, "f32"), constant("f32", 2));
  const kernel = kernelOf({
    buffers: [floats("x", 4, "read_write")],
    body: [
      { kind: "array", name: "kept", type: "i32", length: 3 },
      { kind: "let", name: "square", value: apply("mul", twice, twice) },
      {
        kind: "if",
        condition: less(invocation, workgroup),
        then: [{ kind: "store", space: "private", array: "kept", index: integer(0), value: integer(-1) }],
        else: [storeDevice("x", invocation, local("square", "f32"))],
      },
    ],
  });
  expect(printKernel(kernel)).toMatchInlineSnapshot(`
    "kernel k<workgroups 2, invocations 4>(read_write x: f32[4]) {
      private kept: i32[3]
      let square = t0 * t0 where t0 = device x[invocation] * 2.0
      if invocation < workgroup {
        private kept[0] = -1
      } else {
        device x[invocation] = square
      }
    }
    "
  `);
});

const [a, b, c] = ["a", "b", "c"].map((name) => local(name, "i32")) as [KernelExpr, KernelExpr, KernelExpr];

it.each<[KernelExpr, string]>([
  [quotient(add(a, b), integer(4)), "(a + b) / 4"],
  [remainder(mul(a, b), integer(4)), "a * b % 4"],
  [apply("floor_div", a, b), "a // b"],
  [apply("mod", a, b), "mod(a, b)"],
  [sub(a, sub(b, c)), "a - (b - c)"],
  [apply("neg", integer(1)), "-(1)"],
  [cast("f32", less(a, b)), "f32(a < b)"],
  [apply("not", apply("and", less(a, b), less(b, c))), "not (a < b and b < c)"],
  [select(less(a, b), constant("f32", 1), constant("f32", -Infinity)), "if a < b then 1.0 else -inf"],
  [add(select(less(a, b), a, b), integer(1)), "(if a < b then a else b) + 1"],
])("prints an expression as %#: %s", (expr, text) => {
  expect(printKernelExpr(expr)).toBe(text);
});

it("prints an expression whose tree is too large to print", () => {
  let expr: KernelExpr = apply("exp", local("x", "f32"));
  for (let n = 0; n < 100; n++) expr = apply("add", expr, expr);
  expect(printKernelExpr(expr).length).toBeLessThan(2000);
});

it("prints a program", () => {
  const none = { constant: 0, turn: null, perTurn: 0 };
  const program: Program = {
    name: "sums",
    kernels: [rowSum],
    values: [
      { name: "x", element: f32, shape: [3, 10], role: "input", data: null },
      { name: "s", element: f32, shape: [3], role: "input", data: null },
      {
        name: "one",
        element: { scalar: "i32", bound: 2 },
        shape: [2],
        role: "constant",
        data: Int32Array.of(1, 0),
      },
      { name: "all", element: f32, shape: [4, 3], role: "output", data: null },
    ],
    steps: [
      {
        kind: "loop",
        turn: "t",
        count: 4,
        steps: [
          { kind: "dispatch", kernel: 0, values: ["x", "s"] },
          {
            kind: "copy",
            from: "s",
            to: "all",
            length: 3,
            fromOffset: none,
            toOffset: { constant: 0, turn: "t", perTurn: 3 },
          },
        ],
      },
    ],
    inputs: ["x", "s"],
    outputs: ["all", "s"],
    updated: ["s"],
  };
  expect(printProgram(program).split("\nkernel ")[0]).toMatchInlineSnapshot(`
    "program sums(x, s) -> (all, s) {
      input x: f32[3, 10]
      input s: f32[3], updated
      constant one: idx<2>[2] = [1, 0]
      output all: f32[4, 3]

      for t = 0 .. 4 {
        dispatch row_sum(x, s)
        copy 3 elements of s from 0 to all from 3 * t
      }
    }
    "
  `);
});

it("prints deep expressions, each part once", () => {
  let sum: KernelExpr = local("x0", "f32");
  for (let n = 1; n <= 200; n++) sum = add(sum, local(`x${n}`, "f32"));
  const text = printKernelExpr(sum);
  expect(text.split(" + ")).toHaveLength(201);
});
