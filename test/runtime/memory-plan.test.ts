/**
 * The memory plan: values that live at once never overlap, and the others share.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Kernel } from "../../src/codegen/kernel.ts";
import type { Program, ProgramStep } from "../../src/codegen/program.ts";
import { type MemoryPlan, bytesOf, planMemory } from "../../src/runtime/memory-plan.ts";
import { constant } from "../../src/codegen/build.ts";
import { lifetimesOf } from "../../src/runtime/lifetimes.ts";
import { dispatch, elementwise, program, value } from "./programs.ts";

const limits = {
  maxStorageBufferBindingSize: 2048,
  maxBufferSize: 4096,
  maxStorageBuffersPerShaderStage: 8,
} as const;

const none = { constant: 0, turn: null, perTurn: 0 };

function copy(from: string, to: string, length = 64): ProgramStep {
  return { kind: "copy", from, to, length, fromOffset: none, toOffset: none };
}

const pass = elementwise("pass", 64, ["x"], "y", ([x = constant("f32", 0)]) => x);
const values = (names: string) => names.split("").map((name) => value(name, [64], "intermediate"));

function places(plan: MemoryPlan): Record<string, string> {
  return Object.fromEntries([...plan.places].map(([name, { page, offset }]) => [name, `${page}+${offset}`]));
}

describe("lifetimes", () => {
  const lifetimes = (steps: readonly ProgramStep[]): Record<string, string> => {
    const lives = lifetimesOf(program("p", values("abcd"), [pass], steps));
    return Object.fromEntries([...lives].map(([name, { first, last }]) => [name, `${first}–${last}`]));
  };
  const loop = (...steps: ProgramStep[]): ProgramStep => ({ kind: "loop", turn: "t", count: 3, steps });

  test("last from the first use to the last one", () => {
    expect(lifetimes([dispatch(0, "a", "b"), dispatch(0, "b", "c"), dispatch(0, "a", "d")])).toEqual({
      a: "0–2",
      b: "0–1",
      c: "1–1",
      d: "2–2",
    });
  });

  test("last as long as the loop for what is read in it, carried or used after it", () => {
    expect(
      lifetimes([
        dispatch(0, "a", "b"),
        loop(dispatch(0, "b", "c"), dispatch(0, "c", "d"), copy("d", "b")),
        dispatch(0, "d", "a"),
      ]),
    ).toEqual({ a: "0–4", b: "0–3", c: "1–2", d: "1–4" });
  });

  test("last as long as the loop for what a turn leaves to the next", () => {
    expect(lifetimes([loop(dispatch(0, "a", "b"), dispatch(0, "b", "a"), copy("a", "c", 9))])).toEqual({
      a: "0–2",
      b: "0–1",
      c: "0–2",
    });
  });

  test("are those of a turn for what is made and used up in it, in inner loops too", () => {
    expect(
      lifetimes([loop(dispatch(0, "a", "b"), loop(dispatch(0, "b", "c"), dispatch(0, "c", "d")))]),
    ).toEqual({
      a: "0–2",
      b: "0–2",
      c: "1–2",
      d: "2–2",
    });
  });
});

describe("places", () => {
  test("inputs and outputs have pages of their own, intermediates share", () => {
    const plan = planMemory(
      program(
        "p",
        [value("x", [64], "input"), ...values("abc"), value("y", [64], "output")],
        [pass],
        [dispatch(0, "x", "a"), dispatch(0, "a", "b"), dispatch(0, "b", "c"), dispatch(0, "c", "y")],
      ),
      limits,
    );
    expect(places(plan)).toEqual({ x: "0+0", y: "1+0", a: "2+0", b: "2+256", c: "2+0" });
    expect(plan.pages).toEqual([
      { role: "input", bytes: 256, isWritten: false },
      { role: "output", bytes: 256, isWritten: true },
      { role: "intermediate", bytes: 512, isWritten: true },
    ]);
    expect(plan).toMatchObject({
      unsharedBytes: 768,
      intermediateBytes: 512,
      liveBytes: 512,
      peakBytes: 1024,
    });
  });

  test("the ends of a copy lie in different pages", () => {
    const plan = planMemory(
      program("p", values("abc"), [pass], [copy("a", "b"), copy("b", "c"), copy("c", "a")]),
      limits,
    );
    expect(places(plan)).toEqual({ a: "0+0", b: "1+0", c: "2+0" });
  });

  test("a value that nothing touches has none", () => {
    expect(planMemory(program("p", values("a"), [], []), limits).pages).toEqual([]);
  });

  test("a value larger than a binding is refused by name and shape", () => {
    expect(() =>
      planMemory(program("step", [value("logits", [40, 40], "intermediate")], [], []), limits),
    ).toThrowErrorMatchingInlineSnapshot(
      `[LimitError: program step, tensor %logits of f32[40, 40]: needs maxStorageBufferBindingSize of 6400, the device has 2048; make the tensor or the batch smaller, or choose an adapter that binds more]`,
    );
  });

  test("as many inputs of a kernel over too many buffers are staged as leave it few enough bindings", () => {
    const names = Array.from({ length: 9 }, (_, i) => `x${i}`);
    const sum = elementwise("sum", 64, names, "y", ([x = constant("f32", 0)]) => x);
    const plan = planMemory(
      program(
        "p",
        [...names.map((name) => value(name, [64], "input")), value("y", [64], "output")],
        [sum],
        [dispatch(0, ...names, "y")],
      ),
      limits,
    );
    // The kernel then binds five inputs, a page of four more, and the output.
    expect([...plan.staged]).toHaveLength(4);
    expect(plan.pages.filter(({ role }) => role === "input")).toHaveLength(5);
    expect(plan.pages.filter(({ role }) => role === "staged")).toEqual([
      { role: "staged", bytes: 1024, isWritten: false },
    ]);
  });
});

/** Programs over a few values of random sizes, with loops in loops. */
const programs: fc.Arbitrary<Program> = fc
  .array(fc.integer({ min: 1, max: 400 }), { minLength: 2, maxLength: 12 })
  .chain((lengths) => {
    const named = lengths.map((length, i) => value(`v${i}`, [length], "intermediate"));
    const pair = fc
      .tuple(fc.nat(lengths.length - 1), fc.nat(lengths.length - 1))
      .filter(([a, b]) => a !== b)
      .map(([a, b]) => [`v${a}`, `v${b}`] as const);
    const kernels: readonly Kernel[] = [
      pass,
      { ...pass, buffers: pass.buffers.map((b) => ({ ...b, access: "read_write" })) },
    ];
    const { step } = fc.letrec<{ step: ProgramStep }>((tie) => ({
      step: fc.oneof(
        { depthSize: "small" },
        fc.tuple(fc.nat(1), pair).map(([kernel, [a, b]]) => dispatch(kernel, a, b)),
        fc.tuple(pair, fc.boolean()).map(([[a, b], isWhole]) => {
          const length = named.find(({ name }) => name === b)?.shape[0] ?? 1;
          return copy(a, b, isWhole ? length : 0);
        }),
        fc
          .array(tie("step"), { minLength: 1, maxLength: 5 })
          .map((steps): ProgramStep => ({ kind: "loop", turn: "t", count: 2, steps })),
      ),
    }));
    return fc
      .array(step, { minLength: 1, maxLength: 10 })
      .map((steps) => program("random", named, kernels, steps));
  });

/**
 * Runs a program on the plan's memory, where every word remembers whose it is: what is read must be as it was
 * written. A value that is read before it is written is as it was left, and then nothing may have written
 * there since.
 */
function clobbered(planned: Program, plan: MemoryPlan): string[] {
  const faults: string[] = [];
  const owners = plan.pages.map(({ bytes }) => Array.from({ length: bytes / 4 }, (): string | null => null));
  const written = new Set<string>();
  const words = (name: string): readonly [number, number, number] => {
    const { page, offset, bytes } = plan.places.get(name) ?? { page: 0, offset: 0, bytes: 0 };
    return [page, offset / 4, (offset + bytes) / 4];
  };
  const read = (name: string): void => {
    const [page, start, end] = words(name);
    if (written.has(name) && owners[page]?.slice(start, end).some((owner) => owner !== name))
      faults.push(name);
  };
  const write = (name: string): void => {
    const [page, start, end] = words(name);
    owners[page]?.fill(name, start, end);
    written.add(name);
  };
  const run = (step: ProgramStep): void => {
    switch (step.kind) {
      case "dispatch": {
        const access = planned.kernels[step.kernel]?.buffers.map((buffer) => buffer.access) ?? [];
        step.values.forEach((name, i) => access[i] !== "write" && read(name));
        step.values.forEach((name, i) => access[i] !== "read" && write(name));
        // A write must not fall on another value of the dispatch.
        step.values.forEach(read);
        return;
      }
      case "copy": {
        read(step.from);
        const isWhole = 4 * step.length === plan.places.get(step.to)?.bytes;
        if (!isWhole) read(step.to);
        write(step.to);
        return read(step.from);
      }
      case "loop":
        for (let turn = 0; turn < step.count; turn++) step.steps.forEach(run);
    }
  };
  planned.steps.forEach(run);
  return faults;
}

describe("laws over random programs", () => {
  test("values that live at once never overlap", () => {
    fc.assert(
      fc.property(programs, (planned) => {
        const plan = planMemory(planned, limits);
        const lives = [...lifetimesOf(planned)];
        for (const [a, lifeA] of lives)
          for (const [b, lifeB] of lives) {
            const [p, q] = [plan.places.get(a), plan.places.get(b)];
            if (a === b || p === undefined || q === undefined || p.page !== q.page) continue;
            if (lifeA.first > lifeB.last || lifeB.first > lifeA.last) continue;
            expect(p.offset + p.bytes <= q.offset || q.offset + q.bytes <= p.offset).toBe(true);
          }
      }),
      { numRuns: 300 },
    );
  });

  test("every value is as it was left when it is read", () => {
    fc.assert(
      fc.property(programs, (planned) => {
        expect(clobbered(planned, planMemory(planned, limits))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test("places are aligned, lie in their pages, and pages fit a binding", () => {
    fc.assert(
      fc.property(programs, (planned) => {
        const plan = planMemory(planned, limits);
        for (const { page, offset, bytes } of plan.places.values()) {
          expect(offset % 256).toBe(0);
          expect(offset + bytes).toBeLessThanOrEqual(plan.pages[page]?.bytes ?? 0);
        }
        for (const { bytes } of plan.pages) expect(bytes).toBeLessThanOrEqual(2048);
        const largest = Math.max(...planned.values.map(({ shape }) => bytesOf(shape)));
        expect(plan.liveBytes).toBeLessThanOrEqual(plan.intermediateBytes);
        expect(plan.intermediateBytes).toBeLessThanOrEqual(plan.unsharedBytes);
        expect(largest).toBeLessThanOrEqual(2048);
      }),
      { numRuns: 300 },
    );
  });
});
