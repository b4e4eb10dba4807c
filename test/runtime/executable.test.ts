/**
 * Programs on a device: what goes in, what comes out, what is kept.
 */
/// <reference types="@webgpu/types" />
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { globals } from "webgpu";
import { constant } from "../../src/codegen/build.ts";
import type { Program } from "../../src/codegen/program.ts";
import { bool, f32, i32 } from "../../src/ir/ir.ts";
import type { DeviceTensor } from "../../src/runtime/device.ts";
import {
  CommandError,
  DeviceLostError,
  LimitError,
  ShaderError,
  TensorError,
} from "../../src/runtime/errors.ts";
import { deviceOfTests, openTestDevice } from "./device.ts";
import { dispatch, elementwise, program, total, value, vectorAdd } from "./programs.ts";

const device = deviceOfTests();

async function elements(tensors: readonly DeviceTensor[]): Promise<number[][]> {
  return Promise.all(tensors.map(async (tensor) => [...(await tensor.read())]));
}

/** x := x + g, beside the loss, which is x before. */
function update(length: number): Program {
  return program(
    "update",
    [value("x", [length], "input"), value("g", [length], "input"), value("before", [length], "output")],
    [
      elementwise("copy", length, ["x"], "before", ([x = constant("f32", 0)]) => x),
      elementwise("step", length, ["g"], "x", (g, x) => total([x, ...g]), true),
    ],
    [dispatch(0, "x", "before"), dispatch(1, "g", "x")],
    { outputs: ["x", "before"], updated: ["x"] },
  );
}

/** The sum of `count` inputs, in one kernel. */
function manySum(count: number, length: number): Program {
  const names = Array.from({ length: count }, (_, i) => `x${i}`);
  return program(
    "many_sum",
    [
      ...names.map((name) => value(name, [length], "input")),
      value("y", [length], "output"),
      value("z", [length], "output"),
    ],
    [
      elementwise("sum", length, names, "y", total),
      elementwise("twice", length, ["y"], "z", ([y = constant("f32", 0)]) => total([y, y])),
    ],
    [dispatch(0, ...names, "y"), dispatch(1, "y", "z")],
  );
}

describe("run", () => {
  test("adds vectors, of the host and of the device", async () => {
    const add = await device().load(vectorAdd(100));
    const x = Float32Array.from({ length: 100 }, (_, i) => i);
    const y = await device().tensor(f32, [100], x);
    const [z] = await add.run([x, y]);
    expect(z?.shape).toEqual([100]);
    expect(await z?.read()).toEqual(x.map((n) => 2 * n));
  });

  test("chains steps over intermediates that share memory", async () => {
    const chain = ["a", "b", "c", "d"].map((name) => value(name, [64], "intermediate"));
    const twice = elementwise("twice", 64, ["x"], "y", ([x = constant("f32", 0)]) => total([x, x]));
    const long = program(
      "chain",
      [value("x", [64], "input"), ...chain, value("y", [64], "output")],
      [twice],
      [
        dispatch(0, "x", "a"),
        dispatch(0, "a", "b"),
        dispatch(0, "b", "c"),
        dispatch(0, "c", "d"),
        dispatch(0, "d", "y"),
      ],
    );
    const loaded = await device().load(long);
    expect(loaded.memory).toMatchObject({ unsharedBytes: 4 * 256, intermediateBytes: 2 * 256 });
    expect(await elements(await loaded.run([Array.from({ length: 64 }, () => 3)]))).toEqual([
      Array.from({ length: 64 }, () => 96),
    ]);
  });

  test("carries values through a loop and stacks them", async () => {
    // s := s + x for 5 turns; stack[turn] = s.
    const none = { constant: 0, turn: null, perTurn: 0 };
    const loop = program(
      "fold",
      [
        value("x", [2], "input"),
        value("start", [2], "input"),
        value("s", [2], "intermediate"),
        value("next", [2], "intermediate"),
        value("stack", [5, 2], "output"),
        value("last", [2], "output"),
      ],
      [elementwise("add", 2, ["s", "x"], "next", total)],
      [
        { kind: "copy", from: "start", to: "s", length: 2, fromOffset: none, toOffset: none },
        {
          kind: "loop",
          turn: "t",
          count: 5,
          steps: [
            dispatch(0, "s", "x", "next"),
            { kind: "copy", from: "next", to: "s", length: 2, fromOffset: none, toOffset: none },
            {
              kind: "copy",
              from: "next",
              to: "stack",
              length: 2,
              fromOffset: none,
              toOffset: { constant: 0, turn: "t", perTurn: 2 },
            },
          ],
        },
        { kind: "copy", from: "s", to: "last", length: 2, fromOffset: none, toOffset: none },
      ],
    );
    const loaded = await device().load(loop);
    const outputs = await loaded.run([
      [1, 10],
      [100, 200],
    ]);
    expect(await elements(outputs)).toEqual([
      [101, 210, 102, 220, 103, 230, 104, 240, 105, 250],
      [105, 250],
    ]);
    const short = await device().load(loop, { dispatchesPerSubmit: 2 });
    expect(
      (
        await elements(
          await short.run([
            [1, 1],
            [0, 0],
          ]),
        )
      )[1],
    ).toEqual([5, 5]);
  });

  test("updates inputs in place", async () => {
    const step = await device().load(update(3), { reuseOutputs: true });
    const x = await device().tensor(f32, [3], [1, 2, 3]);
    const [same, before] = await step.run([x, [10, 10, 10]]);
    expect(same).toBe(x);
    expect(await before?.read()).toEqual(Float32Array.of(1, 2, 3));
    await step.run([x, [1, 1, 1]]);
    expect(await x.read()).toEqual(Float32Array.of(12, 13, 14));
    expect(await before?.read()).toEqual(Float32Array.of(11, 12, 13));
  });

  test("gives an input that is an output as it is, and an output twice as one tensor", async () => {
    const { values, kernels, steps } = vectorAdd(2);
    const loaded = await device().load(
      program("pass", values, kernels, steps, { outputs: ["z", "x", "z", "y"] }),
    );
    const x = await device().tensor(f32, [2], [1, 2]);
    const outputs = await loaded.run([x, [5, 6]]);
    expect(outputs[1]).toBe(x);
    expect(outputs[2]).toBe(outputs[0]);
    expect(await elements(outputs)).toEqual([
      [6, 8],
      [1, 2],
      [6, 8],
      [5, 6],
    ]);
  });

  test("uploads constants, and gives one that is an output", async () => {
    const { kernels, steps } = vectorAdd(2);
    const values = [
      value("x", [2], "input"),
      { ...value("y", [2], "constant"), data: Float32Array.of(0.5, 0.25) },
      value("z", [2], "output"),
    ];
    const loaded = await device().load(program("shift", values, kernels, steps, { outputs: ["z", "y"] }));
    expect(await elements(await loaded.run([[1, 2]]))).toEqual([
      [1.5, 2.25],
      [0.5, 0.25],
    ]);
  });

  test("packs the buffers of a kernel that has more than the device binds", async () => {
    const count = 2 * device().adapter.limits.maxStorageBuffersPerShaderStage + 3;
    const loaded = await device().load(manySum(count, 40));
    expect(loaded.memory.staged.size).toBeGreaterThan(count / 2);
    const given = Array.from({ length: count }, (_, i) =>
      Float32Array.from({ length: 40 }, (__, j) => i + j),
    );
    const [y, z] = await loaded.run(given);
    const expected = Float32Array.from({ length: 40 }, (_, j) => (count * (count - 1)) / 2 + count * j);
    expect(await y?.read()).toEqual(expected);
    expect(await z?.read()).toEqual(expected.map((n) => 2 * n));
  });

  test("packs an input that is updated in place", async () => {
    const count = device().adapter.limits.maxStorageBuffersPerShaderStage + 1;
    const names = Array.from({ length: count }, (_, i) => `x${i}`);
    const packed = program(
      "packed_update",
      [...names.map((name) => value(name, [2], "input")), value("w", [2], "input")],
      [elementwise("step", 2, names, "w", (xs, w) => total([w, ...xs]), true)],
      [dispatch(0, ...names, "w")],
      { outputs: ["w"], updated: ["w"] },
    );
    const loaded = await device().load(packed);
    const w = await device().tensor(f32, [2], [0.5, 0]);
    await loaded.run([...names.map(() => [1, 2]), w]);
    await loaded.run([...names.map(() => [1, 2]), w]);
    expect(await w.read()).toEqual(Float32Array.of(2 * count + 0.5, 4 * count));
  });

  test("does not mix calls that are made at once", async () => {
    const add = await device().load(vectorAdd(1));
    const sums = await Promise.all([1, 2, 3, 4].map((n) => add.run([[n], [10 * n]])));
    expect(await elements(sums.flat())).toEqual([[11], [22], [33], [44]]);
  });

  test("replays over the same tensors without making anything", async () => {
    const step = await device().load(update(3), { reuseOutputs: true });
    const [x, g] = [await device().tensor(f32, [3]), await device().tensor(f32, [3], [1, 2, 3])];
    await step.run([x, g]);
    const { prototype } = (globals as { readonly GPUDevice: { readonly prototype: GPUDevice } }).GPUDevice;
    const makers = (
      [
        "createBuffer",
        "createBindGroup",
        "createShaderModule",
        "createComputePipelineAsync",
        "pushErrorScope",
      ] as const
    ).map((name) => vi.spyOn(prototype, name));
    onTestFinished(() => makers.forEach((maker) => maker.mockRestore()));
    await step.run([x, g]);
    expect(makers.map((maker) => maker.mock.calls.length)).toEqual([0, 0, 0, 0, 0]);
    expect(await x.read()).toEqual(Float32Array.of(2, 4, 6));
  });

  test("compiles a text once, whatever program it is in", async () => {
    const { kernels } = vectorAdd(6);
    const progress: string[] = [];
    const loaded = await device().load(vectorAdd(6), {
      progress: (done, all) => progress.push(`${done}/${all}`),
    });
    expect(progress).toEqual(["0/1", "1/1"]);
    expect(loaded.shaders.map(({ kernel }) => kernel)).toEqual(kernels.map(({ name }) => name));
  });
});

describe("memory", () => {
  test("is the same after many steps as after one", async () => {
    const [add, step] = [
      await device().load(vectorAdd(50)),
      await device().load(update(50), { reuseOutputs: true }),
    ];
    const x = await device().tensor(f32, [50]);
    const one = async (): Promise<void> => {
      await device().scope(async () => {
        const [z] = await add.run([x, new Float32Array(50)]);
        await z?.read();
      });
      await step.run([x, new Float32Array(50)]);
    };
    await one();
    const after = device().memory();
    for (let i = 0; i < 20; i++) await one();
    expect(device().memory()).toEqual(after);
    const before = device().memory().executables;
    step.free();
    // The kept output and the kept input.
    expect(device().memory().executables).toBe(before - 400);
  });

  test("a scope frees what is not returned", async () => {
    const before = device().memory().tensors;
    const kept = await device().scope(async () => {
      await device().tensor(f32, [8]);
      const inner = await device().scope(async () => ({ list: [await device().tensor(f32, [4])] }));
      await device().tensor(f32, [16]);
      return inner;
    });
    expect(device().memory().tensors).toBe(before + 16);
    kept.list[0]?.free();
    await expect(
      device().scope(async () => {
        await device().tensor(f32, [8]);
        throw new Error("stop");
      }),
    ).rejects.toThrow("stop");
    expect(device().memory().tensors).toBe(before);
  });

  test("holds bools and indices as elements of the host", async () => {
    const flags = await device().tensor(bool, [2, 2], [1, 0, 0, 5]);
    expect(await flags.read()).toEqual(Uint8Array.of(1, 0, 0, 1));
    const index = await device().tensor({ scalar: "i32", bound: 3 }, [2], [0, 2]);
    expect(await index.read()).toEqual(Int32Array.of(0, 2));
    index.write([1, 1]);
    expect(await index.read()).toEqual(Int32Array.of(1, 1));
    expect(() => index.write([0, 3])).toThrowError("element 1 is 3, an index from 0 to 2 is expected");
    const none = await device().tensor(i32, [0, 4]);
    expect(await none.read()).toEqual(new Int32Array(0));
  });
});

describe("profile", () => {
  test("times kernels where there are timestamps", async () => {
    const step = await device().load(update(64));
    const x = await device().tensor(f32, [64]);
    const times = await step.profile([x, new Float32Array(64)], 3);
    if (!device().adapter.features.includes("timestamp-query")) expect(times).toBeNull();
    else
      expect(times?.map(({ kernel, dispatches }) => [kernel, dispatches]).sort()).toEqual([
        ["copy", 1],
        ["step", 1],
      ]);
  });
});

describe("errors", () => {
  test("a huge tensor is refused with its name before anything is allocated", async () => {
    const before = device().memory();
    const huge = vectorAdd(2 ** 36);
    const error = await device()
      .load(huge)
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(LimitError);
    expect(error).toMatchObject({
      needed: 2 ** 38,
      subject: "program vector_add, tensor %x of f32[68719476736]",
    });
    await expect(device().tensor(f32, [2 ** 18, 2 ** 18])).rejects.toBeInstanceOf(LimitError);
    expect(device().memory()).toEqual(before);
  });

  test("a kernel that is too large for the device names the limit", async () => {
    const { values, kernels, steps } = vectorAdd(4);
    const large = kernels.map((kernel) => ({ ...kernel, invocations: 2 ** 16 }));
    await expect(device().load(program("p", values, large, steps))).rejects.toMatchObject({
      name: "LimitError",
      subject: "kernel add",
      limit: "maxComputeInvocationsPerWorkgroup",
    });
  });

  test("a shader that the driver refuses shows its place", async () => {
    const error = await device()
      .load(vectorAdd(4), {
        printer: () => ({
          code: "@compute @workgroup_size(1)\nfn main() {\n  let x: f32 = 1u;\n}\n",
          bindings: [],
          offsetSlots: 0,
          dispatch: [1, 1, 1],
        }),
      })
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ShaderError);
    expect(error).toMatchObject({ kernel: "add" });
    expect(error instanceof ShaderError && error.excerpt).toMatchInlineSnapshot(`
      "    1 | @compute @workgroup_size(1)
          2 | fn main() {
          3 |   let x: f32 = 1u;
                    ^
          4 | }"
    `);
    // The device goes on.
    const [z] = await (await device().load(vectorAdd(1))).run([[1], [2]]);
    expect(await z?.read()).toEqual(Float32Array.of(3));
  });

  test("a command that the driver refuses is told by the call", async () => {
    const { values, kernels } = vectorAdd(4);
    const far = { constant: 100, turn: null, perTurn: 0 };
    const wrong = program("wrong", values, kernels, [
      { kind: "copy", from: "x", to: "z", length: 4, fromOffset: far, toOffset: { ...far, constant: 0 } },
    ]);
    const loaded = await device().load(wrong);
    const before = device().memory().tensors;
    await expect(loaded.run([new Float32Array(4), new Float32Array(4)])).rejects.toBeInstanceOf(CommandError);
    expect(device().memory().tensors).toBe(before);
  });

  test("arguments that don't fit are told apart", async () => {
    const add = await device().load(vectorAdd(2));
    const step = await device().load(update(2), { reuseOutputs: true });
    const [two, three] = [await device().tensor(f32, [2]), await device().tensor(f32, [3])];
    const message = (promise: Promise<unknown>): Promise<string> =>
      promise.then(
        () => "no error",
        (e: unknown) => (e instanceof TensorError ? e.message : `not a TensorError: ${String(e)}`),
      );
    const [, before] = await step.run([two, [0, 0]]);
    expect(await message(add.run([two]))).toMatchInlineSnapshot(
      `"program vector_add: 2 arguments are expected (%x, %y), 1 were given"`,
    );
    expect(await message(add.run([two, three]))).toMatchInlineSnapshot(
      `"program vector_add, argument 2 (%y: f32[2]): a tensor of f32[3] was given"`,
    );
    expect(await message(add.run([two, [1, 2, 3]]))).toMatchInlineSnapshot(
      `"program vector_add, argument 2 (%y: f32[2]) has 2 elements, 3 were given"`,
    );
    expect(await message(step.run([[1, 2], two]))).toMatchInlineSnapshot(
      `"program update, argument 1 (%x: f32[2]): it is updated in place, so it must be a tensor of the device (device.tensor)"`,
    );
    expect(await message(step.run([two, two]))).toMatchInlineSnapshot(
      `"program update: one tensor was given for %x and %g, and %x is updated in place; give a copy for one of them"`,
    );
    expect(await message(step.run([two, before ?? []]))).toMatchInlineSnapshot(
      `"program update, argument %g: it is an output that this executable keeps and writes again; load it without reuseOutputs, or let the program update the input in place"`,
    );
    three.free();
    expect(await message(three.read())).toMatchInlineSnapshot(
      `"read: a tensor of f32[3] was freed before; free tensors after their last use, and return from a scope what is used after it"`,
    );
    add.free();
    expect(await message(add.run([two, two]))).toMatchInlineSnapshot(
      `"program vector_add: the executable was freed before"`,
    );
  });

  test("what ran over the same tensors before finds other elements in them, other tensors, and freed ones", async () => {
    const add = await device().load(vectorAdd(2), { reuseOutputs: true });
    const [one, two, three] = [
      await device().tensor(f32, [2], [1, 1]),
      await device().tensor(f32, [2], [2, 2]),
      await device().tensor(f32, [2], [3, 3]),
    ];
    const step = await device().load(update(2));
    const args: DeviceTensor[] = [one, two];
    expect(await elements(await add.run(args))).toEqual([[3, 3]]);
    expect(await elements(await add.run(args))).toEqual([[3, 3]]);
    await step.run([one, two]);
    expect(await elements(await add.run(args))).toEqual([[5, 5]]);
    args[1] = three;
    expect(await elements(await add.run(args))).toEqual([[6, 6]]);
    expect(await elements(await add.run(args))).toEqual([[6, 6]]);
    three.free();
    await expect(add.run(args)).rejects.toThrowError("was freed before");
    expect(await elements(await add.run([one, two]))).toEqual([[5, 5]]);
  });

  test("a closed device says so", async () => {
    const other = await openTestDevice();
    const add = await other.load(vectorAdd(2));
    const x = await other.tensor(f32, [2]);
    await expect(
      device()
        .load(vectorAdd(2))
        .then((e) => e.run([x, x])),
    ).rejects.toThrowError("another device");
    other.close();
    await expect(x.read()).rejects.toBeInstanceOf(DeviceLostError);
    await expect(add.run([x, x])).rejects.toBeInstanceOf(DeviceLostError);
    await expect(other.tensor(f32, [1])).rejects.toBeInstanceOf(DeviceLostError);
    await expect(other.finished()).rejects.toBeInstanceOf(DeviceLostError);
  });

  test("a device that is lost while something is read says so", async () => {
    const other = await openTestDevice();
    const x = await other.tensor(f32, [2]);
    const reading = x.read();
    other.close();
    await expect(reading).rejects.toBeInstanceOf(DeviceLostError);
  });
});
