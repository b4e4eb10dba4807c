import { describe, expect, it } from "vitest";
import {
  add,
  apply,
  cast,
  constant,
  integer,
  invocation,
  load,
  mul,
  workgroup,
} from "../../src/codegen/build.ts";
import { runProgram } from "../../src/codegen/interpret-program.ts";
import type { Kernel, KernelExpr } from "../../src/codegen/kernel.ts";
import type { Offset, Program, ProgramStep, ProgramValue } from "../../src/codegen/program.ts";
import { interpret, tensor } from "../../src/ir/interpret.ts";
import { type ElementType, bool, f32, i32 } from "../../src/ir/ir.ts";
import { parseGraph } from "../../src/ir/parse.ts";
import { randomSource } from "../programs/random-source.ts";
import { columns, floats, kernelOf, rowSum, rows, storeDevice } from "./row-sum.ts";

const element = (array: string, index: KernelExpr): KernelExpr => load("device", array, index, "f32");
const everyone = add(mul(workgroup, integer(4)), invocation);
const start: Offset = { constant: 0, turn: null, perTurn: 0 };

function value(
  name: string,
  role: ProgramValue["role"],
  shape: readonly number[],
  of: ElementType = f32,
  data: ProgramValue["data"] = null,
): ProgramValue {
  return { name, role, shape, element: of, data };
}

function programOf(parts: Partial<Program>): Program {
  return { name: "p", kernels: [], values: [], steps: [], inputs: [], outputs: [], updated: [], ...parts };
}

/** state = state * factor + 1 */
const advance: Kernel = kernelOf({
  name: "advance",
  buffers: [floats("state", 8, "read_write"), floats("factor", 1, "read")],
  body: [
    storeDevice(
      "state",
      everyone,
      apply(
        "add",
        apply("mul", element("state", everyone), element("factor", integer(0))),
        constant("f32", 1),
      ),
    ),
  ],
});

/** Three turns of `advance`, of which each leaves its state in `history`. */
const recurrence = programOf({
  kernels: [advance],
  values: [
    value("state", "input", [8]),
    value("two", "constant", [], f32, Float32Array.of(2)),
    value("history", "output", [3, 8]),
  ],
  steps: [
    {
      kind: "loop",
      turn: "t",
      count: 3,
      steps: [
        { kind: "dispatch", kernel: 0, values: ["state", "two"] },
        {
          kind: "copy",
          from: "state",
          to: "history",
          length: 8,
          fromOffset: start,
          toOffset: { constant: 0, turn: "t", perTurn: 8 },
        },
      ],
    },
  ],
  inputs: ["state"],
  outputs: ["history", "state"],
  updated: ["state"],
});

it("gives what the tensor IR's interpreter gives", () => {
  const x = tensor(
    f32,
    [rows, columns],
    Array.from({ length: rows * columns }, (_, i) => i * i),
  );
  const program = programOf({
    kernels: [rowSum],
    values: [value("x", "input", [rows, columns]), value("sums", "output", [rows])],
    steps: [{ kind: "dispatch", kernel: 0, values: ["x", "sums"] }],
    inputs: ["x"],
    outputs: ["sums"],
  });
  const graph = parseGraph(
    `graph g(%x: f32[3, 10]) -> (%sums) { %sums: f32[3] = for i<3. sum k<10. %x[i, k] }`,
  );
  expect(runProgram(program, { x }, { random: randomSource(7).next })).toEqual(interpret(graph, { x }));
});

it("runs loops and copies, and gives the inputs that it updates", () => {
  const state = tensor(f32, [8], [0, 1, 2, 3, 4, 5, 6, 7]);
  const { history, state: last } = runProgram(recurrence, { state });
  const turns = [1, 3, 7].map((n, t) => Array.from({ length: 8 }, (_, i) => i * 2 ** (t + 1) + n));
  expect([...history!.data]).toEqual(turns.flat());
  expect([...last!.data]).toEqual(turns[2]);
  expect(state.data[0]).toBe(0);
});

it("holds booleans and indices as tensors do", () => {
  const index: ElementType = { scalar: "i32", bound: 4 };
  const kernel = kernelOf({
    workgroups: 1,
    buffers: [
      { name: "at", type: "i32", length: 4, access: "read" },
      { name: "is_zero", type: "bool", length: 4, access: "write" },
    ],
    body: [
      storeDevice("is_zero", invocation, apply("eq", load("device", "at", invocation, "i32"), integer(0))),
    ],
  });
  const program = programOf({
    kernels: [kernel],
    values: [value("at", "input", [4], index), value("is_zero", "output", [4], bool)],
    steps: [{ kind: "dispatch", kernel: 0, values: ["at", "is_zero"] }],
    inputs: ["at"],
    outputs: ["is_zero"],
  });
  const at = tensor(index, [4], [0, 3, 0, 1]);
  expect(runProgram(program, { at })).toEqual({ is_zero: tensor(bool, [4], [1, 0, 1, 0]) });
});

it("an element that nobody writes shows", () => {
  const program = programOf({
    values: [value("y", "output", [1]), value("n", "output", [1], i32)],
    outputs: ["y", "n"],
  });
  const { y, n } = runProgram(program, {});
  expect([...y!.data, ...n!.data]).toEqual([NaN, 2147483647]);
});

it("rounds constants and inputs to single precision, or not", () => {
  const add0 = kernelOf({
    workgroups: 1,
    invocations: 1,
    buffers: [floats("x", 1, "read"), floats("y", 1, "write")],
    body: [storeDevice("y", integer(0), apply("add", element("x", integer(0)), cast("f32", integer(0))))],
  });
  const program = programOf({
    kernels: [add0],
    values: [value("x", "input", [1]), value("y", "output", [1])],
    steps: [{ kind: "dispatch", kernel: 0, values: ["x", "y"] }],
    inputs: ["x"],
    outputs: ["y"],
  });
  const x = tensor(f32, [1], [0.1]);
  expect(runProgram(program, { x })["y"]!.data[0]).toBe(Math.fround(0.1));
  expect(runProgram(program, { x }, { precision: "f64" })["y"]!.data[0]).toBe(0.1);
});

describe("what cannot be run", () => {
  const state = tensor(f32, [8], [0, 1, 2, 3, 4, 5, 6, 7]);
  const copy = (change: Partial<ProgramStep & { kind: "copy" }>): ProgramStep => ({
    kind: "copy",
    from: "state",
    to: "history",
    length: 8,
    fromOffset: start,
    toOffset: start,
    ...change,
  });
  const withStep = (step: ProgramStep): Program => ({ ...recurrence, steps: [step] });

  it.each<[string, Program, Record<string, typeof state>]>([
    ["the input state: f32[8] is missing", recurrence, {}],
    [
      "the input state: f32[8] is given f32[2] of 2 elements",
      recurrence,
      { state: tensor(f32, [2], [1, 2]) },
    ],
    [
      "the input state: f32[8] is given i32[8] of 8 elements",
      recurrence,
      { state: tensor(i32, [8], [1, 2, 3, 4, 5, 6, 7, 8]) },
    ],
    ["there is no kernel number 3", withStep({ kind: "dispatch", kernel: 3, values: [] }), { state }],
    ["there is no value z", withStep({ kind: "dispatch", kernel: 0, values: ["z", "two"] }), { state }],
    [
      "the buffer state has 8 elements, and is run on 24",
      withStep({ kind: "dispatch", kernel: 0, values: ["history", "two"] }),
      { state },
    ],
    [
      "a copy takes elements 1 … 8 of state, which has 8",
      withStep(copy({ fromOffset: { ...start, constant: 1 } })),
      { state },
    ],
    [
      "a copy of history is outside of the loop of t",
      withStep(copy({ toOffset: { ...start, turn: "t" } })),
      { state },
    ],
    [
      "the constant two has 0 elements, not 1",
      { ...recurrence, values: recurrence.values.map((v) => ({ ...v, data: null })) },
      { state },
    ],
    [
      "there are two values state",
      { ...recurrence, values: [...recurrence.values, recurrence.values[0]!] },
      { state },
    ],
  ])("%s", (problem, program, inputs) => {
    expect(() => runProgram(program, inputs)).toThrow(problem);
  });
});
