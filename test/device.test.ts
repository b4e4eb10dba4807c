/** Functions on a device, as a program that uses the package runs them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../src/device.ts";
import {
  ArgumentError,
  free,
  load,
  loadModel,
  read,
  type Tensor,
  tensor,
  TensorError,
} from "../src/index.ts";
import { openDevice } from "../src/node.ts";
import { compileOpen } from "../src/open-function.ts";
import { openNodeDevice } from "../src/runtime/node.ts";
import type { Program } from "../src/codegen/program.ts";

let device: Device;
beforeAll(async () => {
  device = await openDevice({ adapter: process.env["FECIT_DEVICE"] ?? "software" });
});
afterAll(() => device.close());

const module = load(`
struct Net[n] { scale: f32[n], shift: f32 }

fn scale(x: f32[n], by: f32) -> f32[n] = for i -> by * x[i]
fn apply(p: Net[n], x: f32[b, n]) -> (f32[b, n], idx[n][b]) {
  let y[i, j] = p.scale[j] * x[i, j] + p.shift
  (y, for i -> argmax[j] y[i, j])
}
fn step(p: Net[n], x: f32[n], rate: f32) -> (Net[n], f32) {
  let next = Net { scale: for j -> p.scale[j] - rate * x[j], shift: p.shift - rate }
  (next, sum[j] p.scale[j])
}
fn centred(x: f32[b]) -> f32[b] = for i -> x[i] - mean[k] x[k]
fn flags(x: f32[n]) -> bool[n] = for i -> x[i] > 0.0
`);

const net = { scale: tensor([2], [1, 10]), shift: 0.5 };

function numbersOf(value: unknown): number[] {
  return Array.from((value as Tensor).data);
}

describe("device.compile", () => {
  it("runs a function on tensors and numbers of the host; results stay on the device until they are read", async () => {
    const f = await device.compile(module.compile("scale", { dims: { n: 3 } }));
    const [y] = await f.run(tensor([3], [1, 2, 3]), 2);
    expect(await read(y!)).toEqual({ type: "f32", shape: [3], data: Float32Array.of(2, 4, 6) });
    const [z] = await f.run(y!, 10);
    expect(numbersOf(await read(z!))).toEqual([20, 40, 60]);
    expect(f.kernelCount).toBe(1);
    [y, z].forEach((tree) => free(tree!));
    await expect(read(y!)).rejects.toThrow(TensorError);
    f.free();
  });

  it.each(["fuse", "memory", "layout"])("refuses a word for %s that there is not", async (option) => {
    const scale = module.compile("scale", { dims: { n: 3 } });
    const expected = {
      name: "ArgumentError",
      message: expect.stringContaining(`${option}: expected one of`),
    };
    await expect(device.compile(scale, { [option]: "foo" })).rejects.toMatchObject(expected);
    await expect(device.tune(scale, { [option]: "foo" })).rejects.toMatchObject(expected);
  });

  it("takes typed arrays where a tensor stands, and structs; gives tuples and integers", async () => {
    const f = await device.compile(module.compile("apply", { dims: { b: 2, n: 2 } }));
    const [y, best] = await f.run(net, Float32Array.of(1, 2, 50, 4));
    expect(numbersOf(await read(y!))).toEqual([1.5, 20.5, 50.5, 40.5]);
    expect(await read(best!)).toEqual({ type: "i32", shape: [2], data: Int32Array.of(1, 0) });
    f.free();
  });

  it("gives booleans as 0 and 1", async () => {
    const f = await device.compile(module.compile("flags", { dims: { n: 3 } }));
    const [y] = await f.run(tensor([3], [-1, 0, 1]));
    expect(await read(y!)).toEqual({ type: "bool", shape: [3], data: Uint8Array.of(0, 0, 1) });
    f.free();
  });

  it.each(["off", "map", "full"] as const)(
    "runs vjps, fused %s, as the interpreter has them",
    async (fuse) => {
      const vjp = module.compile("apply", { dims: { b: 2, n: 2 } }).vjp();
      const args = [net, tensor([2, 2], [1, 2, 3, 4]), tensor([2, 2], [1, -1, 2, 0.5])];
      const f = await device.compile(vjp, { fuse });
      const found = await Promise.all((await f.run(...args)).map(read));
      const expected = vjp.interpret(...args);
      expect(found).toHaveLength(2);
      const [p, x] = expected as [{ scale: Tensor; shift: number }, Tensor];
      const own = found as [{ scale: Tensor; shift: number }, Tensor];
      expect(numbersOf(own[0].scale)).toEqual(numbersOf(p.scale));
      expect(own[0].shift).toBe(p.shift);
      expect(numbersOf(own[1])).toEqual(numbersOf(x));
      f.free();
    },
  );

  it("names the argument that does not fit", async () => {
    const f = await device.compile(module.compile("apply", { dims: { b: 1, n: 2 } }));
    const x = tensor([1, 2], [1, 2]);
    const refused = async (...args: Parameters<typeof f.run>): Promise<string> => {
      const error: unknown = await f.run(...args).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(ArgumentError);
      return (error as Error).message;
    };
    expect(await refused(net)).toBe("apply takes 2 arguments (p, x), 1 given");
    expect(await refused(net, tensor([2], [1, 2]))).toBe("x: expected f32[1, 2], found f32[2]");
    expect(await refused(net, Float32Array.of(1))).toBe("x: expected 2 elements for f32[1, 2], found 1");
    expect(await refused({ scale: net.scale }, x)).toBe("p.shift is missing; expected f32");
    const onDevice = await device.tensor({ scalar: "f32", bound: null }, [3]);
    expect(await refused({ ...net, scale: onDevice }, x)).toBe(
      "p.scale: expected f32[2], found f32[3] on the device",
    );
    onDevice.free();
    f.free();
  });

  it("frees in a scope what is not returned", async () => {
    const f = await device.compile(module.compile("scale", { dims: { n: 3 } }));
    const before = device.memory().tensors;
    const kept = await device.scope(async () => {
      const [y] = await f.run(tensor([3], [1, 2, 3]), 2);
      const [z] = await f.run(y!, 2);
      return z!;
    });
    expect(numbersOf(await read(kept))).toEqual([4, 8, 12]);
    expect(device.memory().tensors).toBe(before + 12);
    free(kept);
    f.free();
  });
});

describe("inPlace", () => {
  const compiled = module.compile("step", { dims: { n: 2 } });

  it("updates a struct where it lies", async () => {
    const step = await device.compile(compiled, { inPlace: { p: 0 } });
    const p = await step.put("p", net);
    const sums: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      const [next, sum] = await step.run(p, tensor([2], [1, 2]), 0.5);
      expect(next).toEqual(p);
      sums.push(await read(sum!));
    }
    expect(sums).toEqual([11, 9.5, 8]);
    const after = (await read(p)) as { scale: Tensor; shift: number };
    expect({ scale: numbersOf(after.scale), shift: after.shift }).toEqual({ scale: [-0.5, 7], shift: -1 });
    free(p);
    step.free();
  });

  it("updates what a step of training carries", async () => {
    expect(compiled.carried).toEqual([
      { result: 0, param: 0 },
      { result: 1, param: 1 },
    ]);
    const step = await device.compile(compiled, { inPlace: "carried" });
    expect(step.kernels.program.updated).toHaveLength(2);
    await expect(step.run(net, tensor([2], [1, 2]), 0.5)).rejects.toThrow("updated in place");
    step.free();
  });

  it.each([
    [{ q: 0 }, "inPlace: step has no argument q; there are p, x, rate"],
    [{ p: 2 }, "inPlace: step has no result 2; there are 0, 1"],
    [
      { p: 1 },
      "inPlace: result 1 is f32, argument p is Net { scale, shift }; a result overwrites an argument of its own shape",
    ],
  ])("refuses %o", async (inPlace, message) => {
    await expect(device.compile(compiled, { inPlace })).rejects.toThrow(message);
  });

  it("takes parts by their paths", async () => {
    const step = await device.compile(compiled, { inPlace: { "p.shift": "0.shift" } });
    expect(step.kernels.program.updated).toEqual([compiled.graph.params[1]!.name]);
    step.free();
  });
});

describe("an open dimension", () => {
  const apply = module.compile("apply", { dims: { b: 4, n: 2 } });
  const rows = (b: number): Tensor =>
    tensor(
      [b, 2],
      Array.from({ length: 2 * b }, (_, i) => i * i - 3),
    );

  it("runs smaller and larger batches, with the rows that each has alone", async () => {
    const f = await device.compile(apply, { open: "b" });
    expect(f.capacity).toBe(4);
    for (const b of [4, 3, 1, 5]) {
      const expected = apply.resize({ b }).interpret(net, rows(b));
      const found = await Promise.all((await f.run(net, rows(b))).map(read));
      expect(found.map(numbersOf)).toEqual(expected.map(numbersOf));
      expect((found[0] as Tensor).shape).toEqual([b, 2]);
    }
    f.free();
  });

  it("takes rows that are on the device, and typed arrays when the size is said", async () => {
    const f = await device.compile(apply, { open: "b" });
    const three = await f.at(3);
    const x = await three.put("x", rows(3));
    const expected = numbersOf(apply.resize({ b: 3 }).interpret(net, rows(3))[0]);
    expect(numbersOf(await read((await f.run(net, x))[0]!))).toEqual(expected);
    expect(numbersOf(await read((await three.run(net, Float32Array.from(rows(3).data)))[0]!))).toEqual(
      expected,
    );
    await expect(f.run(net, Float32Array.from(rows(3).data))).rejects.toThrow(
      "the size of b can't be told from elements without a shape",
    );
    free(x);
    f.free();
  });

  it("compiles another size where rows hang together", async () => {
    const f = await device.compile(module.compile("centred", { dims: { b: 4 } }), { open: "b" });
    expect(numbersOf(await read((await f.run(tensor([2], [1, 3])))[0]!))).toEqual([-1, 1]);
    f.free();
  });

  it("leaves nothing behind of a smaller batch", async () => {
    const f = await device.compile(apply, { open: "b" });
    await device.scope(async () => void (await f.run(net, rows(3))));
    const before = device.memory().tensors;
    await device.scope(async () => void (await f.run(net, rows(3))));
    expect(device.memory().tensors).toBe(before);
    f.free();
  });

  it("refuses a dimension that there is not", async () => {
    await expect(device.compile(apply, { open: "k" })).rejects.toThrow(
      "open: apply has no dimension k; there are b, n",
    );
  });

  it("makes no kernel for the last, partial batch of a model's forward function", async () => {
    const checking = await openNodeDevice({ adapter: "null" });
    const loaded: Program[] = [];
    const watched: typeof checking = {
      ...checking,
      load: (program, options) => {
        loaded.push(program);
        return checking.load(program, options);
      },
    };
    const compiled = loadModel("fec_micro").forward({ b: 4, h: 32, w: 32 });
    const f = await compileOpen(watched, compiled, { open: "b" });
    expect(loaded.map(({ kernels }) => kernels.length > 0)).toEqual([true]);
    const images = (b: number): Tensor => tensor([b, 3, 32, 32], new Float64Array(b * 3 * 32 * 32));
    const weights = compiled.init("p");
    for (const b of [4, 3, 1, 3]) {
      const [logits] = await f.run(weights, images(b));
      expect((logits as { shape: readonly number[] }).shape).toEqual([b, 10]);
    }
    // What is loaded besides only copies rows.
    expect(loaded.slice(1).flatMap(({ kernels }) => kernels)).toEqual([]);
    checking.close();
  });
});
