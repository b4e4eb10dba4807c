import fc from "fast-check";
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
  mul,
  select,
  sub,
  workgroup,
} from "../../src/codegen/build.ts";
import { KernelFault, RaceError, runKernel } from "../../src/codegen/interpret.ts";
import type { Kernel, KernelExpr, Statement } from "../../src/codegen/kernel.ts";
import { verifyKernel } from "../../src/codegen/verify.ts";
import { randomSource } from "../programs/random-source.ts";
import {
  barrier,
  columns,
  floats,
  kernelOf,
  loop,
  rowSum,
  rows,
  storeDevice,
  storeWorkgroup,
  when,
  without,
} from "./row-sum.ts";

const seeds = [1, 2, 3, 4, 5];

/** What a kernel leaves in its buffers, each of floats 0, 1, 2, … at first. */
function run(kernel: Kernel, seed = 1): number[][] {
  const buffers = kernel.buffers.map(({ length }) => Float64Array.from({ length }, (_, i) => i));
  runKernel(kernel, buffers, { random: randomSource(seed).next });
  return buffers.map((data) => [...data]);
}

/** The race that a kernel is caught at. */
function raceOf(kernel: Kernel, seed = 1): RaceError {
  try {
    run(kernel, seed);
  } catch (error) {
    if (error instanceof RaceError) return error;
    throw error;
  }
  throw new Error("no race was found");
}

const element = (array: string, index: KernelExpr): KernelExpr => load("device", array, index, "f32");
const shared = (index: KernelExpr): KernelExpr => load("workgroup", "s", index, "f32");
const one = constant("f32", 1);
const everyone = add(mul(workgroup, integer(4)), invocation);
const next = apply("remainder", add(invocation, integer(1)), integer(4));
const memory = [{ name: "s", type: "f32" as const, length: 4 }];

describe("runKernel", () => {
  it("sums rows by a tree, in any order", () => {
    const sums = Array.from(
      { length: rows },
      (_, row) => columns * columns * row + (columns * (columns - 1)) / 2,
    );
    for (const seed of seeds) expect(run(rowSum, seed)[1]).toEqual(sums);
  });

  it("runs a barrier in a loop: values go round in a ring", () => {
    const body: Statement[] = [
      storeWorkgroup("s", invocation, element("x", everyone)),
      barrier,
      loop("turn", integer(0), add(workgroup, integer(2)), [
        { kind: "let", name: "mine", value: shared(next) },
        barrier,
        storeWorkgroup("s", invocation, local("mine", "f32")),
        barrier,
      ]),
      storeDevice("y", everyone, shared(invocation)),
    ];
    const ring = kernelOf({
      buffers: [floats("x", 8, "read"), floats("y", 8, "write")],
      workgroupArrays: memory,
      body,
    });
    expect(verifyKernel(ring)).toEqual([]);
    for (const seed of seeds) expect(run(ring, seed)[1]).toEqual([2, 3, 0, 1, 7, 4, 5, 6]);
  });

  it("gives every invocation a private array, zero where it is declared", () => {
    const mine = (index: KernelExpr): KernelExpr => load("private", "p", index, "f32");
    const kernel = kernelOf({
      buffers: [floats("y", 8, "write")],
      body: [
        { kind: "var", name: "sum", type: "f32", init: constant("f32", 0) },
        loop("i", integer(0), integer(3), [
          { kind: "array", name: "p", type: "f32", length: 2 },
          {
            kind: "store",
            space: "private",
            array: "p",
            index: integer(1),
            value: apply("add", mine(integer(1)), one),
          },
          { kind: "assign", name: "sum", value: apply("add", local("sum", "f32"), mine(integer(1))) },
        ]),
        storeDevice("y", everyone, local("sum", "f32")),
      ],
    });
    expect(run(kernel)[0]).toEqual([3, 3, 3, 3, 3, 3, 3, 3]);
  });

  it("runs branches and integers that wrap", () => {
    const kernel = kernelOf({
      invocations: 2,
      workgroups: 1,
      buffers: [{ name: "y", type: "i32", length: 2, access: "write" }],
      body: [
        {
          kind: "if",
          condition: less(invocation, integer(1)),
          then: [
            storeDevice(
              "y",
              integer(0),
              apply("mul", apply("add", invocation, integer(65536)), integer(65536)),
            ),
          ],
          else: [storeDevice("y", integer(1), apply("add", invocation, integer(2147483647)))],
        },
      ],
    });
    const y = new Int32Array(2);
    runKernel(kernel, [y]);
    expect([...y]).toEqual([0, -2147483648]);
  });

  it("rounds to single precision unless asked for double", () => {
    const kernel = kernelOf({
      invocations: 1,
      workgroups: 1,
      buffers: [floats("x", 1, "read"), floats("y", 1, "write")],
      body: [storeDevice("y", integer(0), apply("add", element("x", integer(0)), constant("f32", 1)))],
    });
    const outcome = (precision: "f32" | "f64"): number => {
      const y = new Float64Array(1);
      runKernel(kernel, [Float64Array.of(0.1), y], { precision });
      return y[0]!;
    };
    expect(outcome("f32")).toBe(Math.fround(Math.fround(0.1) + 1));
    expect(outcome("f64")).toBe(1.1);
  });
});

describe("races", () => {
  it("a missing barrier is one, whichever invocation comes first", () => {
    for (const seed of seeds) {
      const race = raceOf(without(rowSum, barrier), seed);
      expect(race).toMatchObject({ kernel: "row_sum", space: "workgroup", array: "partial" });
      expect(race.first.workgroup).toBe(race.second.workgroup);
      expect(race.first.invocation).not.toBe(race.second.invocation);
      expect([race.first.action, race.second.action]).toContain("store");
    }
    for (const seed of seeds) expect(raceOf(without(rowSum, barrier, 1), seed).array).toBe("partial");
  });

  it("is told with both accesses", () => {
    const kernel = kernelOf({
      workgroups: 1,
      workgroupArrays: memory,
      body: [storeWorkgroup("s", integer(2), one)],
    });
    expect(() => runKernel(kernel, [])).toThrowErrorMatchingInlineSnapshot(
      `[RaceError: kernel k: a race on workgroup s[2]: invocation 0 of workgroup 0 stores to it and invocation 1 of workgroup 0 stores to it, with no barrier between them; put one there, or let one invocation own the element]`,
    );
  });

  it("two workgroups that store to one element", () => {
    const kernel = kernelOf({
      buffers: [floats("y", 4, "write")],
      body: [storeDevice("y", invocation, one)],
    });
    for (const seed of seeds) {
      const { first, second, array, element: at } = raceOf(kernel, seed);
      expect([first.workgroup, second.workgroup].sort()).toEqual([0, 1]);
      expect([first.action, second.action, first.invocation, second.invocation, array]).toEqual([
        "store",
        "store",
        at,
        at,
        "y",
      ]);
    }
    expect(() => run(kernel)).toThrowErrorMatchingInlineSnapshot(
      `[RaceError: kernel k: a race on device y[2]: invocation 2 of workgroup 0 stores to it and invocation 2 of workgroup 1 stores to it, and workgroups run in any order; let one workgroup own the element, or make two kernels of this one]`,
    );
  });

  it("a workgroup that reads what another stores, barrier or not", () => {
    const other = add(mul(sub(integer(1), workgroup), integer(4)), invocation);
    const kernel = kernelOf({
      buffers: [floats("x", 8, "read_write"), floats("y", 8, "write")],
      body: [
        storeDevice("y", everyone, element("x", everyone)),
        barrier,
        storeDevice("x", everyone, element("x", other)),
      ],
    });
    for (const seed of seeds) {
      const { first, second } = raceOf(kernel, seed);
      expect(first.workgroup).not.toBe(second.workgroup);
      expect([first.action, second.action]).toContain("store");
    }
  });

  it("invocations that read what another stores in a device buffer, unless a barrier is between", () => {
    const body = [
      storeDevice("x", everyone, one),
      barrier,
      storeDevice("y", everyone, element("x", add(mul(workgroup, integer(4)), next))),
    ];
    const kernel = kernelOf({ buffers: [floats("x", 8, "read_write"), floats("y", 8, "write")], body });
    expect(run(kernel)[1]).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
    for (const seed of seeds) expect(raceOf(without(kernel, barrier), seed).array).toBe("x");
  });

  it("a store after two reads, one of them by the invocation that stores", () => {
    const kernel = kernelOf({
      workgroups: 1,
      workgroupArrays: memory,
      buffers: [floats("y", 4, "write")],
      body: [
        when(apply("eq", invocation, integer(0)), storeWorkgroup("s", integer(0), one)),
        barrier,
        storeDevice("y", invocation, shared(integer(0))),
        when(apply("eq", invocation, integer(3)), storeWorkgroup("s", integer(0), one)),
      ],
    });
    for (const seed of seeds) {
      const { first, second } = raceOf(kernel, seed);
      expect([first.invocation, second.invocation]).toContain(3);
    }
  });

  it("are not looked for when they are not wanted", () => {
    const kernel = kernelOf({
      buffers: [floats("y", 4, "write")],
      body: [storeDevice("y", invocation, one)],
    });
    const y = new Float64Array(4);
    runKernel(kernel, [y], { races: false });
    expect([...y]).toEqual([1, 1, 1, 1]);
  });

  it("one invocation may read and store its own element as it likes", () => {
    const own = storeDevice("x", everyone, apply("add", element("x", everyone), one));
    const kernel = kernelOf({ buffers: [floats("x", 8, "read_write")], body: [own, own, barrier, own] });
    expect(run(kernel)[0]).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
  });
});

describe("faults", () => {
  const y = floats("y", 8, "write");
  it.each<[KernelFault["kind"], Kernel]>([
    ["out of range", kernelOf({ buffers: [y], body: [storeDevice("y", add(everyone, integer(1)), one)] })],
    [
      "out of range",
      kernelOf({
        buffers: [floats("x", 8, "read"), y],
        body: [
          storeDevice(
            "y",
            everyone,
            select(less(integer(0), everyone), element("x", sub(everyone, integer(1))), one),
          ),
        ],
      }),
    ],
    [
      "never written",
      kernelOf({
        buffers: [y],
        workgroupArrays: memory,
        body: [storeDevice("y", everyone, shared(invocation))],
      }),
    ],
    [
      "never written",
      kernelOf({
        buffers: [y],
        workgroupArrays: memory,
        body: [
          when(less(workgroup, integer(1)), storeWorkgroup("s", invocation, one)),
          barrier,
          storeDevice("y", everyone, shared(invocation)),
        ],
      }),
    ],
    ["write only", kernelOf({ buffers: [y], body: [storeDevice("y", everyone, element("y", everyone))] })],
    ["read only", kernelOf({ buffers: [floats("y", 8, "read")], body: [storeDevice("y", everyone, one)] })],
    ["barrier", kernelOf({ body: [when(less(invocation, integer(2)), barrier)] })],
    ["barrier", kernelOf({ body: [when(less(invocation, integer(2)), barrier), barrier] })],
  ])("%s", (kind, kernel) => {
    for (const seed of seeds) {
      let caught: unknown = null;
      try {
        run(kernel, seed);
      } catch (error) {
        caught = error;
      }
      expect(caught).toBeInstanceOf(KernelFault);
      expect(caught).toMatchObject({ kind });
    }
  });

  it("say who, where and why", () => {
    const messages = [
      kernelOf({ buffers: [y], body: [storeDevice("y", add(everyone, integer(8)), one)] }),
      kernelOf({
        buffers: [y],
        workgroupArrays: memory,
        body: [storeDevice("y", everyone, shared(invocation))],
      }),
      kernelOf({ body: [when(less(invocation, integer(2)), barrier)] }),
    ].map((kernel) => {
      try {
        run(kernel);
        return "";
      } catch (error) {
        return (error as Error).message;
      }
    });
    expect(messages).toMatchInlineSnapshot(`
      [
        "kernel k: invocation 3 of workgroup 0 stores to device y[11], but the array has 8 elements",
        "kernel k: invocation 3 of workgroup 0 reads workgroup s[3], which its workgroup has not stored to before; workgroup memory is not zero at first",
        "kernel k: not all invocations of workgroup 0 come to the same barrier: invocation 3 has ended, invocation 1 waits at barrier 1",
      ]
    `);
  });

  it.each<[string, Float64Array[]]>([
    ["it has 2 buffers, and is run on 1", [new Float64Array(30)]],
    ["the buffer y has 3 elements, and is run on 4", [new Float64Array(30), new Float64Array(4)]],
  ])("%s", (problem, buffers) => {
    expect(() => runKernel(rowSum, buffers)).toThrow(problem);
  });

  it("one array for two buffers", () => {
    const data = new Float64Array(8);
    const kernel = kernelOf({ buffers: [floats("x", 8, "read"), y], body: [] });
    expect(() => runKernel(kernel, [data, data])).toThrow("the buffers x and y are one array");
  });
});

/** A kernel whose invocations store to `cells` in a random program of loads, stores and barriers. */
const accesses = fc.array(
  fc.record({
    kind: fc.constantFrom("load" as const, "store" as const, "barrier" as const),
    /** The element that each of 3 invocations goes to. */
    at: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2)),
  }),
  { maxLength: 6 },
);

it("finds a race exactly where two invocations touch an element in one interval and one stores", () => {
  fc.assert(
    fc.property(accesses, fc.nat(), (steps, seed) => {
      const at = (elements: readonly number[]): KernelExpr =>
        select(
          less(invocation, integer(1)),
          integer(elements[0]!),
          select(less(invocation, integer(2)), integer(elements[1]!), integer(elements[2]!)),
        );
      const body = steps.map(({ kind, at: elements }, n): Statement => {
        if (kind === "barrier") return barrier;
        const index = at(elements);
        return kind === "store"
          ? storeDevice("cells", index, one)
          : { kind: "let", name: `read${n}`, value: element("cells", index) };
      });
      const kernel = kernelOf({
        workgroups: 1,
        invocations: 3,
        buffers: [floats("cells", 3, "read_write")],
        body,
      });

      const interval = (n: number): number => steps.slice(0, n).filter((s) => s.kind === "barrier").length;
      const touched = steps.flatMap(({ kind, at: elements }, n) =>
        kind === "barrier" ? [] : elements.map((where, who) => ({ where, who, kind, when: interval(n) })),
      );
      const races = touched.some((a) =>
        touched.some(
          (b) => a.where === b.where && a.who !== b.who && a.when === b.when && a.kind === "store",
        ),
      );
      const attempt = (): unknown => run(kernel, seed);
      if (races) expect(attempt).toThrow(RaceError);
      else expect(attempt).not.toThrow();
    }),
    { numRuns: 300 },
  );
});
