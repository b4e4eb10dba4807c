import { describe, expect, it } from "vitest";
import {
  add,
  apply,
  constant,
  integer,
  invocation,
  less,
  load,
  local,
  maximum,
  minimum,
  mul,
  quotient,
  remainder,
  select,
  sub,
  workgroup,
} from "../../src/codegen/build.ts";
import type { Kernel, KernelExpr, Statement } from "../../src/codegen/kernel.ts";
import { undecidedIndices, verifyKernel } from "../../src/codegen/verify.ts";
import { barrier, floats, kernelOf, loop, rowSum, storeDevice, storeWorkgroup, when } from "./row-sum.ts";

const one = constant("f32", 1);
const everyone = add(mul(workgroup, integer(4)), invocation);
const element = (array: string, index: KernelExpr): KernelExpr => load("device", array, index, "f32");
const named = (name: string): KernelExpr => local(name, "i32");

/** 2 workgroups of 4 invocations over two buffers of 8 floats, 8 integers and an array of 4. */
function kernel(...body: Statement[]): Kernel {
  return kernelOf({
    buffers: [
      floats("x", 8, "read"),
      floats("y", 8, "write"),
      floats("z", 8, "read_write"),
      { name: "at", type: "i32", length: 8, access: "read" },
    ],
    workgroupArrays: [{ name: "s", type: "f32", length: 4 }],
    body,
  });
}

/** `let name = value` */
const bind = (name: string, value: KernelExpr): Statement => ({ kind: "let", name, value });
const variable = (name: string, init: KernelExpr): Statement => ({ kind: "var", name, type: "i32", init });
const assign = (name: string, value: KernelExpr): Statement => ({ kind: "assign", name, value });

it("finds nothing wrong with a kernel that is right", () => {
  expect(verifyKernel(rowSum)).toEqual([]);
  expect(undecidedIndices(rowSum)).toEqual([]);
});

describe("names and types", () => {
  const untyped = (fn: "add" | "lt", type: "f32" | "bool", ...args: KernelExpr[]): KernelExpr => ({
    kind: "apply",
    fn,
    type,
    args,
  });
  it.each<[string, Statement[]]>([
    ["let a: b is not defined here", [bind("a", named("b"))]],
    ["let a: k is not defined here", [loop("k", integer(0), integer(2), []), bind("a", named("k"))]],
    ["let a: a is a let of type f32, used as i32", [bind("a", one), bind("a", named("a"))]],
    ["let a: x is a device array of f32, not a local", [bind("a", named("x"))]],
    ["let x: the name x is taken: it is a device array of f32", [bind("x", one)]],
    [
      "for k: the name k is taken: it is the index of a loop",
      [loop("k", integer(0), integer(2), [loop("k", integer(0), integer(2), [])])],
    ],
    ["var v: the first value is f32, not i32", [variable("v", one)]],
    ["v =: there is no var v", [assign("v", one)]],
    ["v =: v is a let of type f32; only a var is assigned to", [bind("v", one), assign("v", one)]],
    ["v =: the value is f32, not i32", [variable("v", integer(0)), assign("v", one)]],
    [
      "k =: k is the index of a loop; only a var is assigned to",
      [loop("k", integer(0), integer(2), [assign("k", integer(3))])],
    ],
    ["device w[…] =: there is no device array w", [storeDevice("w", integer(0), one)]],
    [
      "workgroup y[…] =: y is a device array of f32, not a workgroup array",
      [storeWorkgroup("y", integer(0), one)],
    ],
    ["device x[…] =: the buffer x is declared for reading only", [storeDevice("x", integer(0), one)]],
    ["device y[…] =: the index is f32, not i32", [storeDevice("y", one, one)]],
    ["device y[…] =: the value is i32, not f32", [storeDevice("y", integer(0), integer(0))]],
    ["let a: the buffer y is declared for writing only", [bind("a", element("y", integer(0)))]],
    ["let a: at holds i32, and is read as f32", [bind("a", element("at", integer(0)))]],
    ["let a: the index of x is f32, not i32", [bind("a", element("x", one))]],
    [
      "let a: the arguments of add are f32 and i32: they have one type",
      [bind("a", untyped("add", "f32", one, integer(1)))],
    ],
    ["let a: add takes 2 arguments, not 1", [bind("a", untyped("add", "f32", one))]],
    ["let a: add gives f32, and is used as bool", [bind("a", untyped("add", "bool", one, one))]],
    ["let a: lt gives bool, and is used as f32", [bind("a", untyped("lt", "f32", one, one))]],
    ["let a: argument 1 of exp is i32, not f32", [bind("a", apply("exp", integer(1)))]],
    ["let a: argument 2 of quotient is f32, not i32", [bind("a", apply("quotient", integer(1), one))]],
    [
      "let a: the condition of a select is i32, not bool",
      [bind("a", { kind: "select", condition: named("workgroup"), yes: one, no: one })],
    ],
    [
      "let a: the other side of a select is i32, not f32",
      [bind("a", select(less(invocation, workgroup), one, integer(1)))],
    ],
    ["if invocation: the condition is i32, not bool", [when(invocation)]],
    ["for k: the upper bound is f32, not i32", [loop("k", integer(0), one, [])]],
    ["for k: the step is 0; it is a whole number above 0", [loop("k", integer(0), integer(2), [], 0)]],
    ["let a: the literal NaN is no f32: it is finite or an infinity", [bind("a", constant("f32", NaN))]],
    [
      "let a: the literal 1e+39 is no f32: single precision has no number as large",
      [bind("a", constant("f32", 1e39))],
    ],
    [
      "let a: the literal 0.5 is no i32: it is a whole number from -2147483648 to 2147483647",
      [bind("a", integer(0.5))],
    ],
    [
      "private p: p has 0 elements; their number is whole and at least 1",
      [{ kind: "array", name: "p", type: "f32", length: 0 }],
    ],
  ])("%s", (problem, body) => {
    expect(verifyKernel(kernel(...body))).toContain(problem);
  });

  it("a name may be used again where the first is not seen", () => {
    const twice = loop("k", integer(0), integer(2), [bind("a", named("k"))]);
    expect(verifyKernel(kernel(twice, twice, bind("a", one)))).toEqual([]);
  });
});

describe("barriers", () => {
  it.each<[string, Statement]>([
    ["in an if", when(less(workgroup, integer(1)), barrier)],
    ["in a loop in an if", when(less(workgroup, integer(1)), loop("k", integer(0), integer(2), [barrier]))],
    ["in a loop whose bounds are not the same for all", loop("k", invocation, integer(4), [barrier])],
    [
      "in a loop whose bounds are data",
      loop("k", integer(0), load("device", "at", workgroup, "i32"), [barrier]),
    ],
    [
      "in a loop in such a loop",
      loop("k", invocation, integer(4), [loop("l", integer(0), integer(2), [barrier])]),
    ],
    ["in an if in a loop", loop("k", integer(0), integer(2), [when(less(workgroup, integer(1)), barrier)])],
  ])("%s are not allowed", (_, statement) => {
    expect(verifyKernel(kernel(statement))).toEqual([expect.stringContaining("a barrier stands in")]);
  });

  it("are allowed in loops whose bounds all invocations know", () => {
    const inner = loop("l", named("k"), named("rows"), [barrier]);
    const outer = loop("k", integer(0), add(workgroup, integer(2)), [barrier, inner]);
    expect(verifyKernel(kernel(barrier, bind("rows", mul(workgroup, integer(2))), outer))).toEqual([]);
  });
});

describe("limits", () => {
  it.each<[string, Partial<Kernel>]>([
    ["the kernel has 65536 workgroups; a device runs from 0 to 65535", { workgroups: 65536 }],
    ["the kernel has 257 invocations in a workgroup; a device runs from 1 to 256", { invocations: 257 }],
    [
      "the kernel has 16388 bytes of workgroup memory; a device runs from 0 to 16384",
      { workgroupArrays: [{ name: "s", type: "f32", length: 4097 }] },
    ],
  ])("%s", (problem, parts) => {
    expect(verifyKernel(kernelOf({ body: [], ...parts }))).toEqual([problem]);
  });

  it("are those of the device", () => {
    const wide = kernelOf({ body: [], invocations: 1024 });
    expect(verifyKernel(wide, { invocations: 1024, workgroupBytes: 32768, workgroups: 65535 })).toEqual([]);
  });
});

/** Verified and not decided problems. */
const verdict = (...body: Statement[]): "right" | "wrong" | "open" => {
  const own = kernel(...body);
  const problems = verifyKernel(own);
  if (problems.length > 0) return "wrong";
  return undecidedIndices(own).length > 0 ? "open" : "right";
};
const reach = (index: KernelExpr): Statement => storeDevice("z", index, one);
const given = (index: KernelExpr): KernelExpr => load("device", "at", index, "i32");

describe("indices", () => {
  it.each<[string, "right" | "wrong" | "open", Statement[]]>([
    ["all of them", "right", [reach(everyone)]],
    ["one too far", "wrong", [reach(add(everyone, integer(1)))]],
    ["below 0", "wrong", [reach(sub(everyone, integer(1)))]],
    ["far outside", "wrong", [reach(add(given(integer(0)), integer(0))), reach(integer(8))]],
    ["data", "open", [reach(given(everyone))]],
    ["data within bounds", "right", [reach(maximum(integer(0), minimum(given(everyone), integer(7))))]],
    ["data modulo 8", "right", [reach(apply("mod", given(everyone), integer(8)))]],
    ["data with a remainder that may be negative", "open", [reach(remainder(given(everyone), integer(8)))]],
    ["behind a condition", "right", [when(less(everyone, integer(7)), reach(add(everyone, integer(1))))]],
    [
      "behind a condition that is not enough",
      "wrong",
      [when(less(everyone, integer(7)), reach(add(everyone, integer(2))))],
    ],
    [
      "behind a condition on one of two",
      "wrong",
      [when(less(invocation, integer(1)), reach(add(everyone, integer(4))))],
    ],
    [
      "behind a condition that depends on data",
      "open",
      [when(less(given(invocation), integer(3)), reach(add(everyone, integer(1))))],
    ],
    [
      "behind a condition on the data",
      "right",
      [
        bind("a", given(everyone)),
        when(apply("and", less(integer(-1), named("a")), less(named("a"), integer(8))), reach(named("a"))),
      ],
    ],
    ["where a condition never holds", "right", [when(less(integer(5), invocation), reach(integer(99)))]],
    [
      "in the other branch",
      "right",
      [
        {
          kind: "if",
          condition: less(everyone, integer(1)),
          then: [],
          else: [reach(sub(everyone, integer(1)))],
        },
      ],
    ],
    [
      "a select that keeps it inside",
      "right",
      [reach(select(less(everyone, integer(1)), integer(0), sub(everyone, integer(1))))],
    ],
    [
      "a load on the side of a select that is not taken",
      "wrong",
      [bind("a", select(less(integer(0), everyone), element("x", sub(everyone, integer(1))), one))],
    ],
    [
      "quotients and remainders",
      "right",
      [reach(add(mul(quotient(everyone, integer(3)), integer(3)), remainder(everyone, integer(3))))],
    ],
    ["a strided loop", "right", [loop("k", invocation, integer(8), [reach(named("k"))], 4)]],
    [
      "a strided loop that ends early",
      "right",
      [loop("k", invocation, integer(7), [reach(add(named("k"), integer(1)))], 4)],
    ],
    ["a strided loop that ends late", "wrong", [loop("k", invocation, integer(12), [reach(named("k"))], 4)]],
    [
      "rows of a strided loop that are too long",
      "wrong",
      [loop("k", invocation, integer(7), [reach(add(mul(workgroup, integer(8)), named("k")))], 4)],
    ],
    [
      "nested loops",
      "right",
      [
        loop("i", integer(0), integer(4), [
          loop("j", integer(0), named("i"), [reach(add(named("i"), named("j")))]),
        ]),
      ],
    ],
    ["a loop that data ends", "open", [loop("i", integer(0), given(workgroup), [reach(named("i"))])]],
    ["an empty loop", "right", [loop("i", integer(3), integer(3), [reach(integer(99))])]],
    [
      "a var in a straight line",
      "right",
      [variable("v", integer(90)), assign("v", everyone), reach(named("v"))],
    ],
    [
      "a var that a loop changes",
      "open",
      [
        variable("v", integer(0)),
        loop("i", integer(0), integer(3), [reach(named("v")), assign("v", add(named("v"), integer(4)))]),
      ],
    ],
    [
      "a var after a loop that changes it",
      "open",
      [
        variable("v", integer(0)),
        loop("i", integer(0), integer(3), [assign("v", integer(4))]),
        reach(named("v")),
      ],
    ],
    [
      "a var after a branch that changes it",
      "open",
      [
        variable("v", integer(0)),
        when(less(invocation, workgroup), assign("v", integer(4))),
        reach(named("v")),
      ],
    ],
    [
      "a var tested, and then changed",
      "open",
      [
        variable("v", given(everyone)),
        when(
          less(integer(-1), named("v")),
          when(less(named("v"), integer(8)), assign("v", given(invocation)), reach(named("v"))),
        ),
      ],
    ],
  ])("%s: %s", (_, expected, body) => {
    expect(verdict(...body)).toBe(expected);
  });

  it("an element tested is not known after a store to its array", () => {
    const own = kernelOf({
      buffers: [floats("z", 8, "write")],
      workgroupArrays: [{ name: "n", type: "i32", length: 4 }],
      body: [],
    });
    const n: KernelExpr = load("workgroup", "n", invocation, "i32");
    const tested = (...body: Statement[]): Statement[] => [
      storeWorkgroup("n", invocation, everyone),
      when(apply("and", less(integer(-1), n), less(n, integer(8))), ...body),
    ];
    expect(undecidedIndices({ ...own, body: tested(reach(n)) })).toEqual([]);
    expect(
      undecidedIndices({ ...own, body: tested(storeWorkgroup("n", invocation, integer(9)), reach(n)) }),
    ).toHaveLength(1);
  });

  it("are told with their range", () => {
    expect(verifyKernel(kernel(reach(add(everyone, integer(1)))))).toEqual([
      "device z[…] =: the index workgroup * 4 + invocation + 1 is 1 … 8, and z has 8 elements",
    ]);
  });

  it("in private arrays", () => {
    const array: Statement = { kind: "array", name: "p", type: "f32", length: 2 };
    const store = (index: KernelExpr): Statement => ({
      kind: "store",
      space: "private",
      array: "p",
      index,
      value: one,
    });
    expect(verdict(array, store(integer(1)))).toBe("right");
    expect(verdict(array, store(integer(2)))).toBe("wrong");
  });
});

describe("quotients and remainders", () => {
  it.each<[string, Statement]>([
    [
      "let a: quotient of workgroup + -2, which is -2 … -1, is not defined: it is at least 0",
      bind("a", quotient(sub(workgroup, integer(2)), integer(3))),
    ],
    [
      "let a: remainder by -1 * workgroup, which is -1 … 0, is not defined: it is at least 1",
      bind("a", remainder(invocation, apply("mul", integer(-1), workgroup))),
    ],
  ])("%s", (problem, statement) => {
    expect(verifyKernel(kernel(statement))).toEqual([problem]);
  });
});
