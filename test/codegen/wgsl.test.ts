/** The printed text, as a reader sees it and as a device takes it. */
import { beforeAll, describe, expect, it } from "vitest";
import { bindKernel } from "../../src/codegen/bindings.ts";
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
  select,
  workgroup,
} from "../../src/codegen/build.ts";
import type { Kernel, KernelBuffer, KernelExpr, Statement } from "../../src/codegen/kernel.ts";
import { vectorise } from "../../src/codegen/vectorise.ts";
import { dispatchShape, printWgsl } from "../../src/codegen/wgsl.ts";
import { wgslNames } from "../../src/codegen/wgsl-names.ts";
import { scalarFunctions } from "../../src/ir/scalar.ts";
import { wgslFunctions } from "../../src/ir/wgsl-functions.ts";
import { bindAlone, dispatch, openDevice, problemsOf } from "./device.ts";
import { barrier, floats, kernelOf, loop, rowSum, storeDevice, storeWorkgroup, when } from "./row-sum.ts";

let nullDevice: GPUDevice;
let device: GPUDevice;
beforeAll(async () => {
  nullDevice = await openDevice("null");
  device = await openDevice();
});

const x = load("device", "x", invocation, "f32");
const storeY = (value: KernelExpr): Statement => storeDevice("y", invocation, value);

describe("a kernel", () => {
  it("is a module with its names, its sources and its memory", () => {
    const kernel = {
      ...rowSum,
      nodes: ["total", "y"],
      origins: [
        { file: "rows.fec", line: 3, column: 5 },
        { file: "rows.fec", line: 3, column: 9 },
      ],
    };
    expect(printWgsl(bindAlone(kernel))).toMatchInlineSnapshot(`
      "// kernel row_sum
      // computes total, y
      // from rows.fec:3

      @group(0) @binding(0) var<storage, read> x: array<f32>;
      @group(0) @binding(1) var<storage, read_write> y: array<f32>;
      var<workgroup> partial_: array<f32, 4>;

      @compute @workgroup_size(4)
      fn main(@builtin(workgroup_id) workgroup_id: vec3<u32>, @builtin(local_invocation_id) local_invocation_id: vec3<u32>) {
        let workgroup_index = i32(workgroup_id.x);
        let invocation_index = i32(local_invocation_id.x);
        var total: f32 = 0.0;
        for (var k: i32 = invocation_index; k < 10; k += 4) {
          total = total + x[workgroup_index * 10 + k];
        }
        partial_[invocation_index] = total;
        workgroupBarrier();
        if (invocation_index < 2) {
          partial_[invocation_index] = partial_[invocation_index] + partial_[invocation_index + 2];
        }
        workgroupBarrier();
        if (invocation_index < 1) {
          partial_[invocation_index] = partial_[invocation_index] + partial_[invocation_index + 1];
        }
        if (invocation_index == 0) {
          y[workgroup_index] = partial_[0];
        }
      }
      "
    `);
  });

  it("gives on a device what it says", async () => {
    const input = Float32Array.from({ length: 30 }, (_, n) => n);
    const pages = [new Uint32Array(input.buffer), new Uint32Array(3)];
    const [, sums] = await dispatch(device, bindAlone(rowSum), pages, (page) => ({ page, offset: 0 }));
    expect([...new Float32Array(sums!.buffer)]).toEqual([45, 145, 245]);
  });

  it("has no heading when none is wanted, so that equal kernels have equal texts", () => {
    const texts = [rowSum, { ...rowSum, name: "other", nodes: ["z"], workgroups: 7 }].map((kernel) =>
      printWgsl(bindAlone(kernel), { header: false }),
    );
    expect(texts[0]).toBe(texts[1]);
    expect(texts[0]).not.toContain("//");
  });

  it("keeps line breaks of names out of its comments", () => {
    const origins = [{ file: "a\nfn evil() {}\u2028.fec", line: 1, column: 1 }];
    const text = printWgsl(bindAlone({ ...rowSum, name: "a\rb", origins }));
    expect(text.split("\n").slice(0, 2)).toEqual(["// kernel a b", "// from a fn evil() {} .fec:1"]);
  });
});

describe("packed buffers", () => {
  const words = 70;
  const names = ["a", "b", "flags", "counts", "y"];
  const types = ["f32", "f32", "bool", "i32", "f32"] as const;
  const at = (n: number): KernelExpr => load("device", names[n]!, invocation, types[n]!);
  const sum = apply("add", apply("add", at(0), at(1)), cast("f32", at(3)));
  const kernel = kernelOf({
    name: "packed",
    workgroups: 1,
    invocations: 4,
    buffers: names.map((name, n) => ({
      name,
      type: types[n]!,
      length: 4,
      access: name === "y" || name === "flags" ? "read_write" : "read",
    })),
    body: [
      storeDevice("y", invocation, select(at(2), sum, constant("f32", -1))),
      storeDevice("flags", invocation, apply("not", at(2))),
    ],
  });
  const page = (buffer: number): number => (buffer === 0 || buffer === 1 ? 0 : 1);
  const bound = bindKernel(kernel, 2, page, (number) => number === 1);

  it("are bound by the page, each from its own offset", () => {
    expect(printWgsl(bound, { header: false })).toMatchInlineSnapshot(`
      "@group(0) @binding(0) var<storage, read> page_0: array<f32>;
      @group(0) @binding(1) var<storage, read_write> page_1: array<u32>;
      @group(0) @binding(2) var<uniform> offsets: array<vec4<u32>, 2>;

      @compute @workgroup_size(4)
      fn main(@builtin(local_invocation_id) local_invocation_id: vec3<u32>) {
        let invocation_index = i32(local_invocation_id.x);
        let a_offset = i32(offsets[0].x);
        let b_offset = i32(offsets[0].y);
        let flags_offset = i32(offsets[0].z);
        let counts_offset = i32(offsets[0].w);
        let y_offset = i32(offsets[1].x);
        page_1[y_offset + invocation_index] = bitcast<u32>(select(-1.0, page_0[a_offset + invocation_index] + page_0[b_offset + invocation_index] + f32(bitcast<i32>(page_1[counts_offset + invocation_index])), page_1[flags_offset + invocation_index] != 0u));
        page_1[flags_offset + invocation_index] = u32(!(page_1[flags_offset + invocation_index] != 0u));
      }
      "
    `);
  });

  it("give on a device what single ones give", async () => {
    const offsets = [5, 60, 10, 33, 64];
    const pages = [new Uint32Array(words), new Uint32Array(words)];
    const put = (buffer: number, values: Uint32Array | Int32Array | Float32Array): void =>
      pages[page(buffer)]!.set(new Uint32Array(values.buffer), offsets[buffer]);
    put(0, Float32Array.of(1, 2, 3, 4));
    put(1, Float32Array.of(0.5, 0.25, 0.125, 0));
    put(2, Uint32Array.of(1, 0, 1, 1));
    put(3, Int32Array.of(-1, -2, 100, 0));
    const placed = (buffer: number): { page: number; offset: number } => ({
      page: page(buffer),
      offset: offsets[buffer]!,
    });
    const after = await dispatch(device, bound, pages, placed);
    expect([...new Float32Array(after[1]!.slice(64, 68).buffer)]).toEqual([0.5, -1, 103.125, 4]);
    expect(after[1]!.slice(10, 14)).toEqual(Uint32Array.of(0, 1, 0, 0));
  });
});

describe("packed buffers that are reached by fours", () => {
  const element = (n: number): KernelExpr =>
    load("device", "a", add(mul(invocation, integer(4)), integer(n)), "f32");
  const loaded = [0, 1, 2, 3].map((n): Statement => ({ kind: "let", name: `e${n}`, value: element(n) }));
  const buffer = (name: string, length: number, access: KernelBuffer["access"]): KernelBuffer => ({
    name,
    type: "f32",
    length,
    access,
  });
  const kernel = vectorise(
    kernelOf({
      workgroups: 1,
      invocations: 2,
      buffers: [buffer("a", 8, "read"), buffer("b", 2, "read"), buffer("y", 8, "read_write")],
      body: [
        ...loaded,
        ...[3, 2, 1, 0].map((from, n) =>
          storeDevice(
            "y",
            add(mul(invocation, integer(4)), integer(n)),
            apply("add", local(`e${from}`, "f32"), load("device", "b", invocation, "f32")),
          ),
        ),
      ],
    }),
  );
  const bound = bindKernel(
    kernel,
    1,
    () => 0,
    () => true,
  );

  it("lie in a page of vectors, single elements too", () => {
    const text = printWgsl(bound, { header: false });
    expect(text).toContain("var<storage, read_write> page_0: array<vec4<f32>>;");
    expect(text).toContain("page_0[(a_offset + invocation_index * 4) >> 2u];");
    expect(text).toContain("page_0[(b_offset + invocation_index) >> 2u][invocation_index & 3]");
    expect(text).toContain("page_0[(y_offset + invocation_index * 4) >> 2u] = vec4<f32>(");
  });

  it("lie in a page of single elements where one of them is stored so, unless the driver writes it alone", () => {
    const storing = {
      ...kernel,
      buffers: [...kernel.buffers, buffer("z", 4, "write")],
      body: [...kernel.body, storeDevice("z", invocation, constant("f32", 1))],
    };
    const textOf = (of: Kernel): string =>
      printWgsl(
        bindKernel(
          of,
          1,
          () => 0,
          () => true,
        ),
      );
    expect(textOf(storing)).toContain("page_0: array<f32>;");
    expect(textOf({ ...storing, storesElements: true })).toContain("page_0: array<vec4<f32>>;");
  });

  it("give on a device what they are to give", async () => {
    const [a, b, y] = [0, 64, 128];
    const page = new Float32Array(192);
    page.set([1, 2, 3, 4, 5, 6, 7, 8], a);
    page.set([10, 20], b);
    const [after] = await dispatch(device, bound, [new Uint32Array(page.buffer)], (n) => ({
      page: 0,
      offset: [a, b, y][n]!,
    }));
    const result = new Float32Array(after!.buffer, after!.byteOffset + 4 * y, 8);
    expect([...result]).toEqual([14, 13, 12, 11, 28, 27, 26, 25]);
  });
});

describe("many workgroups", () => {
  it.each([
    [0, [0, 1, 1]],
    [1, [1, 1, 1]],
    [65535, [65535, 1, 1]],
    [65536, [32768, 2, 1]],
    [200001, [50001, 4, 1]],
    [2 ** 31 - 1, [65535, 32769, 1]],
  ])("%d are dispatched as %j", (workgroups, shape) => {
    expect(dispatchShape(workgroups)).toEqual(shape);
    expect(shape[0]! * shape[1]!).toBeGreaterThanOrEqual(workgroups);
    expect(shape[0]!).toBeLessThanOrEqual(65535);
  });

  it("are numbered over two directions, and those beyond the last do nothing", async () => {
    const count = 65543;
    const kernel = kernelOf({
      workgroups: count,
      invocations: 1,
      buffers: [floats("y", count + 100, "write")],
      workgroupArrays: [{ name: "shared_word", type: "i32", length: 1 }],
      body: [
        storeWorkgroup("shared_word", integer(0), workgroup),
        barrier,
        storeDevice("y", workgroup, cast("f32", load("workgroup", "shared_word", integer(0), "i32"))),
      ],
    });
    expect(printWgsl(bindAlone(kernel), { header: false })).toMatchInlineSnapshot(`
      "@group(0) @binding(0) var<storage, read_write> y: array<f32>;
      var<workgroup> shared_word: array<i32, 1>;

      @compute @workgroup_size(1)
      fn main(@builtin(workgroup_id) workgroup_id: vec3<u32>) {
        let workgroup_index = i32(workgroup_id.y * 32772u + workgroup_id.x);
        if (workgroup_index >= 65543) { return; }
        shared_word[0] = workgroup_index;
        workgroupBarrier();
        y[workgroup_index] = f32(shared_word[0]);
      }
      "
    `);
    const [memory] = await dispatch(device, bindAlone(kernel), [new Uint32Array(count + 100)], () => ({
      page: 0,
      offset: 0,
    }));
    const found = new Float32Array(memory!.buffer);
    expect([...found.slice(0, 3), found[count - 1], found[count]]).toEqual([0, 1, 2, count - 1, 0]);
  });
});

describe("names", () => {
  it("become identifiers, no two alike, none that WGSL knows", async () => {
    const names = [
      "stage.0/x",
      "stage_0_x",
      "var",
      "α",
      "__m",
      "2d",
      "f32",
      "select",
      "fecit_erf",
      "main",
      "offsets",
      "t0",
      "workgroup_index",
      "array",
      "min",
    ];
    const buffers = names.slice(0, 8).map((name) => floats(name, 8, "read_write"));
    const all = names.map((name): Statement => ({
      kind: "let",
      name,
      value: apply("erf", load("device", "α", workgroup, "f32")),
    }));
    const use = names.map((name) =>
      storeDevice(
        "var",
        workgroup,
        apply("max", local(name, "f32"), apply("mul", local(name, "f32"), apply("exp", local(name, "f32")))),
      ),
    );
    const bound = bindAlone(kernelOf({ workgroups: 8, invocations: 1, buffers, body: [...all, ...use] }));
    expect(await problemsOf(nullDevice, bound)).toEqual([]);
    const declared = [...printWgsl(bound).matchAll(/^ {2}let (\w+) = fecit_erf/gm)].map(([, name]) => name);
    expect(declared).toMatchInlineSnapshot(`
      [
        "stage_0_x_3",
        "stage_0_x_4",
        "var__2",
        "v_2",
        "m_2",
        "v_2d_2",
        "f32__2",
        "select__2",
        "v_fecit_erf",
        "main_2",
        "offsets_2",
        "t0",
        "workgroup_index_2",
        "array_",
        "min_",
      ]
    `);
  });
});

it("the names that the scalar table and its functions call are never a program's", () => {
  const types = ["f32", "i32", "u32", "bool"] as const;
  const entries = Object.values(scalarFunctions).flatMap(({ wgsl }) =>
    types.flatMap((type) => types.map((from) => wgsl(["a", "b", "c"], type, from))),
  );
  const text = [...entries, ...Object.values(wgslFunctions)].join("\n").replaceAll(/\bfn (\w+)/g, "");
  const called = new Set([...text.matchAll(/\b([a-z]\w*)(?=\(|<[fiu])/gi)].map(([, name = ""]) => name));
  expect(called.size).toBeGreaterThan(20);
  for (const name of called) expect(wgslNames([]).fresh(name), name).not.toBe(name);
});

describe("uniform control flow", () => {
  it("holds for a barrier in a loop whose bounds depend on the workgroup", async () => {
    const body = [
      loop("r", workgroup, mul(add(workgroup, integer(1)), integer(3)), [
        storeWorkgroup("shared_word", invocation, x),
        barrier,
        when(
          less(invocation, integer(3)),
          storeY(load("workgroup", "shared_word", add(invocation, integer(1)), "f32")),
        ),
        barrier,
      ]),
    ];
    const buffers = [floats("x", 64, "read"), floats("y", 64, "write")];
    const workgroupArrays = [{ name: "shared_word", type: "f32", length: 4 }] as const;
    const bound = bindAlone(kernelOf({ workgroups: 70000, buffers, workgroupArrays, body }));
    expect(await problemsOf(nullDevice, bound)).toEqual([]);
  });
});
